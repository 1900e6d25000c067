"""Linear algebra of stacks of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import broadcast_shapes, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, check_same_dtype
from .comparison import equal, greater_equal, where
from .contraction import matmul, sum_to, swap_last
from .named_axes import arange_along
from .shape import broadcast_to, cast, expand_dims

_BOUND = Bound("parts", floor=1e-5)


def check_square(name: str, x: TensorType) -> None:
    check_kind(name, ("float",), x)
    if x.dtype.bits < 32:
        raise TypeMismatchError(f"{name} works on float32 and float64, not on {x}: LAPACK has no other; cast first")
    if x.rank < 2:
        raise TypeMismatchError(f"{name} takes square matrices, not {x}")
    require("==", x.shape[-2], x.shape[-1])


def lower_part(x: Value) -> Value:
    """Zero above the diagonal."""
    return where(_on_or_below(x), x, 0.0)  # type: ignore[no-any-return]


def _on_or_below(x: Value) -> Value:
    return greater_equal(arange_along(x, x.rank - 2), arange_along(x, x.rank - 1))  # type: ignore[no-any-return]


def on_diagonal(x: Value) -> Value:
    return equal(arange_along(x, x.rank - 2), arange_along(x, x.rank - 1))  # type: ignore[no-any-return]


def _cholesky_type(x: TensorType) -> TensorType:
    check_square("cholesky", x)
    return x


def _cholesky(x: Any) -> Any:
    return np.linalg.cholesky((x + x.mT) / 2)


def _cholesky_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    """Of the symmetric part, from the factor alone (Murray, arXiv 1602.07527, equation 10)."""
    inner = lower_part(swap_last(out) @ lower_part(g))
    inner = where(on_diagonal(inner), 0.5 * inner, inner)
    left = triangular_solve(out, inner, transposed=True)
    whole = swap_last(triangular_solve(out, swap_last(left), transposed=True))
    return (0.5 * (whole + swap_last(whole)),)


def _solve_type(name: str, a: TensorType, b: TensorType) -> TensorType:
    check_square(name, a)
    check_same_dtype(name, a, b)
    if b.rank < 2:
        raise TypeMismatchError(f"{name} takes right-hand sides as columns of matrices, not {b}")
    require("==", a.shape[-1], b.shape[-2])
    return b.with_shape((*broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


def _triangular_type(a: TensorType, b: TensorType, *, lower: bool = True, transposed: bool = False) -> TensorType:
    return _solve_type("triangular_solve", a, b)


def _triangular(a: Any, b: Any, *, lower: bool, transposed: bool) -> Any:
    """x in a @ x = b, of a the lower or upper triangle, or its transpose."""
    triangle = np.tril(a) if lower else np.triu(a)
    return np.linalg.solve(triangle.mT if transposed else triangle, b)


def _triangular_gradient(
    g: Value, out: Value, a: Value, b: Value, *, lower: bool, transposed: bool
) -> tuple[Value, Value]:
    d_b = triangular_solve(a, g, lower=lower, transposed=not transposed)
    d_a = -(out @ swap_last(d_b) if transposed else d_b @ swap_last(out))
    d_a = lower_part(d_a) if lower else swap_last(lower_part(swap_last(d_a)))
    return sum_to(d_a, a.shape), sum_to(d_b, b.shape)


def _general_type(a: TensorType, b: TensorType) -> TensorType:
    return _solve_type("solve", a, b)


def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


def _inverse(x: Any) -> Any:
    return np.linalg.inv(x)


def _determinant(x: Any) -> Any:
    return np.linalg.det(x)


def _solve_gradient(g: Value, out: Value, a: Value, b: Value) -> tuple[Value, Value]:
    """Giles, 'An extended collection of matrix derivative results', 2.2.3."""
    d_b = solve(swap_last(a), g)
    return sum_to(-(d_b @ swap_last(out)), a.shape), sum_to(d_b, b.shape)


def _inverse_type(x: TensorType) -> TensorType:
    check_square("inverse", x)
    return x


def _inverse_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    turned = swap_last(out)
    return (-(turned @ g @ turned),)


def _determinant_type(x: TensorType) -> TensorType:
    check_square("determinant", x)
    return x.with_shape(x.shape[:-2])


def _determinant_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    """Jacobi's formula, by the inverse: where that does not exist, there is no number."""
    return (expand_dims(g * out, -1, -2) * swap_last(inverse(x)),)


