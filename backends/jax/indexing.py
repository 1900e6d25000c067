"""JAX: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ...ir import ops


def _take(x: Any, indices: Any, *, axis: Any) -> Any:
    return jnp.take(x, indices, axis)


def _scatter_add(g: Any, indices: Any, *, axis: Any, size: Any) -> Any:
    """Add the slices of g at their indices along an axis of zeros."""
    axis %= g.ndim - indices.ndim + 1
    zeros = jnp.zeros((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)
    return zeros.at[(slice(None),) * axis + (indices,)].add(g)


def _one_hot(labels: Any, *, depth: Any, dtype: Any) -> Any:
    return jax.nn.one_hot(labels, depth) if dtype == jnp.float32 else jax.nn.one_hot(labels, depth, dtype=dtype)


rows = {ops.take: _take, ops.scatter_add: _scatter_add, ops.one_hot: _one_hot}
