"""TensorFlow: counting."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _count(*, size: Any) -> Any:
    return tf.range(size)


def _arange(*, size: Any, dtype: Any) -> Any:
    return tf.cast(tf.range(size), dtype)


def _is_int32(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int32"


rows = {ops.arange: (When(_is_int32, _count), _arange)}
