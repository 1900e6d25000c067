"""TensorFlow: the bits of integers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import ops


def _bitcast(x: Any, *, dtype: Any) -> Any:
    return tf.bitcast(x, dtype)


rows = {
    ops.bitwise_and: tf.bitwise.bitwise_and,
    ops.bitwise_or: tf.bitwise.bitwise_or,
    ops.bitwise_xor: tf.bitwise.bitwise_xor,
    ops.bitwise_not: tf.bitwise.invert,
    ops.shift_left: tf.bitwise.left_shift,
    ops.shift_right: tf.bitwise.right_shift,
    ops.bitcast: _bitcast,
}
