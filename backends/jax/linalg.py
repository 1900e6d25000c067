"""JAX: linear algebra."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import Node, ops
from ..rules import When


def _triangular_solve(a: Any, b: Any, *, lower: Any, transposed: Any) -> Any:
    return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower, transpose_a=transposed)


def _triangular_solve_of_stacks(a: Any, b: Any, *, lower: Any, transposed: Any) -> Any:
    """x in a @ x = b, of a the lower or upper triangle, or its transpose; stacks broadcast."""
    stack = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (jnp.broadcast_to(v, (*stack, *v.shape[-2:])) for v in (a, b))
    return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower, transpose_a=transposed)


def _matrix_power(x: Any, *, exponent: Any) -> Any:
    return jnp.linalg.matrix_power(x, exponent)


def _are_alike(node: Node) -> bool:
    """Whether there are as many matrices as right-hand sides."""
    a, b = node.inputs
    assert a is not None
    assert b is not None
    return a.shape[:-2] == b.shape[:-2]


def _cholesky(x: Any) -> Any:
    return jnp.linalg.cholesky(x)


def _solve(a: Any, b: Any) -> Any:
    return jnp.linalg.solve(a, b)


def _inverse(x: Any) -> Any:
    return jnp.linalg.inv(x)


def _determinant(x: Any) -> Any:
    return jnp.linalg.det(x)


def _slogdet(x: Any) -> Any:
    return jnp.linalg.slogdet(x)


rows = {
    ops.cholesky: _cholesky,
    ops.triangular_solve: (When(_are_alike, _triangular_solve), _triangular_solve_of_stacks),
    ops.solve: _solve,
    ops.inverse: _inverse,
    ops.determinant: _determinant,
    ops.slogdet: _slogdet,
    ops.matrix_power: _matrix_power,
}
