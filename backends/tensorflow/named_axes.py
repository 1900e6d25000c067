"""TensorFlow: products that sum over named axes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _einsum(*xs: Any, equation: Any) -> Any:
    return tf.einsum(equation, *xs)


def _tensordot(x: Any, y: Any, *, axes: Any) -> Any:
    return tf.tensordot(x, y, axes)


def _einsum_wide(*xs: Any, equation: Any) -> Any:
    """By way of int64, in whose bits sums and products wrap alike."""
    return tf.cast(tf.einsum(equation, *[tf.cast(x, tf.int64) for x in xs]), xs[0].dtype)


def _has_kernel(node: Node) -> bool:
    dtype = node.outputs[0].dtype
    return not dtype.is_integer or dtype.name in ("int32", "int64")


rows = {
    ops.einsum: (When(_has_kernel, _einsum), _einsum_wide),
    ops.tensordot: When(_has_kernel, _tensordot),
}
