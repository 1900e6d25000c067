"""TensorFlow: special functions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import ops


def _polygamma(x: Any, *, order: Any) -> Any:
    return tf.math.polygamma(tf.cast(order, x.dtype), x)


rows = {
    ops.erfc: tf.math.erfc,
    # no erfinv: TensorFlow's rounds (x + 1) / 2 first, and is off by 3e-4 of the result near 1
    ops.log_gamma: tf.math.lgamma,
    ops.digamma: tf.math.digamma,
    ops.polygamma: _polygamma,
}
