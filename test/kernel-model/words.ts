import { family } from "../../sdk/network/address";

/** Throws: what a real host would refuse, or what the model does not know. */
export type Refuse = () => never;

/** `key value` pairs of words. */
export const options = (words: string[]): Map<string, string> =>
  new Map(
    words.flatMap((word, index): [string, string][] => (index % 2 === 0 ? [[word, words[index + 1] ?? ""]] : [])),
  );

export const isV6 = (text: string): boolean => family(text) === "inet6";
