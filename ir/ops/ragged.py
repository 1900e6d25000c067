"""Products of groups of rows, each group with a matrix of its own: the experts of a mixture."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType, int32
from .arithmetic import check_kind, check_same_dtype
from .comparison import greater_equal, less, logical_and, where
from .constant import arange
from .contraction import matmul, swap_last
from .reduction import reduce_sum
from .shape import cast, expand_dims

_BOUND = Bound("contraction", 4.0)


def _check(name: str, x: TensorType, other: TensorType, sizes: TensorType) -> None:
    check_kind(name, ("float",), x, other)
    check_same_dtype(name, x, other)
    if x.rank != 2 or sizes.rank != 1 or not sizes.dtype.is_integer:
        raise TypeMismatchError(f"{name} takes rows and how many of them are in each group, not {x} and {sizes}")


def _matmul_type(x: TensorType, w: TensorType, sizes: TensorType) -> TensorType:
    _check("grouped_matmul", x, w, sizes)
    if w.rank != 3:
        raise TypeMismatchError(f"grouped_matmul takes a matrix for each group, [groups, in, out], not {w}")
    require("==", x.shape[1], w.shape[1])
    require("==", w.shape[0], sizes.shape[0])
    return x.with_shape((x.shape[0], w.shape[2]))


def _matmul(x: Any, w: Any, sizes: Any) -> Any:
    """The rows of x, group after group, times their group's matrix; rows after the last group give zero."""
    y = np.zeros((x.shape[0], w.shape[2]), x.dtype)
    stops = np.cumsum(sizes)
    for start, stop, matrix in zip(stops - sizes, stops, w, strict=True):
        y[start:stop] = x[start:stop] @ matrix
    return y


def _matmul_parts(x: Value, w: Value, sizes: Value) -> Value:
    products = matmul(expand_dims(x, 0), w)
    return reduce_sum(where(_members(x, sizes), products, 0.0), axes=(0,))  # type: ignore[no-any-return]


def _members(x: Value, sizes: Value) -> Value:
    """Which rows are in which group: bool[groups, rows, 1]."""
    graph, n, groups = x.graph, x.shape[0], sizes.shape[0]
    sizes = cast(sizes, dtype=int32)
    rows, order = (graph.apply(arange, size=s, dtype=int32) for s in (n, groups))
    earlier = greater_equal(expand_dims(order, 1), order)
    stops = reduce_sum(where(earlier, sizes, 0), axes=(1,), keepdims=True)
    starts = stops - expand_dims(sizes, 1)
    return expand_dims(logical_and(greater_equal(rows, starts), less(rows, stops)), 2)


def _outer_type(x: TensorType, y: TensorType, sizes: TensorType) -> TensorType:
    _check("grouped_outer", x, y, sizes)
    require("==", x.shape[0], y.shape[0])
    return x.with_shape((sizes.shape[0], x.shape[1], y.shape[1]))


def _outer(x: Any, y: Any, sizes: Any) -> Any:
    """For each group the transpose of its rows of x times its rows of y."""
    stops = np.cumsum(sizes)
    found = [x[a:b].T @ y[a:b] for a, b in zip(stops - sizes, stops, strict=True)]
    return np.stack(found).astype(x.dtype, copy=False)


def _outer_parts(x: Value, y: Value, sizes: Value) -> Value:
    return matmul(swap_last(where(_members(x, sizes), x, 0.0)), expand_dims(y, 0))  # type: ignore[no-any-return]


_SIZES = np.array([2, 0, 3, 1], np.int32)
# x [rows, in], w [groups, in, out], sizes int[groups]: the first sizes[0] rows take w[0], the next sizes[1] w[1].
grouped_matmul: Op = Op(
    "grouped_matmul", _matmul_type, _matmul,
    lambda g, out, x, w, sizes: (grouped_matmul(g, swap_last(w), sizes), grouped_outer(x, g, sizes), None),
    _matmul_parts, bound=_BOUND, smooth=True,
    samples=(sample((6, 3), (4, 3, 5), _SIZES), sample((7, 3), (2, 3, 4), np.array([1, 4], np.int64))),
)  # fmt: skip
grouped_outer: Op = Op(
    "grouped_outer", _outer_type, _outer,
    lambda g, out, x, y, sizes: (grouped_matmul(y, swap_last(g), sizes), grouped_matmul(x, g, sizes), None),
    _outer_parts, bound=_BOUND, smooth=True,
    samples=(sample((6, 3), (6, 5), _SIZES), sample((7, 3), (7, 4), np.array([1, 4], np.int64))),
)  # fmt: skip

OPS = (grouped_matmul, grouped_outer)
