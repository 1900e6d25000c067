"""Ops without tensor operands: constants, sizes, counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Dim, Size
from ..errors import TypeMismatchError
from ..op import EXACT, NO_GRADIENT, Op, sample
from ..types import DType, TensorType, dtype_of


def _constant_type(*, value: Any) -> TensorType:
    return TensorType(dtype_of(value.dtype), value.shape)


def _constant(*, value: Any) -> Any:
    return value


def _size_type(*, dim: Size, dtype: DType) -> TensorType:
    return TensorType(dtype, ())


def _size(*, dim: int, dtype: DType) -> Any:
    return np.asarray(dim, dtype.numpy)


def _arange_type(*, size: Size, dtype: DType) -> TensorType:
    """So many numbers from 0 on; what is between them is a factor, so that no rounding decides how many there are."""
    if not isinstance(size, int | Dim):
        raise TypeMismatchError(f"arange takes a whole number of elements, not {size}")
    return TensorType(dtype, (size,))


def _arange(*, size: int, dtype: DType) -> Any:
    return np.arange(size, dtype=dtype.numpy)


constant = Op("constant", _constant_type, _constant, NO_GRADIENT, bound=EXACT, folds=False)
size = Op("size", _size_type, _size, NO_GRADIENT, bound=EXACT, folds=False)
arange = Op(
    "arange", _arange_type, _arange, NO_GRADIENT, bound=EXACT, folds=False,
    samples=(sample(size=5, dtype=dtype_of("int32")), sample(size=0, dtype=dtype_of("int64")),
             sample(size=3, dtype=dtype_of("float32"))),
)  # fmt: skip

OPS = (constant, size, arange)
