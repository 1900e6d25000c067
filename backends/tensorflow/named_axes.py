"""TensorFlow: products that sum over named axes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import ops


def _einsum(*xs: Any, equation: Any) -> Any:
    return tf.einsum(equation, *xs)


def _tensordot(x: Any, y: Any, *, axes: Any) -> Any:
    return tf.tensordot(x, y, axes)


rows = {ops.einsum: _einsum, ops.tensordot: _tensordot}
