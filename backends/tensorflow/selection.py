"""TensorFlow: ops whose results are as large as their data says."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _is_bool(node: Node) -> bool:
    return node.inputs[0] is not None and node.inputs[0].dtype.name == "bool"


def _nonzero(x: Any, *, size: Any) -> Any:
    return tf.where(x)


def _nonzero_number(x: Any, *, size: Any) -> Any:
    return tf.where(x != 0)


def _arange_to(stop: Any, *, size: Any) -> Any:
    return tf.range(tf.maximum(stop, 0))


def _boolean_mask(x: Any, mask: Any, *, axis: Any, size: Any) -> Any:
    return tf.boolean_mask(x, mask, axis=axis)


def _repeat_each(x: Any, counts: Any, *, axis: Any, size: Any) -> Any:
    return tf.repeat(x, counts, axis)


rows = {
    ops.nonzero: (When(_is_bool, _nonzero), _nonzero_number),
    ops.arange_to: _arange_to,
    ops.boolean_mask: _boolean_mask,
    ops.repeat_each: _repeat_each,
}
