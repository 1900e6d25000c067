"""JAX: sums, means, extremes and their positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ...ir import Node, ops
from .. import array_methods
from ..fold import axis_or_axes
from ..rules import When


def _sum_integers(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return jnp.sum(x, axis_or_axes(axes), dtype=x.dtype, keepdims=keepdims)


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


def _product(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.prod(axis_or_axes(axes), keepdims=True) if keepdims else x.prod(axis_or_axes(axes))


def _product_of_integers(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return jnp.prod(x, axis_or_axes(axes), dtype=x.dtype, keepdims=keepdims)


def _any(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.any(axis_or_axes(axes), keepdims=True) if keepdims else x.any(axis_or_axes(axes))


def _all(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return x.all(axis_or_axes(axes), keepdims=True) if keepdims else x.all(axis_or_axes(axes))


rows = {
    ops.reduce_sum: (When(_is_integer, _sum_integers), array_methods.reduce_sum),
    ops.reduce_max: array_methods.reduce_max,
    ops.reduce_min: array_methods.reduce_min,
    ops.reduce_mean: array_methods.reduce_mean,
    ops.reduce_variance: array_methods.reduce_variance,
    ops.log_sum_exp: _log_sum_exp,
    ops.argmax: _argmax,
    ops.argmin: _argmin,
    ops.reduce_product: (When(_is_integer, _product_of_integers), _product),
    ops.reduce_any: _any,
    ops.reduce_all: _all,
}
