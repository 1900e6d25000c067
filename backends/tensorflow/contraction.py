"""TensorFlow: products that sum."""

from __future__ import annotations

import operator
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _matmul_wide(x: Any, y: Any) -> Any:
    return tf.cast(tf.cast(x, tf.int64) @ tf.cast(y, tf.int64), x.dtype)


def _has_no_kernel(node: Node) -> bool:
    return node.outputs[0].dtype.is_integer and node.outputs[0].dtype.name not in ("int32", "int64")


rows = {ops.matmul: (When(_has_no_kernel, _matmul_wide), operator.matmul)}
