"""TensorFlow: complex numbers."""

from __future__ import annotations

import tensorflow as tf

from ...ir import ops

rows = {
    ops.complex_of: tf.complex,
    ops.real: tf.math.real,
    ops.imaginary: tf.math.imag,
    ops.conjugate: tf.math.conj,
    ops.complex_absolute: tf.abs,
    ops.angle: tf.math.angle,
}
