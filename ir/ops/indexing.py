"""Reading and writing at positions that are data.

An index counts from the front and lies within its axis; `normalize_indices` makes one so that counts from the back or
lies outside. What an index outside does is not said: it is an error on most backends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, broadcast_shapes, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from ..types import DType, TensorType, dtype_of, float32
from .arithmetic import check_kind, maximum, minimum
from .comparison import equal, less, where
from .constant import arange
from .shape import broadcast_to, cast, expand_dims, normalize_axis

REDUCTIONS = ("none", "add", "multiply", "minimum", "maximum")


def _check_indices(name: str, indices: TensorType) -> None:
    if not indices.dtype.is_integer:
        raise TypeMismatchError(f"{name}: indices are integers, not {indices}")


def _take_type(x: TensorType, indices: TensorType, *, axis: int = 0) -> TensorType:
    _check_indices("take", indices)
    axis = normalize_axis(axis, x.rank)
    return x.with_shape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _take(x: Any, indices: Any, *, axis: int) -> Any:
    return np.take(x, indices, axis)


def _scatter_add_type(g: TensorType, indices: TensorType, *, axis: int = 0, size: Size) -> TensorType:
    _check_indices("scatter_add", indices)
    axis = normalize_axis(axis, g.rank - indices.rank + 1)
    for a, b in zip(g.shape[axis:], indices.shape, strict=False):
        require("==", a, b)
    return g.with_shape((*g.shape[:axis], size, *g.shape[axis + indices.rank :]))


def _scatter_add(g: Any, indices: Any, *, axis: int, size: int) -> Any:
    """Add the slices of g at their indices along an axis of zeros."""
    axis %= g.ndim - indices.ndim + 1
    total = np.zeros((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)
    np.add.at(total, (*[slice(None)] * axis, indices), g)
    return total


def _one_hot_type(labels: TensorType, *, depth: Size, dtype: DType = float32) -> TensorType:
    _check_indices("one_hot", labels)
    return TensorType(dtype, (*labels.shape, depth))


def _one_hot_parts(labels: Value, *, depth: Size, dtype: DType) -> Value:
    return cast(equal(expand_dims(labels, -1), labels.graph.apply(arange, size=depth, dtype=labels.dtype)), dtype=dtype)  # type: ignore[no-any-return]


def _normalize_type(indices: TensorType, *, size: Size, mode: str = "negative") -> TensorType:
    """Indices that lie within an axis of `size` elements.

    With mode "negative" those below 0 count from the back; with "clip" what lies outside becomes the first or last.
    """
    _check_indices("normalize_indices", indices)
    if mode not in ("negative", "clip"):
        raise TypeMismatchError(f'normalize_indices: the mode is "negative" or "clip", not {mode!r}')
    return indices


def _normalize_parts(indices: Value, *, size: Size, mode: str) -> Value:
    if mode == "clip":
        return maximum(minimum(indices, size - 1), 0)  # type: ignore[no-any-return]
    if indices.dtype.kind == "uint":
        return indices
    return where(less(indices, 0), indices + size, indices)  # type: ignore[no-any-return]


def index_axes(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The axes that are indexed, from the front; they are named in order."""
    normal = tuple(normalize_axis(a, rank) for a in axes)
    if not normal or list(normal) != sorted(set(normal)):
        raise TypeMismatchError(f"index needs at least one axis, each once and in order, not {axes}")
    return normal


def index_place(axes: tuple[int, ...]) -> int:
    """Where the axes of the indices stand in the result: for the indexed ones if these are together, or first."""
    return axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0


def _indexed(name: str, x: TensorType, indices: tuple[TensorType, ...], axes: tuple[int, ...]) -> tuple[Size, ...]:
    """The shape of what lies at the indices."""
    if len(indices) != len(axes):
        raise TypeMismatchError(f"{name}: {len(axes)} axes need as many indices, not {len(indices)}")
    for i in indices:
        _check_indices(name, i)
    normal = index_axes(axes, x.rank)
    others = tuple(s for a, s in enumerate(x.shape) if a not in normal)
    place = index_place(normal)
    return (*others[:place], *broadcast_shapes(*(i.shape for i in indices)), *others[place:])


