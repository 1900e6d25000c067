"""TensorFlow: elementwise arithmetic."""

from __future__ import annotations

import operator
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import is_number
from ..rules import When


def _reciprocal(x: Any) -> Any:
    return 1.0 / x


def _negative_unsigned(x: Any) -> Any:
    return tf.bitwise.invert(x) + 1  # of `0 - x`, TensorFlow's optimizer makes a negation that has no kernel


def _number_first_maximum(x: Any, y: Any) -> Any:
    return tf.maximum(y, x)


def _number_first_minimum(x: Any, y: Any) -> Any:
    return tf.minimum(y, x)


def _is_unsigned(node: Node) -> bool:
    return node.outputs[0].dtype.kind == "uint"


def _number_first(node: Node) -> bool:
    """A number takes the element type of what stands before it."""
    x, y = node.inputs
    return is_number(x) and not is_number(y)


rows = {
    ops.add: operator.add,
    ops.subtract: operator.sub,
    ops.multiply: operator.mul,
    ops.divide: operator.truediv,
    ops.power: operator.pow,
    ops.maximum: (When(_number_first, _number_first_maximum), tf.maximum),
    ops.minimum: (When(_number_first, _number_first_minimum), tf.minimum),
    ops.negative: (When(_is_unsigned, _negative_unsigned), operator.neg),
    ops.absolute: tf.abs,
    ops.sign: tf.sign,
    ops.floor: tf.floor,
    ops.ceil: tf.math.ceil,
    ops.round_: tf.round,
    ops.square: tf.square,
    ops.sqrt: tf.sqrt,
    ops.rsqrt: tf.math.rsqrt,
    ops.reciprocal: _reciprocal,
    ops.exp: tf.exp,
    ops.expm1: tf.math.expm1,
    ops.log: tf.math.log,
    ops.log1p: tf.math.log1p,
    ops.sin: tf.sin,
    ops.cos: tf.cos,
    ops.tan: tf.tan,
    ops.arcsin: tf.asin,
    ops.arccos: tf.acos,
    ops.arctan: tf.atan,
    ops.sinh: tf.sinh,
    ops.cosh: tf.cosh,
    ops.arcsinh: tf.asinh,
    ops.arccosh: tf.acosh,
    ops.arctanh: tf.atanh,
    ops.tanh: tf.tanh,
    ops.erf: tf.math.erf,
    ops.sigmoid: tf.sigmoid,
}
NUMBERS = (tf.maximum, tf.minimum, _number_first_maximum, _number_first_minimum)  # they take a Python number as it is
