/** Arguments of which some values are known only later. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { component, faultsOfKnown } from "../../components/input";
import { formatWithCodes, parse } from "../../sdk/faults";

const schema = z.strictObject({
  port: z.int(),
  ports: z.array(z.int()),
  portBase: z.int(),
  peer: z.strictObject({ publicKey: z.string(), id: z.int() }),
  peers: z.array(z.int()),
});

test("what is known only later has no faults yet, nor has what is in it, and all others have", () => {
  const later = pulumi.output("x");
  const value = { port: later, ports: ["x"], portBase: "y", peer: { publicKey: later, id: "z" }, peers: [later, "x"] };
  expect(faultsOfKnown(schema, value).map(({ path }) => path)).toEqual(["ports[0]", "portBase", "peer.id", "peers[1]"]);
  const paths = faultsOfKnown(schema, { ...value, peer: Promise.resolve({}) }).map(({ path }) => path);
  expect(paths).toEqual(["ports[0]", "portBase", "peers[1]"]);
  expect(faultsOfKnown(schema, Promise.resolve(value))).toEqual([]);
});

test("a component that is none, or is missing, is named with the article that goes with it", () => {
  const args = z.strictObject({
    node: component("overlay:index:OverlayNode"),
    link: component("overlay:index:WgLink"),
    mesh: component("overlay:index:WgMesh"),
  });
  const result = parse(args, { link: 5, mesh: "mesh" });
  expect("faults" in result && formatWithCodes(result.faults)).toBe(
    [
      "node: legal is an OverlayNode of this program; add it. [input/missing]",
      "link: found 5, legal is a WgLink of this program; correct the value. [input/value]",
      'mesh: found "mesh", legal is a WgMesh of this program; correct the value. [input/value]',
    ].join("\n"),
  );
});
