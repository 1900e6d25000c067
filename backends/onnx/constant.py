"""ONNX: constants, sizes, counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Dim, DType, Size, ops
from .builder import Builder, Tensor
from .lowering import by

_WRITTEN_OUT = 1024  # up to so many elements, counting is an array in the model


def _constant(b: Builder, *, value: Any) -> Tensor:
    return b.constant(value)


def _size(b: Builder, *, dim: Size, dtype: DType) -> Tensor:
    return b.cast(b.Squeeze(b.size(dim), (0,)), dtype)


def count(b: Builder, size: Size, dtype: DType) -> Tensor:
    """0, 1, ... as a vector."""
    if not isinstance(size, Dim) and size <= _WRITTEN_OUT:
        return b.constant(np.arange(size), dtype)
    end = b.Squeeze(b.size(size), (0,))
    return b.cast(b.Range(np.int64(0), end, np.int64(1)), dtype)


def _arange(b: Builder, *, size: Size, dtype: DType) -> Tensor:
    return count(b, size, dtype)


rows = {
    ops.constant: by(_constant),
    ops.size: by(_size),
    ops.arange: by(_arange),
}
