"""ONNX: sorting by TopK."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import DType, Node, Size, ops
from ...ir.types import int64
from ..rules import When
from .arithmetic import number
from .builder import Builder, Tensor
from .lowering import by, is_float


def _ranked(b: Builder, x: str, k: Size, axis: int, largest: bool) -> Any:
    return b.TopK(x, (k,), axis=axis, largest=int(largest), outputs=2)[1]


def _argsort(b: Builder, x: Tensor, *, axis: int, descending: bool, dtype: DType) -> Any:
    return _cast(b, _ranked(b, x, x.shape[axis], axis, descending), dtype)


def _argsort_floats(b: Builder, x: Tensor, *, axis: int, descending: bool, dtype: DType) -> Any:
    """TopK leaves what has a NaN unsorted: NaN is ordered as infinity, and parted from it then."""
    size = x.shape[axis]
    order = _ranked(b, b.Where(b.IsNaN(x), number(b, np.inf), x), size, axis, descending)
    is_nan = b.GatherElements(b.IsNaN(x), order, axis=axis)
    is_first = is_nan if descending else b.Not(is_nan)
    along, one = b.constant(axis % x.rank, int64), b.constant(1, int64)
    first, last = (b.cast(part, int64) for part in (is_first, b.Not(is_first)))
    count = b.ReduceSum(first, (axis % x.rank,), keepdims=1)
    places = b.Where(is_first, b.Sub(b.CumSum(first, along), one), b.Add(count, b.Sub(b.CumSum(last, along), one)))
    return _cast(b, b.ScatterElements(order, places, order, axis=axis), dtype)


def _top_k(b: Builder, x: Tensor, *, k: Size, axis: int, largest: bool, dtype: DType) -> Any:
    values, places = b.TopK(x, (k,), axis=axis, largest=int(largest), outputs=2)
    return values, _cast(b, places, dtype)


def _top_k_floats(b: Builder, x: Tensor, *, k: Size, axis: int, largest: bool, dtype: DType) -> Any:
    """NaN is ordered as infinity."""
    places = _ranked(b, b.Where(b.IsNaN(x), number(b, np.inf), x), k, axis, largest)
    return b.GatherElements(x, places, axis=axis), _cast(b, places, dtype)


def _cast(b: Builder, places: Tensor, dtype: DType) -> Any:
    return places if dtype == int64 else b.cast(places, dtype)


def _is_int(node: Node) -> bool:
    return not is_float(node)


rows = {
    ops.argsort: (When(is_float, by(_argsort_floats, "TopK", "Where", "IsNaN")), by(_argsort, "TopK")),
    ops.top_k: (When(is_float, by(_top_k_floats, "TopK", "Where", "IsNaN")), When(_is_int, by(_top_k, "TopK"))),
}
