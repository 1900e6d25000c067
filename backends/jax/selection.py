"""JAX: ops whose results are as large as their data says; outside `jit`, unless that is known."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...ir import Node, ops
from ..rules import When


def _is_known(node: Node) -> bool:
    """Whether the size is a number: then JAX can compile it."""
    return isinstance(node.attributes["size"], int)


def _nonzero_of_size(x: Any, *, size: Any) -> Any:
    return jnp.argwhere(x, size=size)


def _nonzero(x: Any, *, size: Any) -> Any:
    return jnp.argwhere(x)


def _arange_of_size(stop: Any, *, size: Any) -> Any:
    return jnp.arange(size, dtype=stop.dtype)


def _arange_to(stop: Any, *, size: Any) -> Any:
    return jnp.arange(stop, dtype=stop.dtype)


def _repeat_to_size(x: Any, counts: Any, *, axis: Any, size: Any) -> Any:
    return jnp.repeat(x, counts, axis, total_repeat_length=size)


def _repeat_each(x: Any, counts: Any, *, axis: Any, size: Any) -> Any:
    return jnp.repeat(x, counts, axis)


def _unique_of_size(x: Any, *, size: Any) -> Any:
    return jnp.unique(x, return_index=True, return_inverse=True, return_counts=True, size=size)


def _unique(x: Any, *, size: Any) -> Any:
    return jnp.unique(x, return_index=True, return_inverse=True, return_counts=True)


rows = {
    ops.nonzero: (When(_is_known, _nonzero_of_size), _nonzero),
    ops.arange_to: (When(_is_known, _arange_of_size), _arange_to),
    ops.repeat_each: (When(_is_known, _repeat_to_size), _repeat_each),
    ops.unique: (When(_is_known, _unique_of_size), _unique),
}
