"""Sums, means, extremes and their positions over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dims import product
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, Sample, sample
from ..types import DType, TensorType, bool_, dtype_of, int32, int64
from .arithmetic import check_kind, exp, log, square
from .comparison import equal, isfinite, where
from .shape import broadcast_to, cast, expand_dims, normalize_axes, normalize_axis, squeeze, stop_gradient

Axes = tuple[int, ...] | None
_SAMPLES = (
    sample((2, 3)), sample((2, 3, 4), axes=(1,)), sample((2, 3, 4), axes=(0, -1), keepdims=True),
    sample((2, 3), axes=(-1,)), sample(()),
)  # fmt: skip
_EMPTY = (sample((0, 3), axes=(0,)), sample((2, 0), axes=(0,)))


def _reduced(x: TensorType, axes: Axes, keepdims: bool) -> TensorType:
    gone = normalize_axes(axes, x.rank)
    if keepdims:
        return x.with_shape(tuple(1 if i in gone else s for i, s in enumerate(x.shape)))
    return x.with_shape(tuple(s for i, s in enumerate(x.shape) if i not in gone))


def kept(v: Value, x: Value, axes: Axes, keepdims: bool) -> Value:
    """`v`, reduced from `x`, with the reduced axes as axes of size 1."""
    return v if keepdims else expand_dims(v, *normalize_axes(axes, x.rank))


def _reduction(name: str, reference: Callable[..., Any], gradient: Any, *, kinds: tuple[str, ...], bound: Bound,
               samples: tuple[Sample, ...], smooth: bool = False) -> Op:  # fmt: skip
    def type_rule(x: TensorType, *, axes: Axes = None, keepdims: bool = False) -> TensorType:
        check_kind(name, kinds, x)
        return _reduced(x, axes, keepdims)

    return Op(name, type_rule, reference, gradient, samples=samples, bound=bound, smooth=smooth)


def _sum(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return np.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)


def _sum_gradient(g: Value, out: Value, x: Value, *, axes: Axes, keepdims: bool) -> tuple[Value]:
    return (broadcast_to(kept(g, x, axes, keepdims), shape=x.shape),)


def _max(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return np.max(x, axis=axes, keepdims=keepdims)


def _min(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return np.min(x, axis=axes, keepdims=keepdims)


def _extreme_gradient(g: Value, out: Value, x: Value, *, axes: Axes, keepdims: bool) -> tuple[Value]:
    """Ties share the gradient evenly."""
    ties = cast(equal(x, kept(out, x, axes, keepdims)), dtype=x.dtype)
    return (ties * (kept(g, x, axes, keepdims) / reduce_sum(ties, axes=axes, keepdims=True)),)


def _product(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return np.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype)


def _product_gradient(g: Value, out: Value, x: Value, *, axes: Axes, keepdims: bool) -> tuple[Value]:
    """Each factor gets the product of the others: zeros are counted, and left out of the product."""
    is_zero = equal(x, 0.0)
    rest = where(is_zero, 1.0, x)
    zeros = reduce_sum(cast(is_zero, dtype=x.dtype), axes=axes, keepdims=True)
    others = kept(g, x, axes, keepdims) * reduce_product(rest, axes=axes, keepdims=True)
    return (where(is_zero, where(equal(zeros, 1.0), others, 0.0), where(equal(zeros, 0.0), others, 0.0) / rest),)


def _logical_type(x: TensorType, *, axes: Axes = None, keepdims: bool = False) -> TensorType:
    check_kind("reduce_any and reduce_all", ("bool",), x)
    return _reduced(x, axes, keepdims)


def _any(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return np.any(x, axis=axes, keepdims=keepdims)


def _all(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return np.all(x, axis=axes, keepdims=keepdims)


def _any_parts(x: Value, *, axes: Axes, keepdims: bool) -> Value:
    return cast(reduce_max(cast(x, dtype=int32), axes=axes, keepdims=keepdims), dtype=bool_)  # type: ignore[no-any-return]


def _all_parts(x: Value, *, axes: Axes, keepdims: bool) -> Value:
    return cast(reduce_min(cast(x, dtype=int32), axes=axes, keepdims=keepdims), dtype=bool_)  # type: ignore[no-any-return]


def _mean_type(x: TensorType, *, axes: Axes = None, keepdims: bool = False) -> TensorType:
    check_kind("reduce_mean", ("float", "complex"), x)
    return _reduced(x, axes, keepdims)


def _mean_parts(x: Value, *, axes: Axes, keepdims: bool) -> Value:
    return reduce_sum(x, axes=axes, keepdims=keepdims) / product(x.shape[a] for a in normalize_axes(axes, x.rank))  # type: ignore[no-any-return]


def _mean_gradient(g: Value, out: Value, x: Value, *, axes: Axes, keepdims: bool) -> tuple[Value]:
    share = g / product(x.shape[a] for a in normalize_axes(axes, x.rank))
    return (broadcast_to(share if share.rank == 0 else kept(share, x, axes, keepdims), shape=x.shape),)


def _variance_type(x: TensorType, *, axes: Axes = None, keepdims: bool = False) -> TensorType:
    check_kind("reduce_variance", ("float",), x)
    return _reduced(x, axes, keepdims)


def _variance_parts(x: Value, *, axes: Axes, keepdims: bool) -> Value:
    return reduce_mean(square(x - reduce_mean(x, axes=axes, keepdims=True)), axes=axes, keepdims=keepdims)  # type: ignore[no-any-return]


def _log_sum_exp_parts(x: Value, *, axes: Axes, keepdims: bool) -> Value:
    """The largest element is taken out first; where it is infinite, zero is."""
    top = reduce_max(x, axes=axes, keepdims=True)
    top = stop_gradient(where(isfinite(top), top, 0.0))
    total = log(reduce_sum(exp(x - top), axes=axes, keepdims=True)) + top
    if keepdims:
        return total  # type: ignore[no-any-return]
    return squeeze(total, *normalize_axes(axes, x.rank))


def _log_sum_exp_gradient(g: Value, out: Value, x: Value, *, axes: Axes, keepdims: bool) -> tuple[Value]:
    return (kept(g, x, axes, keepdims) * exp(x - kept(out, x, axes, keepdims)),)


def _arg_type(x: TensorType, *, axis: int = -1, dtype: DType = int64) -> TensorType:
    return TensorType(dtype, _reduced(x, (normalize_axis(axis, x.rank),), False).shape)


def _argmax(x: Any, *, axis: int, dtype: DType) -> Any:
    return np.argmax(x, axis).astype(dtype.numpy)


def _argmin(x: Any, *, axis: int, dtype: DType) -> Any:
    return np.argmin(x, axis).astype(dtype.numpy)


reduce_sum = _reduction("reduce_sum", _sum, _sum_gradient, kinds=("int", "uint", "float", "complex"),
                        samples=_SAMPLES + _EMPTY,
                        bound=Bound("reduction", 4.0), smooth=True)  # fmt: skip
reduce_max = _reduction(
    "reduce_max", _max, _extreme_gradient, kinds=("int", "uint", "float"), samples=_SAMPLES, bound=EXACT
)
reduce_min = _reduction(
    "reduce_min", _min, _extreme_gradient, kinds=("int", "uint", "float"), samples=_SAMPLES, bound=EXACT
)
reduce_mean = Op(
    "reduce_mean", _mean_type, None, _mean_gradient, _mean_parts, samples=_SAMPLES, bound=Bound("parts"), smooth=True
)
reduce_variance = Op(
    "reduce_variance", _variance_type, None, None, _variance_parts, samples=_SAMPLES, bound=Bound("parts"), smooth=True
)
log_sum_exp = Op(
    "log_sum_exp",
    _variance_type,
    None,
    _log_sum_exp_gradient,
    _log_sum_exp_parts,
    samples=_SAMPLES,
    bound=Bound("parts"),
    smooth=True,
)
reduce_product: Op = _reduction(
    "reduce_product", _product, _product_gradient, kinds=("int", "uint", "float"), samples=_SAMPLES + _EMPTY,
    bound=Bound("elementwise", 16.0), smooth=True,
)  # fmt: skip
_CHOICES = np.array([[True, False, True], [False, False, False]])
_LOGICAL = (
    sample(_CHOICES), sample(_CHOICES, axes=(1,)), sample(~_CHOICES, axes=(-1,), keepdims=True),
    sample(np.resize(_CHOICES, (2, 3, 4)), axes=(0, 2)),
)  # fmt: skip
reduce_any = Op("reduce_any", _logical_type, _any, NO_GRADIENT, _any_parts, samples=_LOGICAL, bound=EXACT)
reduce_all = Op("reduce_all", _logical_type, _all, NO_GRADIENT, _all_parts, samples=_LOGICAL, bound=EXACT)
_ARG_SAMPLES = (
    sample((2, 3, 4), axis=1, dtype=dtype_of("int32"), differentiable=False), sample((2, 5), differentiable=False),
    sample(np.array([[1, 3, 3], [2, 2, 0]], np.float32), axis=-1, differentiable=False),
)  # fmt: skip
argmax = Op("argmax", _arg_type, _argmax, NO_GRADIENT, samples=_ARG_SAMPLES, bound=EXACT)
argmin = Op("argmin", _arg_type, _argmin, NO_GRADIENT, samples=_ARG_SAMPLES, bound=EXACT)

OPS = (
    reduce_sum, reduce_max, reduce_min, reduce_mean, reduce_variance, log_sum_exp, argmax, argmin, reduce_product,
    reduce_any, reduce_all,
)  # fmt: skip
