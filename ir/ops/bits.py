"""The bits of integers: logic, shifts, and the same bits as another element type.

A shift is by 0 up to the width less 1; what a longer or negative one gives is not defined.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Op, Sample, sample
from ..types import DType, TensorType, dtype_of
from .arithmetic import binary, unary

_KINDS = ("int", "uint")
_A = np.array([[12, -7, 2**31 - 1], [0, -(2**31), 90]], np.int32)
_B = np.array([10, -1, 2**30 + 5], np.int32)
_BYTES, _OTHERS = np.array([200, 7, 255], np.uint8), np.array([15, 0, 129], np.uint8)
_LOGIC = (sample(_A, _B), sample(_A[:, :1], _B), sample(_A, np.int32(6)), sample(_BYTES, _OTHERS))
_SHIFTS = (
    sample(_A, np.array([0, 3, 31], np.int32)), sample(_A, np.int32(5)), sample(_BYTES, np.array([1, 7, 0], np.uint8)),
    sample(np.array([2**63 - 1, -5], np.int64), np.array([62, 40], np.int64)),
)  # fmt: skip


def _bitwise(name: str, reference: Any, samples: tuple[Sample, ...], decompose: Any = None) -> Op:
    return binary(name, reference, NO_GRADIENT, decompose, kinds=_KINDS, samples=samples, bound=EXACT, smooth=False)


def _bitcast_type(x: TensorType, *, dtype: DType) -> TensorType:
    if x.dtype.bits != dtype.bits or "bool" in (x.dtype.kind, dtype.kind):
        raise TypeMismatchError(f"the bits of {x} cannot be read as {dtype.name}, which is not of the same width")
    return x.with_dtype(dtype)


def _bitcast(x: Any, *, dtype: DType) -> Any:
    return x.view(dtype.numpy)


def _shift_right_logical_parts(x: Value, s: Value) -> Value:
    if x.dtype.kind == "uint":
        return shift_right(x, s)  # type: ignore[no-any-return]
    unsigned = dtype_of(f"uint{x.dtype.bits}")
    return bitcast(shift_right(bitcast(x, dtype=unsigned), bitcast(s, dtype=unsigned)), dtype=x.dtype)  # type: ignore[no-any-return]


bitwise_and = _bitwise("bitwise_and", operator.and_, _LOGIC)
bitwise_or = _bitwise("bitwise_or", operator.or_, _LOGIC)
bitwise_xor = _bitwise("bitwise_xor", operator.xor, _LOGIC)
bitwise_not = unary("bitwise_not", operator.invert, NO_GRADIENT, kinds=_KINDS, bound=EXACT, smooth=False,
                    samples=(sample(_A), sample(_BYTES)))  # fmt: skip
shift_left = _bitwise("shift_left", operator.lshift, _SHIFTS)
shift_right = _bitwise("shift_right", operator.rshift, _SHIFTS)  # of a negative number: rounds down
bitcast = Op("bitcast", _bitcast_type, _bitcast, NO_GRADIENT, bound=EXACT,
             samples=(sample(_A, dtype=dtype_of("uint32")), sample(_A, dtype=dtype_of("float32")),
                      sample(np.array([2**63 + 5, 3], np.uint64), dtype=dtype_of("int64"))))  # fmt: skip
shift_right_logical = _bitwise("shift_right_logical", None, _SHIFTS, _shift_right_logical_parts)

OPS = (
    bitwise_and, bitwise_or, bitwise_xor, bitwise_not, shift_left, shift_right, bitcast, shift_right_logical,
)  # fmt: skip
