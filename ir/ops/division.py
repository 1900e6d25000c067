"""Division in whole numbers, what it leaves over, and division that is safe at zero.

An integer divided by 0 gives 0 and leaves 0. The smallest divided by -1 gives itself, since integers wrap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from .arithmetic import PAIRS, SHAPES, binary, ceil, divide, floor, reciprocal, round_, unary
from .comparison import equal, less, logical_and, logical_xor, not_equal, where

_KINDS = ("int", "uint", "float")
_WHOLE = np.array([[7, -7, 7], [-7, -(2**31), 5]], np.int32)
_BY = np.array([[2, 2, -2], [-2, -1, 0]], np.int32)
_INTEGERS = (
    sample(_WHOLE, _BY), sample(_WHOLE, np.array([3, -1, 0], np.int32)), sample(np.int32(-9), _BY),
    sample(np.array([200, 7, 255], np.uint8), np.array([7, 0, 255], np.uint8)),
)  # fmt: skip
_FLOATS = (
    *(sample(a, b, between=(0.5, 5.0)) for a, b in (((2, 3), (2, 3)), ((2, 1), (1, 3)), ((), (4,)))),
    sample(np.array([-7.0, 7.0, -5.5, 5.5], np.float32), np.array([2.5, -2.5, 2.0, -2.0], np.float32)),
)  # fmt: skip

_SOME_ZERO = np.array([2.0, 0.0, -0.5], np.float32)


def _truncated_remainder(x: Any, y: Any) -> Any:
    return np.fmod(x, y)


def _truncated_divide(x: Any, y: Any) -> Any:
    quotient = x // y
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(x.dtype)


def _against(r: Value, y: Value) -> Value:
    """Whether what a truncated division leaves over must become one of the divisor's sign."""
    return logical_and(not_equal(r, 0), logical_xor(less(r, 0), less(y, 0)))  # type: ignore[no-any-return]


def _remainder_parts(x: Value, y: Value) -> Value:
    r = truncated_remainder(x, y)
    if x.dtype.kind == "uint":
        return r  # type: ignore[no-any-return]
    return where(_against(r, y), r + y, r)  # type: ignore[no-any-return]


def _floor_divide_parts(x: Value, y: Value) -> Value:
    if x.dtype.kind == "uint":
        return truncated_divide(x, y)  # type: ignore[no-any-return]
    r = truncated_remainder(x, y)
    if x.dtype.is_integer:
        quotient = truncated_divide(x, y)
        return where(_against(r, y), quotient - 1, quotient)  # type: ignore[no-any-return]
    quotient = (x - r) / y
    whole = round_(where(_against(r, y), quotient - 1.0, quotient))
    return where(equal(y, 0.0), x / y, whole)  # type: ignore[no-any-return]


def _divide_no_nan_parts(x: Value, y: Value) -> Value:
    return where(equal(y, 0.0), 0.0, x / where(equal(y, 0.0), 1.0, y))  # type: ignore[no-any-return]


def _copysign_parts(x: Value, y: Value) -> Value:
    same = equal(_is_negative(x), _is_negative(y))
    return where(same, x, -x)  # type: ignore[no-any-return]


def _is_negative(x: Value) -> Value:
    """Whether the sign is set: that of -0 is."""
    return less(where(equal(x, 0.0), reciprocal(x), x), 0.0)  # type: ignore[no-any-return]


trunc = unary("trunc", np.trunc, NO_GRADIENT, lambda x: where(x < 0.0, ceil(x), floor(x)), kinds=("float",),
              samples=(*SHAPES, sample((3,), between=(-9.0, 9.0))), bound=EXACT, smooth=False)  # fmt: skip
truncated_remainder = binary("truncated_remainder", _truncated_remainder,
                             lambda g, out, x, y: (g, -g * trunc(x / y)), kinds=_KINDS, bound=EXACT,
                             samples=_FLOATS + _INTEGERS)  # fmt: skip
remainder = binary("remainder", None, lambda g, out, x, y: (g, -g * floor_divide(x, y)), _remainder_parts,
                   kinds=_KINDS, bound=Bound("parts"), samples=_FLOATS + _INTEGERS)  # fmt: skip
truncated_divide = binary("truncated_divide", _truncated_divide, NO_GRADIENT, kinds=("int", "uint"), bound=EXACT,
                          samples=_INTEGERS, smooth=False)  # fmt: skip
floor_divide: Op = binary("floor_divide", None, NO_GRADIENT, _floor_divide_parts, kinds=_KINDS, bound=EXACT,
                      samples=_FLOATS + _INTEGERS, smooth=False)  # fmt: skip
divide_no_nan = binary("divide_no_nan", None, None, _divide_no_nan_parts, kinds=("float", "complex"),
                       bound=Bound("parts"),
                       samples=(*divide.samples, sample((2, 3), _SOME_ZERO, differentiable=False)))  # fmt: skip
copysign = binary("copysign", None, None, _copysign_parts, kinds=("float",), bound=EXACT, smooth=False, samples=PAIRS)

OPS = (trunc, truncated_remainder, remainder, truncated_divide, floor_divide, divide_no_nan, copysign)
