"""JAX: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ...ir import Node, ops
from ...ir.types import float32
from ..fold import indexes_first
from ..rules import When


def _take(x: Any, indices: Any, *, axis: Any) -> Any:
    return jnp.take(x, indices, axis)


def _scatter_add(g: Any, indices: Any, *, axis: Any, size: Any) -> Any:
    """Add the slices of g at their indices along an axis of zeros."""
    axis %= g.ndim - indices.ndim + 1
    zeros = jnp.zeros((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)
    return zeros.at[(slice(None),) * axis + (indices,)].add(g)


def _index_first(x: Any, *indices: Any) -> Any:
    return x[indices]


def between(indices: Any, axes: Any, rank: Any) -> Any:
    """What stands between brackets for indices along some axes."""
    places = dict(zip([axis % rank for axis in axes], indices, strict=True))
    return tuple(places.get(axis, slice(None)) for axis in range(rank))


def _index(x: Any, *indices: Any, axes: Any) -> Any:
    """The elements of x at indices along some axes."""
    return x[between(indices, axes, x.ndim)]


def _put_first(x: Any, values: Any, *indices: Any) -> Any:
    return x.at[indices].set(values)


def _add_first(x: Any, values: Any, *indices: Any) -> Any:
    return x.at[indices].add(values)


def _put(x: Any, values: Any, *indices: Any, axes: Any, reduction: Any) -> Any:
    """x with values set, or combined, at indices along some axes."""
    there = x.at[between(indices, axes, x.ndim)]
    combine = {"add": there.add, "multiply": there.multiply, "minimum": there.min, "maximum": there.max}
    return combine.get(reduction, there.set)(values)


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


def _sets_first(node: Node) -> bool:
    return indexes_first(node) and bool(node.attributes["reduction"] == "none")


def _adds_first(node: Node) -> bool:
    return indexes_first(node) and bool(node.attributes["reduction"] == "add")


rows = {
    ops.take: _take,
    ops.scatter_add: _scatter_add,
    ops.one_hot: (When(_is_jax_float, _one_hot), _one_hot_typed),
    ops.index: (When(indexes_first, _index_first), _index),
    ops.index_put: (When(_sets_first, _put_first), When(_adds_first, _add_first), _put),
}
