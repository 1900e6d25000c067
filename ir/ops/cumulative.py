"""Running sums, products, extremes and log-sum-exps along an axis.

`reverse` runs from the end. `exclusive` leaves the element itself out: the first result is that of no element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from ..types import DType, TensorType, dtype_of, int64
from .arithmetic import check_kind
from .comparison import equal, greater_equal, isnan, less_equal, logical_and, logical_or, where
from .constant import arange
from .reduction import log_sum_exp, reduce_max, reduce_min, reduce_product
from .scatter import identity_of, scatter_along_axis
from .shape import broadcast_to, cast, expand_dims, normalize_axis


def _running_type(name: str, kinds: tuple[str, ...]) -> Any:
    def type_rule(x: TensorType, *, axis: int = -1, exclusive: bool = False, reverse: bool = False) -> TensorType:
        check_kind(name, kinds, x)
        normalize_axis(axis, x.rank)
        return x

    return type_rule


def _inclusive_type(name: str, kinds: tuple[str, ...]) -> Any:
    def type_rule(x: TensorType, *, axis: int = -1, reverse: bool = False) -> TensorType:
        check_kind(name, kinds, x)
        normalize_axis(axis, x.rank)
        return x

    return type_rule


def _sum(x: Any, *, axis: int, exclusive: bool, reverse: bool) -> Any:
    """The running sum along an axis."""
    x = np.flip(x, axis) if reverse else x
    if exclusive and x.shape[axis]:
        zero = np.zeros_like(x.take([0], axis))
        x = np.concatenate([zero, x.take(range(x.shape[axis] - 1), axis)], axis)
    total = np.cumsum(x, axis, dtype=x.dtype)
    return np.flip(total, axis) if reverse else total


def _sum_gradient(g: Value, out: Value, x: Value, *, axis: int, exclusive: bool, reverse: bool) -> tuple[Value]:
    return (cumulative_sum(g, axis=axis, exclusive=exclusive, reverse=not reverse),)


def _product(x: Any, *, axis: int, exclusive: bool, reverse: bool) -> Any:
    """The running product along an axis."""
    x = np.flip(x, axis) if reverse else x
    if exclusive and x.shape[axis]:
        one = np.ones_like(x.take([0], axis))
        x = np.concatenate([one, x.take(range(x.shape[axis] - 1), axis)], axis)
    product = np.cumprod(x, axis, dtype=x.dtype)
    return np.flip(product, axis) if reverse else product


def _triangle(x: Value, axis: int, reverse: bool, exclusive: bool = False) -> tuple[Value, Value]:
    """x with an axis for the results put before `axis`, and which elements go into which result."""
    size = x.shape[axis]
    counted = x.graph.apply(arange, size=size, dtype=int64)
    result, element = expand_dims(counted, 1), expand_dims(counted, 0)
    if exclusive:
        result = result + (1 if reverse else -1)
    inside = (greater_equal if reverse else less_equal)(element, result)
    return expand_dims(x, axis), expand_dims(inside, *range(2, x.rank - axis + 1))


def _product_parts(x: Value, *, axis: int, exclusive: bool, reverse: bool) -> Value:
    """A row of elements for each result: quadratic, so backends have functions of their own."""
    axis = normalize_axis(axis, x.rank)
    rows, inside = _triangle(x, axis, reverse, exclusive)
    return reduce_product(where(inside, rows, 1), axes=(axis + 1,))  # type: ignore[no-any-return]


def _product_gradient(g: Value, out: Value, x: Value, *, axis: int, exclusive: bool, reverse: bool) -> tuple[Value]:
    """Exact where elements are zero: before the first zero by division, at it by the product without it, then 0."""

    def from_here(v: Value) -> Value:
        return cumulative_sum(v, axis=axis, exclusive=exclusive, reverse=not reverse)  # type: ignore[no-any-return]

    is_zero = equal(x, 0.0)
    zeros = cumulative_sum(cast(is_zero, dtype=x.dtype), axis=axis, reverse=reverse)
    reached = cumulative_sum(cast(is_zero, dtype=x.dtype), axis=axis, exclusive=exclusive, reverse=reverse)
    rest = where(is_zero, 1.0, x)
    others = cumulative_product(rest, axis=axis, exclusive=exclusive, reverse=reverse)
    at_zero = from_here(where(equal(reached, 1.0), g * others, 0.0))
    first = logical_and(is_zero, equal(zeros, 1.0))
    return (where(equal(zeros, 0.0), from_here(g * out) / rest, where(first, at_zero, 0.0)),)


def _maximum(x: Any, *, axis: int, reverse: bool) -> Any:
    """The running maximum along an axis."""
    x = np.flip(x, axis) if reverse else x
    top = np.maximum.accumulate(x, axis)
    return np.flip(top, axis) if reverse else top


def _minimum(x: Any, *, axis: int, reverse: bool) -> Any:
    """The running minimum along an axis."""
    x = np.flip(x, axis) if reverse else x
    least = np.minimum.accumulate(x, axis)
    return np.flip(least, axis) if reverse else least


def _extreme_parts(name: str, reduce: Op) -> Any:
    def parts(x: Value, *, axis: int, reverse: bool) -> Value:
        axis = normalize_axis(axis, x.rank)
        rows, inside = _triangle(x, axis, reverse)
        return reduce(where(inside, rows, identity_of(name, x.dtype)), axes=(axis + 1,))  # type: ignore[no-any-return]

    return parts


def _extreme_gradient(g: Value, out: Value, x: Value, *, axis: int, reverse: bool) -> tuple[Value]:
    """Of equals the one met last has it, as in PyTorch."""
    zeros = broadcast_to(x.graph.constant(0.0, x.dtype), shape=x.shape)
    places = _latest(x, out, axis, reverse)
    return (scatter_along_axis(zeros, places, g, axis=axis, reduction="add"),)


def _latest(x: Value, out: Value, axis: int, reverse: bool, dtype: DType = int64) -> Value:
    """The places of the running extremes `out` of x: of equals the one met last."""
    axis = normalize_axis(axis, x.rank)
    counted = expand_dims(x.graph.apply(arange, size=x.shape[axis], dtype=dtype), *range(1, x.rank - axis))
    met = equal(x, out)
    if x.dtype.is_float:
        met = logical_or(met, isnan(x))
    if reverse:
        return cumulative_minimum(where(met, counted, x.shape[axis]), axis=axis, reverse=True)  # type: ignore[no-any-return]
    return cumulative_maximum(where(met, counted, -1), axis=axis)  # type: ignore[no-any-return]


def _argument_type(x: TensorType, *, axis: int = -1, reverse: bool = False, dtype: DType = int64) -> TensorType:
    """The place of the running extreme along an axis: of equals the one met last, as in PyTorch."""
    check_kind("the place of a running extreme", ("int", "uint", "float"), x)
    if dtype.kind != "int":
        raise TypeMismatchError(f"places are signed integers here, not {dtype}")
    normalize_axis(axis, x.rank)
    return x.with_dtype(dtype)


def _argument_max_parts(x: Value, *, axis: int, reverse: bool, dtype: DType) -> Value:
    return _latest(x, cumulative_maximum(x, axis=axis, reverse=reverse), axis, reverse, dtype)


def _argument_min_parts(x: Value, *, axis: int, reverse: bool, dtype: DType) -> Value:
    return _latest(x, cumulative_minimum(x, axis=axis, reverse=reverse), axis, reverse, dtype)


def _log_sum_exp_parts(x: Value, *, axis: int, reverse: bool) -> Value:
    axis = normalize_axis(axis, x.rank)
    rows, inside = _triangle(x, axis, reverse)
    return log_sum_exp(where(inside, rows, -np.inf), axes=(axis + 1,))  # type: ignore[no-any-return]


_NUMBERS = ("int", "uint", "float")
_TIES = np.array([[1.0, 3.0, 3.0, 2.0, 3.0], [5.0, 2.0, 2.0, 5.0, 6.0]], np.float32)
_RUNS = (
    sample((2, 5)), sample((2, 5, 3), axis=1, reverse=True), sample((4, 3), axis=-2, exclusive=True),
    sample((2, 5, 3), axis=1, exclusive=True, reverse=True), sample(np.array([[3, -1, 4], [2, 0, 5]], np.int32)),
)  # fmt: skip
_EXTREMES = (
    sample((2, 5)), sample((2, 5, 3), axis=1, reverse=True), sample(_TIES, differentiable=False),
    sample(np.array([[3, -1, 4], [2, 0, 5]], np.int32), axis=0),
)  # fmt: skip
_PLACES = (
    sample(_TIES, differentiable=False), sample((2, 5, 3), axis=1, reverse=True, differentiable=False),
    sample(_TIES, reverse=True, dtype=dtype_of("int32"), differentiable=False),
)  # fmt: skip
cumulative_sum: Op = Op(
    "cumulative_sum", _running_type("cumulative_sum", _NUMBERS), _sum, _sum_gradient, bound=Bound("reduction", 8.0),
    smooth=True, samples=_RUNS,
)  # fmt: skip
cumulative_product: Op = Op(
    "cumulative_product", _running_type("cumulative_product", _NUMBERS), _product, _product_gradient, _product_parts,
    bound=Bound("elementwise", 16.0), smooth=True,
    samples=_RUNS,
)  # fmt: skip
cumulative_maximum: Op = Op(
    "cumulative_maximum", _inclusive_type("cumulative_maximum", _NUMBERS), _maximum, _extreme_gradient,
    _extreme_parts("maximum", reduce_max), bound=EXACT, smooth=True, samples=_EXTREMES,
)  # fmt: skip
cumulative_minimum: Op = Op(
    "cumulative_minimum", _inclusive_type("cumulative_minimum", _NUMBERS), _minimum, _extreme_gradient,
    _extreme_parts("minimum", reduce_min), bound=EXACT, smooth=True, samples=_EXTREMES,
)  # fmt: skip
cumulative_argmax = Op(
    "cumulative_argmax", _argument_type, None, NO_GRADIENT, _argument_max_parts, bound=EXACT, samples=_PLACES
)
cumulative_argmin = Op(
    "cumulative_argmin", _argument_type, None, NO_GRADIENT, _argument_min_parts, bound=EXACT, samples=_PLACES
)
cumulative_log_sum_exp = Op(
    "cumulative_log_sum_exp", _inclusive_type("cumulative_log_sum_exp", ("float",)), None, None,
    _log_sum_exp_parts, bound=Bound("parts"), smooth=True,
    samples=(sample((2, 5)), sample((2, 5, 3), axis=1, reverse=True), sample((4, 3), axis=0, between=(-90.0, 90.0))),
)  # fmt: skip

OPS = (
    cumulative_sum, cumulative_product, cumulative_maximum, cumulative_minimum, cumulative_argmax, cumulative_argmin,
    cumulative_log_sum_exp,
)  # fmt: skip
