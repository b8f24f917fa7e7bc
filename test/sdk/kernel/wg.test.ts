import { parseWgDump } from "../../../sdk/kernel";
import { ANYWHERE } from "../../../sdk/kernel/wg";
import { captured } from "./captured";

test("`wg show all dump` of a real host: two devices with a peer each, keys hidden", () => {
  expect(captured("roamed").wg).toEqual([
    {
      device: "inter-lux",
      publicKey: "OTiDG/IFDWbv0OwUV/MbNN1DAYPXDTkivkOy9j0zgAc=",
      listenPort: 11001,
      fwmark: 0x6f,
      peers: [
        {
          publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
          presharedKey: true,
          endpoint: "203.0.113.9:40927",
          allowedIps: ["0.0.0.0/0", "::/0"],
          latestHandshake: 1795258980,
          rxBytes: 836,
          txBytes: 6580,
          keepalive: 25,
        },
      ],
    },
    {
      device: "inter-hkg",
      publicKey: "OTiDG/IFDWbv0OwUV/MbNN1DAYPXDTkivkOy9j0zgAc=",
      listenPort: 11003,
      fwmark: 0x6f,
      peers: [expect.objectContaining({ presharedKey: false, endpoint: "[2001:db8:1::9]:11002", keepalive: 0 })],
    },
  ]);
});

test("a device that was given nothing, and a peer that was given a key alone", () => {
  const text = "wg0\t(none)\t(none)\t0\toff\nwg0\tKEY=\t(none)\t(none)\t(none)\t0\t0\t0\toff\n";
  const [device] = parseWgDump(text);
  expect(device).toMatchObject({ publicKey: "", listenPort: 0, fwmark: 0 });
  expect(device?.peers).toEqual([
    {
      publicKey: "KEY=",
      presharedKey: false,
      allowedIps: [],
      latestHandshake: 0,
      rxBytes: 0,
      txBytes: 0,
      keepalive: 0,
    },
  ]);
});

test("where a host may choose to call a peer, and where the other end chooses", () => {
  const text =
    "wg0\t(hidden)\tOWN=\t1\toff\nwg0\tKEY=\t(none)\t203.0.113.9:1\t(none)\t0\t0\t0\toff\n" +
    "wg0\tKEY=\tchosen\t203.0.113.9:1\nwg0\tKEY=\tcandidate\t[2001:db8::9]:1\nwg1\tKEY=\tfollows\t203.0.113.9:1\n";
  expect(parseWgDump(text)[0]?.peers[0]?.chosen).toEqual(["203.0.113.9:1", "[2001:db8::9]:1"]);
  expect(parseWgDump(text.replace("\tchosen", "\tfollows"))[0]?.peers[0]?.chosen?.[0]).toBe(ANYWHERE);
});

test("which routes by way of a relay a host has made", () => {
  const text = "wg0\t(hidden)\tOWN=\t1\toff\nwg0\t10.255.0.3/32\trelayed\tmetric 8194 src 10.255.0.1 mtu 1380\n";
  expect(parseWgDump(text)[0]?.relayed).toEqual([
    "10.255.0.3/32 dev wg0 proto 111 metric 8194 src 10.255.0.1 mtu 1380",
  ]);
});

test("no WireGuard at all", () => {
  expect(parseWgDump("")).toEqual([]);
});

test("a line of another shape is an error that does not repeat it", () => {
  expect(() => parseWgDump("wg0\tSECRET\n")).toThrow("a line of 2 fields, where a device has 5 and a peer has 9");
  expect(() => parseWgDump("SECRET\tb\tc\td\te\tf\tg\th\ti\n")).toThrow("a line of 9 fields");
});
