"""TensorFlow: counter-based random bits on uint64."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ...ir.ops.random import threshold
from ..rules import When


def word(pair: Any) -> Any:
    """A 64-bit number from its low and its high word."""
    low, high = tf.unstack(tf.cast(pair, tf.uint64))
    return low + high * 2**32


def squares32(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element: four rounds of squaring counter times key (Widynski, arXiv 2004.06278)."""
    key, half = word(key), tf.constant(32, tf.uint64)
    index = tf.cast(tf.range(tf.reduce_prod(tf.cast(shape, tf.int64))), tf.uint64)
    x = y = (tf.reshape(index, shape) + word(counter)) * key
    z = y + key
    for addend in (y, z, y):
        x = x * x + addend
        x = tf.bitwise.right_shift(x, half) + tf.bitwise.left_shift(x, half)
    return tf.bitwise.right_shift(x * x + z, half)


def _mask(key: Any, counter: Any, *, shape: Any, rate: Any) -> Any:
    return squares32(key, counter, shape) >= threshold(rate)


def _uniform(key: Any, counter: Any, *, shape: Any) -> Any:
    return (
        tf.cast(tf.bitwise.right_shift(squares32(key, counter, shape), tf.constant(8, tf.uint64)), tf.float32)
        * 2.0**-24
    )


def advance(counter: Any, amount: Any) -> Any:
    """The 64-bit counter, low word first, moved on by an amount."""
    total = word(counter) + amount
    return tf.cast(tf.stack([total % 2**32, total // 2**32]), tf.uint32)


def _advance_counter(counter: Any, *, amount: Any) -> Any:
    return advance(counter, amount)


def _advance_counter_by_size(counter: Any, *, amount: Any) -> Any:
    return advance(counter, tf.cast(amount, tf.uint64))


def _is_known(node: Node) -> bool:
    return isinstance(node.attributes["amount"], int)


rows = {
    ops.random_mask: _mask,
    ops.random_uniform: _uniform,
    ops.advance_counter: (When(_is_known, _advance_counter), _advance_counter_by_size),
}
