"""JAX: comparisons, logic, choice."""

from __future__ import annotations

import operator

import jax.numpy as jnp

from ...ir import ops

rows = {
    ops.equal: operator.eq,
    ops.not_equal: operator.ne,
    ops.less: operator.lt,
    ops.less_equal: operator.le,
    ops.greater: operator.gt,
    ops.greater_equal: operator.ge,
    ops.logical_and: operator.and_,
    ops.logical_or: operator.or_,
    ops.logical_xor: operator.xor,
    ops.logical_not: operator.invert,
    ops.isnan: jnp.isnan,
    ops.isfinite: jnp.isfinite,
    ops.isinf: jnp.isinf,
    ops.where: jnp.where,
}
