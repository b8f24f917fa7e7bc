/**
 * What keeps a run from taking down a network that nobody meant to lose, as by `destroy` in the wrong folder: more than a
 * fifth of the stack's links goes only where that is allowed. The engine asks for one removal after the other, and at
 * no preview for any.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { mayGo } from "../allowance";
import { type Fact, readAlias } from "../kernel";
import { Refused } from "./outcome";
import type { Values } from "./wire";

/** Milliseconds for removals of one run to come together, so that one refusal keeps all of them. */
const TOGETHER = 500;
/** Links named in a message. */
const MANY = 10;

export class Removals {
  /** Devices of links that may go. */
  #removable = 0;
  /** The link of each device that this run is to remove. */
  readonly #links = new Map<string, string>();
  /** Those of them that went. */
  readonly #gone = new Set<string>();
  #someStay = false;
  #told = false;

  /** Notes what a resource's inputs say of the stack, whether it stays or goes: a fifth of its devices. */
  learn({ removable }: Values): void {
    if (typeof removable === "number") this.#removable = Math.max(this.#removable, removable);
  }

  /** Notes that the run has a device that stays. */
  stays(): void {
    this.#someStay = true;
  }

  /** Resolves when these may go from a machine. Throws Refused. */
  async allow(machine: string, removed: readonly Fact[], signal?: AbortSignal): Promise<void> {
    const own: string[] = [];
    for (const { kind, key, value } of removed) {
      const { type, alias } = value as { type?: string; alias?: string };
      // A bridge carries nothing without the segments in it.
      if (kind !== "link" || type === "bridge") continue;
      own.push(`${machine} ${key}`);
      this.#links.set(`${machine} ${key}`, readAlias(alias)?.name ?? key);
    }
    await sleep(TOGETHER, undefined, { ...(signal && { signal }) }).catch(() => undefined);
    const going = { devices: this.#links.size, links: new Set(this.#links.values()).size };
    if (mayGo({ ...going, removable: this.#removable, someStay: this.#someStay })) {
      for (const device of own) this.#gone.add(device);
      return;
    }
    const first = !this.#told;
    this.#told = true;
    const stay = [...this.#links].filter(([device]) => !this.#gone.has(device)).map(([, link]) => link);
    const links = [...new Set(stay)].sort();
    throw new Refused(
      "provider/tooMany",
      first ? refusal(this.#links.size, links) : `It stays on ${machine}, as the others do.`,
    );
  }
}

const refusal = (devices: number, links: readonly string[]): string =>
  `This run is to remove more than 20 % of the stack's links, ${devices} devices in all, and nothing says that it may. ` +
  `${links.length > 0 ? `These stay: ${list(links)}` : "It stays"}. ` +
  "Where they are to go, OVERLAY_ALLOW_DESTROY=on in the environment allows it for one run: OVERLAY_ALLOW_DESTROY=on pulumi destroy. " +
  "For every run: pulumi config set overlay:allowDestroy true, then pulumi up, for destroy goes by what the last up was told.";

const list = (links: readonly string[]): string =>
  links.length > MANY ? `${links.slice(0, MANY).join(", ")} and ${links.length - MANY} more` : links.join(", ");
