"""JAX: sorting, the largest, and places among boundaries."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import Node, ops
from ..rules import When


def _argsort(x: Any, *, axis: Any, dtype: Any) -> Any:
    return jnp.argsort(x, axis).astype(dtype)


def _argsort_descending(x: Any, *, axis: Any, dtype: Any) -> Any:
    return jnp.argsort(x, axis, descending=True).astype(dtype)


def _sort(x: Any, *, axis: Any) -> Any:
    return jnp.sort(x, axis)


def _top_k(x: Any, *, k: Any, dtype: Any) -> Any:
    """The k largest of the last axis and their places."""
    values, places = lax.top_k(x, k)
    return values, places.astype(dtype)


def _top_k_int32(x: Any, *, k: Any) -> Any:
    return lax.top_k(x, k)


def _bucketize(x: Any, boundaries: Any, *, side: Any, dtype: Any) -> Any:
    return jnp.searchsorted(boundaries, x, side).astype(dtype)


def _ascends(node: Node) -> bool:
    return not node.attributes["descending"]


def _takes_largest(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return bool(node.attributes["largest"]) and node.attributes["axis"] in (-1, x.rank - 1)


def _takes_largest_as_int32(node: Node) -> bool:
    return _takes_largest(node) and node.outputs[1].dtype.name == "int32"


rows = {
    ops.argsort: (When(_ascends, _argsort), _argsort_descending),
    ops.sort: When(_ascends, _sort),
    ops.top_k: (When(_takes_largest_as_int32, _top_k_int32), When(_takes_largest, _top_k)),
    ops.bucketize: _bucketize,
}
