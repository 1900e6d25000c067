"""JAX: the bits of integers."""

from __future__ import annotations

import operator
from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import ops


def _bitcast(x: Any, *, dtype: Any) -> Any:
    return lax.bitcast_convert_type(x, dtype)


def _shift_right_logical(x: Any, s: Any) -> Any:
    return lax.shift_right_logical(*jnp.broadcast_arrays(x, s))


rows = {
    ops.bitwise_and: operator.and_,
    ops.bitwise_or: operator.or_,
    ops.bitwise_xor: operator.xor,
    ops.bitwise_not: operator.invert,
    ops.shift_left: operator.lshift,
    ops.shift_right: operator.rshift,
    ops.shift_right_logical: _shift_right_logical,
    ops.bitcast: _bitcast,
}
