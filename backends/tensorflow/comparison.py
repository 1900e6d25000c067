"""TensorFlow: comparisons, logic, choice."""

from __future__ import annotations

import operator
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import is_number
from ..rules import When


def _never(x: Any) -> Any:
    return tf.zeros_like(x, tf.bool)


def _always(x: Any) -> Any:
    return tf.ones_like(x, tf.bool)


def _where(condition: Any, x: Any, y: Any) -> Any:
    return tf.where(condition, x, y)


def _is_whole(node: Node) -> bool:
    """Whether the elements are integers or booleans: these are neither NaN nor infinite."""
    x = node.inputs[0]
    return x is not None and x.dtype.kind in ("int", "uint", "bool")


def _number_first(node: Node) -> bool:
    """A number before a tensor has TensorFlow's own element type for it, not the tensor's."""
    return is_number(node.inputs[1]) and node.outputs[0].dtype.name not in ("float32", "int32", "bool")


rows = {
    ops.equal: operator.eq,
    ops.not_equal: operator.ne,
    ops.less: operator.lt,
    ops.less_equal: operator.le,
    ops.greater: operator.gt,
    ops.greater_equal: operator.ge,
    ops.logical_and: operator.and_,
    ops.logical_or: operator.or_,
    ops.logical_xor: operator.xor,
    ops.logical_not: operator.invert,
    ops.isnan: (When(_is_whole, _never), tf.math.is_nan),
    ops.isfinite: (When(_is_whole, _always), tf.math.is_finite),
    ops.isinf: (When(_is_whole, _never), tf.math.is_inf),
    ops.where: (When(_number_first, _where), tf.where),
}
NUMBERS = (tf.where,)  # it takes a Python number as it is
