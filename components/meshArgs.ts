/** What a person may say about a WireGuard mesh. */
import { z } from "zod";
import { deviceField, portField, routeField } from "../sdk/network/fields";
import { component, input } from "./input";
import { carrierField, keepaliveField } from "./linkArgs";
import type { OverlayNode } from "./OverlayNode";
import { peerField } from "./peerArgs";
import { postQuantumField } from "./rosenpassArgs";

export const meshArgs = z.strictObject({
  nodes: z
    .array(component<OverlayNode>("overlay:index:OverlayNode"))
    .min(1)
    .describe("The nodes, each with all the others as peers of one network device. All but one need endpoints."),
  peers: z
    .array(peerField)
    .default([])
    .describe(
      "Machines of somebody else that are peers of every node; the output wgQuick says what they must be told. Default: none.",
    ),
  routes: z
    .record(z.string(), input(z.array(input(routeField))))
    .default({})
    .describe(
      "What is reached by way of a node besides its own addresses, by the node's name; the node has to forward it. " +
        "No two nodes may have the same, and one of them at most a default route, which carries the answers to your own " +
        "SSH, too, where a host has no nearer way to you. Default: none. " +
        "Example: {fra: [192.168.7.0/24]}",
    ),
  family: carrierField
    .optional()
    .describe(
      "Family that the mesh's own packets travel in: only endpoints of it are called. v4: inet, and there is no IPv6 in " +
        "the mesh either, so that 576 bytes will do. Default: that of each node's first endpoint. Example: inet",
    ),
  mtu: input(z.int())
    .optional()
    .describe(
      "Bytes that a packet inside of the mesh may have. Default: what the smallest underlay of all nodes leaves over " +
        "IPv6, 1420 of 1500, and over IPv4 where family is inet or v4, 1440. Example: 1380",
    ),
  port: input(portField)
    .optional()
    .describe(
      "UDP port that every node listens on for all the others. Default: a node's portBase + its own id, which no link " +
        "of it has, or one of the node's ports. Example: 51820",
    ),
  device: deviceField
    .optional()
    .describe("Name of the network device on every node, at most 15 bytes. Default: the mesh's own name. Example: wg0"),
  postQuantum: postQuantumField
    .optional()
    .describe(
      "Post-quantum keys of every two nodes, by Rosenpass; those with `peers` have none. Default: none. " +
        "Example: {mode: permissive}",
    ),
  keepalive: keepaliveField.describe(
    "Seconds between packets that a node sends to each that it can call, so that NATs on the way keep their mapping; " +
      "0 is none. Default: 25. Example: 15",
  ),
});

/** Each is described in the document Arguments of the reference. */
export type WgMeshArgs = z.input<typeof meshArgs>;

/** A mesh as declared, defaults filled in. */
export type MeshData = z.output<typeof meshArgs> & { name: string };

const device = z
  .object({
    node: z.string().describe("The node's name."),
    device: z.string().describe("Name of the network device."),
    listenPort: z.int().describe("UDP port that it listens on."),
    mtu: z.int().describe("Bytes that a packet inside of the mesh may have."),
  })
  .meta({ id: "MeshDevice", description: "A mesh on one of its nodes." });

export const meshOutputs = z.object({
  devices: z.array(device).describe("The mesh on each of its nodes, in the order in which they are given."),
  health: z
    .string()
    .optional()
    .describe(
      "Of postQuantum: healthy, or what is wrong, as both ends of each pair were last seen; absent without it.",
    ),
  wgQuick: z
    .record(z.string(), z.string())
    .describe("For each of peers, by its name, a file of wg-quick without its private key."),
});
