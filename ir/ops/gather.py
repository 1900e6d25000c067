"""Looking up along an axis, by tuples of indices, and where a slice begins that is data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Op, sample
from ..types import TensorType, int32, int64
from .arithmetic import maximum, minimum
from .comparison import greater_equal, less, logical_and, where
from .constant import arange
from .indexing import index, normalize_indices, take
from .shape import broadcast_to, expand_dims, normalize_axis, slice_axis, squeeze


def check_along(name: str, x: TensorType, indices: TensorType, axis: int) -> int:
    """The axis from the front, of indices that have the rank of x and are nowhere larger but along it."""
    if not indices.dtype.is_integer:
        raise TypeMismatchError(f"{name}: indices are integers, not {indices}")
    if indices.rank != x.rank:
        raise TypeMismatchError(f"{name}: the indices must have the rank of {x}, not be {indices}")
    axis = normalize_axis(axis, x.rank)
    for a, (whole, part) in enumerate(zip(x.shape, indices.shape, strict=True)):
        if a != axis:
            require(">=", whole, part)
    return axis


def grid(indices: Value, axis: int) -> tuple[Value, ...]:
    """Indices along an axis as indices along every axis: those of the others count."""
    dtype = indices.dtype if indices.dtype in (int32, int64) else int64
    places = []
    for a, size in enumerate(indices.shape):
        if a == axis:
            places.append(indices)
            continue
        count = indices.graph.apply(arange, size=size, dtype=dtype)
        places.append(expand_dims(count, *(i for i in range(indices.rank) if i != a)))
    return tuple(places)


def _along_type(x: TensorType, indices: TensorType, *, axis: int) -> TensorType:
    """The elements at the indices along an axis, for each place on the other axes: `torch.gather`."""
    check_along("take_along_axis", x, indices, axis)
    return x.with_shape(indices.shape)


def _take_along_axis(x: Any, indices: Any, *, axis: int) -> Any:
    """The elements at the indices along an axis, for each place on the others."""
    axis %= x.ndim
    part = x[tuple(slice(None) if a == axis else slice(n) for a, n in enumerate(indices.shape))]
    return np.take_along_axis(part, indices, axis)


def _along_parts(x: Value, indices: Value, *, axis: int) -> Value:
    return index(x, *grid(indices, axis % x.rank), axes=tuple(range(x.rank)))  # type: ignore[no-any-return]


def _along_gradient(g: Value, out: Value, x: Value, indices: Value, *, axis: int) -> tuple[Value, None]:
    from .scatter import scatter_along_axis  # which is made of the same parts

    zeros = broadcast_to(x.graph.constant(0.0, x.dtype), shape=x.shape)
    return scatter_along_axis(zeros, indices, g, axis=axis, reduction="add"), None


def tuple_axes(name: str, x: TensorType, indices: TensorType, batch_dims: int = 0) -> int:
    """How many axes of x the tuples in the last axis of the indices name, after the batch axes."""
    depth = indices.shape[-1] if indices.rank else None
    if not indices.dtype.is_integer or not isinstance(depth, int):
        raise TypeMismatchError(f"{name}: the indices are integers, their last axis of known size, not {indices}")
    if not 0 <= batch_dims < indices.rank or not 1 <= depth <= x.rank - batch_dims:
        raise TypeMismatchError(f"{name}: {x} after {batch_dims} batch axes has no axes for tuples of {depth}")
    return depth


def parts_of_tuples(indices: Value) -> tuple[Value, ...]:
    """The components of the tuples in the last axis."""
    depth = indices.shape[-1]
    assert isinstance(depth, int)
    return tuple(squeeze(slice_axis(indices, -1, i, i + 1), -1) for i in range(depth))


def _nd_type(x: TensorType, indices: TensorType, *, batch_dims: int = 0) -> TensorType:
    """What lies where the tuples in the last axis of the indices say; the first axes are the same in both."""
    depth = tuple_axes("gather_nd", x, indices, batch_dims)
    for a, b in zip(x.shape[:batch_dims], indices.shape[:batch_dims], strict=True):
        require("==", a, b)
    return x.with_shape((*indices.shape[:-1], *x.shape[batch_dims + depth :]))


def _nd_parts(x: Value, indices: Value, *, batch_dims: int) -> Value:
    parts = parts_of_tuples(indices)
    rank = indices.rank - 1
    batch = [
        expand_dims(x.graph.apply(arange, size=n, dtype=int64), *(i for i in range(rank) if i != a))
        for a, n in enumerate(indices.shape[:batch_dims])
    ]
    return index(x, *batch, *parts, axes=tuple(range(batch_dims + len(parts))))  # type: ignore[no-any-return]


def _take_or_fill_type(x: TensorType, indices: TensorType, fill: TensorType, *, axis: int = 0) -> TensorType:
    """As `take`, but `fill`, a scalar, where an index is negative or past the end."""
    if fill.rank or fill.dtype != x.dtype:
        raise TypeMismatchError(f"take_or_fill of {x} fills with a scalar of its element type, not {fill}")
    return take.type_rule(x, indices, axis=axis)  # type: ignore[no-any-return]


def _take_or_fill_parts(x: Value, indices: Value, fill: Value, *, axis: int) -> Value:
    axis = normalize_axis(axis, x.rank)
    size = x.shape[axis]
    inside = less(indices, size)
    if indices.dtype.kind == "int":
        inside = logical_and(inside, greater_equal(indices, 0))
    found = take(x, normalize_indices(indices, size=size, mode="clip"), axis=axis)
    after = x.rank - axis - 1
    return where(expand_dims(inside, *range(inside.rank, inside.rank + after)), found, fill)  # type: ignore[no-any-return]


def check_starts(name: str, x: TensorType, starts: tuple[TensorType, ...]) -> None:
    """Raise unless there is an integer scalar per axis."""
    if len(starts) != x.rank or any(s.rank or s.dtype not in (int32, int64) for s in starts):
        raise TypeMismatchError(f"{name} of {x} needs a start per axis, each an int32 or int64 scalar, not {starts}")


def clamped(start: Value, whole: Size, part: Size) -> Value:
    """The start moved so that the part lies inside."""
    return maximum(minimum(start, whole - part), 0)  # type: ignore[no-any-return]


def counted(x: Value, starts: tuple[Value, ...], sizes: tuple[Size, ...], axes: tuple[int, ...]) -> tuple[Value, ...]:
    """The places of a slice along some axes, as indices that broadcast."""
    found = []
    for k, a in enumerate(axes):
        count = x.graph.apply(arange, size=sizes[a], dtype=starts[a].dtype)
        places = clamped(starts[a], x.shape[a], sizes[a]) + count
        found.append(expand_dims(places, *(i for i in range(len(axes)) if i != k)))
    return tuple(found)


def cut_axes(whole: tuple[Size, ...], part: tuple[Size, ...]) -> tuple[int, ...]:
    """The axes that a slice cuts, and those between them."""
    cut = [a for a, (n, m) in enumerate(zip(whole, part, strict=True)) if n != m]
    return tuple(range(cut[0], cut[-1] + 1)) if cut else ()


def _dynamic_slice_type(x: TensorType, *starts: TensorType, sizes: tuple[Size, ...]) -> TensorType:
    """The slice of these sizes that begins at `starts`, each moved so that the slice lies inside, as in JAX."""
    check_starts("dynamic_slice", x, starts)
    if len(sizes) != x.rank:
        raise TypeMismatchError(f"dynamic_slice of {x} needs a size per axis, not {sizes}")
    for whole, part in zip(x.shape, sizes, strict=True):
        require(">=", whole, part)
    return x.with_shape(sizes)


def _dynamic_slice(x: Any, *starts: Any, sizes: tuple[int, ...]) -> Any:
    """The slice of these sizes that begins at starts, moved inside."""
    firsts = [max(min(int(s), n - m), 0) for s, n, m in zip(starts, x.shape, sizes, strict=True)]
    return x[tuple(slice(a, a + m) for a, m in zip(firsts, sizes, strict=True))]


def _dynamic_slice_parts(x: Value, *starts: Value, sizes: tuple[Size, ...]) -> Value:
    axes = cut_axes(x.shape, sizes)
    return index(x, *counted(x, starts, sizes, axes), axes=axes) if axes else x


def _dynamic_slice_gradient(
    g: Value, out: Value, x: Value, *starts: Value, sizes: tuple[Size, ...]
) -> tuple[Value | None, ...]:
    from .scatter import dynamic_update_slice  # which is made of the same parts

    zeros = broadcast_to(x.graph.constant(0.0, x.dtype), shape=x.shape)
    return (dynamic_update_slice(zeros, g, *starts), *(None for _ in starts))


_PLACES = np.array([[4, 0, 2], [1, 4, 4]], np.int32)
_PAIRS = np.array([[[1, 0], [4, 2], [0, 1]], [[3, 3], [1, 1], [4, 3]]] * 2, np.int32)
take_along_axis = Op(
    "take_along_axis", _along_type, _take_along_axis, _along_gradient, _along_parts, bound=EXACT, smooth=True,
    samples=(sample((5, 3), _PLACES, axis=0), sample((2, 5), _PLACES.astype(np.int64), axis=-1),
             sample((2, 5, 4), _PLACES[:, :, None].copy(), axis=1)),
)  # fmt: skip
gather_nd = Op(
    "gather_nd", _nd_type, None, None, _nd_parts, bound=EXACT, smooth=True,
    samples=(sample((5, 6), _PAIRS), sample((6, 5, 7), _PLACES[:, :1].copy()),
             sample((4, 5, 6, 7), _PAIRS.astype(np.int64), batch_dims=1)),
)  # fmt: skip
take_or_fill = Op(
    "take_or_fill", _take_or_fill_type, None, None, _take_or_fill_parts, bound=EXACT, smooth=True,
    numbers=("x", "fill"),
    samples=(sample((5, 4), np.array([3, -1, 5], np.int32), np.float32(0.5)),
             sample((4, 5, 6), np.array([[7], [2]], np.uint8), np.float32(np.nan), axis=-2, differentiable=False)),
)  # fmt: skip
dynamic_slice = Op(
    "dynamic_slice", _dynamic_slice_type, _dynamic_slice, _dynamic_slice_gradient, _dynamic_slice_parts, bound=EXACT,
    smooth=True, numbers=("starts",),
    samples=(
        sample((5, 4), np.array(1, np.int32), np.array(7, np.int32), sizes=(2, 3)),
        sample((6, 2, 4), *(np.array(n) for n in (-3, 1, 2)), sizes=(3, 2, 1)),
        sample((7,), np.array(2), sizes=(7,)),
    ),
)  # fmt: skip

OPS = (take_along_axis, gather_nd, take_or_fill, dynamic_slice)
