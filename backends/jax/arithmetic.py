"""JAX: elementwise arithmetic."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ...ir import ops


def _reciprocal(x: Any) -> Any:
    return 1.0 / x


rows = {
    ops.add: operator.add,
    ops.subtract: operator.sub,
    ops.multiply: operator.mul,
    ops.divide: operator.truediv,
    ops.power: operator.pow,
    ops.maximum: jnp.maximum,
    ops.minimum: jnp.minimum,
    ops.negative: operator.neg,
    ops.absolute: jnp.abs,
    ops.sign: jnp.sign,
    ops.floor: jnp.floor,
    ops.ceil: jnp.ceil,
    ops.round_: jnp.round,
    ops.square: jnp.square,
    ops.sqrt: jnp.sqrt,
    ops.rsqrt: lax.rsqrt,
    ops.reciprocal: _reciprocal,
    ops.exp: jnp.exp,
    ops.expm1: jnp.expm1,
    ops.log: jnp.log,
    ops.log1p: jnp.log1p,
    ops.sin: jnp.sin,
    ops.cos: jnp.cos,
    ops.tan: jnp.tan,
    ops.arcsin: jnp.arcsin,
    ops.arccos: jnp.arccos,
    ops.arctan: jnp.arctan,
    ops.sinh: jnp.sinh,
    ops.cosh: jnp.cosh,
    ops.arcsinh: jnp.arcsinh,
    ops.arccosh: jnp.arccosh,
    ops.arctanh: jnp.arctanh,
    ops.tanh: jnp.tanh,
    ops.erf: jax.scipy.special.erf,
    ops.sigmoid: jax.nn.sigmoid,
}
