"""Two nodes and a link between them."""

import json

import pulumi
from overlay import OverlayNode, WgLink

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

pulumi.export("publicKey", lux.publicKey)
pulumi.export("link", link.sideA)
