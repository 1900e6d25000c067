"""Normalization by the statistics of a batch, of a layer, or given ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import broadcast_shapes, product, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, rsqrt, square
from .contraction import sum_to
from .reduction import reduce_mean, reduce_sum, reduce_variance
from .shape import normalize_axes, normalize_axis, reshape

_BOUND = Bound("parts", floor=1e-6)


def channel_type(name: str, x: TensorType, axis: int, *vectors: TensorType | None) -> TensorType:
    """The type that a vector over x's channels has, and the given ones must have."""
    check_kind(name, ("float",), x)
    expected = x.with_shape((x.shape[normalize_axis(axis, x.rank)],))
    for t in vectors:
        if t is not None and (t.dtype != expected.dtype or t.rank != 1):
            raise TypeMismatchError(f"{name} of {x} along axis {axis} takes vectors {expected}, not {t}")
        if t is not None:
            require("==", t.shape[0], expected.shape[0])
    return expected


def along(v: Value, x: Value, axis: int) -> Value:
    """A vector over x's channels, shaped to broadcast against x."""
    axis = normalize_axis(axis, x.rank)
    return v if axis == x.rank - 1 else reshape(v, shape=tuple(s if i == axis else 1 for i, s in enumerate(x.shape)))


def _affine(y: Value, scale: Value | None, offset: Value | None) -> Value:
    y = y if scale is None else y * scale
    return y if offset is None else y + offset


