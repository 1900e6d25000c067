"""ONNX: numbers kept within limits."""

from __future__ import annotations

from ...ir import Node, ops
from ..rules import When
from .lowering import op


def _limits_are_scalars(node: Node) -> bool:
    return all(v is None or v.rank == 0 for v in node.inputs[1:])


rows = {ops.clip: When(_limits_are_scalars, op("Clip"))}
