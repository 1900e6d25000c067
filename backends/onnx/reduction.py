"""ONNX: sums, means, extremes and their positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ir import Dim, DType, Node, Size, ops
from ...ir.dims import product
from ...ir.types import int64
from ..rules import When
from .arithmetic import is_int64
from .builder import Builder, Tensor
from .lowering import by, is_float


def _sum(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Tensor:
    return b.reduce("ReduceSum", x, axes, keepdims)


def _sum_rows(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Any:
    """Over the first axes by a product with ones: ReduceSum takes 2 to 15 times as long there."""
    gone = ops.normalize_axes(axes, x.rank)
    first = next(i for i in range(x.rank) if i not in gone)
    stay = [x.shape[i] for i in range(x.rank) if i not in gone]
    inner = b.ReduceSum(x, gone[first:], keepdims=0) if gone[first:] else x
    rows, columns = product(x.shape[:first]), product(stay)
    total = b.MatMul(
        b.Expand(b.constant(1, x.dtype), (1, rows)), b.reshape(inner, (*x.shape[:first], *stay), (rows, columns))
    )
    return b.reshape(total, (1, columns), b.node.outputs[0].shape)


def _sums_rows(node: Node) -> bool:
    """Whether a sum in a gradient is over the first axes: what a bias gets."""
    assert node.inputs[0] is not None
    gone = ops.normalize_axes(node.attributes["axes"], node.inputs[0].rank)
    return is_float(node) and node.section != "forward" and 0 in gone and len(gone) < node.inputs[0].rank


def _max(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Tensor:
    return b.reduce("ReduceMax", x, axes, keepdims)


def _min(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Tensor:
    return b.reduce("ReduceMin", x, axes, keepdims)


def _mean(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Tensor:
    return b.reduce("ReduceMean", x, axes, keepdims)


def _log_sum_exp(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Tensor:
    return b.reduce("ReduceLogSumExp", x, axes, keepdims)


def _sum_integers(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Any:
    """A product with ones, which wraps as integers do: ReduceSum goes through double and saturates."""
    table, rows, columns = _as_rows(b, x, axes)
    total = b.MatMul(table, b.Expand(b.constant(1, x.dtype), (columns, 1)))
    return b.reshape(total, (rows, 1), b.node.outputs[0].shape)


def _max_wide(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Any:
    return _picked(b, x, axes, b.ArgMax)


def _min_wide(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Any:
    return _picked(b, x, axes, b.ArgMin)


def _picked(b: Builder, x: Tensor, axes: Any, place: Callable[..., Any]) -> Any:
    """The element at the place of the extreme: of int64 the reductions find a wrong one."""
    table, rows, _ = _as_rows(b, x, axes)
    return b.reshape(b.GatherElements(table, place(table, axis=1), axis=1), (rows, 1), b.node.outputs[0].shape)


def _as_rows(b: Builder, x: Tensor, axes: Any) -> tuple[Any, Size, Size]:
    """x as a matrix whose columns are reduced."""
    gone = ops.normalize_axes(axes, x.rank)
    stay = [i for i in range(x.rank) if i not in gone]
    shape = [x.shape[i] for i in (*stay, *gone)]
    rows, columns = product(shape[: len(stay)]), product(shape[len(stay) :])
    return b.reshape(b.swap(x, (*stay, *gone)), shape, (rows, columns)), rows, columns


def _argmax(b: Builder, x: Tensor, *, axis: int, dtype: DType) -> Tensor:
    return _cast(b, b.ArgMax(x, axis=axis, keepdims=0), dtype)


def _argmin(b: Builder, x: Tensor, *, axis: int, dtype: DType) -> Tensor:
    return _cast(b, b.ArgMin(x, axis=axis, keepdims=0), dtype)


def _cast(b: Builder, index: Tensor, dtype: DType) -> Tensor:
    return index if dtype == int64 else b.cast(index, dtype)


def _is_never_empty(node: Node) -> bool:
    """Whether a mean is of something: ONNX Runtime's mean of nothing is 0, and not NaN."""
    assert node.inputs[0] is not None
    count: Size = product(
        node.inputs[0].shape[a] for a in ops.normalize_axes(node.attributes["axes"], node.inputs[0].rank)
    )
    return isinstance(count, Dim) or count > 0


def _product(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Tensor:
    return b.reduce("ReduceProd", x, axes, keepdims)


def _product_of_integers(b: Builder, x: Tensor, *, axes: Any, keepdims: bool) -> Any:
    """By a scatter that multiplies, which wraps as integers do: ReduceProd saturates."""
    table, rows, columns = _as_rows(b, x, axes)
    ones = b.Expand(b.constant(1, x.dtype), (rows, 1))
    places = b.Expand(b.constant(0, int64), (rows, columns))
    product = b.ScatterElements(ones, places, table, axis=1, reduction="mul")
    return b.reshape(product, (rows, 1), b.node.outputs[0].shape)


rows = {
    ops.reduce_sum: (
        When(_sums_rows, by(_sum_rows, "MatMul", "ReduceSum")),
        When(is_float, by(_sum, "ReduceSum")),
        by(_sum_integers, "MatMul"),
    ),
    ops.reduce_max: (When(is_int64, by(_max_wide, "ArgMax")), by(_max, "ReduceMax")),
    ops.reduce_min: (When(is_int64, by(_min_wide, "ArgMin")), by(_min, "ReduceMin")),
    ops.reduce_mean: When(_is_never_empty, by(_mean, "ReduceMean")),
    ops.log_sum_exp: by(_log_sum_exp, "ReduceLogSumExp"),
    ops.argmax: by(_argmax, "ArgMax"),
    ops.argmin: by(_argmin, "ArgMin"),
    ops.reduce_product: (When(is_float, by(_product, "ReduceProd")), by(_product_of_integers, "ScatterElements")),
}
