"""ONNX: normalization by groups of channels."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import Alone
from .builder import Builder, Tensor
from .lowering import by


def _group_norm(
    b: Builder, x: Tensor, scale: Tensor | None, offset: Tensor | None, *, groups: int, epsilon: float, axis: int
) -> Any:
    weights = _weights(b, x, scale, offset)
    return b.GroupNormalization(x, *weights, num_groups=groups, epsilon=epsilon)


def _instance_norm(
    b: Builder, x: Tensor, scale: Tensor | None, offset: Tensor | None, *, epsilon: float, axis: int
) -> Any:
    return b.InstanceNormalization(x, *_weights(b, x, scale, offset), epsilon=epsilon)


def _weights(b: Builder, x: Tensor, *given: Tensor | None) -> tuple[Any, Any]:
    """Scale and offset, ones and zeros where they are left out."""
    channels = (x.shape[1],)
    scale, offset = (v or b.Expand(b.constant(n, x.dtype), channels) for v, n in zip(given, (1, 0), strict=True))
    return scale, offset


def _has_channels_second(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return x.rank > 2 and node.attributes["axis"] % x.rank == 1


rows = {
    ops.group_norm: Alone(_has_channels_second, by(_group_norm, "GroupNormalization", since=21)),
    ops.instance_norm: Alone(_has_channels_second, by(_instance_norm, "InstanceNormalization")),
}
