"""Two nodes, a link between them, its post-quantum keys where there is a Rosenpass for them, and a segment over it."""

import json

import pulumi
from overlay import OverlayNode, RosenpassPeer, VxlanSegment, WgLink

with open("lab.json", encoding="utf-8") as file:
    hosts = json.load(file)["hosts"]


def node(name: str, number: int) -> OverlayNode:
    host = hosts[name]
    return OverlayNode(
        name,
        id=number,
        connection={"host": host["addresses"][0], "hostKey": host["hostKey"]},
        addresses=[f"10.255.0.{number}", f"fd00:6f::{number}"],
        endpoints=[{"address": address} for address in host["addresses"]],
    )


lux = node("lux", 1)
fra = node("fra", 2)
link = WgLink("lux-fra", a=lux, b=fra, keepalive=pulumi.Config().get_int("keepalive") or 25)

with open("rosenpass.json", encoding="utf-8") as file:
    binary = json.load(file)
if binary:
    pulumi.export("health", RosenpassPeer("keys", link=link, mode="strict", binary=binary).health)

lan = VxlanSegment(
    "lan",
    vni=100,
    variant="static-flood",
    links=[link],
    members=[{"node": lux, "addresses": ["10.100.0.1/24"]}, {"node": fra, "addresses": ["10.100.0.2/24"]}],
)

pulumi.export("segment", lan.devices)
pulumi.export("publicKey", lux.publicKey)
pulumi.export("link", link.sideA)
