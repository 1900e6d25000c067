"""TensorFlow: counter-based random bits; philox is its own, the others are written on uint64 and uint32."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When, drawn_by


def word(pair: Any) -> Any:
    """A 64-bit number from its low and its high word."""
    low, high = tf.unstack(tf.cast(pair, tf.uint64))
    return low + high * 2**32


def count(counter: Any, shape: Any) -> Any:
    """The 64-bit counter of each element, from a first one on."""
    index = tf.cast(tf.range(tf.reduce_prod(tf.cast(shape, tf.int64))), tf.uint64)
    return tf.reshape(index, shape) + word(counter)


def squares(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element: four rounds of squaring counter times key (Widynski, arXiv 2004.06278)."""
    key, half = word(key), tf.constant(32, tf.uint64)
    x = y = count(counter, shape) * key
    z = y + key
    for addend in (y, z, y):
        x = x * x + addend
        x = tf.bitwise.right_shift(x, half) + tf.bitwise.left_shift(x, half)
    return tf.cast(tf.bitwise.right_shift(x * x + z, half), tf.uint32)


def threefry_2x32(key: Any, high: Any, low: Any) -> Any:
    """Two words for each pair of words: Threefry2x32-20 (Salmon et al., SC 2011)."""
    a, b = tf.unstack(key)
    keys = a, b, tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(a, b), tf.constant(0x1BD11BDA, tf.uint32))
    x, y = high + a, low + b
    for i in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[i % 2]:
            x = x + y
            left = tf.bitwise.left_shift(y, tf.constant(turn, tf.uint32))
            right = tf.bitwise.right_shift(y, tf.constant(32 - turn, tf.uint32))
            y = tf.bitwise.bitwise_xor(x, tf.bitwise.bitwise_or(left, right))
        x, y = x + keys[(i + 1) % 3], y + keys[(i + 2) % 3] + (i + 1)
    return tf.stack((x, y))


def threefry(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element: both words of the block of the counter `counter + i`, exclusively or-ed."""
    index = count(counter, shape)
    high = tf.bitwise.right_shift(index, tf.constant(32, tf.uint64))
    x, y = tf.unstack(threefry_2x32(key, tf.cast(high, tf.uint32), tf.cast(index, tf.uint32)))
    return tf.bitwise.bitwise_xor(x, y)


def philox(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element, as TensorFlow's stateless functions draw them."""
    key, counter = tf.bitcast(tf.reshape(key, (1, 2)), tf.uint64), tf.bitcast(tf.reshape(counter, (2, 2)), tf.uint64)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, alg=1, dtype=tf.uint32)


def _squares(key: Any, counter: Any, *, shape: Any) -> Any:
    return squares(key, counter, shape)


def _squares_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return tf.bitwise.right_shift(squares(key, counter, shape), tf.constant(32 - width, tf.uint32))


def _philox(key: Any, counter: Any, *, shape: Any) -> Any:
    return philox(key, counter, shape)


def _philox_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return tf.bitwise.right_shift(philox(key, counter, shape), tf.constant(32 - width, tf.uint32))


def _threefry(key: Any, counter: Any, *, shape: Any) -> Any:
    return threefry(key, counter, shape)


def _threefry_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return tf.bitwise.right_shift(threefry(key, counter, shape), tf.constant(32 - width, tf.uint32))


def _threefry_2x32(key: Any, high: Any, low: Any) -> Any:
    return threefry_2x32(key, high, low)


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
    ops.random_bits: (
        When(drawn_by("squares", 32), _squares),
        When(drawn_by("squares"), _squares_top),
        When(drawn_by("philox", 32), _philox),
        When(drawn_by("philox"), _philox_top),
        When(drawn_by("threefry", 32), _threefry),
        _threefry_top,
    ),
    ops.threefry_2x32: _threefry_2x32,
    ops.advance_counter: (When(_is_known, _advance_counter), _advance_counter_by_size),
}
