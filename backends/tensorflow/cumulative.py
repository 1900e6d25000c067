"""TensorFlow: running sums, products, extremes and log-sum-exps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ...ir import ops

_omitted: Any = None  # an argument that is its default is not written


def _sum(x: Any, *, axis: Any, exclusive: Any, reverse: Any) -> Any:
    return tf.cumsum(x, axis, exclusive=exclusive if exclusive else _omitted, reverse=reverse if reverse else _omitted)


def _product(x: Any, *, axis: Any, exclusive: Any, reverse: Any) -> Any:
    return tf.math.cumprod(
        x, axis, exclusive=exclusive if exclusive else _omitted, reverse=reverse if reverse else _omitted
    )


def _log_sum_exp(x: Any, *, axis: Any, reverse: Any) -> Any:
    return tf.math.cumulative_logsumexp(x, axis, reverse=reverse if reverse else _omitted)


def running(combine: Callable[..., Any], x: Any, axis: Any, reverse: Any) -> Any:
    """What an extreme gives of all elements so far, in steps of 1, 2, 4 and so on."""
    axis %= x.shape.rank
    order = [axis, *(a for a in range(x.shape.rank) if a != axis)]
    x = tf.transpose(tf.reverse(x, [axis]) if reverse else x, order)
    size = tf.shape(x)[0]

    def step(length: Any, so_far: Any) -> Any:
        joined = combine(so_far[length:], so_far[: size - length])
        return 2 * length, tf.ensure_shape(tf.concat([so_far[:length], joined], 0), x.shape)

    _, top = tf.while_loop(lambda length, _: length < size, step, (1, x))
    x = tf.transpose(top, [order.index(a) for a in range(len(order))])
    return tf.reverse(x, [axis]) if reverse else x


def _maximum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return running(tf.maximum, x, axis, reverse)


def _minimum(x: Any, *, axis: Any, reverse: Any) -> Any:
    return running(tf.minimum, x, axis, reverse)


rows = {
    ops.cumulative_sum: _sum,
    ops.cumulative_product: _product,
    ops.cumulative_maximum: _maximum,
    ops.cumulative_minimum: _minimum,
    ops.cumulative_log_sum_exp: _log_sum_exp,
}
