"""Writing along an axis, by tuples of indices, and where a slice begins that is data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Bound, Op, sample
from ..types import DType, TensorType
from .arithmetic import check_kind, maximum
from .gather import (
    check_along,
    check_starts,
    counted,
    cut_axes,
    dynamic_slice,
    grid,
    parts_of_tuples,
    take_along_axis,
    tuple_axes,
)  # fmt: skip
from .indexing import REDUCTIONS, check_combines, index_put
from .shape import broadcast_to


def _check_values(name: str, x: TensorType, values: TensorType, shape: tuple[Any, ...]) -> None:
    if values.dtype != x.dtype or values.rank != len(shape):
        raise TypeMismatchError(f"{name}: the values must be {x.with_shape(shape)}, not {values}")
    for a, b in zip(values.shape, shape, strict=True):
        require("==", a, b)


def _along_type(
    x: TensorType, indices: TensorType, values: TensorType, *, axis: int, reduction: str = "none"
) -> TensorType:
    """`x` with values put, or combined by a reduction, where `take_along_axis` reads; see `index_put`."""
    check_along("scatter_along_axis", x, indices, axis)
    check_combines("scatter_along_axis", reduction, x)
    _check_values("scatter_along_axis", x, values, indices.shape)
    return x


def _along_parts(x: Value, indices: Value, values: Value, *, axis: int, reduction: str) -> Value:
    places = grid(indices, axis % x.rank)
    return index_put(x, values, *places, axes=tuple(range(x.rank)), reduction=reduction)  # type: ignore[no-any-return]


def _along_gradient(g: Value, out: Value, x: Value, indices: Value, values: Value, *, axis: int, reduction: str) -> Any:
    """Of products and extremes the gradient is that of the parts."""
    if reduction not in ("none", "add"):
        return NotImplemented
    kept = g if reduction == "add" else scatter_along_axis(g, indices, _full(values, 0.0), axis=axis)
    return kept, None, take_along_axis(g, indices, axis=axis)


def _full(like: Value, number: float | int) -> Value:
    return broadcast_to(like.graph.constant(number, like.dtype), shape=like.shape)  # type: ignore[no-any-return]


def _nd_type(x: TensorType, indices: TensorType, values: TensorType, *, reduction: str = "none") -> TensorType:
    """`x` with values put, or combined by a reduction, where `gather_nd` reads; see `index_put`."""
    depth = tuple_axes("scatter_nd", x, indices)
    check_combines("scatter_nd", reduction, x)
    _check_values("scatter_nd", x, values, (*indices.shape[:-1], *x.shape[depth:]))
    return x


def _nd_parts(x: Value, indices: Value, values: Value, *, reduction: str) -> Value:
    parts = parts_of_tuples(indices)
    return index_put(x, values, *parts, axes=tuple(range(len(parts))), reduction=reduction)  # type: ignore[no-any-return]


def _reduce_type(
    x: TensorType, indices: TensorType, values: TensorType, *, axis: int, reduction: str, include_self: bool = True
) -> TensorType:
    """`x` with values combined along an axis, PyTorch's `scatter_reduce`: add, multiply, mean, minimum or maximum.

    Without `include_self` what stood where values go does not count.
    """
    check_along("scatter_reduce", x, indices, axis)
    if reduction == "mean":
        check_kind("scatter_reduce by mean", ("float",), x)
    elif reduction == "none":
        raise TypeMismatchError("scatter_reduce needs a reduction; scatter_along_axis puts without one")
    else:
        check_kind(f"scatter_reduce by {reduction}", ("int", "uint", "float"), x)
        check_combines("scatter_reduce", reduction, x)
    _check_values("scatter_reduce", x, values, indices.shape)
    return x


def identity_of(reduction: str, dtype: DType) -> float | int:
    """The number that a reduction leaves everything as it is with."""
    if reduction in ("add", "mean"):
        return 0
    if reduction == "multiply":
        return 1
    if dtype.is_float:
        return np.inf if reduction == "minimum" else -np.inf
    limits = np.iinfo(dtype.numpy)
    return int(limits.max if reduction == "minimum" else limits.min)


def _reduce_parts(x: Value, indices: Value, values: Value, *, axis: int, reduction: str, include_self: bool) -> Value:
    def put(onto: Value, what: Value, way: str) -> Value:
        return scatter_along_axis(onto, indices, what, axis=axis, reduction=way)  # type: ignore[no-any-return]

    base = x if include_self else put(x, _full(values, identity_of(reduction, x.dtype)), "none")
    if reduction != "mean":
        return put(base, values, reduction)
    counts = put(_full(x, 1 if include_self else 0), _full(values, 1), "add")
    return put(base, values, "add") / maximum(counts, 1.0)  # type: ignore[no-any-return]


def _update_type(x: TensorType, update: TensorType, *starts: TensorType) -> TensorType:
    """`x` with `update` where `dynamic_slice` of its sizes reads: the starts are moved so that it lies inside."""
    check_starts("dynamic_update_slice", x, starts)
    if update.dtype != x.dtype or update.rank != x.rank:
        raise TypeMismatchError(f"dynamic_update_slice: the update of {x} has its element type and rank, not {update}")
    for whole, part in zip(x.shape, update.shape, strict=True):
        require(">=", whole, part)
    return x


def _update(x: Any, update: Any, *starts: Any) -> Any:
    """x with update in the slice that begins at starts, moved inside."""
    firsts = [max(min(int(s), n - m), 0) for s, n, m in zip(starts, x.shape, update.shape, strict=True)]
    out = x.copy()
    out[tuple(slice(a, a + m) for a, m in zip(firsts, update.shape, strict=True))] = update
    return out


def _update_parts(x: Value, update: Value, *starts: Value) -> Value:
    axes = cut_axes(x.shape, update.shape)
    return index_put(x, update, *counted(x, starts, update.shape, axes), axes=axes) if axes else update


def _update_gradient(g: Value, out: Value, x: Value, update: Value, *starts: Value) -> tuple[Value | None, ...]:
    outside = dynamic_update_slice(g, _full(update, 0.0), *starts)
    return (outside, dynamic_slice(g, *starts, sizes=update.shape), *(None for _ in starts))


_PLACES = np.array([[4, 0, 2], [1, 3, 4]], np.int32)
_TWICE = np.array([[4, 0, 4], [1, 4, 1]], np.int64)
_APART = np.array([[1, 0], [4, 2], [0, 1]], np.int32)
_PAIRS = np.array([[1, 0], [4, 2], [1, 0]], np.int32)
scatter_along_axis: Op = Op(
    "scatter_along_axis", _along_type, None, _along_gradient, _along_parts, bound=Bound("reduction", 4.0), smooth=True,
    numbers=("x", "values"),
    samples=(
        sample((5, 3), _PLACES, (2, 3), axis=0), sample((2, 5), _TWICE, (2, 3), axis=-1, reduction="add"),
        sample((2, 5, 4), _TWICE[:, :, None].copy(), (2, 3, 1), axis=1, reduction="maximum"),
        sample((4, 5), _TWICE, (2, 3), axis=1, reduction="multiply"),
        sample((6, 5), _TWICE, (2, 3), axis=1, reduction="minimum"),
    ),
)  # fmt: skip
scatter_nd = Op(
    "scatter_nd", _nd_type, None, None, _nd_parts, bound=Bound("reduction", 4.0), smooth=True,
    samples=(
        sample((5, 4), _APART, (3,)), sample((5, 4), _PAIRS, (3,), reduction="add"),
        sample((5, 4, 6), _PAIRS, (3, 6), reduction="multiply"), sample((5, 4), _PAIRS, (3,), reduction="maximum"),
        sample((5, 4), _PAIRS[:, :1].copy(), (3, 4), reduction="minimum"),
    ),
)  # fmt: skip
scatter_reduce = Op(
    "scatter_reduce", _reduce_type, None, None, _reduce_parts, bound=Bound("parts"), smooth=True,
    numbers=("x", "values"),
    samples=(
        *(sample((6, 5), _TWICE, (2, 3), axis=1, reduction=reduction, include_self=include)
          for reduction in (*REDUCTIONS[1:], "mean") for include in (True, False)),
        sample((5, 4), _TWICE[:1].T.copy(), (3, 1), axis=-2, reduction="mean", include_self=False),
    ),
)  # fmt: skip
dynamic_update_slice: Op = Op(
    "dynamic_update_slice", _update_type, _update, _update_gradient, _update_parts, bound=EXACT, smooth=True,
    numbers=("x", "update"),
    samples=(
        sample((5, 4), (2, 3), np.array(1, np.int32), np.array(7, np.int32)),
        sample((6, 2, 4), (3, 2, 1), *(np.array(n) for n in (-3, 1, 2))), sample((7,), (7,), np.array(2)),
    ),
)  # fmt: skip

OPS = (scatter_along_axis, scatter_nd, scatter_reduce, dynamic_update_slice)
