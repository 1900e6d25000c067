"""Comparisons, logic, and the choice between two tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dims import broadcast_shapes
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Op, sample
from ..types import TensorType, bool_

_A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
_B = np.array([1.0, 3.0, 2.0], np.float32)
_T = np.array([[True, False, True], [False, True, True]])
_F = np.array([True, True, False])


def _check_same(name: str, x: TensorType, y: TensorType) -> None:
    if x.dtype != y.dtype:
        raise TypeMismatchError(f"{name}: the operands must have one element type, not {x} and {y}; cast one of them")


def _comparison(name: str, reference: Callable[..., Any]) -> Op:
    def type_rule(x: TensorType, y: TensorType) -> TensorType:
        _check_same(name, x, y)
        return TensorType(bool_, broadcast_shapes(x.shape, y.shape))

    samples = (sample(_A, _B), sample(_A, _A), sample(_B[:0], _B[:1]), sample(_A[0, 1], _B))
    return Op(name, type_rule, reference, NO_GRADIENT, samples=samples, broadcasts=True, bound=EXACT)


def _logical(name: str, reference: Callable[..., Any]) -> Op:
    def type_rule(x: TensorType, y: TensorType) -> TensorType:
        _check_bool(name, x, y)
        return TensorType(bool_, broadcast_shapes(x.shape, y.shape))

    return Op(
        name,
        type_rule,
        reference,
        NO_GRADIENT,
        samples=(sample(_T, _F), sample(_T, _T[:, :1])),
        broadcasts=True,
        bound=EXACT,
    )


def _check_bool(name: str, *types: TensorType) -> None:
    for t in types:
        if t.dtype != bool_:
            raise TypeMismatchError(f"{name} works on bool tensors, not on {t}; compare first")


def _test(name: str, reference: Callable[..., Any]) -> Op:
    def type_rule(x: TensorType) -> TensorType:
        return x.with_dtype(bool_)

    special = np.array([[1.0, np.nan, np.inf], [-np.inf, 0.0, -2.0]], np.float32)
    return Op(name, type_rule, reference, NO_GRADIENT, samples=(sample(special, differentiable=False),), bound=EXACT)


def _logical_not_type(x: TensorType) -> TensorType:
    _check_bool("logical_not", x)
    return x


def _where_type(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    _check_bool("where", condition)
    _check_same("where", x, y)
    return TensorType(x.dtype, broadcast_shapes(condition.shape, x.shape, y.shape))


def _where_gradient(g: Value, out: Value, condition: Value, x: Value, y: Value) -> tuple[Value | None, ...]:
    return None, where(condition, g, 0.0), where(condition, 0.0, g)


equal = _comparison("equal", np.equal)
not_equal = _comparison("not_equal", np.not_equal)
less = _comparison("less", np.less)
less_equal = _comparison("less_equal", np.less_equal)
greater = _comparison("greater", np.greater)
greater_equal = _comparison("greater_equal", np.greater_equal)
logical_and = _logical("logical_and", np.logical_and)
logical_or = _logical("logical_or", np.logical_or)
logical_xor = _logical("logical_xor", np.logical_xor)
logical_not = Op("logical_not", _logical_not_type, np.logical_not, NO_GRADIENT, samples=(sample(_T),), bound=EXACT)
isnan = _test("isnan", np.isnan)
isfinite = _test("isfinite", np.isfinite)
isinf = _test("isinf", np.isinf)
where = Op(
    "where", _where_type, np.where, _where_gradient, broadcasts=True, numbers=("x", "y"), bound=EXACT, smooth=True,
    samples=(sample(_T, (2, 3), (3,)), sample(_F, (2, 3), ()), sample(_T[:1], (4, 1, 3), (2, 1))),
)  # fmt: skip

OPS = (
    equal, not_equal, less, less_equal, greater, greater_equal, logical_and, logical_or, logical_xor, logical_not,
    isnan, isfinite, isinf, where,
)  # fmt: skip
