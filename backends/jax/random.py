"""JAX: counter-based random bits on 32-bit words, since 64-bit integers are off by default."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.random import threefry_2x32

from ...ir import Node, ops
from ..rules import When, drawn_by


def add64(a: Any, b: Any) -> Any:
    """The sum of two 64-bit integers given as (low, high) uint32 words."""
    low = a[0] + b[0]
    return low, a[1] + b[1] + (low < a[0]).astype(jnp.uint32)


def multiply32(a: Any, b: Any) -> Any:
    """The 64 bits of a product of uint32, as (low, high) words, by 16-bit halves."""
    half = jnp.uint32(0xFFFF)
    a0, a1, b0, b1 = a & half, a >> 16, b & half, b >> 16
    low, middle, other, high = a0 * b0, a1 * b0, a0 * b1, a1 * b1
    carry = (low >> 16) + (middle & half) + (other & half)
    return (low & half) | (carry << 16), high + (middle >> 16) + (other >> 16) + (carry >> 16)


def multiply64(a: Any, b: Any) -> Any:
    """The product of two 64-bit integers given as (low, high) uint32 words."""
    low, high = multiply32(a[0], b[0])
    return low, high + a[0] * b[1] + a[1] * b[0]


def squares(key: Any, counter: Any, shape: Any) -> Any:
    """uint32 for each element: four rounds of squaring counter times key (Widynski, arXiv 2004.06278)."""
    index = jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape)
    key = key[0], key[1]
    y = x = multiply64(add64((index, jnp.zeros_like(index)), (counter[0], counter[1])), key)
    z = add64(y, key)
    for addend in (y, z, y):
        low, high = add64(multiply64(x, x), addend)
        x = high, low
    return add64(multiply64(x, x), z)[1]


def philox(key: Any, counter: Any, shape: Any) -> Any:
    """uint32 for each element: word i % 4 of the Philox4x32-10 block with the 128-bit counter `counter + i // 4`."""
    size = math.prod(shape)
    x0 = jnp.arange((size + 3) // 4, dtype=jnp.uint32) + counter[0]
    x1 = counter[1] + (x0 < counter[0])
    x2 = counter[2] + (x1 < counter[1])
    x3 = counter[3] + (x2 < counter[2])
    a, b = key
    for _ in range(10):
        (p, p_high), (q, q_high) = multiply32(x0, jnp.uint32(0xD2511F53)), multiply32(x2, jnp.uint32(0xCD9E8D57))
        x0, x1, x2, x3 = q_high ^ x1 ^ a, q, p_high ^ x3 ^ b, p
        a, b = a + jnp.uint32(0x9E3779B9), b + jnp.uint32(0xBB67AE85)
    return jnp.stack((x0, x1, x2, x3), -1).reshape(-1)[:size].reshape(shape)


def threefry(key: Any, counter: Any, shape: Any) -> Any:
    """uint32 for each element: what jax.random.bits draws, from a counter on that need not be zero."""
    low = jnp.arange(math.prod(shape), dtype=jnp.uint32) + counter[0]
    high = counter[1] + (low < counter[0])
    high, low = jnp.split(threefry_2x32(key, jnp.concatenate((high, low))), 2)
    return (high ^ low).reshape(shape)


def _squares(key: Any, counter: Any, *, shape: Any) -> Any:
    return squares(key, counter, shape)


def _squares_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return squares(key, counter, shape) >> (32 - width)


def _philox(key: Any, counter: Any, *, shape: Any) -> Any:
    return philox(key, counter, shape)


def _philox_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return philox(key, counter, shape) >> (32 - width)


def _jax_bits(key: Any, counter: Any, *, shape: Any) -> Any:
    return jax.random.bits(jax.random.wrap_key_data(key, impl="threefry2x32"), shape, jnp.uint32)


def _jax_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return jax.random.bits(jax.random.wrap_key_data(key, impl="threefry2x32"), shape, jnp.uint32) >> (32 - width)


def _threefry(key: Any, counter: Any, *, shape: Any) -> Any:
    return threefry(key, counter, shape)


def _threefry_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return threefry(key, counter, shape) >> (32 - width)


def _threefry_2x32(key: Any, high: Any, low: Any) -> Any:
    return threefry_2x32(key, jnp.stack((high, low)))


def advance(counter: Any, amount: Any) -> Any:
    """The 64-bit counter, low word first, moved on by an amount."""
    return jnp.stack(add64((counter[0], counter[1]), (jnp.uint32(amount & 0xFFFFFFFF), jnp.uint32(amount >> 32))))


def _advance_counter(counter: Any, *, amount: Any) -> Any:
    return advance(counter, amount)


def _starts_at_zero(node: Node) -> bool:
    counter = node.inputs[1]
    assert counter is not None
    return counter.node is not None and counter.node.op is ops.constant and not counter.node.attributes["value"].any()


def _is_whole(node: Node) -> bool:
    return bool(node.attributes["width"] == 32)


rows = {
    ops.random_bits: (
        When(drawn_by("squares", 32), _squares),
        When(drawn_by("squares"), _squares_top),
        When(drawn_by("philox", 32), _philox),
        When(drawn_by("philox"), _philox_top),
        When(lambda n: _starts_at_zero(n) and _is_whole(n), _jax_bits),
        When(_starts_at_zero, _jax_top),
        When(_is_whole, _threefry),
        _threefry_top,
    ),
    ops.threefry_2x32: _threefry_2x32,
    ops.advance_counter: _advance_counter,
}
