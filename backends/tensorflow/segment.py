"""TensorFlow: reductions of segments; it leaves out what has a number below 0, and raises past the end."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import ops


def _sum(x: Any, segments: Any, *, count: Any) -> Any:
    return tf.math.unsorted_segment_sum(x, tf.where(segments < tf.cast(count, segments.dtype), segments, -1), count)


def _product(x: Any, segments: Any, *, count: Any) -> Any:
    return tf.math.unsorted_segment_prod(x, tf.where(segments < tf.cast(count, segments.dtype), segments, -1), count)


rows = {ops.segment_sum: _sum, ops.segment_product: _product}
