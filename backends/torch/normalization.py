"""PyTorch: normalization, by its fused kernels in both directions."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ...ir.ops import normalize_axes, normalize_axis
from ..rules import Alone, GradientOf, When

_omitted: Any = None  # an argument that is its default is not written


def _batch_norm(x: Any, scale: Any, offset: Any, *, axis: Any, epsilon: Any) -> Any:
    """x with each channel normalized, and the channels' mean and biased variance."""
    rows = x if axis == 1 else x.flatten(0, -2)
    count = rows.numel() // rows.shape[1]
    mean, variance = rows.new_zeros(2, rows.shape[1])  # the kernel writes them: averages whose last share is 1
    y, _, _ = torch.native_batch_norm(rows, scale, offset, mean, variance, True, 1.0, epsilon)
    return y.reshape(x.shape), mean, variance * (1 - 1 / count) if count > 1 else torch.zeros_like(variance)


def batch_norm_gradient(g: Any, mean: Any, variance: Any, x: Any, scale: Any, axis: Any, epsilon: Any) -> Any:
    """The gradients of batch_norm to x, scale and offset."""
    deviation = torch.rsqrt(variance + epsilon)
    g_rows, x_rows = (v if axis == 1 else v.flatten(0, -2) for v in (g, x))
    d_x, d_scale, d_offset = torch.ops.aten.native_batch_norm_backward(
        g_rows, x_rows, scale, None, None, mean, deviation, True, epsilon, [True, True, True]
    )
    return d_x.reshape(x.shape), d_scale, d_offset


def _batch_norm_gradient(
    g: Any, y: Any, mean: Any, variance: Any, x: Any, scale: Any, offset: Any, *, axis: Any, epsilon: Any
) -> Any:
    return batch_norm_gradient(g, mean, variance, x, scale, axis, epsilon)


def _batch_norm_gradient_scale(
    g: Any, y: Any, mean: Any, variance: Any, x: Any, scale: Any, *, axis: Any, epsilon: Any
) -> Any:
    return batch_norm_gradient(g, mean, variance, x, scale, axis, epsilon)[:2]


def _batch_norm_gradient_offset(
    g: Any, y: Any, mean: Any, variance: Any, x: Any, offset: Any, *, axis: Any, epsilon: Any
) -> Any:
    return batch_norm_gradient(g, mean, variance, x, None, axis, epsilon)[::2]


def _batch_norm_gradient_plain(g: Any, y: Any, mean: Any, variance: Any, x: Any, *, axis: Any, epsilon: Any) -> Any:
    return batch_norm_gradient(g, mean, variance, x, None, axis, epsilon)[0]


def _batch_norm_inference(x: Any, scale: Any, offset: Any, mean: Any, variance: Any, *, epsilon: Any) -> Any:
    return F.batch_norm(x, mean, variance, scale, offset, eps=epsilon)


def _batch_norm_inference_last(x: Any, scale: Any, offset: Any, mean: Any, variance: Any, *, epsilon: Any) -> Any:
    return F.batch_norm(x.movedim(-1, 1), mean, variance, scale, offset, eps=epsilon).movedim(1, -1)


