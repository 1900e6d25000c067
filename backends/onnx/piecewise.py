"""ONNX: activation functions in pieces."""

from __future__ import annotations

from ...ir import Node, ops
from ..rules import When
from .arithmetic import number
from .builder import Builder, Tensor
from .lowering import by, op


def _hard_swish(b: Builder, x: Tensor) -> Tensor:
    return b.HardSwish(x)  # type: ignore[no-any-return]


def _hard_tanh(b: Builder, x: Tensor, *, low: float, high: float) -> Tensor:
    return b.Clip(x, number(b, low), number(b, high))  # type: ignore[no-any-return]


def _threshold(b: Builder, x: Tensor, *, threshold: float, value: float) -> Tensor:
    return b.ThresholdedRelu(x, alpha=threshold)  # type: ignore[no-any-return]


def _soft_shrink(b: Builder, x: Tensor, *, limit: float) -> Tensor:
    return b.Shrink(x, lambd=limit, bias=limit)  # type: ignore[no-any-return]


def _hard_shrink(b: Builder, x: Tensor, *, limit: float) -> Tensor:
    return b.Shrink(x, lambd=limit, bias=0.0)  # type: ignore[no-any-return]


def _gives_zero(node: Node) -> bool:
    return bool(node.attributes["value"] == 0.0)


def _keeps_shape(node: Node) -> bool:
    """ONNX broadcasts the slope to x alone."""
    return node.inputs[0] is not None and node.inputs[0].shape == node.outputs[0].shape


rows = {
    ops.hard_swish: by(_hard_swish, "HardSigmoid", since=14),
    ops.hard_tanh: by(_hard_tanh, "Clip"),
    ops.threshold: When(_gives_zero, by(_threshold, "ThresholdedRelu")),
    ops.soft_shrink: by(_soft_shrink, "Shrink"),
    ops.hard_shrink: by(_hard_shrink, "Shrink"),
    ops.celu: op("Celu"),
    ops.prelu: When(_keeps_shape, op("PRelu")),
}
