/** What a link, a mesh or a segment makes on a node's machine. */
import type * as pulumi from "@pulumi/pulumi";
import type { PartArgs } from "../sdk/provider/resources";
import type { OverlayNode } from "./OverlayNode";
import { program } from "./program";
import type { Part } from "./rollout";

type Class<Spec, R> = new (name: string, args: PartArgs<Spec>, options?: pulumi.CustomResourceOptions) => R;

interface PartOptions<Spec> {
  part: Part;
  /** Of the resource, by the node's name: it is known by the node's former names, too. */
  name(node: string): string;
  /** The names that it would have had before by the same node's name. Default: no others. */
  formerly?: ((node: string) => string)[];
  spec: PartArgs<Spec>["spec"];
  /** Arguments of the resource besides. Default: none. */
  more?: object | undefined;
  /** What is to be there before, as it is when all is declared. Default: nothing but the machine, or its key. */
  after?: () => pulumi.Resource[];
}

/** Makes it when it is the node's turn; it goes with the node. `options`: those of whoever makes it. */
export function makePart<Spec, R extends pulumi.Resource>(
  Type: Class<Spec, R>,
  node: OverlayNode,
  { part, name, formerly = [], spec, more, after = () => [] }: PartOptions<Spec>,
  options: pulumi.CustomResourceOptions,
): R {
  const { nodeName, formerNames } = node;
  // As it was declared, where that was here: Pulumi has more to do for each Output.
  const { connection } = program().network.nodeOf(nodeName) ?? node;
  // A key comes before the machine's turn.
  const { machine } = part === "key" ? node.early : node;
  const aliases = [
    ...formerNames.map((former) => ({ name: name(former) })),
    ...formerly.flatMap((before) => [nodeName, ...formerNames].map((its) => ({ name: before(its) }))),
  ];
  return program().inTurn(part, nodeName, (inTurn) => {
    const there: Promise<pulumi.Resource[]> = inTurn(undefined).then(after);
    const args = { connection, machine, spec, ...more, ...program().ofStack(nodeName) };
    return new Type(name(nodeName), args, {
      ...options,
      deletedWith: node,
      // What is made first would be taken over as it is, and then removed as the former one.
      deleteBeforeReplace: true,
      aliases,
      dependsOn: there,
    });
  });
}
