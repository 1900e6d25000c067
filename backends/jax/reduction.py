"""JAX: sums, means, extremes and their positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ...ir import Node, ops
from ..fold import axis_or_axes
from ..rules import When


def _sum(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.sum() if axes is None else x.sum(axis_or_axes(axes)))
        if not keepdims
        else x.sum(axis_or_axes(axes), keepdims=True)
    )


def _sum_integers(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return jnp.sum(x, axis_or_axes(axes), dtype=x.dtype, keepdims=keepdims)


def _max(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.max() if axes is None else x.max(axis_or_axes(axes)))
        if not keepdims
        else x.max(axis_or_axes(axes), keepdims=True)
    )


def _min(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.min() if axes is None else x.min(axis_or_axes(axes)))
        if not keepdims
        else x.min(axis_or_axes(axes), keepdims=True)
    )


def _mean(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.mean() if axes is None else x.mean(axis_or_axes(axes)))
        if not keepdims
        else x.mean(axis_or_axes(axes), keepdims=True)
    )


def _variance(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        (x.var() if axes is None else x.var(axis_or_axes(axes)))
        if not keepdims
        else x.var(axis_or_axes(axes), keepdims=True)
    )


def _log_sum_exp(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return (
        jax.nn.logsumexp(x, axis_or_axes(axes), keepdims=keepdims)
        if keepdims
        else jax.nn.logsumexp(x, axis_or_axes(axes))
    )


def _argmax(x: Any, *, axis: Any, dtype: Any) -> Any:
    return x.argmax(axis).astype(dtype)


def _argmin(x: Any, *, axis: Any, dtype: Any) -> Any:
    return x.argmin(axis).astype(dtype)


def _is_integer(node: Node) -> bool:
    return node.outputs[0].dtype.is_integer


rows = {
    ops.reduce_sum: (When(_is_integer, _sum_integers), _sum),
    ops.reduce_max: _max,
    ops.reduce_min: _min,
    ops.reduce_mean: _mean,
    ops.reduce_variance: _variance,
    ops.log_sum_exp: _log_sum_exp,
    ops.argmax: _argmax,
    ops.argmin: _argmin,
}
