/** A resource whose host cannot be reached any more: its removal fails, and says how to forget it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../../sdk/provider/inputs";
import { Provider } from "../../../sdk/provider/provider";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";

const URN = "urn:pulumi:prod::net::overlay:index:OverlayNode$overlay:node:Host::fra";
const captured = (name: string): string => join(__dirname, "../host/captured", name);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Why a Host is not deleted where ssh ends with these words. */
async function refusal(words: string): Promise<string> {
  const ssh = join(folder, "ssh.sh");
  writeFileSync(ssh, `cat '${captured(words)}' >&2; exit 255`);
  const news = { connection: { host: "203.0.113.5" }, spec: { node: "fra", owner: "net/prod", id: 2 } };
  const checked = check(resourceType("overlay:node:Host") as ResourceType, news, "fra");
  if ("faults" in checked) throw new Error("the host has faults");
  const provider = new Provider();
  provider.configure({ ssh: `sh ${ssh}` });
  try {
    await provider.delete({ urn: URN, id: "fra", inputs: checked.inputs, outputs: {}, seconds: 0 });
    return "nothing";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await provider.close();
  }
}

test.each([
  ["unreachable.timeout.txt", "cannot be reached"],
  ["refused.port.txt", "refuses TCP port 22"],
  ["hostKeyChanged.txt", "shows another host key"],
  ["auth.txt", "accepts none of the keys"],
])("%s: the error has the command that forgets this one resource", async (words, why) => {
  const message = await refusal(words);
  expect(message).toContain(`203.0.113.5 ${why}`);
  expect(message.endsWith(`forget this one resource with: pulumi state delete '${URN}'`)).toBe(true);
});

test("not where the fault is this machine's own", async () => {
  expect(await refusal("ssh.option.txt")).not.toContain("pulumi state delete");
});
