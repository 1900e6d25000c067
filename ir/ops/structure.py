"""Arranging elements: rolled, repeated, stacked, split, in triangles, on diagonals, in windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, floor_div, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from ..types import DType, TensorType, dtype_of, float32, int64
from .arithmetic import check_kind
from .comparison import equal, greater_equal, less, less_equal, where
from .constant import arange
from .indexing import index, index_put, take
from .shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    normalize_axes,
    normalize_axis,
    pad,
    reshape,
    slice_axis,
    transpose,
)  # fmt: skip


def _roll_type(x: TensorType, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> TensorType:
    """The elements moved on along axes; those that leave at the end come in at the start."""
    if len(shifts) != len(normalize_axes(axes, x.rank)):
        raise TypeMismatchError(f"roll needs a shift per axis, not {shifts} along {axes}")
    for shift, axis in zip(shifts, axes, strict=True):
        if not isinstance(x.shape[axis], int):
            require(">=", x.shape[axis], abs(shift))
    return x


def _roll(x: Any, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return np.roll(x, shifts, axes)


def _roll_parts(x: Value, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Value:
    for shift, axis in zip(shifts, axes, strict=True):
        size = x.shape[axis]
        if isinstance(size, int):
            shift %= max(size, 1)
        if shift:
            cut = size - shift if shift > 0 else -shift
            x = concatenate(slice_axis(x, axis, cut, size), slice_axis(x, axis, 0, cut), axis=axis)
    return x


def _roll_gradient(g: Value, out: Value, x: Value, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> tuple[Value]:
    return (roll(g, shifts=tuple(-s for s in shifts), axes=axes),)


def _matrix_type(x: TensorType, *, k: int = 0) -> TensorType:
    """The last two axes with zeros beyond the diagonal number `k`; above the main one they are counted upwards."""
    if x.rank < 2:
        raise TypeMismatchError(f"a triangle needs a matrix, not {x}")
    return x


def _tril(x: Any, *, k: int) -> Any:
    return np.tril(x, k)


def _triu(x: Any, *, k: int) -> Any:
    return np.triu(x, k)


def _places(x: Value, k: int) -> tuple[Value, Value]:
    """Of each element of a matrix the row and the column, this one less `k`."""
    rows, columns = (x.graph.apply(arange, size=n, dtype=int64) for n in x.shape[-2:])
    return expand_dims(rows, 1), (columns - k if k else columns)


def _tril_parts(x: Value, *, k: int) -> Value:
    return where(greater_equal(*_places(x, k)), x, 0)  # type: ignore[no-any-return]


def _triu_parts(x: Value, *, k: int) -> Value:
    return where(less_equal(*_places(x, k)), x, 0)  # type: ignore[no-any-return]


def _eye_type(*, rows: Size, columns: Size, k: int = 0, dtype: DType = float32) -> TensorType:
    """A matrix with ones on its diagonal number `k`."""
    return TensorType(dtype, (rows, columns))


def _eye(*, rows: int, columns: int, k: int, dtype: DType) -> Any:
    return np.eye(rows, columns, k, dtype.numpy)


def _diagonal_length(rows: Size, columns: Size, offset: int) -> Size:
    below, above = rows + min(offset, 0), columns - max(offset, 0)
    if isinstance(below, int) and isinstance(above, int):
        return max(min(below, above), 0)
    if rows != columns:
        raise TypeMismatchError(f"how long a diagonal of {rows} rows and {columns} columns is, is not known yet")
    require(">=", rows, abs(offset))
    return rows - abs(offset)


def _diagonal_type(x: TensorType, *, offset: int = 0, axis1: int = -2, axis2: int = -1) -> TensorType:
    """The elements whose place along `axis2` is that along `axis1` and `offset` more; their axis is the last."""
    a, b = normalize_axis(axis1, x.rank), normalize_axis(axis2, x.rank)
    if a == b:
        raise TypeMismatchError(f"a diagonal needs two axes, not {axis1} and {axis2}")
    rest = tuple(n for i, n in enumerate(x.shape) if i not in (a, b))
    return x.with_shape((*rest, _diagonal_length(x.shape[a], x.shape[b], offset)))


def _diagonal(x: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    return np.diagonal(x, offset, axis1, axis2)


def _counts(x: Value, length: Size, offset: int) -> tuple[Value, Value]:
    """The rows and columns of a diagonal."""
    counted = x.graph.apply(arange, size=length, dtype=int64)
    return (counted, counted + offset if offset else counted) if offset >= 0 else (counted - offset, counted)


def _diagonal_parts(x: Value, *, offset: int, axis1: int, axis2: int) -> Value:
    a, b = normalize_axis(axis1, x.rank), normalize_axis(axis2, x.rank)
    x = transpose(x, axes=(*(i for i in range(x.rank) if i not in (a, b)), a, b))
    length = _diagonal_length(x.shape[-2], x.shape[-1], offset)
    return index(x, *_counts(x, length, offset), axes=(-2, -1))  # type: ignore[no-any-return]


def _matrix_diag_type(x: TensorType, *, offset: int = 0) -> TensorType:
    """Matrices of zeros that have the last axis of x on their diagonal number `offset`."""
    if not x.rank:
        raise TypeMismatchError("matrix_diag needs an axis to put on the diagonal")
    size = x.shape[-1] + abs(offset)
    return x.with_shape((*x.shape[:-1], size, size))


def _matrix_diag_parts(x: Value, *, offset: int) -> Value:
    counted = x.graph.apply(arange, size=x.shape[-1], dtype=int64)
    square = where(equal(expand_dims(counted, 1), counted), expand_dims(x, -2), 0)
    none = (0,) * (x.rank - 1)
    right, down = max(offset, 0), max(-offset, 0)
    if not offset:
        return square  # type: ignore[no-any-return]
    return pad(square, 0, low=(*none, down, right), high=(*none, right, down), interior=(*none, 0, 0))  # type: ignore[no-any-return]


def _matrix_diag_gradient(g: Value, out: Value, x: Value, *, offset: int) -> tuple[Value]:
    return (diagonal(g, offset=offset),)


def _set_diagonal_type(x: TensorType, values: TensorType, *, offset: int = 0) -> TensorType:
    """Matrices with values on their diagonal number `offset`."""
    expected = _diagonal_type(x, offset=offset)
    if values.dtype != x.dtype or values.rank != expected.rank:
        raise TypeMismatchError(f"set_diagonal: the values must be {expected}, not {values}")
    for a, b in zip(values.shape, expected.shape, strict=True):
        require("==", a, b)
    return x


def _set_diagonal_parts(x: Value, values: Value, *, offset: int) -> Value:
    return index_put(x, values, *_counts(x, values.shape[-1], offset), axes=(-2, -1))  # type: ignore[no-any-return]


def _repeat_type(x: TensorType, *, repeats: Size | tuple[int, ...], axis: int) -> TensorType:
    """Each element along an axis so many times: one number for all, or one for each."""
    axis = normalize_axis(axis, x.rank)
    if isinstance(repeats, tuple):
        require("==", x.shape[axis], len(repeats))
    total = sum(repeats) if isinstance(repeats, tuple) else x.shape[axis] * repeats
    return x.with_shape((*x.shape[:axis], total, *x.shape[axis + 1 :]))


def _repeat(x: Any, *, repeats: Any, axis: int) -> Any:
    return np.repeat(x, repeats, axis)


def _repeat_parts(x: Value, *, repeats: Size | tuple[int, ...], axis: int) -> Value:
    axis = normalize_axis(axis, x.rank)
    if isinstance(repeats, tuple):
        return take(x, x.graph.constant(np.repeat(np.arange(len(repeats), dtype=np.int32), repeats)), axis=axis)  # type: ignore[no-any-return]
    before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
    wide = broadcast_to(expand_dims(x, axis + 1), shape=(*before, repeats, *after))
    return reshape(wide, shape=(*x.shape[:axis], x.shape[axis] * repeats, *after))  # type: ignore[no-any-return]


def _tile_type(x: TensorType, *, counts: tuple[Size, ...]) -> TensorType:
    """x so many times along each axis."""
    if len(counts) != x.rank:
        raise TypeMismatchError(f"tile of {x} needs a count per axis, not {counts}")
    return x.with_shape(tuple(n * c for n, c in zip(x.shape, counts, strict=True)))


def _tile(x: Any, *, counts: tuple[int, ...]) -> Any:
    return np.tile(x, counts)


def _tile_parts(x: Value, *, counts: tuple[Size, ...]) -> Value:
    paired = tuple(s for pair in zip(counts, x.shape, strict=True) for s in pair)
    wide = broadcast_to(expand_dims(x, *range(0, 2 * x.rank, 2)), shape=paired)
    return reshape(wide, shape=tuple(n * c for n, c in zip(x.shape, counts, strict=True)))  # type: ignore[no-any-return]


def _stack_type(*xs: TensorType, axis: int = 0) -> TensorType:
    """The parts along a new axis."""
    if not xs or any(x.dtype != xs[0].dtype or x.rank != xs[0].rank for x in xs):
        raise TypeMismatchError(f"stack: the parts must have one element type and shape, not {', '.join(map(str, xs))}")
    for x in xs[1:]:
        for a, b in zip(x.shape, xs[0].shape, strict=True):
            require("==", a, b)
    axis = normalize_axis(axis, xs[0].rank + 1)
    return xs[0].with_shape((*xs[0].shape[:axis], len(xs), *xs[0].shape[axis:]))


def _stack(*xs: Any, axis: int) -> Any:
    return np.stack(xs, axis)


def _stack_parts(*xs: Value, axis: int) -> Value:
    return concatenate(*(expand_dims(x, axis) for x in xs), axis=axis)  # type: ignore[no-any-return]


def _split_type(x: TensorType, *, sizes: tuple[Size, ...], axis: int = 0) -> tuple[TensorType, ...]:
    """Parts of these sizes along an axis, two or more."""
    axis = normalize_axis(axis, x.rank)
    total: Size = 0
    if len(sizes) < 2:
        raise TypeMismatchError(f"split makes two parts or more, not {len(sizes)}")
    for size in sizes:
        require(">=", size, 0)
        total = total + size
    require("==", x.shape[axis], total)
    return tuple(x.with_shape((*x.shape[:axis], size, *x.shape[axis + 1 :])) for size in sizes)


def _split(x: Any, *, sizes: tuple[int, ...], axis: int) -> Any:
    """Parts of these sizes along an axis."""
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _split_parts(x: Value, *, sizes: tuple[Size, ...], axis: int) -> tuple[Value, ...]:
    parts: list[Value] = []
    start: Size = 0
    for size in sizes:
        parts.append(slice_axis(x, axis, start, start + size))
        start = start + size
    return tuple(parts)


def _windows_type(x: TensorType, *, axis: int, size: int, step: int = 1) -> TensorType:
    """Windows of some size along an axis, every `step` elements; what is in them is the last axis: `Tensor.unfold`."""
    axis = normalize_axis(axis, x.rank)
    require(">=", x.shape[axis], size)
    return x.with_shape((*x.shape[:axis], floor_div(x.shape[axis] - size, step) + 1, *x.shape[axis + 1 :], size))


def _windows(x: Any, *, axis: int, size: int, step: int) -> Any:
    """Windows of some size along an axis, every few elements."""
    axis %= x.ndim
    every = np.lib.stride_tricks.sliding_window_view(x, size, axis)
    return every[(slice(None),) * axis + (slice(None, None, step),)]


def _windows_parts(x: Value, *, axis: int, size: int, step: int) -> Value:
    axis = normalize_axis(axis, x.rank)
    first = x.graph.apply(arange, size=floor_div(x.shape[axis] - size, step) + 1, dtype=int64)
    places = expand_dims(first * step if step > 1 else first, 1) + x.graph.apply(arange, size=size, dtype=int64)
    found = take(x, places, axis=axis)
    return transpose(found, axes=(*(i for i in range(found.rank) if i != axis + 1), axis + 1))  # type: ignore[no-any-return]


def _linspace_type(start: TensorType, stop: TensorType, *, count: Size) -> TensorType:
    """Numbers at equal distances from start to stop, which are scalars, both included."""
    check_kind("linspace", ("float",), start)
    if start.rank or stop != start:
        raise TypeMismatchError(f"linspace goes between two scalars of one type, not {start} and {stop}")
    require(">=", count, 2)
    return start.with_shape((count,))


def _linspace_parts(start: Value, stop: Value, *, count: Size) -> Value:
    """From both ends to the middle, so that both are met."""
    counted = start.graph.apply(arange, size=count, dtype=start.dtype)
    back = count - 1 - counted
    step = (stop - start) / (count - 1)
    return where(less(counted, back), start + step * counted, stop - step * back)  # type: ignore[no-any-return]


_F64 = dtype_of("float64")
roll = Op(
    "roll", _roll_type, _roll, _roll_gradient, _roll_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 5), shifts=(2,), axes=(1,)), sample((2, 5, 3), shifts=(-1, 7), axes=(-1, 1))),
)  # fmt: skip
tril: Op = Op(
    "tril", _matrix_type, _tril, lambda g, out, x, *, k: (tril(g, k=k),), _tril_parts, bound=EXACT, smooth=True,
    samples=(sample((3, 4)), sample((2, 5, 3), k=1), sample((3, 4), k=-1)),
)  # fmt: skip
triu: Op = Op(
    "triu", _matrix_type, _triu, lambda g, out, x, *, k: (triu(g, k=k),), _triu_parts, bound=EXACT, smooth=True,
    samples=(sample((3, 4)), sample((2, 5, 3), k=1), sample((3, 4), k=-1)),
)  # fmt: skip
eye = Op(
    "eye", _eye_type, _eye, NO_GRADIENT, bound=EXACT, folds=False,
    samples=(sample(rows=2, columns=3), sample(rows=3, columns=4, k=-1, dtype=_F64),
             sample(rows=3, columns=4, k=2, dtype=dtype_of("int32"))),
)  # fmt: skip
diagonal = Op(
    "diagonal", _diagonal_type, _diagonal, None, _diagonal_parts, bound=EXACT, smooth=True,
    samples=(sample((3, 5)), sample((4, 2, 6, 5), offset=-1, axis1=0, axis2=2), sample((6, 3, 5), offset=2)),
)  # fmt: skip
matrix_diag = Op(
    "matrix_diag", _matrix_diag_type, None, _matrix_diag_gradient, _matrix_diag_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 3)), sample((3,), offset=-2), sample((4, 3), offset=1)),
)  # fmt: skip
set_diagonal = Op(
    "set_diagonal", _set_diagonal_type, None, None, _set_diagonal_parts, bound=EXACT, smooth=True,
    samples=(sample((3, 5), (3,)), sample((2, 3, 5), (2, 3), offset=1), sample((4, 3), (3,), offset=-1)),
)  # fmt: skip
repeat = Op(
    "repeat", _repeat_type, _repeat, None, _repeat_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 3), repeats=2, axis=1), sample((3, 2, 4), repeats=(2, 0, 3), axis=0),
             sample((5, 2, 4), repeats=3, axis=-2)),
)  # fmt: skip
tile = Op(
    "tile", _tile_type, _tile, None, _tile_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 3), counts=(1, 2)), sample((2, 1, 3), counts=(2, 5, 1))),
)  # fmt: skip
stack = Op(
    "stack", _stack_type, _stack, None, _stack_parts, bound=EXACT, smooth=True,
    samples=(sample((4, 3), (4, 3)), sample((4, 3), (4, 3), axis=-1), sample((), (), ())),
)  # fmt: skip
split = Op(
    "split", _split_type, _split, None, _split_parts, bound=EXACT, smooth=True,
    samples=(sample((5, 2), sizes=(1, 4)), sample((7, 6, 4), sizes=(3, 1, 2), axis=-2)),
)  # fmt: skip
sliding_windows = Op(
    "sliding_windows", _windows_type, _windows, None, _windows_parts, bound=EXACT, smooth=True,
    samples=(sample((2, 7), axis=-1, size=3), sample((9, 5), axis=0, size=3, step=2)),
)  # fmt: skip
linspace = Op(
    "linspace", _linspace_type, None, None, _linspace_parts, bound=Bound("parts"), smooth=True,
    samples=(sample((), (), count=5), sample(np.float32(-1.5), np.float32(2.0), count=2)),
)  # fmt: skip

OPS = (
    roll, tril, triu, eye, diagonal, matrix_diag, set_diagonal, repeat, tile, stack, split, sliding_windows, linspace,
)  # fmt: skip


def meshgrid(*xs: Value) -> tuple[Value, ...]:
    """Vectors broadcast against each other: the k-th varies along axis k, as NumPy's with indexing "ij"."""
    shape = tuple(x.shape[0] for x in xs)
    return tuple(
        broadcast_to(expand_dims(x, *(a for a in range(len(xs)) if a != k)), shape=shape) for k, x in enumerate(xs)
    )
