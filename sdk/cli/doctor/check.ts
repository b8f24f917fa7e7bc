/** One finding of a doctor. */
import { marked, type Named } from "../../codes";

export type FindingCode = `doctor/${Named<"doctor">}`;

export interface Check {
  /** What it is of: `lux`, or `lux-fra: fra and lux`. */
  of: string;
  /** Where that is a pair of hosts, what joins them: a link, a mesh or a segment. */
  within?: string;
  name: string;
  state: "ok" | "wrong" | "unknown";
  /** In a few words. */
  says: string;
  /** Of all that is wrong; and of what is not known, unless somebody else's words have a code of their own. */
  code?: FindingCode;
  /** What is wrong, and the cure; absent where another check's is this one's, too. */
  cure?: string;
  /** Lines of the kernel's text. */
  lines?: string[];
}

/** What is found before it is said of whom. */
export type Found = Omit<Check, "of" | "within">;

export const ok = (name: string, says: string): Found => ({ name, state: "ok", says });

const not =
  (state: "wrong" | "unknown") =>
  (code: FindingCode, name: string, says: string, cure?: string | undefined): Found => ({
    ...{ name, state, says, code },
    ...(cure !== undefined && { cure }),
  });

export const wrong = not("wrong");
export const unknown = not("unknown");

/** Nobody could look, for a reason that has its own code. */
export const unseen = (name: string, says: string, cure: string): Found => ({ name, state: "unknown", says, cure });

/** What follows from another finding, whose cure is this one's, too. */
export const follows = ({ state, code }: Found, name: string, says: string): Found => ({
  ...{ name, state, says },
  ...(code !== undefined && { code }),
});

/** As a person is told of it. */
export const withItsCode = ({ code }: Check, text: string): string => (code === undefined ? text : marked(code, text));