def _slogdet_type(x: TensorType) -> tuple[TensorType, TensorType]:
    check_square("slogdet", x)
    t = x.with_shape(x.shape[:-2])
    return t, t


def _slogdet(x: Any) -> Any:
    return tuple(np.linalg.slogdet(x))


def _slogdet_gradient(g: Any, out: Any, x: Value) -> tuple[Value | None]:
    return (None if g[1] is None else expand_dims(g[1], -1, -2) * swap_last(inverse(x)),)


def _power_type(x: TensorType, *, exponent: int) -> TensorType:
    check_square("matrix_power", x)
    if exponent < 0:
        raise TypeMismatchError(f"matrix_power takes an exponent of 0 or more, not {exponent}; take the inverse first")
    return x


def _power_parts(x: Value, *, exponent: int) -> Value:
    """By squaring; the power 0 is the identity."""
    if exponent == 0:
        return broadcast_to(cast(on_diagonal(x), dtype=x.dtype), shape=x.shape)  # type: ignore[no-any-return]
    result, square = None, x
    while exponent:
        if exponent % 2:
            result = square if result is None else matmul(result, square)
        exponent //= 2
        square = matmul(square, square) if exponent else square
    assert result is not None
    return result


_GENERAL = np.array([[[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [-0.6, 0.2, 3.0]]], np.float32)
_PAIR = np.concatenate([_GENERAL, _GENERAL[:, ::-1]])
_POSITIVE = _PAIR @ _PAIR.swapaxes(-1, -2)
# The lower factor of the symmetric part.
cholesky = Op(
    "cholesky", _cholesky_type, _cholesky, _cholesky_gradient, bound=_BOUND, smooth=True,
    samples=(sample(_POSITIVE[0]), sample(_POSITIVE)),
)  # fmt: skip
triangular_solve: Op = Op(
    "triangular_solve", _triangular_type, _triangular, _triangular_gradient, bound=_BOUND, smooth=True,
    samples=(sample(_GENERAL[0], (3, 4)), sample(_GENERAL, (2, 3, 4), lower=False),
             sample(_GENERAL[0], (3, 2), transposed=True), sample(_GENERAL[0], (3, 2), lower=False, transposed=True)),
)  # fmt: skip
solve: Op = Op(
    "solve", _general_type, _solve, _solve_gradient, bound=_BOUND, smooth=True,
    samples=(sample(_GENERAL[0], (3, 4)), sample(_PAIR, (2, 3, 4)), sample(_GENERAL, (2, 3, 1))),
)  # fmt: skip
inverse: Op = Op(
    "inverse", _inverse_type, _inverse, _inverse_gradient, bound=_BOUND, smooth=True,
    samples=(sample(_GENERAL[0]), sample(_PAIR)),
)  # fmt: skip
determinant = Op(
    "determinant", _determinant_type, _determinant, _determinant_gradient, bound=_BOUND, smooth=True,
    samples=(sample(_GENERAL[0]), sample(_PAIR)),
)  # fmt: skip
# The sign of the determinant and the logarithm of its magnitude, which does not overflow.
slogdet = Op(
    "slogdet", _slogdet_type, _slogdet, _slogdet_gradient, output_names=("sign", "logarithm"), bound=_BOUND,
    smooth=True,
    samples=(sample(_GENERAL[0]), sample(_PAIR)),
)  # fmt: skip
matrix_power = Op(
    "matrix_power", _power_type, None, None, _power_parts, bound=_BOUND, smooth=True,
    samples=(sample(_GENERAL[0], exponent=5), sample(_PAIR, exponent=2), sample(_PAIR, exponent=1),
             sample(_PAIR, exponent=0)),
)  # fmt: skip

OPS = (cholesky, triangular_solve, solve, inverse, determinant, slogdet, matrix_power)
