/** What a program and the provider check alike. */
import { checkedString, looksSecret } from "../faults";

/** State keeps it, so it must not be the key itself. */
export const keyField = checkedString((value) =>
  value !== "" && value.length < 1024 && !value.includes("\n") && !looksSecret(value)
    ? undefined
    : { legal: "the path of an SSH key's file", cure: "write the key into a file that only you read, and name that" },
);
