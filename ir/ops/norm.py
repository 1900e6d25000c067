"""Lengths of vectors, distances, and what is scaled by them."""

from __future__ import annotations

import math
from typing import Any

from ..dims import broadcast_shapes, product, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import absolute, check_kind, check_same_dtype, maximum, power, rsqrt, sign, sqrt, square
from .comparison import equal, not_equal, where
from .pooling import average_pool
from .reduction import Axes, kept, reduce_max, reduce_min, reduce_sum
from .shape import cast, expand_dims, normalize_axes, normalize_axis, reshape

_PARTS = Bound("parts")


def _norm_type(x: TensorType, *, order: float = 2.0, axes: Axes = None, keepdims: bool = False) -> TensorType:
    check_kind("vector_norm", ("float",), x)
    gone = normalize_axes(axes, x.rank)
    shape = (1 if i in gone else s for i, s in enumerate(x.shape) if keepdims or i not in gone)
    return x.with_shape(tuple(shape))


def _norm_parts(x: Value, *, order: float, axes: Axes, keepdims: bool) -> Value:
    """The order 0 counts what is not zero; infinity is the largest magnitude, minus infinity the smallest."""
    over: dict[str, Any] = {"axes": axes, "keepdims": keepdims}
    if order == 2.0:
        return sqrt(reduce_sum(square(x), **over))  # type: ignore[no-any-return]
    if order == 0.0:
        return reduce_sum(cast(not_equal(x, 0.0), dtype=x.dtype), **over)  # type: ignore[no-any-return]
    size = absolute(x)
    if math.isinf(order):
        return (reduce_max if order > 0.0 else reduce_min)(size, **over)  # type: ignore[no-any-return]
    return reduce_sum(size, **over) if order == 1.0 else power(reduce_sum(power(size, order), **over), 1.0 / order)  # type: ignore[no-any-return]


def _norm_gradient(g: Value, out: Value, x: Value, *, order: float, axes: Axes, keepdims: bool) -> Any:
    """Zero at zero, as PyTorch has it; elsewhere x / norm for order 2."""
    if order in (0.0, 1.0) or math.isinf(order):
        return NotImplemented  # that of the parts is right at zero too
    norm, g = kept(out, x, axes, keepdims), kept(g, x, axes, keepdims)
    is_zero = equal(norm, 0.0)
    ratio = x / where(is_zero, 1.0, norm)
    if order == 2.0:
        return (where(is_zero, 0.0, g * ratio),)
    nothing = equal(ratio, 0.0)
    slope = sign(ratio) * power(where(nothing, 1.0, absolute(ratio)), order - 1.0)
    return (where(nothing, 0.0, g * slope),)


def _l2_type(
    x: TensorType, *, axes: tuple[int, ...] = (-1,), epsilon: float = 1e-12, bounded: str = "norm"
) -> TensorType:
    check_kind("l2_normalize", ("float",), x)
    normalize_axes(axes, x.rank)
    if bounded not in ("norm", "square"):
        raise TypeMismatchError(f"l2_normalize: epsilon bounds the norm or the square, not {bounded}")
    return x


def _l2_parts(x: Value, *, axes: tuple[int, ...], epsilon: float, bounded: str) -> Value:
    if bounded == "norm":
        return x / maximum(vector_norm(x, axes=axes, keepdims=True), epsilon)  # type: ignore[no-any-return]
    return x * rsqrt(maximum(reduce_sum(square(x), axes=axes, keepdims=True), epsilon))  # type: ignore[no-any-return]


def _weight_norm_type(x: TensorType, scale: TensorType, *, axis: int = 0) -> TensorType:
    check_kind("weight_norm", ("float",), x)
    axis = normalize_axis(axis, x.rank)
    expected = x.with_shape(tuple(s if i == axis else 1 for i, s in enumerate(x.shape)))
    if scale != expected:
        raise TypeMismatchError(f"weight_norm of {x} along axis {axis} takes a scale {expected}, not {scale}")
    return x


def _weight_norm_parts(x: Value, scale: Value, *, axis: int) -> Value:
    others = tuple(i for i in range(x.rank) if i != normalize_axis(axis, x.rank))
    return x * (scale / vector_norm(x, axes=others, keepdims=True))  # type: ignore[no-any-return]


def _local_type(
    x: TensorType,
    *,
    window: tuple[int, int] = (2, 2),
    axis: int = -1,
    alpha: float = 1e-4,
    beta: float = 0.75,
    bias: float = 1.0,
) -> TensorType:
    check_kind("local_response_norm", ("float",), x)
    normalize_axis(axis, x.rank)
    if min(window) < 0:
        raise TypeMismatchError(f"local_response_norm: the window is so many channels before and after, not {window}")
    return x


