/** Many links at once, where every pair is to have a device of its own on both of its nodes. */
import type * as pulumi from "@pulumi/pulumi";
import type { WgLinkArgs } from "./linkArgs";
import type { OverlayNode } from "./OverlayNode";
import { WgLink } from "./WgLink";

/** What may be the same on every link. */
export type ShapeArgs = Pick<WgLinkArgs, "family" | "mtu" | "keepalive" | "rotate">;

const links = (
  pairs: [OverlayNode, OverlayNode][],
  args: ShapeArgs,
  options: pulumi.ComponentResourceOptions,
): WgLink[] => pairs.map(([a, b]) => new WgLink(`${a.nodeName}-${b.nodeName}`, { ...args, a, b }, options));

/**
 * A WgLink between every two nodes, called `lux-fra` where lux stands before fra in the list.
 *
 * @example
 * ```ts
 * const links = fullMesh([lux, fra, hkg]); // lux-fra, lux-hkg, fra-hkg
 * ```
 */
export const fullMesh = (
  nodes: readonly OverlayNode[],
  args: ShapeArgs = {},
  options: pulumi.ComponentResourceOptions = {},
): WgLink[] =>
  links(
    nodes.flatMap((a, index) => nodes.slice(index + 1).map((b): [OverlayNode, OverlayNode] => [a, b])),
    args,
    options,
  );

/**
 * A WgLink between the hub and every other node, called `hub-lux`. The hub may be among the nodes.
 *
 * @example
 * ```ts
 * const links = star(hkg, [lux, fra], { keepalive: 15 }); // hkg-lux, hkg-fra
 * ```
 */
export const star = (
  hub: OverlayNode,
  nodes: readonly OverlayNode[],
  args: ShapeArgs = {},
  options: pulumi.ComponentResourceOptions = {},
): WgLink[] =>
  links(
    nodes.filter((node) => node !== hub).map((node): [OverlayNode, OverlayNode] => [hub, node]),
    args,
    options,
  );
