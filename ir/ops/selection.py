"""Ops whose results are as large as their data says: where something is true, what occurs, counts as lengths.

Their attribute `size` is how many there are: a symbol of the op's own, which is made fresh and has its number when the
graph runs, or a number, where it is known that just so many will be found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, product, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Op, sample
from ..types import TensorType, bool_, int64
from .arithmetic import check_kind
from .comparison import isnan, logical_and, logical_not, not_equal
from .cumulative import cumulative_sum
from .indexing import take
from .reduction import reduce_sum
from .scatter import scatter_along_axis
from .shape import broadcast_to, cast, concatenate, normalize_axis, reshape, slice_axis, squeeze
from .sorting import argsort, bucketize


def _exactly(found: int, size: Any) -> None:
    if isinstance(size, int) and found != size:
        raise TypeMismatchError(f"{found} were found where the graph says that there are {size}")


def _nonzero_type(x: TensorType, *, size: Size | None = None) -> TensorType:
    """The places of what is not zero (NaN is not), one a row, in order: `torch.nonzero`, `numpy.argwhere`."""
    if not x.rank:
        raise TypeMismatchError("nonzero: a scalar has no places; reshape it to one axis")
    return TensorType(int64, (_known(size), x.rank))


def _known(size: Size | None) -> Size:
    assert size is not None  # `append` made one
    return size


def _nonzero(x: Any, *, size: Any) -> Any:
    found = np.argwhere(x)
    _exactly(len(found), size)
    return found


def _arange_to_type(stop: TensorType, *, size: Size | None = None) -> TensorType:
    """The integers from 0 to below a number of the data; none where that is negative."""
    check_kind("arange_to", ("int",), stop)
    if stop.rank:
        raise TypeMismatchError(f"arange_to counts to a scalar, not to {stop}")
    return stop.with_shape((_known(size),))


def _arange_to(stop: Any, *, size: Any) -> Any:
    found = np.arange(stop, dtype=stop.dtype)
    _exactly(len(found), size)
    return found


def _mask_type(x: TensorType, mask: TensorType, *, axis: int = 0, size: Size | None = None) -> TensorType:
    """The parts of x where the mask is true; its axes are those of x from `axis` on, and become one."""
    check_kind("boolean_mask", ("bool",), mask)
    axis = normalize_axis(axis, x.rank)
    if not 1 <= mask.rank <= x.rank - axis:
        raise TypeMismatchError(f"boolean_mask: {x} has no axes from {axis} on for a mask {mask}")
    for a, b in zip(x.shape[axis:], mask.shape, strict=False):
        require("==", a, b)
    return x.with_shape((*x.shape[:axis], _known(size), *x.shape[axis + mask.rank :]))


def _mask_parts(x: Value, mask: Value, *, axis: int, size: Size) -> Value:
    axis = normalize_axis(axis, x.rank)
    length = product(mask.shape)
    flat = reshape(x, shape=(*x.shape[:axis], length, *x.shape[axis + mask.rank :])) if mask.rank > 1 else x
    places = nonzero(reshape(mask, shape=(length,)) if mask.rank > 1 else mask, size=size)
    return take(flat, squeeze(places, 1), axis=axis)  # type: ignore[no-any-return]


def _repeat_type(x: TensorType, counts: TensorType, *, axis: int = 0, size: Size | None = None) -> TensorType:
    """Each part along an axis as often as its own count says, one after another: `numpy.repeat`."""
    axis = normalize_axis(axis, x.rank)
    check_kind("repeat_each", ("int",), counts)
    if counts.rank != 1:
        raise TypeMismatchError(f"repeat_each takes one count for each part along an axis, not {counts}")
    require("==", x.shape[axis], counts.shape[0])
    return x.with_shape((*x.shape[:axis], _known(size), *x.shape[axis + 1 :]))


def _repeat_parts(x: Value, counts: Value, *, axis: int, size: Size) -> Value:
    """The part that the place number i comes from is the first whose end is after i."""
    counts = cast(counts, dtype=int64)
    places = bucketize(arange_to(reduce_sum(counts), size=size), cumulative_sum(counts), side="right")
    return take(x, places, axis=axis)  # type: ignore[no-any-return]


def _unique_type(x: TensorType, *, size: Size | None = None) -> tuple[TensorType, ...]:
    """The values that occur, in order; the first place of each (flat), which of them each element is, how many are."""
    check_kind("unique", ("int", "float"), x)
    each = TensorType(int64, (_known(size),))
    return TensorType(x.dtype, each.shape), each, TensorType(int64, x.shape), each


def _unique_parts(x: Value, *, size: Size) -> tuple[Value, Value, Value, Value]:
    """Where a sorted row changes, a value begins; all NaN are one, as in NumPy, and the last."""
    length = product(x.shape)
    flat = reshape(x, shape=(length,))
    order = argsort(flat)
    ordered = take(flat, order)
    later, earlier = slice_axis(ordered, 0, 1, length), slice_axis(ordered, 0, 0, length - 1)
    changes = not_equal(later, earlier)
    if x.dtype.is_float:
        changes = logical_and(changes, logical_not(logical_and(isnan(later), isnan(earlier))))
    begins = concatenate(broadcast_to(x.graph.constant(True, bool_), shape=(1,)), changes, axis=0)
    starts = squeeze(nonzero(begins, size=size), 1)
    number = cumulative_sum(cast(begins, dtype=int64)) - 1
    zeros = broadcast_to(x.graph.constant(0, int64), shape=(length,))
    inverse = reshape(scatter_along_axis(zeros, order, number, axis=0), shape=x.shape)
    stops = concatenate(slice_axis(starts, 0, 1, size), reshape(x.graph.size(length, int64), shape=(1,)), axis=0)
    return take(ordered, starts), take(order, starts), inverse, stops - starts


_HALF = np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 1.0]], np.float32)
_TINY = np.array([1e-300, 0.0, np.nan, -0.0])
_TRUE = np.array([[True, False, True], [False, False, True]])
_AGAIN = np.array([[3, 1, 3, -7], [1, 3, 5, 3], [5, 3, 3, 1]], np.int64)
nonzero: Op = Op(
    "nonzero", _nonzero_type, _nonzero, NO_GRADIENT, bound=EXACT, folds=False, binds="size",
    samples=(sample(_HALF, size=3), sample(_TINY, size=2, differentiable=False), sample(_TRUE.reshape(-1), size=3),
             sample(np.array([0, 3, 0, 0, -4], np.int32), size=2)),
)  # fmt: skip
arange_to: Op = Op(
    "arange_to", _arange_to_type, _arange_to, NO_GRADIENT, bound=EXACT, folds=False, binds="size",
    samples=(sample(np.array(5, np.int64), size=5), sample(np.array(-2, np.int32), size=0)),
)  # fmt: skip
boolean_mask = Op(
    "boolean_mask", _mask_type, None, None, _mask_parts, bound=EXACT, smooth=True, folds=False, binds="size",
    samples=(sample((5, 4), np.array([True, False, False, True, True]), size=3),
             sample((4, 2, 3, 5), _TRUE, axis=1, size=3), sample((2, 3), np.zeros((2, 3), bool), size=0)),
)  # fmt: skip
repeat_each = Op(
    "repeat_each", _repeat_type, None, None, _repeat_parts, bound=EXACT, smooth=True, folds=False, binds="size",
    samples=(sample((3, 4), np.array([2, 0, 3], np.int64), size=5),
             sample((4, 3), np.array([1, 0, 4], np.int32), axis=-1, size=5)),
)  # fmt: skip
unique = Op(
    "unique", _unique_type, None, None, _unique_parts, bound=EXACT, smooth=True, folds=False, binds="size",
    output_names=("values", "first", "inverse", "counts"),
    samples=(sample(_AGAIN, size=4), sample(np.array([3.0, 1.0, 2.0], np.float32), size=3),
             sample(np.array([3.0, 1.0, 3.0, 0.0, 2.0], np.float32), size=4, differentiable=False),
             sample(np.array([2.0, np.nan, -1.0, np.nan, 2.0]), size=3, differentiable=False)),
)  # fmt: skip

OPS = (nonzero, arange_to, boolean_mask, repeat_each, unique)
