/** A technology is two files: spec.ts, what a person may say, and plan.ts, the facts that follow from it. */
import type { z } from "zod";
import type { WarningCode } from "../codes";
import type { Fault } from "../faults";
import type { Fact } from "./fact";
import type { Snapshot } from "./snapshot";

/** A machine that is called by a resource, so that it has to answer. */
export interface Call {
  device: string;
  publicKey: string;
  /** Name of the machine. */
  to: string;
  /** `198.51.100.9:11001` */
  endpoint: string;
  /** The end of another resource that answers; absent: somebody else's. */
  other?: string;
}

/** One end of what several resources make together, and whom it calls. */
export interface End {
  /** The same for all who speak of it, `lux-fra@lux`. */
  name: string;
  /** Name of the machine. */
  from: string;
  /** Whether the others call it. */
  called: boolean;
  calls: Call[];
}

/** A way inside of a device that is to carry packets of its MTU in one piece, both ways. */
export interface Path {
  device: string;
  /** Of what it is a way, `lux-fra`. */
  of: string;
  /** Name of the machine at the other end. */
  to: string;
  /** The end of another resource there; absent: somebody else's. */
  other?: string;
  /** The other machine's address inside. */
  address: string;
  /** Bytes that are declared. */
  mtu: number;
  /** Bytes that must be declared at least. Default: what IPv6 needs. */
  least?: number;
  /** What its packets are in, what those go by, and the UDP port of this machine where they arrive. */
  layer: "WireGuard" | "VXLAN";
  below: "underlay" | "link";
  port: number;
  /** Where they come from: WireGuard's public key, whose endpoint the kernel knows, or an address. */
  from: string;
  /** The WireGuard device by which VXLAN's packets come: its own port, and the public key of who sends them. */
  within?: { device: string; port: number; from: string };
  /** Lines of the text without which it is another way, or none. */
  lines: string[];
}

/** What a host is given that is in no state: bytes that are known by their hash, and where they come from. */
export interface Blob {
  sha256: string;
  /** A file where Pulumi runs, an address of the web, or the host at the other end, whose public key they are. */
  from: { path: string } | { url: string } | "other";
  /** Bytes that they must be. */
  size?: number;
  /** Whose they are, for messages: `the public key of lux`. */
  what: string;
}

/** Keys that are exchanged with another machine. */
export interface Keying {
  /** Of the exchange, on both hosts. */
  name: string;
  device: string;
  /** Name of the machine at the other end. */
  to: string;
  /** The end of another resource there; absent: somebody else's. */
  other?: string;
  /** Whether nothing passes without. */
  strict: boolean;
  /** UDP ports and addresses, for messages: `UDP 21001 from fra to 203.0.113.5 (lux)`. */
  way: string;
}

/** What a person is told, and the run goes on. */
export interface Warning {
  code: WarningCode;
  text: string;
}

export const warningsOf = (code: WarningCode, sentences: readonly string[]): Warning[] =>
  sentences.map((text) => ({ code, text }));

export interface Technology<In, Spec> {
  /** Pulumi's type token, `overlay:wireguard:Interface`. */
  token: string;
  spec: z.ZodType<Spec, In>;
  /** Pure and complete: all that the host is told for this resource. */
  plan(spec: Spec): Fact[];
  /**
   * What the look before a change must ask besides what the facts need, so that faults can be told. `known`: the text of
   * the kernel as it was last known, empty before anything was made.
   */
  queries?(spec: Spec, known: string): string[];
  /** What only the live host can tell to be wrong. */
  faults?(spec: Spec, snapshot: Snapshot): Fault[];
  /** What a look before a change, and that of a refresh, must ask besides, so that warnings can be told. */
  observes?(spec: Spec): string[];
  /**
   * What such a look shows that keeps it from working, and that only a person can mend; and what a look after a change
   * does, which asks for less.
   */
  warnings?(spec: Spec, snapshot: Snapshot): Warning[];
  /** Whose answers tell that it works. */
  end?(spec: Spec): End;
  /** What becomes of it for those who use it, in sentences for the preview. `before`: absent where it is new. */
  foretells?(spec: Spec, before?: Spec): string[];
  /** The files of its facts whose content is not in them. */
  blobs?(spec: Spec): Blob[];
  /** Keys that are to be exchanged before it works. */
  keying?(spec: Spec): Keying;
  /** What is to be proven with packets, where there is an end. `seen`: the host as it is, with all that it was told. */
  paths?(spec: Spec, seen: Snapshot): Path[];
}