def _index_type(x: TensorType, *indices: TensorType, axes: tuple[int, ...]) -> TensorType:
    """What lies where the broadcast indices say along `axes`: `x[:, i, j]` for axes (1, 2).

    The axes of the result stand as in NumPy and PyTorch: those of the indices in place of the indexed ones where these
    are neighbours, and before all others where they are not.
    """
    return x.with_shape(_indexed("index", x, indices, axes))


def _index(x: Any, *indices: Any, axes: tuple[int, ...]) -> Any:
    """The elements of x at indices along some of its axes."""
    places = dict(zip((a % x.ndim for a in axes), indices, strict=True))
    return np.asarray(x[tuple(places.get(a, slice(None)) for a in range(x.ndim))])


def _index_gradient(g: Value, out: Value, x: Value, *indices: Value, axes: tuple[int, ...]) -> tuple[Value | None, ...]:
    zeros = broadcast_to(x.graph.constant(0.0, x.dtype), shape=x.shape)
    return (index_put(zeros, g, *indices, axes=axes, reduction="add"), *(None for _ in indices))


def check_combines(name: str, reduction: str, x: TensorType) -> None:
    """Raise unless there is such a reduction, and it is one of such numbers."""
    if reduction not in REDUCTIONS:
        raise TypeMismatchError(f"{name}: the reduction is one of {', '.join(REDUCTIONS)}, not {reduction!r}")
    if reduction != "none":
        kinds = ("int", "uint", "float", "complex") if reduction == "add" else ("int", "uint", "float")
        check_kind(f"{name} by {reduction}", kinds, x)


def _index_put_type(
    x: TensorType, values: TensorType, *indices: TensorType, axes: tuple[int, ...], reduction: str = "none"
) -> TensorType:
    """`x` with `values` put where `index` reads.

    A reduction combines them with what is there: add, multiply, minimum, maximum. Without one no place may be named
    twice by different values: which of them stays is not said. The gradient of a product is exact with zeros among
    its factors (the second derivative is not); of minimum and maximum equals share it evenly.
    """
    check_combines("index_put", reduction, x)
    if values.dtype != x.dtype:
        raise TypeMismatchError(f"index_put: x and values must have one element type, not {x} and {values}")
    expected = _indexed("index_put", x, indices, axes)
    if values.rank != len(expected):
        raise TypeMismatchError(f"index_put: the values must be {x.with_shape(expected)}, not {values}")
    for a, b in zip(values.shape, expected, strict=True):
        require("==", a, b)
    return x


def _index_put(x: Any, values: Any, *indices: Any, axes: tuple[int, ...], reduction: str) -> Any:
    """x with values put, or combined, at indices along some of its axes."""
    places = dict(zip((a % x.ndim for a in axes), indices, strict=True))
    place = tuple(places.get(a, slice(None)) for a in range(x.ndim))
    out = x.copy()
    if reduction == "none":
        out[place] = values
    else:
        getattr(np, reduction).at(out, place, values)
    return out


def _index_put_gradient(
    g: Value, out: Value, x: Value, values: Value, *indices: Value, axes: tuple[int, ...], reduction: str
) -> tuple[Value | None, ...]:
    rule = {"none": _put_gradient, "add": _add_gradient, "multiply": _multiply_gradient}.get(
        reduction, _extreme_gradient
    )
    return (*rule(g, out, x, values, indices, axes), *(None for _ in indices))


def _put(x: Value, values: Any, indices: tuple[Value, ...], axes: tuple[int, ...], reduction: str) -> Value:
    return index_put(x, values, *indices, axes=axes, reduction=reduction)  # type: ignore[no-any-return]


def _at(x: Value, indices: tuple[Value, ...], axes: tuple[int, ...]) -> Value:
    return index(x, *indices, axes=axes)  # type: ignore[no-any-return]


def _filled(like: Value, number: float) -> Value:
    return broadcast_to(like.graph.constant(number, like.dtype), shape=like.shape)  # type: ignore[no-any-return]


def _put_gradient(g: Value, out: Value, x: Value, values: Value, indices: Any, axes: Any) -> tuple[Value, Value]:
    return _put(g, _filled(values, 0.0), indices, axes, "none"), _at(g, indices, axes)


def _add_gradient(g: Value, out: Value, x: Value, values: Value, indices: Any, axes: Any) -> tuple[Value, Value]:
    return g, _at(g, indices, axes)


