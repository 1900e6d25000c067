"""PyTorch: linear algebra."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import ops


def _cholesky(x: Any) -> Any:
    return torch.linalg.cholesky((x + x.mT) / 2)


def _triangular_solve(a: Any, b: Any, *, lower: Any, transposed: Any) -> Any:
    return torch.linalg.solve_triangular(a.mT if transposed else a, b, upper=lower == transposed)


def _matrix_power(x: Any, *, exponent: Any) -> Any:
    return torch.linalg.matrix_power(x, exponent)


def _solve(a: Any, b: Any) -> Any:
    return torch.linalg.solve(a, b)


def _inverse(x: Any) -> Any:
    return torch.linalg.inv(x)


def _determinant(x: Any) -> Any:
    return torch.linalg.det(x)


def _slogdet(x: Any) -> Any:
    return torch.linalg.slogdet(x)


rows = {
    ops.cholesky: _cholesky,
    ops.triangular_solve: _triangular_solve,
    ops.solve: _solve,
    ops.inverse: _inverse,
    ops.determinant: _determinant,
    ops.slogdet: _slogdet,
    ops.matrix_power: _matrix_power,
}
