/** What things are called in a store. */

/** A stack's name as that of a file. */
export const fileName = (stack: string): string => stack.replaceAll("/", ".");

export const documentKey = (network: string): string => `${network}/document.json`;
/** Each document that was written, for who wants to look back; no reader needs it. */
export const logKey = (network: string, serial: number): string =>
  `${network}/log/${String(serial).padStart(8, "0")}.json`;
export const extractKey = (network: string, node: string, stack: string): string =>
  `${network}/hosts/${node}/${fileName(stack)}`;
