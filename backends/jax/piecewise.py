"""JAX: activation functions in pieces."""

from __future__ import annotations

from typing import Any

import jax

from ...ir import Node, ops
from ..rules import When


def _hard_swish(x: Any) -> Any:
    return jax.nn.hard_swish(x)


def _hard_tanh(x: Any) -> Any:
    return jax.nn.hard_tanh(x)


def _celu(x: Any, *, alpha: Any) -> Any:
    return jax.nn.celu(x) if alpha == 1.0 else jax.nn.celu(x, alpha)


def _is_between_ones(node: Node) -> bool:
    return (node.attributes["low"], node.attributes["high"]) == (-1.0, 1.0)


rows = {
    ops.hard_swish: _hard_swish,
    ops.hard_tanh: When(_is_between_ones, _hard_tanh),
    ops.celu: _celu,
    ops.sparse_plus: jax.nn.sparse_plus,
    ops.sparse_sigmoid: jax.nn.sparse_sigmoid,
}
