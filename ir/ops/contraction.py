"""Products that sum over an axis of both operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import broadcast_shapes, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind, check_same_dtype
from .reduction import reduce_sum
from .shape import reshape, transpose


def _matmul_type(x: TensorType, y: TensorType) -> TensorType:
    check_kind("matmul", ("int", "uint", "float", "complex"), x, y)
    check_same_dtype("matmul", x, y)
    if x.rank < 2 or y.rank < 2:
        raise TypeMismatchError(
            f"matmul needs two matrices (or stacks of them), not {x} and {y}; reshape vectors first"
        )
    try:
        require("==", x.shape[-1], y.shape[-2])
    except TypeMismatchError:
        raise TypeMismatchError(
            f"matmul of {x} and {y}: the last axis of the first must be as long as the last but one of the second"
        ) from None
    return TensorType(x.dtype, (*broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]))


def _matmul(x: Any, y: Any) -> Any:
    return np.matmul(x, y).astype(x.dtype, copy=False)  # NumPy gives float32 for bfloat16


def swap_last(x: Value) -> Value:
    """The transpose of each matrix of a stack."""
    return transpose(x, axes=(*range(x.rank - 2), x.rank - 1, x.rank - 2))  # type: ignore[no-any-return]


def sum_to(x: Value, shape: tuple[object, ...]) -> Value:
    """Sum `x` over the axes along which `shape` would be broadcast to it."""
    extra = x.rank - len(shape)
    axes = tuple(i for i, s in enumerate(x.shape) if i < extra or (s != shape[i - extra] and shape[i - extra] == 1))
    if not axes:
        return x
    total = reduce_sum(x, axes=axes, keepdims=False)
    return total if total.shape == shape else reshape(total, shape=shape)  # type: ignore[no-any-return]


def _matmul_gradient(g: Value, out: Value, x: Value, y: Value) -> tuple[Value, Value]:
    if y.rank == 2 and x.rank > 2:  # one product over all rows, not one for each matrix of the stack
        rows, columns = (-1, x.shape[-1]), (-1, g.shape[-1])
        return g @ swap_last(y), swap_last(reshape(x, shape=rows)) @ reshape(g, shape=columns)
    return sum_to(g @ swap_last(y), x.shape), sum_to(swap_last(x) @ g, y.shape)


matmul = Op(
    "matmul", _matmul_type, _matmul, _matmul_gradient, bound=Bound("contraction", 4.0), smooth=True,
    samples=(sample((2, 3), (3, 4)), sample((5, 2, 3), (3, 4)), sample((2, 1, 3, 4), (5, 4, 6)),
             sample((0, 3), (3, 2)), sample((2, 0), (0, 3))),
)  # fmt: skip

OPS = (matmul,)
