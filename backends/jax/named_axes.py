"""JAX: products that sum over named axes."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import Node, ops
from ..rules import When


def _einsum(*xs: Any, equation: Any) -> Any:
    return jnp.einsum(equation, *xs)


def _dot_general(x: Any, y: Any, *, contracting: Any, batch: Any) -> Any:
    return lax.dot_general(x, y, (contracting, batch))


def _tensordot(x: Any, y: Any, *, axes: Any) -> Any:
    return jnp.tensordot(x, y, axes)


def _counts_from_the_front(node: Node) -> bool:
    """Whether no axis is counted from the back, which JAX takes for an error."""
    return all(a >= 0 for axes in node.attributes["axes"] for a in axes)


rows = {
    ops.einsum: _einsum,
    ops.dot_general: _dot_general,
    ops.tensordot: When(_counts_from_the_front, _tensordot),
    ops.outer: jnp.outer,
    ops.kron: jnp.kron,
}
