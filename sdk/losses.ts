/**
 * What a change costs those who use the network, in the words in which a preview says it. Whoever says so takes them from
 * here, and `overlay report` knows a sentence by them.
 */

interface Loss {
  /** A part of the sentence. */
  says: string;
  /** For how long, as it follows a name. */
  lasts: string;
}

/** Durations are measured, with 250 to 500 pings a second each way. */
export const LOSSES = {
  link: { says: "no packet passes by it until its next handshake, about a second", lasts: "about a second" },
  peer: {
    says: "no packet reaches it until the next handshake, about one round trip",
    lasts: "about one round trip",
  },
  address: { says: "packets from and to it are lost for some milliseconds", lasts: "some milliseconds" },
  route: { says: "packets to it are lost for some milliseconds", lasts: "some milliseconds" },
  /** Where a bridge looks for loops, a port is silent for twice its forward delay, IEEE 802.1D. */
  port: { says: "where its bridge has stp, for 30 s", lasts: "about 30 ms, with stp 30 s" },
  segment: { says: "packets inside are lost for about 30 ms", lasts: "about 30 ms" },
  bridge: { says: "packets between its ports are lost until they are back, about 30 ms", lasts: "about 30 ms" },
  stpBridge: { says: "packets between its ports are lost until they are back, about 30 s", lasts: "about 30 s" },
  /** Two hosts a millisecond apart: 0 to 2 lost one way, 42 to 50 the other. */
  key: {
    says: "until the other side is told of it, about 0.2 s where this run does so, packets to it wait (128 at most) and those from it are lost",
    lasts: "about 0.2 s",
  },
  strictKey: {
    says: "from when this is made until the first key, some seconds",
    lasts: "some seconds, until the first key",
  },
  stricterKey: { says: "where none was yet, nothing passes until the first", lasts: "until the first key" },
  /** Of a device that is taken over. */
  routesAtOnce: { says: "At once: the routes to ", lasts: "until its `routes` name what is needed" },
  routesAtBoot: {
    says: "Until the next boot only: the routes to ",
    lasts: "from the next boot on, until its `routes` name them",
  },
  commandsAtBoot: {
    says: "Until the next boot only: what ",
    lasts: "from the next boot on, where its commands were needed",
  },
} as const satisfies Record<string, Loss>;

/** What only the host tells, and it was not to be asked. */
export const NOT_KNOWN = "is not known before `up`";

/** What a sentence says to be lost, if it does. */
export const lossIn = (sentence: string): Loss | undefined =>
  Object.values<Loss>(LOSSES).find(({ says }) => sentence.includes(says));
