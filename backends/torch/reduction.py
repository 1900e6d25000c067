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
}
