/** Credentials on their way to a host: in no fact and in no state, they become part of a change when it is sent. */
import { forCurl, NoCredentials, profileCredentials } from "../credentials";
import { type Command, put } from "../kernel";
import { HostError } from "./errors";

/** What `credentials MODE PATH PROFILE` stands for (sdk/kernel/file.ts) in its place. Throws HostError. */
export const withCredentials = (commands: readonly Command[]): Command[] =>
  commands.map((command) => {
    const [, mode, path, profile] = /^credentials (\d+) (\S+) (\S+)$/.exec(command) ?? [];
    return path === undefined || profile === undefined ? command : put(path, textOf(profile), mode);
  });

function textOf(profile: string): string {
  try {
    return forCurl(profileCredentials(profile));
  } catch (error) {
    if (!(error instanceof NoCredentials)) throw error;
    throw new HostError("credentials", `There are no credentials to give to the host: ${error.message}.`);
  }
}
