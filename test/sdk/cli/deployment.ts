/** What `pulumi stack export` would print of a program, without an engine and without hosts. */
import { check } from "../../../sdk/provider/inputs";
import { resourceType } from "../../../sdk/provider/registry";
import { registered } from "../../components/declare";
import { publicKeys } from "../publicKeys";

/** The state that the program would have, as JSON. `extra`: resources of others. */
export async function deploymentOf(program: () => unknown, extra: object[] = []): Promise<string> {
  const all = await registered(program, false, keys());
  const resources = all.flatMap(({ type, name, inputs }) => {
    const known = resourceType(type);
    if (!known) return [];
    const checked = check(known, inputs, name);
    if ("faults" in checked) throw new Error(JSON.stringify(checked.faults));
    return [{ urn: `urn:pulumi:prod::net::${type}::${name}`, custom: true, type, id: name, inputs: checked.inputs }];
  });
  const stack = {
    urn: "urn:pulumi:prod::net::pulumi:pulumi:Stack::net-prod",
    custom: false,
    type: "pulumi:pulumi:Stack",
  };
  return JSON.stringify({ version: 3, deployment: { manifest: {}, resources: [stack, ...extra, ...resources] } });
}

/** What a provider finds on hosts of any name: each has another key. */
function keys(): Record<string, object> {
  const all = publicKeys(400);
  let next = 0;
  return new Proxy<Record<string, object>>(
    {},
    {
      get: (_, name) =>
        String(name).startsWith("rosenpass@")
          ? { publicKey: "5a".repeat(32), version: "rosenpass 0.2.2" }
          : { publicKey: all[next++ % all.length] },
    },
  );
}
