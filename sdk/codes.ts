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
  input: {
    unknownField: {
      meaning: "There is no field of this name.",
      cure: "Remove it, or correct its spelling: the message has the names that there are.",
    },
    missing: {
      meaning: "A field that is needed has no value.",
      cure: "Add it. Where its value is an output of something else, look whether that is undefined.",
    },
    type: {
      meaning: "The value is of another type than the field takes.",
      cure: "Give what the message calls legal.",
    },
    range: {
      meaning: "A number is too small or too large, or a text or a list too short or too long.",
      cure: "Stay within the bounds that the message names.",
    },
    value: {
      meaning: "The value is none that the field takes: no address, no key, none of a few words.",
      cure: "Give what the message calls legal. Of what may be a secret the message does not show the value.",
    },
    peer: {
      meaning:
        "`peer()` of a SourceOfTruth cannot answer: the document has no such node, or it is not said whose peer it is.",
      cure: "Run the stack that has the node first; declare the nodes before the call, and say which of them is meant.",
    },
    secret: {
      meaning: "The value is marked secret, and previews, messages or files on the host would show it.",
      cure: "Wrap it in `pulumi.unsecret()` if it is none.",
    },
    conflict: {
      meaning:
        "The value may be sound by itself, and does not go with something else: another field, another node, link or " +
        "segment, another stack, or what is known of the host.",
      cure: "The message names the other one, and what is legal beside it: change one of both.",
    },
  },
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
  provider: {
    unfit: {
      meaning: "The host, as it is, cannot be told what is declared. Nothing was changed there.",
      cure: "The message has a sentence for each reason: what was found, what is legal, how to mend it.",
    },
    foreign: {
      meaning: "Something of that name is on the host, and this stack has not made it, so it is not touched.",
      cure: "Remove it there, choose another name, or take a WireGuard device over with `adopt` where that is offered.",
    },
    carriesSsh: {
      meaning: "What is to be removed carries the SSH of this run, or the only way to another host.",
      cure: "Set `connection.host` to an address that does not depend on it and run `pulumi up`, or set OVERLAY_FORCE=on.",
    },
    takenBack: {
      meaning: "A change would have cut off a host, so the host took it back.",
      cure: "Set `connection.host` to an address that does not depend on the change, or correct what is declared.",
    },
    failed: {
      meaning: "A command failed on the host, or it took all and is not as it should be. What was done stays.",
      cure: "Mend what the message says and run again: the next run goes on with the rest.",
    },
    tooMany: {
      meaning: "The run is to remove more than 20 % of the stack's links, and nothing says that it may.",
      cure: "Where they are to go: OVERLAY_ALLOW_DESTROY=on for one run, or `overlay:allowDestroy` for every run.",
    },
    noImport: {
      meaning: "`pulumi import` cannot take this resource.",
      cure: "Most need none: what this package has made is taken over when it is declared. An Interface's id is HOST/DEVICE.",
    },
    version: {
      meaning: "The program or the state is of another version of this package than the plugin.",
      cure: "Use the same version of both, or the version that wrote the state.",
    },
    configuration: {
      meaning: "The provider's configuration has faults.",
      cure: "Correct what the message names with `pulumi config set overlay:NAME`, or in the provider's arguments.",
    },
    unreadable: {
      meaning: "A file that a host is to be given cannot be read from where it is said to be.",
      cure: "Correct its path or URL, or make it available there.",
    },
    wrongFile: {
      meaning: "A file that a host is to be given has another length or hash than was declared.",
      cure: "Correct the hash where the file is the right one, or get the right file. After a restore: `pulumi refresh` first.",
    },
    keyless: {
      meaning: "Packets may pass only with a post-quantum key, and the two ends have exchanged none yet.",
      cure: "Look at the reason in the message: mostly a firewall that does not let Rosenpass's UDP port in.",
    },
    bug: {
      meaning: "The plugin failed in a way that nobody has thought of.",
      cure: "Report it with the whole message. Run again: the next run looks at the host first.",
    },
  },
  truth: {
    conflict: {
      meaning: "Others write to the source of truth all the time, or what is there is not what was expected.",
      cure: "Run again.",
    },
    denied: {
      meaning: "The store does not know the credentials, or does not allow it.",
      cure: "Set credentials that may read and write there, and this machine's clock.",
    },
    unreachable: {
      meaning: "The store does not answer, not in time, or answers that it is ill.",
      cure: "Look at the store's address and at the way there, then run again.",
    },
    faulty: {
      meaning: "The document, or something in the store, cannot be used.",
      cure: "Mend what the message names: whoever wrote it writes it again, or `overlay truth put` puts back an older one.",
    },
    replayed: {
      meaning: "The store has an older state than one that was seen before. Somebody may have put it there.",
      cure: "Where a backup was restored: have the others write again, or `overlay truth put` a newer one.",
    },
    key: {
      meaning: "Nothing can be signed with the key that was named.",
      cure: "Name a private key that ssh-keygen signs with and nobody has to type a passphrase for, or load it into ssh-agent.",
    },
    keygen: {
      meaning: "ssh-keygen is missing.",
      cure: "Install the OpenSSH client, 8.2 or later.",
    },
    address: {
      meaning: "The store's address is none, or has credentials in it.",
      cure: "Legal are s3://BUCKET?… and file://FOLDER; credentials come from the environment or a profile.",
    },
  },
  cli: {
    pulumi: {
      meaning: "`overlay` has run `pulumi`, and that is missing or ended with an error.",
      cure: "Put `pulumi` on PATH and log in; or give what it printed as a file.",
    },
    preview: {
      meaning: "What was given is no preview of a stack that uses this package.",
      cure: "Give the whole standard output of `pulumi preview --json`, of Pulumi 3, and of the right stack.",
    },
    state: {
      meaning: "What was given is no state of a stack that uses this package, or one that this version cannot read.",
      cure: "Give the whole of what `pulumi stack export` prints, of the right stack; run `pulumi up` with this version.",
    },
    host: {
      meaning: "The stack has no such host, or the host has not what was asked for.",
      cure: "Name one of the hosts in the message, or declare what is missing and run `pulumi up`.",
    },
    option: {
      meaning: "An option, or what was piped into the command, does not go with the rest of it.",
      cure: "See `overlay COMMAND --help`.",
    },
    key: {
      meaning: "The file holds no WireGuard private key.",
      cure: "Name a file as `wg genkey` prints it, or one that is not there yet: a new key is made there.",
    },
    qr: {
      meaning: "The file is longer than a QR code can be.",
      cure: "Carry it over without `--qr`, or make the machine the end of a WgLink.",
    },
    github: {
      meaning: "The comment of a pull request could not be written.",
      cure: "Give the step `github.token` with `pull-requests: write`; the message has GitHub's own words.",
    },
    absent: {
      meaning: "The store has no document of that network, or does not keep that serial.",
      cure: "Correct the network's name, the store or the serial: `overlay truth log` lists those that are kept.",
    },
    unconfirmed: {
      meaning: "Nobody has agreed to what is to be written.",
      cure: "Answer with y, or say `--yes` where nobody is there to ask.",
    },
  },
  doctor: {
    drift: {
      meaning: "Something on the host is not as it was declared; the finding has the lines.",
      cure: "`pulumi refresh`, then `pulumi up`, brings back what is declared. Or declare it as it is.",
    },
    kernel: {
      meaning: "The host has no WireGuard: its kernel has none, and there is no wireguard-go.",
      cure: "`modprobe wireguard` on Linux 5.6 and later, or install wireguard-go.",
    },
    clock: {
      meaning:
        "The host's clock is more than 10 s from the others', or was not seen. WireGuard takes no handshake that says an " +
        "earlier time than one before it.",
      cure: "`timedatectl set-ntp true` there.",
    },
    firewall: {
      meaning: "The host drops what no rule lets in, and nothing shows that a port of ours is let in.",
      cure: "Declare `firewall` of the node, or run what the message says. No declared firewall lets in a segment's port.",
    },
    nested: {
      meaning: "Encrypted packets were about to leave by a tunnel, and the loop guard has dropped them.",
      cure: "Give the endpoint a way by the underlay, or name that tunnel in `underlay.devices` of the node.",
    },
    forwarding: {
      meaning: "A setting or a rule of the host keeps it from forwarding what others send by way of it.",
      cure: "Run what the message says, and see that it is so after a reboot.",
    },
    bridge: {
      meaning:
        "Frames between ports of a node's bridge are dropped: by a rule of the host, or because they are too large.",
      cure: "Run what the message says, and see that it is so after a reboot.",
    },
    key: {
      meaning: "The two ends have not each other's public keys, or one alone has a preshared key.",
      cure: "`pulumi refresh`, then `pulumi up`, gives both what is declared.",
    },
    silent: {
      meaning: "What one end sends does not arrive at the other, or no answer comes back.",
      cure: "Let the UDP port in where the other end is: in its cloud's security group, on its router, in its firewall.",
    },
    dropped: {
      meaning: "A rule of an end's own drops what the other one sends, or what it sends itself.",
      cure: "Take the rule away that the message names, or let the port pass before it.",
    },
    untaken: {
      meaning:
        "Both ends get what the other sends, and take none of it, though the keys fit: mostly a clock was set back.",
      cure: "Set the clocks right; where that does not do, delete one of the devices and run `pulumi up`.",
    },
    unanswered: {
      meaning: "The way is there, and no ping inside is answered.",
      cure: "See that the other end is up, and that no firewall there drops ICMP by the device.",
    },
    unproven: {
      meaning: "No packet could be sent that would show whether it works.",
      cure: "Mend what keeps the host from sending them, or give both ends an address that can be asked.",
    },
    lowered: {
      meaning: "Somebody has set the MTU of a device to less than is declared.",
      cure: "`pulumi refresh`, then `pulumi up`, sets it to what is declared.",
    },
    narrow: {
      meaning: "Packets of the declared MTU do not arrive in one piece.",
      cure: "Raise the MTU of what carries them all the way, or declare the `mtu` that the message names.",
    },
    beneath: {
      meaning: "What carries a segment between two of its members does not work, or there is nothing that does.",
      cure: "Cure the link's own finding first; where there is no link between the two, declare one.",
    },
    rosenpass: {
      meaning: "No post-quantum keys are exchanged, or the session began before the first one.",
      cure: "Start the daemon, or let its UDP port in; a session gets the key with its next handshake, in two minutes.",
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

export const marked = (code: Code, text: string): string => `${text} [${code}]`;

/** What a person is told of an error: its message, or what is made of that, and its code where it has one. */
export const withCode = (error: Error, text = error.message): string =>
  error instanceof CodedError ? marked(error.code, text) : text;
