/** No field of a link or a host is without a test that changes it on a host, or a word on who sees to it. */
import { spec as node } from "../../../sdk/node/spec";
import { spec as wireguard } from "../../../sdk/wireguard/spec";
import { ELSEWHERE, HOST, INTERFACE } from "../../e2e/provider/fields";

const changed = (rows: typeof HOST): string[] => [...new Set(rows.map(([field]) => field))];
const ofPeer = changed(INTERFACE).filter((field) => field.startsWith("peer."));
const peer = Object.keys(wireguard.shape.peer.unwrap().shape).map((field) => `peer.${field}`);

test.each([
  [
    "an interface",
    Object.keys(wireguard.shape),
    changed(INTERFACE).filter((it) => !ofPeer.includes(it)),
    ELSEWHERE.interface,
  ],
  [
    "its peer",
    peer,
    ofPeer,
    Object.fromEntries(Object.entries(ELSEWHERE.peer).map(([name, why]) => [`peer.${name}`, why])),
  ],
  ["a host", Object.keys(node.shape), changed(HOST), ELSEWHERE.host],
])("of %s each field has a row, or says why it has none", (_, fields, rows, elsewhere) => {
  expect([...rows, ...Object.keys(elsewhere)].sort()).toEqual([...fields].sort());
});
