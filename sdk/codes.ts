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
    faults: {
      meaning: "The program has faults, so nothing of it was done. Each was told before, with a code of its own.",
      cure: "Mend them all, then run again.",
    },
    duplicate: {
      meaning:
        "What only one may have is had twice: a name, an id, an address, a key, a machine, a port, a device, a VNI, a way " +
        "between two nodes; by another of the program, of another stack, or by something on the host.",
      cure: "Give each its own, or leave one of the two out: the message names the other.",
    },
    overlap: {
      meaning:
        "A prefix has addresses in common with another one, or with a network that the host is in: what is sent there " +
        "would have two ways.",
      cure: "Leave the addresses to one of the two: choose another prefix or smaller ones, or leave out the route.",
    },
    prefix: {
      meaning: "An address is in none of the prefixes that it has to be in.",
      cure: "Correct the address, or add its prefix; in a segment give all members the same.",
    },
    family: {
      meaning:
        "An address of IPv4 or of IPv6 is missing where one is needed, or there where none can be: nodes that talk to " +
        "each other need the same family.",
      cure: "Give all of them addresses of one family, or leave out what asks for the other one: a route, `family`, `outer`.",
    },
    underlay: {
      meaning:
        "What is to carry the overlay's packets is in the overlay itself, or behind another tunnel: they would loop.",
      cure: "Name an address that is reached without the overlay; a tunnel of others goes into `underlay.devices` of the node.",
    },
    mtu: {
      meaning: "An MTU is larger than what the way leaves for it, or smaller than IP allows.",
      cure: 'Leave `mtu` out, have the way carry more and say so in `underlay.mtu`, or say family: "v4" where IPv4 is enough.',
    },
    endpoint: {
      meaning: "Of two nodes neither can call the other: none of them has an endpoint that fits.",
      cure: "Give `endpoints` to the one that can be reached, or let a node that both can call relay.",
    },
    port: {
      meaning: "A UDP port is needed that is not among those the node has.",
      cure: "Choose one of the node's `ports` that nothing else has, or add one to them.",
    },
    way: {
      meaning: "Between two nodes there has to be a link, a mesh or a relay, and there is none.",
      cure: "Declare one, or leave out what would go by it.",
    },
    relay: {
      meaning: "A relay is to do what it cannot: it forwards between the nodes of its pairs, and nothing else.",
      cure: "Leave out the pair, or what is asked of the relay besides; the message says which nodes need a link of their own.",
    },
    strict: {
      meaning: "Nothing may pass between two nodes without a post-quantum key of theirs, and by a relay it would.",
      cure: "Leave the pair out of the relay, or make their link permissive.",
    },
    firewall: {
      meaning: "What is declared of the host's firewall is not what the host has, or lets nothing in.",
      cure: "Say in `firewall`, `firewallChain` and `forwardChain` of the node what the host has: the message names it.",
    },
    reference: {
      meaning:
        "A name or an address is that of nothing that is there: no node, no member, no device, no address of the host.",
      cure: "Correct it, or make or declare first what it stands for.",
    },
    language: {
      meaning: "Only a program in TypeScript or JavaScript is seen as a whole, and this is for such a one.",
      cure: "Leave it out, or say here what would otherwise be found out: the message has it.",
    },
    environment: {
      meaning: "What the program needs on the machine where Pulumi runs is missing: an SSH agent, or a package.",
      cure: "Start or install what the message names, and run again.",
    },
    conflict: {
      meaning:
        "The value may be sound by itself, and does not go with another field, or with what is known of the host.",
      cure: "The message names the other one, and what is legal beside it: change one of both.",
    },
  },
  host: {
    otherMachine: {
      meaning: "Another machine answers than the one that Pulumi knows: its /etc/machine-id is another.",
      cure: "Where it is the new one, run `pulumi up`, which tells it everything; else correct `connection.host`.",
    },
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
    package: {
      meaning: "A program that is needed on the host is missing there, or of a version that will not do.",
      cure: 'Install or upgrade it, or say packages: "install" on the node; Rosenpass can be given as `binary`.',
    },
    system: {
      meaning: "The host's kernel or its system is too old, or its kernel is without IPv6.",
      cure: "Upgrade the host, or boot a kernel that has what the message names.",
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
    foreign: {
      meaning: "Something of that name is on the host, and this stack has not made it, so it is not touched.",
      cure: "Remove it there, choose another name, or take a WireGuard device over with `adopt` where that is offered.",
    },
    adoption: {
      meaning: "A WireGuard device that somebody made by hand cannot be taken over as it is. Nothing was changed.",
      cure: "Change on the host what the message names, or leave out `adopt` and choose another name for the device.",
    },
    drifted: {
      meaning: "What this is built on is not on the host any more, though it was made.",
      cure: "Run `pulumi refresh`, then `pulumi up`.",
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
      meaning:
        "A file that is needed, for a host or of somebody else's machine, cannot be read from where it is said to be.",
      cure: "Correct its path or URL, or make it available there.",
    },
    wrongFile: {
      meaning: "A file has another length or hash than was declared, or than such a file has.",
      cure: "Get the right file, or correct the hash where it is the right one. After a restore: `pulumi refresh` first.",
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
    unreadable: {
      meaning: "What the store has is no document: it is cut off, too long, or of another form.",
      cure: "`overlay truth log` shows the last good one, and `overlay truth put` writes it back.",
    },
    version: {
      meaning: "The document, or a part of it, is of a newer version of this package.",
      cure: "Use that version here, too.",
    },
    otherNetwork: {
      meaning: "The document is that of another network, or of another one of the same name.",
      cure: "Correct `store` or `network`, or give one of the two networks another name.",
    },
    stranger: {
      meaning: "The document has a part of a stack that nobody here knows the key of.",
      cure: "Add its key to `signers`, on the hosts first. Where it is none of yours, look who may write to the store.",
    },
    forged: {
      meaning: "A part of the document is not signed by its stack, or was changed after that.",
      cure: "Look who may write to the store; `overlay truth log` shows what changed. The stack's next run mends its part.",
    },
    others: {
      meaning: "A document that is to be written by hand would take out what other stacks say.",
      cure: "Leave their parts as they are: each is its own stack's to change.",
    },
    tooLarge: {
      meaning: "What is to be written is longer than hosts, or other stacks, read.",
      cure: "Declare fewer links or endpoints for the nodes that the message names, or make several networks.",
    },
    signers: {
      meaning: "What was given as signers has other lines than allowed_signers(5).",
      cure: 'A line is such as: net/prod namespaces="overlay-truth" ssh-ed25519 AAAA…',
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
  warning: {
    clock: {
      meaning:
        "A host's clock is wrong, and WireGuard's peers take no call that says an earlier time than the last one.",
      cure: "Set it right as the message says, and have it kept right by a time server that no link leads to.",
    },
    silent: {
      meaning: "A node calls another in vain: nothing arrives there, or no answer comes back.",
      cure: "Let the UDP port in where it is called: the cloud's security group, the router, the machine's own firewall.",
    },
    keyless: {
      meaning: "No post-quantum key was exchanged for a link, whose packets pass without one until then.",
      cure: "Let Rosenpass's UDP port in where it is called, and look that its daemon runs at both ends.",
    },
    narrow: {
      meaning: "The way to another node carries less in one piece than the MTU says.",
      cure: "Set `mtu`, or `underlay.mtu` of the nodes, to what passes, or have the way in between carry more.",
    },
    nested: {
      meaning: "Encrypted packets were about to leave by a tunnel, and were dropped: they would have looped.",
      cure: "Give the endpoint a way by another device, or name the tunnel in `underlay.devices` of the node.",
    },
    forwarding: {
      meaning: "A node is to forward packets, and its host's settings or its own rules do not let them through.",
      cure: "Run there what the message says, or let them through by rules of your own.",
    },
    wide: {
      meaning:
        "A port of a bridge has longer packets come in than the bridge carries; nobody is told that they are dropped.",
      cure: "Give the port, and the machines behind it, the MTU of the bridge.",
    },
    smallMtu: {
      meaning: "The MTU is under 1280 bytes, so nothing has IPv6 there.",
      cure: "Nothing, where IPv4 is enough; otherwise have the way carry more and leave out `family`.",
    },
    largeMesh: {
      meaning: "A mesh has so many nodes that each change of one takes all of them long.",
      cure: "Make a mesh for each group of nodes that talk to each other.",
    },
    readable: {
      meaning: "A relay can read what the nodes of a pair send each other: it ends both links.",
      cure: "Nothing, where you trust the relay with that; otherwise leave the pair out.",
    },
    pending: {
      meaning: "A route is still to come: another stack has not said yet what it is to be.",
      cure: "Run again when the other stack has run.",
    },
    remade: {
      meaning: "A device has to be made again, which no preview knew: nothing passes by it in that moment.",
      cure: "Nothing. Where it comes up again, look who changes the device on the host.",
    },
    left: {
      meaning: "Something that this stack had made stays where it is.",
      cure: "Where it is to go, remove it there: by the stack that has it now, or by `overlay truth put`.",
    },
    unseen: {
      meaning: "The host was told to remove what carried this run's own SSH, and nobody saw the end of it.",
      cure: "Look at the host by another way, its console perhaps.",
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
      meaning: "A command or an option is none, has a value that it does not take, or does not go with the rest.",
      cure: "See `overlay COMMAND --help`.",
    },
    file: {
      meaning: "A file that was named cannot be read or written.",
      cure: "Correct its path, or its permissions; `-` is standard input where a command reads.",
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
    node: {
      meaning: "`overlay`, or the plugin of this package, does not find a Node.js that it runs with, or was not built.",
      cure: "Put Node.js 22 or later on PATH; in a checkout of the repository run `npm run build`.",
    },
    bug: {
      meaning: "The tool failed in a way that nobody has thought of.",
      cure: "Report it with the whole message and the command. It changes no host, so it can be run again.",
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
      cure: "Set the clocks right; where that does not do, delete one of the devices and run `pulumi up --refresh`.",
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

/** What a run tells and goes on. */
export type WarningCode = `warning/${Named<"warning">}`;

/** An error that a person can meet, and look up. */
export abstract class CodedError extends Error {
  abstract readonly code: Code;
}

export const marked = (code: Code, text: string): string => `${text} [${code}]`;

/** The same of what may end with lines of the kernel's, or of a stack: there the code has a line of its own. */
export const markedBelow = (code: Code, text: string): string =>
  text.includes("\n") ? `${text}\n[${code}]` : marked(code, text);

/** Text without the code that it ends with. */
export const withoutCode = (text: string): string => text.replace(/ \[[a-z]+\/\w+\]$/, "");

/** What a person is told of an error: its message, or what is made of that, and its code where it has one. */
export const withCode = (error: Error, text = error.message): string =>
  error instanceof CodedError ? marked(error.code, text) : text;
