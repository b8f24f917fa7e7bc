/** How much of a stack goes without anybody saying that it may: the plugin keeps to it, and a report foretells it. */

export interface Going {
  /** Ends of links, of meshes and of segments that are to go, and how many of those these are of. */
  devices: number;
  links: number;
  /** A fifth of the devices that the program last declared, `removable` of each resource. */
  removable: number;
  /** Whether the run is to leave any. `destroy` asks for nothing but removals, those of segments before those of their links. */
  someStay: boolean;
}

/** One link may always go, and it has two ends; not as the first of all, where there are more than the four of two links. */
export const mayGo = ({ devices, links, removable, someStay }: Going): boolean =>
  devices <= removable || ((someStay || removable === 0) && links <= 1 && devices <= 2);

/** What allows a run to remove as much as it is told to: of the environment, or of the configuration. */
export const allowsAll = (said: unknown): boolean => said === "on" || said === "true";