def _layer_norm_alone(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return F.layer_norm(x, scale.shape, scale, offset, eps=_omitted if epsilon == 1e-5 else epsilon)


def _layer_norm_alone_scale(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return F.layer_norm(x, scale.shape, scale, eps=_omitted if epsilon == 1e-5 else epsilon)


def _layer_norm_alone_offset(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return F.layer_norm(x, offset.shape, None, offset, eps=_omitted if epsilon == 1e-5 else epsilon)


def _layer_norm_alone_plain(x: Any, scale: Any, offset: Any, *, axes: Any, epsilon: Any) -> Any:
    return F.layer_norm(x, x.shape[-len(axes) :], eps=_omitted if epsilon == 1e-5 else epsilon)


def _rms_norm_alone(x: Any, scale: Any, *, epsilon: Any) -> Any:
    return F.rms_norm(x, scale.shape, scale, eps=epsilon)


def _rms_norm_alone_plain(x: Any, scale: Any, *, axes: Any, epsilon: Any) -> Any:
    return F.rms_norm(x, x.shape[-len(axes) :], eps=epsilon)


def _layer_norm(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return torch.native_layer_norm(x, scale.shape, scale, offset, epsilon)


def _layer_norm_offset(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return torch.native_layer_norm(x, offset.shape, None, offset, epsilon)


def _layer_norm_plain(x: Any, scale: Any, offset: Any, *, axes: Any, epsilon: Any) -> Any:
    """x normalized over its last axes, the mean, and the reciprocal of the deviation."""
    shape = x.shape[-len(axes) :]
    return torch.native_layer_norm(x, shape, None, None, epsilon)


def _layer_norm_gradient(g: Any, y: Any, mean: Any, deviation: Any, x: Any, scale: Any, offset: Any) -> Any:
    return torch.ops.aten.native_layer_norm_backward(
        g, x, scale.shape, mean, deviation, scale, offset, [True, True, True]
    )


def _layer_norm_gradient_scale(g: Any, y: Any, mean: Any, deviation: Any, x: Any, scale: Any) -> Any:
    return torch.ops.aten.native_layer_norm_backward(
        g, x, scale.shape, mean, deviation, scale, None, [True, True, False]
    )[:2]


def _layer_norm_gradient_offset(g: Any, y: Any, mean: Any, deviation: Any, x: Any, offset: Any) -> Any:
    return torch.ops.aten.native_layer_norm_backward(
        g, x, offset.shape, mean, deviation, None, offset, [True, False, True]
    )[::2]


def _layer_norm_gradient_plain(g: Any, y: Any, mean: Any, deviation: Any, x: Any, *, axes: Any) -> Any:
    """The gradient of layer_norm without scale and offset."""
    shape = x.shape[-len(axes) :]
    return torch.ops.aten.native_layer_norm_backward(g, x, shape, mean, deviation, None, None, [True, False, False])[0]


def _fits_batch_norm(node: Node) -> bool:
    """Whether the channels are the second axis or the last: where the kernels want them, without a copy."""
    x = node.outputs[0]
    axis = node.attributes["axis"]
    return x.rank >= 2 and (axis in (1, -1) or normalize_axis(axis, x.rank) == x.rank - 1)


def _channels_second(node: Node) -> bool:
    return node.outputs[0].rank >= 2 and normalize_axis(node.attributes["axis"], node.outputs[0].rank) == 1


def _channels_last(node: Node) -> bool:
    x = node.outputs[0]
    return x.rank in (4, 5) and normalize_axis(node.attributes["axis"], x.rank) == x.rank - 1


def _has(node: Node, *names: str) -> bool:
    """Whether these of scale and offset are there, and no other."""
    given = dict(zip(node.op.signature.operands, node.inputs, strict=True))
    return {n for n in ("scale", "offset") if given.get(n) is not None} == set(names)


def _fits_layer_norm(node: Node) -> bool:
    """Whether the axes are the last ones, and scale and offset have their shape: what the kernels can do."""
    given = dict(zip(node.op.signature.operands, node.inputs, strict=True))
    x = given["x"]
    assert x is not None
    count = len(node.attributes["axes"])
    affine = [v for n in ("scale", "offset") if (v := given.get(n)) is not None]
    last = normalize_axes(node.attributes["axes"], x.rank) == tuple(range(x.rank - count, x.rank))
    return count > 0 and last and all(v.shape == x.shape[-count:] for v in affine)


def _batch_norm_with(*names: str) -> Any:
    def condition(node: Node) -> bool:
        x = node.outputs[0]
        return node.op.given == (True, False, False) and _has(node, *names) and _fits_batch_norm(node) and x.rank >= 2

    return condition


def _layer_norm_with(*names: str) -> Any:
    return lambda node: node.op.given in ((), (True, False, False)) and _has(node, *names) and _fits_layer_norm(node)


rows = {
    ops.batch_norm: When(_fits_batch_norm, _batch_norm),
    ops.batch_norm_inference: (
        When(_channels_second, _batch_norm_inference),
        When(_channels_last, _batch_norm_inference_last),
    ),
    ops.layer_norm: (
        Alone(_layer_norm_with("scale", "offset"), _layer_norm_alone),
        Alone(_layer_norm_with("scale"), _layer_norm_alone_scale),
        Alone(_layer_norm_with("offset"), _layer_norm_alone_offset),
        Alone(_layer_norm_with(), _layer_norm_alone_plain),
        When(_layer_norm_with("scale", "offset"), _layer_norm),
        When(_layer_norm_with("scale"), _layer_norm),
        When(_layer_norm_with("offset"), _layer_norm_offset),
        When(_layer_norm_with(), _layer_norm_plain),
    ),
    ops.rms_norm: (
        Alone(_layer_norm_with("scale"), _rms_norm_alone),
        Alone(_layer_norm_with(), _rms_norm_alone_plain),
    ),
    GradientOf(ops.batch_norm): (
        When(_batch_norm_with("scale", "offset"), _batch_norm_gradient),
        When(_batch_norm_with("scale"), _batch_norm_gradient_scale),
        When(_batch_norm_with("offset"), _batch_norm_gradient_offset),
        When(_batch_norm_with(), _batch_norm_gradient_plain),
    ),
    GradientOf(ops.layer_norm): (
        When(_layer_norm_with("scale", "offset"), _layer_norm_gradient),
        When(_layer_norm_with("scale"), _layer_norm_gradient_scale),
        When(_layer_norm_with("offset"), _layer_norm_gradient_offset),
        When(_layer_norm_with(), _layer_norm_gradient_plain),
    ),
}
