/** What a person may say about a source of truth that several stacks share. */
import { z } from "zod";
import { nameField } from "../sdk/network/fields";
import { agentFields, profileField } from "../sdk/node/choose";
import { keyField } from "../sdk/provider/truthFields";
import { endpointField } from "../sdk/truth/schema";
import { signersField } from "../sdk/truth/signature";
import { ADDRESSES, storeField } from "../sdk/truth/store";
import { component } from "./input";
import type { OverlayNode } from "./OverlayNode";

const relay = z
  .strictObject({
    a: nameField.describe("Name of one node. One of the two is in `nodes`. Example: nas"),
    b: nameField.describe("Name of the other. Example: van"),
    by: nameField.describe("Name of the node that forwards between the two. Example: lux"),
    allowPlaintext: z.literal(true).describe("That the relay can read what it forwards. Example: true"),
  })
  .meta({ id: "TruthRelay", description: "Two nodes, of several stacks, and the one that forwards between them." });

const choosing = z
  .strictObject({
    stores: z
      .array(storeField)
      .min(1)
      .optional()
      .describe(
        "Where the hosts read what concerns them, the first that answers: a folder there, or a bucket. Default: `store`. " +
          "Example: [file:///srv/truth]",
      ),
    profile: profileField
      .optional()
      .describe(
        "Of a bucket, the profile of the AWS tools (~/.aws/credentials, where Pulumi runs) with credentials that may " +
          "read it and nothing else: each host gets a copy, in a file that only root reads, and state gets none. " +
          "Default: none. Example: overlay-hosts",
      ),
    ...agentFields,
  })
  .meta({ id: "TruthChoosing", description: "How hosts choose by themselves where they call each other." });

export const truthArgs = z.strictObject({
  network: nameField.describe("Name of the network, the same in all stacks that are in it. Example: prod"),
  store: storeField.describe(
    `Where the document is: ${ADDRESSES}. A bucket's credentials are those of the AWS tools. Example: file:///srv/truth`,
  ),
  key: keyField.describe(
    "Path of the SSH key that signs what this stack says; the .pub file where an agent has the key. It is read when it " +
      "signs, and is in no state. Example: /home/ci/.ssh/truth",
  ),
  signers: signersField.describe(
    "SSH public keys of each stack that may write, by project/stack. Who is added is added on the hosts first. " +
      "Example: {net/prod: [ssh-ed25519 AAAA…]}",
  ),
  nodes: z
    .array(component<OverlayNode>("overlay:index:OverlayNode"))
    .default([])
    .describe(
      "The stack's nodes that others may link to. The links and meshes between them, and with nodes of other stacks, are " +
        "said with them. Default: none.",
    ),
  endpoints: z
    .record(
      z.string(),
      z.array(
        endpointField.meta({
          id: "TruthEndpoint",
          description: "One more place at which a node is called, with what it costs.",
        }),
      ),
    )
    .default({})
    .describe(
      "More endpoints, by the node's name, between which the hosts themselves choose: with a cost, or with a name that " +
        "the host resolves. Default: none. Example: {nas: [{name: home.example.net, ports: [443], cost: 10}]}",
    ),
  choosers: z
    .record(z.string(), nameField)
    .default({})
    .describe(
      "Which end of a link chooses where to call the other, by the link's name. Default: the one whose peer has endpoints; " +
        "where both have some, the one with the lower id. Example: {lux-fra: fra}",
    ),
  choose: choosing
    .optional()
    .describe(
      "Has the hosts of these nodes choose by themselves where they call each other, by what the document says of " +
        "endpoints. Default: they call where the program says. Example: {profile: overlay-hosts}",
    ),
  connections: z
    .boolean()
    .default(false)
    .describe(
      "Whether the document says how the machines are reached over SSH, for a stack that is built from it alone. " +
        "Default: false.",
    ),
  relays: z
    .array(relay)
    .default([])
    .describe(
      "Pairs of nodes of which neither can be called, and the node that forwards between them, as its own `relay` says; " +
        "both have a link or a mesh with it. With `choose` their hosts make the routes. Default: none. " +
        "Example: [{a: nas, b: van, by: lux, allowPlaintext: true}]",
    ),
});

/** Each is described in the document Arguments of the reference. */
export type SourceOfTruthArgs = z.input<typeof truthArgs>;
export type TruthData = z.output<typeof truthArgs>;

export const truthOutputs = z.object({
  identity: z.string().describe("Of the document: another network may have the same name."),
  serial: z.int().describe("Of the document when this stack last wrote or read it."),
});
