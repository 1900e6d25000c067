"""TensorFlow: special functions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import ops


def _polygamma(x: Any, *, order: Any) -> Any:
    return tf.math.polygamma(tf.cast(order, x.dtype), x)


rows = {
    ops.erfc: tf.math.erfc,
    ops.erfinv: tf.math.erfinv,
    ops.log_gamma: tf.math.lgamma,
    ops.digamma: tf.math.digamma,
    ops.polygamma: _polygamma,
}
