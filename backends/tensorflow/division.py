"""TensorFlow: division in whole numbers, and what it leaves over."""

from __future__ import annotations

import operator
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import divides_safely
from ..rules import When


def _floor_divide_or_zero(x: Any, y: Any) -> Any:
    """The quotient rounded down; 0 where the divisor is 0."""
    quotient = x // tf.where(y == 0, tf.ones_like(y), y)
    return tf.where(y == 0, tf.zeros_like(quotient), quotient)


def _truncated_divide_or_zero(x: Any, y: Any) -> Any:
    """The quotient without its fraction; 0 where the divisor is 0."""
    quotient = tf.truncatediv(x, tf.where(y == 0, tf.ones_like(y), y))
    return tf.where(y == 0, tf.zeros_like(quotient), quotient)


def _remainder_or_zero(x: Any, y: Any) -> Any:
    """What is left over, with the divisor's sign; 0 where the divisor is 0."""
    return x % tf.where(y == 0, tf.ones_like(y), y)


def _truncated_remainder_or_zero(x: Any, y: Any) -> Any:
    """What is left over, with the dividend's sign; 0 where the divisor is 0."""
    divisor = tf.where(y == 0, tf.ones_like(y), y)
    return x - tf.truncatediv(x, divisor) * divisor


def _is_float(node: Node) -> bool:
    return node.outputs[0].dtype.is_float


def _divides_integers_safely(node: Node) -> bool:
    return divides_safely(node) and not _is_float(node)


def _needs_no_guard(node: Node) -> bool:
    return _is_float(node) or divides_safely(node)


def _is_integer(node: Node) -> bool:
    return not _is_float(node)


def _has_no_nan(node: Node) -> bool:
    """TensorFlow has the kernel for these types."""
    return node.outputs[0].dtype.name in ("float32", "float64", "complex64", "complex128")


rows = {
    ops.divide_no_nan: When(_has_no_nan, tf.math.divide_no_nan),
    ops.remainder: (When(_needs_no_guard, operator.mod), _remainder_or_zero),
    ops.truncated_remainder: (When(_is_float, tf.truncatemod), _truncated_remainder_or_zero),
    ops.floor_divide: (
        When(_divides_integers_safely, operator.floordiv), When(_is_integer, _floor_divide_or_zero),
    ),
    ops.truncated_divide: (When(divides_safely, tf.truncatediv), _truncated_divide_or_zero),
}  # fmt: skip
