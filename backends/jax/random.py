"""JAX: counter-based random bits on 32-bit words, since 64-bit integers are off by default."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from ...ir import ops
from ...ir.ops.random import threshold
from ..rules import When


def add64(a: Any, b: Any) -> Any:
    """The sum of two 64-bit integers given as (low, high) uint32 words."""
    low = a[0] + b[0]
    return low, a[1] + b[1] + (low < a[0]).astype(jnp.uint32)


def multiply64(a: Any, b: Any) -> Any:
    """The product of two 64-bit integers given as (low, high) uint32 words, by 16-bit halves."""
    half = jnp.uint32(0xFFFF)
    a0, a1, b0, b1 = a[0] & half, a[0] >> 16, b[0] & half, b[0] >> 16
    low, middle, other, high = a0 * b0, a1 * b0, a0 * b1, a1 * b1
    carry = (low >> 16) + (middle & half) + (other & half)
    high = high + (middle >> 16) + (other >> 16) + (carry >> 16)
    return (low & half) | (carry << 16), high + a[0] * b[1] + a[1] * b[0]


def squares32(key: Any, counter: Any, shape: Any) -> Any:
    """uint32 for each element: four rounds of squaring counter times key (Widynski, arXiv 2004.06278)."""
    index = jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape)
    key = key[0], key[1]
    y = x = multiply64(add64((index, jnp.zeros_like(index)), (counter[0], counter[1])), key)
    z = add64(y, key)
    for addend in (y, z, y):
        low, high = add64(multiply64(x, x), addend)
        x = high, low
    return add64(multiply64(x, x), z)[1]


def _mask(key: Any, counter: Any, *, shape: Any, rate: Any) -> Any:
    return squares32(key, counter, shape) >= jnp.uint32(threshold(rate))


def _mask_nothing(key: Any, counter: Any, *, shape: Any) -> Any:
    return jnp.zeros(shape, bool)


def _uniform(key: Any, counter: Any, *, shape: Any) -> Any:
    return (squares32(key, counter, shape) >> 8).astype(jnp.float32) * 2.0**-24


def advance(counter: Any, amount: Any) -> Any:
    """The 64-bit counter, low word first, moved on by an amount."""
    return jnp.stack(add64((counter[0], counter[1]), (jnp.uint32(amount & 0xFFFFFFFF), jnp.uint32(amount >> 32))))


def _advance_counter(counter: Any, *, amount: Any) -> Any:
    return advance(counter, amount)


def _drops_all(node: Any) -> bool:
    return bool(threshold(node.attributes["rate"]) == 2**32)


rows = {
    ops.random_mask: (When(_drops_all, _mask_nothing), _mask),
    ops.random_uniform: _uniform,
    ops.advance_counter: _advance_counter,
}
