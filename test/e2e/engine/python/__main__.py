"""Three nodes, a link, its post-quantum keys where there is a Rosenpass for them, a segment over it, and a mesh."""

import json

import pulumi
import pulumi_overlay as overlay

with open("lab.json", encoding="utf-8") as file:
    hosts = json.load(file)["hosts"]


def node(name: str, number: int) -> overlay.OverlayNode:
    host = hosts[name]
    return overlay.OverlayNode(
        name,
        id=number,
        connection=overlay.ConnectionArgs(host=host["addresses"][0], host_key=host["hostKey"]),
        addresses=[f"10.255.0.{number}", f"fd00:6f::{number}"],
        endpoints=[overlay.EndpointArgs(address=address) for address in host["addresses"]],
    )


lux = node("lux", 1)
fra = node("fra", 2)
hkg = node("hkg", 3)
keepalive = pulumi.Config().get_int("keepalive") or 25
link = overlay.WgLink("lux-fra", a=lux, b=fra, keepalive=keepalive)

with open("rosenpass.json", encoding="utf-8") as file:
    binary = json.load(file)
if binary:
    given = overlay.RosenpassBinaryArgs(path=binary["path"], sha256=binary["sha256"])
    pulumi.export("health", overlay.RosenpassPeer("keys", link=link, mode="strict", binary=given).health)

lan = overlay.VxlanSegment(
    "lan",
    vni=100,
    variant="static-flood",
    links=[link],
    members=[
        overlay.SegmentMemberArgs(node=lux, addresses=["10.100.0.1/24"]),
        overlay.SegmentMemberArgs(node=fra, addresses=["10.100.0.2/24"]),
    ],
)
mesh = overlay.WgMesh("mesh", nodes=[fra, hkg], routes={"hkg": ["192.168.8.0/24"]})

pulumi.export("segment", lan.devices)
pulumi.export("publicKey", lux.public_key)
pulumi.export("link", link.side_a)
pulumi.export("mesh", mesh.devices)