def _multiply_gradient(g: Value, out: Value, x: Value, values: Value, indices: Any, axes: Any) -> tuple[Value, Value]:
    """Each factor gets the product of the others: zeros are counted, and left out of the product."""
    gone = equal(values, 0.0)
    rest = _put(x, where(gone, 1.0, values), indices, axes, "multiply")
    zeros = _put(_filled(x, 0.0), cast(gone, dtype=x.dtype), indices, axes, "add")
    alone = _at(where(equal(zeros, 1.0), g * rest, 0.0), indices, axes)
    shared = _at(where(equal(zeros, 0.0), g * rest, 0.0), indices, axes) / where(gone, 1.0, values)
    return g * _put(_filled(x, 1.0), values, indices, axes, "multiply"), where(gone, alone, shared)


def _extreme_gradient(g: Value, out: Value, x: Value, values: Value, indices: Any, axes: Any) -> tuple[Value, Value]:
    """Equals share the gradient evenly, as in PyTorch and JAX."""
    mine = cast(equal(x, out), dtype=x.dtype)
    given = cast(equal(values, _at(out, indices, axes)), dtype=x.dtype)
    share = g / maximum(_put(mine, given, indices, axes, "add"), 1.0)
    return share * mine, _at(share, indices, axes) * given


_IDS = np.array([[4, 0, 2], [1, 4, 4]], np.int32)
_ROW = np.array([2, 0, 1], np.int32)
take = Op(
    "take", _take_type, _take,
    lambda g, out, x, indices, *, axis: (scatter_add(g, indices, axis=axis, size=x.shape[axis]), None),
    bound=EXACT, smooth=True, samples=(sample((5, 4), _IDS), sample((2, 5, 4), _IDS[0], axis=1),
                                       sample((4, 5), _IDS, axis=-1)),
)  # fmt: skip
scatter_add: Op = Op(
    "scatter_add", _scatter_add_type, _scatter_add,
    lambda h, out, g, indices, *, axis, size: (take(h, indices, axis=axis), None),
    bound=Bound("reduction", 4.0), smooth=True,
    samples=(sample((2, 3, 4), _IDS, size=5), sample((2, 3, 4), _IDS[0], axis=1, size=6)),
)  # fmt: skip
one_hot = Op(
    "one_hot", _one_hot_type, None, "no gradient", _one_hot_parts, bound=EXACT,
    samples=(sample(_IDS, depth=5), sample(np.array([-1, 4, 1], np.int64), depth=4, dtype=dtype_of("float64"))),
)  # fmt: skip
normalize_indices = Op(
    "normalize_indices", _normalize_type, None, NO_GRADIENT, _normalize_parts, bound=EXACT,
    samples=(sample(np.array([-1, 4, -5], np.int32), size=5),
             sample(np.array([[-1, 7]], np.int64), size=5, mode="clip"), sample(np.array([0, 3], np.uint8), size=4)),
)  # fmt: skip
index: Op = Op(
    "index", _index_type, _index, _index_gradient, bound=EXACT, smooth=True, numbers=("x",),
    samples=(sample((5, 3, 4), _IDS, _ROW, axes=(0, 1)), sample((2, 5, 3), _IDS[0], _ROW, axes=(1, -1)),
             sample((5, 4, 3), _IDS, _ROW, axes=(0, 2)), sample((6, 5, 4), _IDS.astype(np.int64), axes=(1,))),
)  # fmt: skip
index_put: Op = Op(
    "index_put", _index_put_type, _index_put, _index_put_gradient, bound=Bound("reduction", 4.0), smooth=True,
    numbers=("x", "values"),
    samples=(
        sample((5, 3, 2), (3, 2), np.array([4, 0, 2], np.int32), _ROW, axes=(0, 1)),
        sample((2, 5, 3), (2, 4), np.array([4, 0, 4, 4]), np.array([1, 2, 1, 1]), axes=(1, -1), reduction="add"),
        sample((5, 2, 3), (4, 2), np.array([4, 0, 4, 2]), np.array([1, 2, 1, 1]), axes=(0, 2), reduction="multiply"),
        sample((5, 2), (3, 2), np.array([4, 0, 4]), axes=(0,), reduction="minimum"),
        sample((2, 5), (2, 3), np.array([4, 0, 4], np.int32), axes=(1,), reduction="maximum"),
    ),
)  # fmt: skip

OPS = (take, scatter_add, one_hot, normalize_indices, index, index_put)