def _batch_norm_type(
    x: TensorType,
    scale: TensorType | None = None,
    offset: TensorType | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> tuple[TensorType, ...]:
    statistics = channel_type("batch_norm", x, axis, scale, offset)
    return x, statistics, statistics


def _others(x: Value, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(x.rank) if i != normalize_axis(axis, x.rank))


def _batch_norm_parts(
    x: Value, scale: Value | None, offset: Value | None, *, axis: int, epsilon: float
) -> tuple[Value, Value, Value]:
    axes = _others(x, axis)
    mean, variance = reduce_mean(x, axes=axes).named("mean"), reduce_variance(x, axes=axes).named("variance")
    return batch_norm_inference(x, scale, offset, mean, variance, axis=axis, epsilon=epsilon), mean, variance


def _batch_norm_gradient(
    g: Any, out: Any, x: Value, scale: Value | None, offset: Value | None, *, axis: int, epsilon: float
) -> Any:
    if g[0] is None or g[1] is not None or g[2] is not None:
        return NotImplemented  # somebody differentiates the statistics themselves: derive it from the parts
    axes = _others(x, axis)
    deviation = rsqrt(out[2] + epsilon).named("deviation")
    centered = (x - along(out[1], x, axis)).named("centered")
    d_offset = reduce_sum(g[0], axes=axes)
    d_scale = deviation * reduce_sum(g[0] * centered, axes=axes)
    count = product(x.shape[a] for a in axes)
    weight = deviation if scale is None else deviation * scale
    inner = g[0] - along(d_offset / count, x, axis) - centered * along(deviation * d_scale / count, x, axis)
    d_x = along(weight, x, axis) * inner
    return d_x, None if scale is None else d_scale, None if offset is None else d_offset


def _batch_norm_inference_type(
    x: TensorType,
    scale: TensorType | None,
    offset: TensorType | None,
    mean: TensorType,
    variance: TensorType,
    *,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> TensorType:
    channel_type("batch_norm", x, axis, scale, offset, mean, variance)
    return x


def _batch_norm_inference_parts(
    x: Value, scale: Value | None, offset: Value | None, mean: Value, variance: Value, *, axis: int, epsilon: float
) -> Value:
    weight = rsqrt(variance + epsilon)
    weight = weight if scale is None else weight * scale
    y = (x - along(mean, x, axis)) * along(weight, x, axis)
    return y if offset is None else y + along(offset, x, axis)


def _layer_norm_type(
    x: TensorType,
    scale: TensorType | None = None,
    offset: TensorType | None = None,
    *,
    axes: tuple[int, ...] = (-1,),
    epsilon: float = 1e-3,
) -> tuple[TensorType, ...]:
    check_kind("layer_norm", ("float",), x)
    for t in (scale, offset):
        if t is not None and (t.dtype != x.dtype or broadcast_shapes(t.shape, x.shape) != x.shape):
            raise TypeMismatchError(f"layer_norm of {x} takes a scale and an offset that broadcast to it, not {t}")
    gone = normalize_axes(axes, x.rank)
    statistics = x.with_shape(tuple(1 if i in gone else s for i, s in enumerate(x.shape)))
    return x, statistics, statistics


def _layer_norm_parts(
    x: Value, scale: Value | None, offset: Value | None, *, axes: Any, epsilon: float
) -> tuple[Value, Value, Value]:
    mean = reduce_mean(x, axes=axes, keepdims=True).named("mean")
    deviation = rsqrt(reduce_variance(x, axes=axes, keepdims=True) + epsilon).named("deviation")
    return _affine((x - mean) * deviation, scale, offset), mean, deviation


def _layer_norm_gradient(
    g: Any, out: Any, x: Value, scale: Value | None, offset: Value | None, *, axes: Any, epsilon: float
) -> Any:
    if g[0] is None or g[1] is not None or g[2] is not None:
        return NotImplemented  # the second derivative goes through the statistics too: derive it from the parts
    normal = ((x - out[1]) * out[2]).named("normal")
    d_normal = g[0] if scale is None else g[0] * scale
    mean, projection = (
        reduce_mean(d_normal, axes=axes, keepdims=True),
        reduce_mean(d_normal * normal, axes=axes, keepdims=True),
    )
    d_x = out[2] * (d_normal - mean - normal * projection)
    return (
        d_x,
        None if scale is None else sum_to(g[0] * normal, scale.shape),
        None if offset is None else sum_to(g[0], offset.shape),
    )


def _rms_norm_type(
    x: TensorType, scale: TensorType | None = None, *, axes: tuple[int, ...] = (-1,), epsilon: float = 1e-6
) -> tuple[TensorType, TensorType]:
    y, _, deviation = _layer_norm_type(x, scale, axes=axes, epsilon=epsilon)
    return y, deviation


def _rms_norm_parts(x: Value, scale: Value | None, *, axes: Any, epsilon: float) -> tuple[Value, Value]:
    deviation = rsqrt(reduce_mean(square(x), axes=axes, keepdims=True) + epsilon).named("deviation")
    return _affine(x * deviation, scale, None), deviation


def _rms_norm_gradient(g: Any, out: Any, x: Value, scale: Value | None, *, axes: Any, epsilon: float) -> Any:
    if g[0] is None or g[1] is not None:
        return NotImplemented  # the second derivative goes through the deviation too: derive it from the parts
    normal = (x * out[1]).named("normal")
    d_normal = g[0] if scale is None else g[0] * scale
    d_x = out[1] * (d_normal - normal * reduce_mean(d_normal * normal, axes=axes, keepdims=True))
    return d_x, None if scale is None else sum_to(g[0] * normal, scale.shape)


_VARIANCE = np.array([0.5, 1.5, 1.0], np.float32)
batch_norm = Op(
    "batch_norm", _batch_norm_type, None, _batch_norm_gradient, _batch_norm_parts,
    output_names=("", "mean", "variance"), bound=_BOUND, smooth=True,
    samples=(sample((4, 3), (3,), (3,)), sample((2, 3, 4, 5), (3,), (3,), axis=1, epsilon=1e-2),
             sample((5, 2, 3), None, (3,)), sample((5, 3), None, None)),
)  # fmt: skip
batch_norm_inference = Op(
    "batch_norm_inference", _batch_norm_inference_type, None, None, _batch_norm_inference_parts, bound=_BOUND,
    smooth=True,
    samples=(sample((4, 3), (3,), (3,), (3,), _VARIANCE),
             sample((2, 3, 4), (3,), None, (3,), _VARIANCE, axis=1, epsilon=1e-2),
             sample((5, 2, 3), None, (3,), (3,), _VARIANCE)),
)  # fmt: skip
layer_norm = Op(
    "layer_norm", _layer_norm_type, None, _layer_norm_gradient, _layer_norm_parts,
    output_names=("", "mean", "deviation"), saved=2, bound=_BOUND, smooth=True,
    samples=(sample((4, 3), (3,), (3,)), sample((2, 4, 3), None, (4, 3), axes=(1, 2), epsilon=1e-2),
             sample((2, 5, 3), (3,), None)),
)  # fmt: skip
rms_norm = Op(
    "rms_norm", _rms_norm_type, None, _rms_norm_gradient, _rms_norm_parts, output_names=("", "deviation"), saved=1,
    bound=_BOUND, smooth=True,
    samples=(sample((4, 3), (3,)), sample((2, 4, 3), (4, 3), axes=(1, 2), epsilon=1e-2), sample((2, 5, 3), None)),
)  # fmt: skip

OPS = (batch_norm, batch_norm_inference, layer_norm, rms_norm)
