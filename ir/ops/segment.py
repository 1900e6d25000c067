"""Reductions of rows that belong together: segments, bags of embeddings, counts.

What a segment number below 0 or past the end belongs to is left out. A segment without rows has what its reduction
leaves everything as it is with: 0, 1, or the largest or smallest there is.
"""

from __future__ import annotations

import numpy as np

from ..dims import Size, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from ..types import DType, TensorType, int32, int64
from .arithmetic import check_kind, floor, maximum, minimum
from .comparison import equal, greater_equal, less, less_equal, logical_and, where
from .constant import arange
from .indexing import index_put, take
from .scatter import identity_of
from .shape import broadcast_to, cast, expand_dims, reshape, slice_axis
from .sorting import bucketize


def _check_segments(name: str, x: TensorType, segments: TensorType) -> None:
    if segments.dtype not in (int32, int64) or not 0 < segments.rank <= x.rank:
        raise TypeMismatchError(
            f"{name}: the segments of {x} are int32 or int64 and have its first axes, not {segments}"
        )
    for a, b in zip(x.shape, segments.shape, strict=False):
        require("==", a, b)


def _segment_op(name: str, reduction: str, bound: Bound) -> Op:
    def type_rule(x: TensorType, segments: TensorType, *, count: Size) -> TensorType:
        check_kind(name, ("int", "uint", "float"), x)
        _check_segments(name, x, segments)
        return x.with_shape((count, *x.shape[segments.rank :]))

    def parts(x: Value, segments: Value, *, count: Size) -> Value:
        inside = logical_and(greater_equal(segments, 0), less(segments, count))
        start = x.graph.constant(identity_of(reduction, x.dtype), x.dtype)
        table = broadcast_to(start, shape=(count + 1, *x.shape[segments.rank :]))
        table = index_put(table, x, where(inside, segments, count), axes=(0,), reduction=reduction)
        return slice_axis(table, 0, 0, count)

    return Op(name, type_rule, None, None, parts, bound=bound, smooth=True, samples=_SAMPLES)


def _bag_type(
    table: TensorType,
    indices: TensorType,
    offsets: TensorType,
    weights: TensorType | None = None,
    *,
    mode: str = "mean",
) -> TensorType:
    """The sum, mean or max of the rows of each bag; a bag goes from its offset to the next. Of an empty bag zeros.

    Weights, one for each index, are for sums. It is `torch.nn.functional.embedding_bag`.
    """
    check_kind("embedding_bag", ("float",), table)
    if mode not in ("sum", "mean", "max"):
        raise TypeMismatchError(f"embedding_bag: the mode is sum, mean or max, not {mode!r}")
    if (table.rank, indices.rank, offsets.rank) != (2, 1, 1):
        raise TypeMismatchError(
            f"embedding_bag needs a matrix, and a vector of indices and of offsets, not {table}, {indices}, {offsets}"
        )
    if {indices.dtype, offsets.dtype} - {int32, int64} or indices.dtype != offsets.dtype:
        raise TypeMismatchError(f"embedding_bag: indices and offsets are both int32 or int64, not {indices}, {offsets}")
    if weights is not None:
        if mode != "sum" or weights.rank != 1 or weights.dtype != table.dtype:
            raise TypeMismatchError(f"embedding_bag: a sum has weights, one for each index, not {mode} and {weights}")
        require("==", weights.shape[0], indices.shape[0])
    return table.with_shape((offsets.shape[0], table.shape[1]))


def _bag_parts(table: Value, indices: Value, offsets: Value, weights: Value | None = None, *, mode: str) -> Value:
    places = table.graph.apply(arange, size=indices.shape[0], dtype=offsets.dtype)
    bags = bucketize(places, offsets, side="right", dtype=offsets.dtype) - 1
    rows, count = take(table, indices), offsets.shape[0]
    if weights is not None:
        rows = rows * expand_dims(weights, 1)
    if mode == "sum":
        return segment_sum(rows, bags, count=count)  # type: ignore[no-any-return]
    ones = broadcast_to(table.graph.constant(1.0, table.dtype), shape=(indices.shape[0], 1))
    sizes = segment_sum(ones, bags, count=count)
    if mode == "mean":
        return segment_sum(rows, bags, count=count) / maximum(sizes, 1.0)  # type: ignore[no-any-return]
    return where(equal(sizes, 0.0), 0.0, segment_maximum(rows, bags, count=count))  # type: ignore[no-any-return]


