"""TensorFlow: sorting, the largest, and places among boundaries."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def in_order(x: Any) -> Any:
    """Integers in the order of the floats, NaN largest: TensorFlow's sort leaves what has a NaN unsorted."""
    if not x.dtype.is_floating:
        return x
    whole = {2: tf.int16, 4: tf.int32, 8: tf.int64}[x.dtype.size]
    bits = tf.bitcast(tf.where(x == 0, tf.zeros_like(x), x), whole)
    bits = tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, whole.max), bits)
    return tf.where(tf.math.is_nan(x), whole.max, bits)


def _argsort(x: Any, *, axis: Any, dtype: Any) -> Any:
    return tf.cast(tf.argsort(in_order(x), axis, stable=True), dtype)


def _argsort_descending(x: Any, *, axis: Any, dtype: Any) -> Any:
    return tf.cast(tf.argsort(in_order(x), axis, "DESCENDING", stable=True), dtype)


def _top_k(x: Any, *, k: Any, largest: Any, dtype: Any) -> Any:
    """The k largest or smallest of the last axis and their places."""
    keys = in_order(x)
    places = tf.math.top_k(keys if largest else -1 - keys, k)[1]
    return tf.gather(x, places, batch_dims=-1), tf.cast(places, dtype)


def _bucketize(x: Any, boundaries: Any, *, side: Any, dtype: Any) -> Any:
    """Where the elements belong among boundaries; NaN at their end."""
    found = tf.searchsorted(boundaries, tf.reshape(x, [-1]), side)
    return tf.cast(tf.where(x != x, tf.size(boundaries), tf.reshape(found, tf.shape(x))), dtype)


def _ascends(node: Node) -> bool:
    return not node.attributes["descending"]


def _is_signed_along_last(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return node.attributes["axis"] in (-1, x.rank - 1) and x.dtype.kind != "uint"


rows = {
    ops.argsort: (When(_ascends, _argsort), _argsort_descending),
    ops.top_k: When(_is_signed_along_last, _top_k),
    ops.bucketize: _bucketize,
}
