"""The package in Python: what `pulumi package add` writes, cut down to what the program beside it uses.

(That generator is part of Python language hosts that are newer than the one that can be built from Go modules.)
"""

from typing import Any, Optional

import pulumi


class OverlayNode(pulumi.ComponentResource):
    machine: pulumi.Output[str]
    publicKey: pulumi.Output[str]

    def __init__(self, name: str, opts: Optional[pulumi.ResourceOptions] = None, **args: Any) -> None:
        outputs = {"machine": None, "publicKey": None}
        super().__init__("overlay:index:OverlayNode", name, {**outputs, **args}, opts, remote=True)


class RosenpassPeer(pulumi.ComponentResource):
    health: pulumi.Output[str]

    def __init__(self, name: str, opts: Optional[pulumi.ResourceOptions] = None, **args: Any) -> None:
        super().__init__("overlay:index:RosenpassPeer", name, {"health": None, **args}, opts, remote=True)


class VxlanSegment(pulumi.ComponentResource):
    devices: pulumi.Output[list[dict[str, Any]]]

    def __init__(self, name: str, opts: Optional[pulumi.ResourceOptions] = None, **args: Any) -> None:
        super().__init__("overlay:index:VxlanSegment", name, {"devices": None, **args}, opts, remote=True)


class WgLink(pulumi.ComponentResource):
    sideA: pulumi.Output[dict[str, Any]]
    sideB: pulumi.Output[dict[str, Any]]

    def __init__(self, name: str, opts: Optional[pulumi.ResourceOptions] = None, **args: Any) -> None:
        outputs = {"sideA": None, "sideB": None}
        super().__init__("overlay:index:WgLink", name, {**outputs, **args}, opts, remote=True)
