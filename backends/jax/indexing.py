"""JAX: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ...ir import Node, ops
from ...ir.types import float32
from ..rules import When


def _take(x: Any, indices: Any, *, axis: Any) -> Any:
    return jnp.take(x, indices, axis)


def _scatter_add(g: Any, indices: Any, *, axis: Any, size: Any) -> Any:
    """Add the slices of g at their indices along an axis of zeros."""
    axis %= g.ndim - indices.ndim + 1
    zeros = jnp.zeros((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)
    return zeros.at[(slice(None),) * axis + (indices,)].add(g)


def _one_hot(labels: Any, *, depth: Any) -> Any:
    return jax.nn.one_hot(labels, depth)


def _one_hot_typed(labels: Any, *, depth: Any, dtype: Any) -> Any:
    return jax.nn.one_hot(labels, depth, dtype=dtype)


def _is_jax_float(node: Node) -> bool:
    """Whether the element type is JAX's own for floats: float32, but in programs with 64-bit types float64."""
    graph = node.outputs[0].graph
    values = [p.value for p in graph.inputs] + [v for n in graph.nodes for v in n.outputs]
    return node.outputs[0].dtype == float32 and not any(
        v.dtype.bits == 64 and v.dtype.kind != "complex" for v in values
    )


rows = {ops.take: _take, ops.scatter_add: _scatter_add, ops.one_hot: (When(_is_jax_float, _one_hot), _one_hot_typed)}