def _local_parts(x: Value, *, window: tuple[int, int], axis: int, alpha: float, beta: float, bias: float) -> Value:
    axis, size = normalize_axis(axis, x.rank), sum(window) + 1
    rows = reshape(square(x), shape=(product(x.shape[:axis]), x.shape[axis], product(x.shape[axis + 1 :])))
    means = average_pool(rows, window=(size,), strides=(1,), padding=(window,), count_padding=True, layout="NWC")
    return x * power(reshape(means, shape=x.shape) * (alpha * size) + bias, -beta)  # type: ignore[no-any-return]


def _cosine_type(x: TensorType, y: TensorType, *, axis: int = -1, epsilon: float = 1e-8) -> TensorType:
    check_kind("cosine_similarity", ("float",), x, y)
    check_same_dtype("cosine_similarity", x, y)
    shape = broadcast_shapes(x.shape, y.shape)
    axis = normalize_axis(axis, len(shape))
    return x.with_shape((*shape[:axis], *shape[axis + 1 :]))


def _cosine_parts(x: Value, y: Value, *, axis: int, epsilon: float) -> Value:
    """Each norm is at least epsilon."""
    axis = normalize_axis(axis, max(x.rank, y.rank)) - max(x.rank, y.rank)
    lengths = [maximum(vector_norm(v, axes=(axis,), keepdims=True), epsilon) for v in (x, y)]
    return reduce_sum(x / lengths[0] * (y / lengths[1]), axes=(axis,))  # type: ignore[no-any-return]


def _distances_type(x: TensorType, y: TensorType, *, order: float = 2.0) -> TensorType:
    check_kind("pairwise_distance", ("float",), x, y)
    check_same_dtype("pairwise_distance", x, y)
    if x.rank < 2 or y.rank < 2:
        raise TypeMismatchError(f"pairwise_distance takes rows of points, not {x} and {y}")
    require("==", x.shape[-1], y.shape[-1])
    return x.with_shape((*broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-2]))


def _distances_parts(x: Value, y: Value, *, order: float) -> Value:
    return vector_norm(expand_dims(x, -2) - expand_dims(y, -3), order=order, axes=(-1,))  # type: ignore[no-any-return]


vector_norm = Op(
    "vector_norm", _norm_type, None, _norm_gradient, _norm_parts, bound=_PARTS, smooth=True,
    samples=(sample((2, 3)), sample((2, 3, 4), axes=(0, 2)),
             sample((3, 4), order=1.0, axes=(-1,), keepdims=True, between=(0.2, 2.0)),
             sample((3, 4), order=3.5, axes=(0,), between=(0.2, 2.0)), sample((2, 5), order=math.inf, axes=(1,)),
             sample((2, 5), order=-math.inf, axes=(1,)), sample((2, 3), order=0.0, axes=(0,), differentiable=False)),
)  # fmt: skip
# `bounded`: what is at least epsilon, the norm (PyTorch) or its square (TensorFlow, Keras).
l2_normalize = Op(
    "l2_normalize", _l2_type, None, None, _l2_parts, bound=_PARTS, smooth=True,
    samples=(sample((2, 3)), sample((2, 3, 4), axes=(0, 2), epsilon=0.1), sample((3, 4), bounded="square", axes=(0,)),
             sample((2, 3), epsilon=20.0)),
)  # fmt: skip
weight_norm = Op(
    "weight_norm", _weight_norm_type, None, None, _weight_norm_parts, bound=_PARTS, smooth=True,
    samples=(sample((4, 3, 2), (4, 1, 1)), sample((2, 3), (1, 3), axis=-1)),
)  # fmt: skip
# x / (bias + alpha * the sum of squares over the window) ** beta; PyTorch and ONNX call alpha what is here times the
# window's size.
local_response_norm = Op(
    "local_response_norm", _local_type, None, None, _local_parts, bound=Bound("parts", floor=1e-6), smooth=True,
    samples=(sample((2, 3, 4, 7)), sample((2, 6, 3, 4), window=(1, 1), axis=1, alpha=0.5, beta=0.5, bias=2.0),
             sample((2, 6, 5), window=(2, 1), axis=1, alpha=0.3), sample((2, 6, 5), window=(1, 2), axis=1, alpha=0.3)),
)  # fmt: skip
cosine_similarity = Op(
    "cosine_similarity", _cosine_type, None, None, _cosine_parts, bound=Bound("parts", floor=1e-7), smooth=True,
    samples=(sample((2, 3), (2, 3)), sample((4, 2, 3), (2, 1), axis=1, epsilon=0.5)),
)  # fmt: skip
pairwise_distance = Op(
    "pairwise_distance", _distances_type, None, None, _distances_parts, bound=_PARTS, smooth=True,
    samples=(sample((4, 3), (5, 3)), sample((2, 4, 3), (5, 3), order=1.5), sample((4, 3), (2, 3), order=1.0)),
)  # fmt: skip

OPS = (
    vector_norm, l2_normalize, weight_norm, local_response_norm, cosine_similarity, pairwise_distance,
)  # fmt: skip
