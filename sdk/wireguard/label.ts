/** What tells the keys of a device from each other. */
import { checkedString } from "../faults";

export const labelField = checkedString((value) =>
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(value)
    ? undefined
    : { legal: "1 to 32 letters, digits, `_` and `-`, a letter or digit first", cure: "choose another label" },
);

/** The label of a key that a device had before it was ours. */
export const ADOPTED = "adopted";
