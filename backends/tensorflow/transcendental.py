"""TensorFlow: functions made of logarithms, exponentials and angles."""

from __future__ import annotations

import tensorflow as tf

from ...ir import ops

rows = {
    ops.arctan2: tf.atan2,
    ops.xlogy: tf.math.xlogy,
    ops.xlog1py: tf.math.xlog1py,
}
