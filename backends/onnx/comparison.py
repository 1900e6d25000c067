"""ONNX: comparisons, logic, choice."""

from __future__ import annotations

import numpy as np

from ...ir import ops
from ..rules import When
from .arithmetic import number
from .builder import Builder, Tensor
from .lowering import by, is_float, op


def _not_equal(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.Not(b.Equal(x, y))  # type: ignore[no-any-return]


def _differs_from_itself(b: Builder, x: Tensor) -> Tensor:
    return b.Not(b.Equal(x, x))  # type: ignore[no-any-return]


def _isfinite(b: Builder, x: Tensor) -> Tensor:
    return b.Less(b.Abs(x), number(b, np.inf))  # type: ignore[no-any-return]


def _equals_itself(b: Builder, x: Tensor) -> Tensor:
    return b.Equal(x, x)  # type: ignore[no-any-return]


rows = {
    ops.equal: op("Equal"),
    ops.not_equal: by(_not_equal, "Equal"),
    ops.less: op("Less"),
    ops.less_equal: op("LessOrEqual", since=16),
    ops.greater: op("Greater"),
    ops.greater_equal: op("GreaterOrEqual", since=16),
    ops.logical_and: op("And"),
    ops.logical_or: op("Or"),
    ops.logical_xor: op("Xor"),
    ops.logical_not: op("Not"),
    ops.isnan: (When(is_float, op("IsNaN")), by(_differs_from_itself, "Equal")),
    ops.isfinite: (When(is_float, by(_isfinite, "Less", "Abs")), by(_equals_itself, "Equal")),
    ops.isinf: (When(is_float, op("IsInf")), by(_differs_from_itself, "Equal")),
    ops.where: op("Where", operand=1),
}
