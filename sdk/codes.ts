/**
 * Every code by which an error can be looked up, with what it means and what cures it: docs/errors.md is made of this. A
 * message ends with its code in brackets. A code stays what it is: a new meaning gets a new one.
 */

/** What holds wherever the error comes up; the message itself has the names and the numbers. */
interface Entry {
  meaning: string;
  cure: string;
}

export const CODES = {
  host: {
    unreachable: {
      meaning: "Nothing answers at the host's address.",
      cure: "Look whether the host is up, `connection.host` right, and its SSH port open from here.",
    },
    refused: {
      meaning: "The host answers, and takes no SSH connection: sshd does not run there, or closes it before the login.",
      cure: "Start sshd, or correct `connection.port`. Its log says why it closes: MaxStartups, an access list, a full disk.",
    },
    resolve: {
      meaning: "The host's name has no address, here or on the bastion that connects to it.",
      cure: "Correct `connection.host`, or give an address.",
    },
    banner: {
      meaning: "The host takes the TCP connection, and sends no SSH greeting in time.",
      cure: "Raise `connection.connectTimeout` for a host that is overloaded, or correct `connection.port`.",
    },
    hostKeyUnknown: {
      meaning: "Nobody vouches for the host's key, so it may be another machine.",
      cure: "Set `connection.hostKey` to the key that the host's console shows, or record it in known_hosts.",
    },
    hostKeyChanged: {
      meaning: "The host shows another key than the one that is known. Somebody may be listening in between.",
      cure: "Only if the host was rebuilt: set `connection.hostKey` to its new key, or replace it in known_hosts.",
    },
    auth: {
      meaning: "The host accepts none of the keys that were offered.",
      cure: "Put a public key into authorized_keys of that user, and load its private key into ssh-agent or `identities`.",
    },
    identity: {
      meaning: "A key of the provider's `identities` cannot be used, or ssh-agent does not start for them.",
      cure: "Give whole private keys without a passphrase, or load them into your own ssh-agent. It needs OpenSSH here.",
    },
    sudo: {
      meaning: "The user may not become root without a password.",
      cure: "Allow it with NOPASSWD in /etc/sudoers.d, or connect as root.",
    },
    noShell: {
      meaning: "The login succeeds, and no POSIX shell, or no sudo, is there to run a command.",
      cure: "Give the user /bin/sh and no forced command, install sudo, or connect as another user.",
    },
    notLinux: {
      meaning: "The host does not run Linux.",
      cure: "Declare only Linux hosts as nodes; other machines can be peers of a mesh.",
    },
    ssh: {
      meaning: "ssh does not start on this machine, or ends for a reason that no other code stands for.",
      cure: "Install the OpenSSH client, or correct the provider's `ssh`; try the same with ssh by hand.",
    },
    lost: {
      meaning: "The connection broke in the middle of an operation. The host finishes what it has begun.",
      cure: "Run again: the next run looks first, and goes on with what is missing.",
    },
    timeout: {
      meaning: "The host, or its login, took longer than it may.",
      cure: "Look at the load, PAM and the DNS of the host; allow more with `connectTimeout` or `customTimeouts`.",
    },
    cancelled: {
      meaning: "The run was cancelled.",
      cure: "Run again: the next run looks first, and goes on with what is missing.",
    },
    busy: {
      meaning: "Another run has been changing the host for longer than this one waits.",
      cure: "Wait until it has ended, then run again.",
    },
    owned: {
      meaning: "The machine belongs to another stack.",
      cure: "Destroy it there first, or list that stack in `formerly` if this one was called so.",
    },
    unarmed: {
      meaning: "The change may cut off SSH, and the host cannot take it back by itself. Nothing was changed.",
      cure: "Install systemd-run there, and make room in /run.",
    },
    unconfirmed: {
      meaning: "After the change no new login came through, so the host takes it back by itself.",
      cure: "Wait for that, then correct what keeps SSH out; `journalctl -u 'overlay-undo-*'` has what the host did.",
    },
    credentials: {
      meaning: "The host is to be given credentials of S3, and there are none here.",
      cure: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write the profile that the message names.",
    },
    agent: {
      meaning: "What this package runs on the host ended before its end.",
      cure: "Install what the message names; otherwise its last words are in the message.",
    },
  },
} as const satisfies Record<string, Record<string, Entry>>;

/** Where errors come from. */
type Room = keyof typeof CODES;

/** What is told apart in a room. */
export type Named<R extends Room> = keyof (typeof CODES)[R] & string;

/** `host/auth` */
export type Code = { [R in Room]: `${R}/${Named<R>}` }[Room];

/** An error that a person can meet, and look up. */
export abstract class CodedError extends Error {
  abstract readonly code: Code;
}

/** What a person is told of an error: its message, or what is made of that, and its code where it has one. */
export const withCode = (error: Error, text = error.message): string =>
  error instanceof CodedError ? `${text} [${error.code}]` : text;
