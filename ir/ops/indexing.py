"""Looking up and adding at positions that are data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Bound, Op, sample
from ..types import DType, TensorType, dtype_of, float32
from .comparison import equal
from .constant import arange
from .shape import cast, expand_dims, normalize_axis


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


_IDS = np.array([[4, 0, 2], [1, 4, 4]], np.int32)
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

OPS = (take, scatter_add, one_hot)
