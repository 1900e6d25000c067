"""PyTorch: sums, means, extremes and their positions."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..fold import axis_or_axes
from ..rules import When


def _unchanged(x: Any) -> Any:
    return x


def _sum(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.sum() if axes is None else x.sum(axis_or_axes(axes)))
        if not keepdims
        else x.sum(axis_or_axes(axes), keepdim=True)
    )


def _sum_integers(x: Any, *, axes: Any, keepdims: Any) -> Any:
    """The sum in the elements' own type; PyTorch's would be int64."""
    total = x.sum(axes, keepdim=keepdims, dtype=torch.int64)
    return total.to(x.dtype)


def _max(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.amax(axis_or_axes(axes), keepdim=True) if keepdims else x.amax(axis_or_axes(axes))


def _max_of_all(x: Any, *, keepdims: Any) -> Any:
    return x.amax(keepdim=True) if keepdims else x.amax()


def _min(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.amin(axis_or_axes(axes), keepdim=True) if keepdims else x.amin(axis_or_axes(axes))


def _min_of_all(x: Any, *, keepdims: Any) -> Any:
    return x.amin(keepdim=True) if keepdims else x.amin()


def _mean(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.mean() if axes is None else x.mean(axis_or_axes(axes)))
        if not keepdims
        else x.mean(axis_or_axes(axes), keepdim=True)
    )


def _variance_over(x: Any, *, axes: Any, keepdims: Any) -> Any:
    """The mean squared deviation; several times faster than x.var on a CPU."""
    deviation = x - x.mean(axes, keepdim=True)
    return deviation.square().mean(axes, keepdim=keepdims)


def _log_sum_exp(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.logsumexp(axis_or_axes(axes), keepdim=True) if keepdims else x.logsumexp(axis_or_axes(axes))


def _log_sum_exp_of_all(x: Any) -> Any:
    return x.flatten().logsumexp(0)


def _argmax(x: Any, *, axis: Any) -> Any:
    return x.argmax(axis)


def _argmax_as(x: Any, *, axis: Any, dtype: Any) -> Any:
    return x.argmax(axis).to(dtype)


def _argmin(x: Any, *, axis: Any) -> Any:
    return x.argmin(axis)


def _argmin_as(x: Any, *, axis: Any, dtype: Any) -> Any:
    return x.argmin(axis).to(dtype)


def _reduces_nothing(node: Node) -> bool:
    """Whether no axis is named: PyTorch would take all."""
    return bool(node.attributes["axes"] == ())


def _reduces_something(node: Node) -> bool:
    return bool(node.attributes["axes"] != ())


def _names_axes(node: Node) -> bool:
    return node.attributes["axes"] is not None


def _drops_axes(node: Node) -> bool:
    return not node.attributes["keepdims"]


def _reduces_all(node: Node) -> bool:
    return node.attributes["axes"] is None


def _is_int64(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int64"


def _is_integer(node: Node) -> bool:
    return node.outputs[0].dtype.is_integer


def _product_of_all(x: Any) -> Any:
    return x.prod()


def _product_over_one(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.prod(axis_or_axes(axes), keepdim=True) if keepdims else x.prod(axis_or_axes(axes))


def _product(x: Any, *, axes: Any, keepdims: Any) -> Any:
    """The product over several axes, in the elements' own type; PyTorch's is over one."""
    axes = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keepdims, dtype=x.dtype)
    return x


def _any(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.any(axis_or_axes(axes), keepdim=True) if keepdims else x.any(axis_or_axes(axes))


def _all(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.all(axis_or_axes(axes), keepdim=True) if keepdims else x.all(axis_or_axes(axes))


def _multiplies_all(node: Node) -> bool:
    return _reduces_all(node) and _drops_axes(node) and not _is_integer(node)


def _multiplies_over_one(node: Node) -> bool:
    return node.attributes["axes"] is not None and len(node.attributes["axes"]) == 1 and not _is_integer(node)


NOTHING = When(_reduces_nothing, _unchanged)
rows = {
    ops.reduce_sum: (NOTHING, When(_is_integer, _sum_integers), _sum),
    ops.reduce_max: (NOTHING, When(_reduces_all, _max_of_all), _max),
    ops.reduce_min: (NOTHING, When(_reduces_all, _min_of_all), _min),
    ops.reduce_mean: (NOTHING, _mean),
    ops.reduce_variance: When(_reduces_something, _variance_over),
    ops.log_sum_exp: (NOTHING, When(_names_axes, _log_sum_exp), When(_drops_axes, _log_sum_exp_of_all)),
    ops.argmax: (When(_is_int64, _argmax), _argmax_as),
    ops.argmin: (When(_is_int64, _argmin), _argmin_as),
    ops.reduce_product: (
        NOTHING,
        When(_multiplies_all, _product_of_all),
        When(_multiplies_over_one, _product_over_one),
        _product,
    ),
    ops.reduce_any: (NOTHING, _any),
    ops.reduce_all: (NOTHING, _all),
}
