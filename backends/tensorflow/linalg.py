"""TensorFlow: linear algebra."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _cholesky(x: Any) -> Any:
    return tf.linalg.cholesky((x + tf.linalg.matrix_transpose(x)) / 2)


def _triangular_solve(a: Any, b: Any, *, lower: Any, transposed: Any) -> Any:
    return tf.linalg.triangular_solve(a, b, lower=lower, adjoint=transposed)


def _solve_of_stacks(a: Any, b: Any) -> Any:
    """x in a @ x = b; stacks broadcast."""
    stack = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(b)[:-2])
    a, b = (tf.broadcast_to(v, tf.concat([stack, tf.shape(v)[-2:]], 0)) for v in (a, b))
    return tf.linalg.solve(a, b)


def _are_alike(node: Node) -> bool:
    """Whether there are as many matrices as right-hand sides."""
    a, b = node.inputs
    assert a is not None
    assert b is not None
    return a.shape[:-2] == b.shape[:-2]


def _solve(a: Any, b: Any) -> Any:
    return tf.linalg.solve(a, b)


def _inverse(x: Any) -> Any:
    return tf.linalg.inv(x)


def _determinant(x: Any) -> Any:
    return tf.linalg.det(x)


def _slogdet(x: Any) -> Any:
    return tf.linalg.slogdet(x)


rows = {
    ops.cholesky: _cholesky,
    ops.triangular_solve: _triangular_solve,
    ops.solve: (When(_are_alike, _solve), _solve_of_stacks),
    ops.inverse: _inverse,
    ops.determinant: _determinant,
    ops.slogdet: _slogdet,
}
