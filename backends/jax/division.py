"""JAX: division in whole numbers, and what it leaves over."""

from __future__ import annotations

import operator
from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import Node, ops
from ..fold import divides_safely
from ..rules import When


def _floor_divide_or_zero(x: Any, y: Any) -> Any:
    """The quotient rounded down; 0 where the divisor is 0."""
    divides = y != 0
    return jnp.where(divides, x // jnp.where(divides, y, 1), 0)


def _truncated_divide(x: Any, y: Any) -> Any:
    """The quotient without its fraction; 0 where the divisor is 0."""
    x, y = jnp.broadcast_arrays(x, y)
    return jnp.where(y == 0, 0, lax.div(x, jnp.where(y == 0, 1, y)))


def _truncated_remainder_or_zero(x: Any, y: Any) -> Any:
    """What a division without fraction leaves over; 0 where the divisor is 0."""
    return jnp.fmod(x, jnp.where(y == 0, 1, y))


def _needs_no_guard(node: Node) -> bool:
    return node.outputs[0].dtype.is_float or divides_safely(node)


rows = {
    ops.trunc: jnp.trunc,
    ops.copysign: jnp.copysign,
    ops.remainder: operator.mod,
    ops.truncated_remainder: (When(_needs_no_guard, jnp.fmod), _truncated_remainder_or_zero),
    ops.floor_divide: (When(_needs_no_guard, operator.floordiv), _floor_divide_or_zero),
    ops.truncated_divide: _truncated_divide,
}
