"""Orders: sorting, the largest and smallest, medians, and places among boundaries.

The order is that of NumPy, PyTorch and JAX: numbers, then NaN; zeros of both signs are equal, and equals stay in the
order of their places, also where the order descends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, floor_div, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from ..types import DType, TensorType, dtype_of, int64
from .arithmetic import check_kind
from .comparison import isnan, less, less_equal, logical_or, where
from .gather import take_along_axis
from .reduction import reduce_sum
from .shape import cast, expand_dims, normalize_axis, slice_axis, squeeze

_KINDS = ("int", "uint", "float")


def _argsort_type(x: TensorType, *, axis: int = -1, descending: bool = False, dtype: DType = int64) -> TensorType:
    """The places of the elements in ascending or descending order along an axis; equals keep theirs."""
    check_kind("argsort", _KINDS, x)
    normalize_axis(axis, x.rank)
    return x.with_dtype(dtype)


def _argsort(x: Any, *, axis: int, descending: bool, dtype: DType) -> Any:
    """The stable order along an axis, NaN largest."""
    x = x.astype(np.float32) if x.dtype.kind == "V" else x  # NumPy orders no bfloat16
    if not descending:
        return np.argsort(x, axis, kind="stable").astype(dtype.numpy)
    order = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    return (x.shape[axis] - 1 - order).astype(dtype.numpy)


def _sort_type(x: TensorType, *, axis: int = -1, descending: bool = False) -> TensorType:
    """The elements in ascending or descending order along an axis."""
    check_kind("sort", _KINDS, x)
    normalize_axis(axis, x.rank)
    return x


def _sort_parts(x: Value, *, axis: int, descending: bool) -> Value:
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)  # type: ignore[no-any-return]


def _top_k_type(
    x: TensorType, *, k: Size, axis: int = -1, largest: bool = True, dtype: DType = int64
) -> tuple[TensorType, TensorType]:
    """The `k` largest or smallest elements along an axis, in order, and their places; of equals the first.

    NaN is the largest. Of zeros of both signs either may come first.
    """
    check_kind("top_k", _KINDS, x)
    axis = normalize_axis(axis, x.rank)
    require(">=", x.shape[axis], k)
    chosen = x.with_shape((*x.shape[:axis], k, *x.shape[axis + 1 :]))
    return chosen, chosen.with_dtype(dtype)


def _top_k_parts(x: Value, *, k: Size, axis: int, largest: bool, dtype: DType) -> tuple[Value, Value]:
    places = slice_axis(argsort(x, axis=axis, descending=largest, dtype=dtype), axis, 0, k)
    return take_along_axis(x, places, axis=axis), places


def _kth_type(
    x: TensorType, *, k: Size, axis: int = -1, keepdims: bool = False, dtype: DType = int64
) -> tuple[TensorType, TensorType]:
    """The `k`-th smallest element along an axis, counted from 1, and its place."""
    check_kind("kth_value", _KINDS, x)
    axis = normalize_axis(axis, x.rank)
    require(">=", k, 1)
    require(">=", x.shape[axis], k)
    chosen = x.with_shape((*x.shape[:axis], *([1] * keepdims), *x.shape[axis + 1 :]))
    return chosen, chosen.with_dtype(dtype)


def _kth_parts(x: Value, *, k: Size, axis: int, keepdims: bool, dtype: DType) -> tuple[Value, Value]:
    place = slice_axis(argsort(x, axis=axis, dtype=dtype), axis, k - 1, k)
    value = take_along_axis(x, place, axis=axis)
    return (value, place) if keepdims else (squeeze(value, axis), squeeze(place, axis))


def _median_type(x: TensorType, *, axis: int = -1, keepdims: bool = False) -> TensorType:
    """The middle element along an axis, or the mean of the middle two, as in NumPy; NaN where there is a NaN."""
    check_kind("median", ("float",), x)
    axis = normalize_axis(axis, x.rank)
    require(">=", x.shape[axis], 1)
    return x.with_shape((*x.shape[:axis], *([1] * keepdims), *x.shape[axis + 1 :]))


def _median_parts(x: Value, *, axis: int, keepdims: bool) -> Value:
    axis = normalize_axis(axis, x.rank)
    size, order = x.shape[axis], sort(x, axis=axis)
    low, high = floor_div(size - 1, 2), floor_div(size, 2)
    middle = slice_axis(order, axis, low, low + 1)
    if low != high:
        middle = (middle + slice_axis(order, axis, high, high + 1)) * 0.5
    last = slice_axis(order, axis, size - 1, size)  # a NaN, if there is one
    middle = where(isnan(last), last, middle)
    return middle if keepdims else squeeze(middle, axis)


def _bucketize_type(x: TensorType, boundaries: TensorType, *, side: str = "left", dtype: DType = int64) -> TensorType:
    """Where each element belongs in an ascending sequence without NaN: before its equals, or (side "right") behind.

    NaN belongs at the end. It is `numpy.searchsorted(boundaries, x, side)`.
    """
    check_kind("bucketize", _KINDS, x)
    if boundaries.rank != 1 or boundaries.dtype != x.dtype:
        raise TypeMismatchError(f"bucketize of {x} needs boundaries of one axis and its element type, not {boundaries}")
    if side not in ("left", "right"):
        raise TypeMismatchError(f'bucketize: the side is "left" or "right", not {side!r}')
    return x.with_dtype(dtype)


def _bucketize(x: Any, boundaries: Any, *, side: Any, dtype: DType) -> Any:
    if x.dtype.kind == "V":  # of bfloat16 NumPy does not know where a NaN belongs
        x, boundaries = x.astype(np.float32), boundaries.astype(np.float32)
    return np.asarray(np.searchsorted(boundaries, x, side)).astype(dtype.numpy)


def _bucketize_parts(x: Value, boundaries: Value, *, side: str, dtype: DType) -> Value:
    each = expand_dims(x, -1)
    before = (less if side == "left" else less_equal)(boundaries, each)
    if x.dtype.is_float:
        before = logical_or(before, isnan(each))
    return reduce_sum(cast(before, dtype=dtype), axes=(-1,))  # type: ignore[no-any-return]


_I32 = dtype_of("int32")
_TIES = np.array([[3, 1, 3, 0, 1], [2, 2, -7, 5, 2]], np.int32)
_BOUNDS = np.array([1, 3, 3, 8], np.int32)
_SPECIAL = np.array([0.0, np.nan, -0.0, np.inf, 1.0, np.nan, -np.inf], np.float32)
argsort = Op(
    "argsort", _argsort_type, _argsort, NO_GRADIENT, bound=EXACT,
    samples=(sample((2, 5), differentiable=False), sample(_TIES, descending=True, dtype=_I32),
             sample(_TIES, axis=0), sample(_SPECIAL, differentiable=False),
             sample(_SPECIAL, descending=True, dtype=_I32, differentiable=False),
             sample((2, 5, 4), axis=-2, dtype=_I32, differentiable=False)),
)  # fmt: skip
sort = Op(
    "sort", _sort_type, None, None, _sort_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 5)), sample((2, 5, 4), axis=1, descending=True), sample(_TIES, axis=0),
             sample(_SPECIAL, differentiable=False), sample(_SPECIAL, descending=True, differentiable=False)),
)  # fmt: skip
top_k = Op(
    "top_k", _top_k_type, None, None, _top_k_parts, bound=EXACT, smooth=True, output_names=("values", "places"),
    samples=(sample((2, 5), k=3), sample((6, 5, 2), k=3, axis=1, dtype=_I32), sample((2, 5), k=4, largest=False),
             sample(_TIES, k=3, dtype=_I32), sample(_TIES, k=4, largest=False),
             sample(np.array([2.0, np.nan, 1.0, np.nan], np.float32), k=3, differentiable=False)),
)  # fmt: skip
kth_value = Op(
    "kth_value", _kth_type, None, None, _kth_parts, bound=EXACT, smooth=True, output_names=("value", "place"),
    samples=(sample((2, 5), k=2), sample((2, 5, 4), k=5, axis=1, keepdims=True, dtype=_I32), sample(_TIES, k=3)),
)  # fmt: skip
median = Op(
    "median", _median_type, None, None, _median_parts, bound=Bound("parts"), smooth=True,
    samples=(sample((2, 5)), sample((2, 6, 3), axis=1, keepdims=True), sample((4, 1), axis=0),
             sample(_SPECIAL, differentiable=False)),
)  # fmt: skip
bucketize = Op(
    "bucketize", _bucketize_type, _bucketize, NO_GRADIENT, _bucketize_parts, bound=EXACT,
    samples=(sample(np.array([0.0, -3.0, np.nan], np.float32), np.array([-1.0, 0.0, 0.0, 2.0], np.float32),
                    differentiable=False),
             sample(np.array([[3, 0, 9], [1, 8, 4]], np.int32), _BOUNDS, side="right", dtype=_I32),
             sample(np.array(3, np.int64), _BOUNDS.astype(np.int64))),
)  # fmt: skip

OPS = (argsort, sort, top_k, kth_value, median, bucketize)