def _bincount_type(x: TensorType, weights: TensorType | None = None, *, size: Size, dtype: DType = int64) -> TensorType:
    """How often each of the numbers below `size` is there, or the sum of its weights; others do not count.

    The counts are of `dtype`, sums of the weights' type.
    """
    if x.dtype not in (int32, int64) or not x.rank:
        raise TypeMismatchError(f"bincount counts int32 or int64 numbers, not {x}")
    if weights is not None:
        check_kind("bincount", ("int", "uint", "float"), weights)
        if weights.rank != x.rank:
            raise TypeMismatchError(f"bincount of {x}: the weights have its shape, not that of {weights}")
        for a, b in zip(x.shape, weights.shape, strict=True):
            require("==", a, b)
    return TensorType(dtype if weights is None else weights.dtype, (size,))


def _bincount_parts(x: Value, weights: Value | None = None, *, size: Size, dtype: DType) -> Value:
    one = weights if weights is not None else broadcast_to(x.graph.constant(1, dtype), shape=x.shape)
    return segment_sum(one, x, count=size)  # type: ignore[no-any-return]


def _histogram_type(x: TensorType, *, bins: int, low: float, high: float, dtype: DType = int64) -> TensorType:
    """How many elements lie in each of `bins` equal parts of low to high, which is in the last; NaN is in none."""
    check_kind("histogram", ("float",), x)
    if bins < 1 or not low < high:
        raise TypeMismatchError(f"histogram needs a bin and low < high, not {bins} from {low} to {high}")
    return TensorType(dtype, (bins,))


def _histogram_parts(x: Value, *, bins: int, low: float, high: float, dtype: DType) -> Value:
    flat = reshape(x, shape=(-1,))
    inside = logical_and(greater_equal(flat, low), less_equal(flat, high))
    place = minimum(floor((where(inside, flat, low) - low) * (bins / (high - low))), float(bins - 1))
    return bincount(where(inside, cast(place, dtype=int32), -1), size=bins, dtype=dtype)  # type: ignore[no-any-return]


_BAGS = np.array([2, 0, 2, -1, 5, 1], np.int32)
_SAMPLES = (
    sample((6, 2), _BAGS, count=3), sample((3, 2, 5), _BAGS.reshape(3, 2).astype(np.int64), count=3),
    sample(np.array([3, -4, 5, 1, 2, 6], np.int32), _BAGS, count=4),
)  # fmt: skip
_WORDS = np.array([4, 0, 2, 2, 1], np.int64)
_STARTS = np.array([0, 2, 2], np.int64)
segment_sum = _segment_op("segment_sum", "add", Bound("reduction", 4.0))
segment_product = _segment_op("segment_product", "multiply", Bound("elementwise", 16.0))
segment_maximum = _segment_op("segment_maximum", "maximum", EXACT)
segment_minimum = _segment_op("segment_minimum", "minimum", EXACT)
embedding_bag = Op(
    "embedding_bag", _bag_type, None, None, _bag_parts, bound=Bound("parts"), smooth=True, numbers=("table",),
    samples=(sample((6, 4), _WORDS, _STARTS), sample((6, 4), _WORDS, _STARTS, (5,), mode="sum"),
             sample((6, 4), _WORDS, _STARTS, mode="sum"),
             sample((6, 4), _WORDS.astype(np.int32), _STARTS.astype(np.int32), mode="max")),
)  # fmt: skip
bincount = Op(
    "bincount", _bincount_type, None, None, _bincount_parts, bound=Bound("reduction", 4.0), smooth=True,
    samples=(sample(_BAGS, size=4), sample(_BAGS, (6,), size=3), sample(_BAGS, size=4, dtype=int32)),
)  # fmt: skip
histogram = Op(
    "histogram", _histogram_type, None, NO_GRADIENT, _histogram_parts, bound=EXACT,
    samples=(sample((3, 7), bins=5, low=-1.0, high=1.5, differentiable=False),
             sample(np.array([0.0, 1.0, 0.3, np.nan, -2.0, 7.0], np.float32), bins=2, low=0.0, high=1.0, dtype=int32,
                    differentiable=False)),
)  # fmt: skip

OPS = (segment_sum, segment_product, segment_maximum, segment_minimum, embedding_bag, bincount, histogram)
