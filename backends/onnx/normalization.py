"""ONNX: normalization."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ...ir.types import float32
from ..rules import Alone, When
from .builder import Builder, Tensor
from .lowering import by


def _layer_norm(
    b: Builder, x: Tensor, scale: Tensor | None, offset: Tensor | None, *, axes: Any, epsilon: float
) -> Any:
    """Mean and reciprocal deviation come along where the gradient wants them."""
    weights = scale or b.Expand(b.constant(1, x.dtype), x.shape[x.rank - len(axes) :])
    return b.LayerNormalization(x, weights, offset, axis=-len(axes), epsilon=epsilon, outputs=3)


def _has_last_axes(node: Node) -> bool:
    """Whether a layer norm is over the last axes and its weights have them all."""
    x = node.inputs[0]
    assert x is not None
    axes = ops.normalize_axes(node.attributes["axes"], x.rank)
    inner = x.shape[x.rank - len(axes) :]
    return axes == tuple(range(x.rank - len(axes), x.rank)) and all(
        v is None or v.shape == inner for v in node.inputs[1:]
    )


def _rms_norm(b: Builder, x: Tensor, scale: Tensor | None, *, axes: Any, epsilon: float) -> Any:
    weights = scale or b.Expand(b.constant(1, x.dtype), x.shape[x.rank - len(axes) :])
    return b.RMSNormalization(x, weights, axis=-len(axes), epsilon=epsilon)


def _batch_norm_inference(
    b: Builder, x: Tensor, scale: Any, offset: Any, mean: Tensor, variance: Tensor, *, axis: int, epsilon: float
) -> Any:
    ones, zeros = (b.Expand(b.constant(n, x.dtype), mean.shape) for n in (1, 0))
    return b.BatchNormalization(x, scale or ones, offset or zeros, mean, variance, epsilon=epsilon)


def _has_channels_first(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return x.rank >= 2 and node.attributes["axis"] % x.rank == 1 and x.dtype == float32  # epsilon is a float32


rows = {
    ops.layer_norm: When(_has_last_axes, by(_layer_norm, "LayerNormalization", since=17)),
    ops.rms_norm: Alone(_has_last_axes, by(_rms_norm, "RMSNormalization", since=23)),
    ops.batch_norm_inference: When(_has_channels_first, by(_batch_norm_inference, "BatchNormalization")),
}
