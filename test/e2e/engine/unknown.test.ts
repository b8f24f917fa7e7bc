/** A first preview of machines that other resources are yet to make; the plugin is found on PATH. */
import { describeWhere } from "../../can";
import { project, root, Workspace } from "./workspace";

jest.setTimeout(120_000);

// Nothing of lux is known before it is made: it stands for a server of some cloud.
const program = `
import { OverlayNode, WgLink } from "pulumi-overlay";

const lux = new OverlayNode("lux", {
  id: 1,
  connection: { host: "203.0.113.5" },
  addresses: ["10.255.0.1"],
});
const address = lux.machine.apply(() => "198.51.100.9");
const fra = new OverlayNode("fra", {
  id: 2,
  connection: { host: address },
  addresses: [lux.machine.apply(() => "10.255.0.2")],
  endpoints: [address],
});
new WgLink("lux-fra", { a: lux, b: fra });
`;

describeWhere("engine", "values that are known only later", () => {
  test("have their place in the preview, and the rest is all there", async () => {
    const workspace = await Workspace.make({
      files: { "index.ts": program, "Pulumi.yaml": project(undefined) },
      environment: { PATH: `${root}/bin:${process.env.PATH}` },
    });
    try {
      const { text } = await workspace.well("preview");
      const later = "<known after fra is created>";
      expect(text).toContain(
        `wg set inter-fra peer ${later} allowed-ips 0.0.0.0/0,::/0 endpoint ${later} persistent-keepalive 25\n`,
      );
      expect(text).toContain(`ip route add ${later} dev inter-fra proto 111 metric 4096\n`);
      expect(text).toContain("wg set inter-fra listen-port 11002 ");
    } finally {
      workspace.remove();
    }
  });
});
