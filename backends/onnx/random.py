"""ONNX: counter-based random numbers, by addition, multiplication and division of uint64 alone.

ONNX Runtime's CUDA provider has no shifts and no bitwise ops: a shift to the right is a division, one to the left a
product that wraps, and `or` of halves that do not meet is a sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Size, ops
from ...ir.dims import product
from ...ir.ops.random import threshold
from ...ir.types import float32, uint32, uint64
from .builder import Builder, Tensor
from .constant import count
from .lowering import by

_HALF = np.uint64(2**32)


def _word(b: Builder, words: Tensor) -> Tensor:
    """The uint64 of two uint32, low word first."""
    wide = b.cast(words, uint64)
    return b.Add(b.Gather(wide, np.int64(0)), b.Mul(b.Gather(wide, np.int64(1)), _HALF))  # type: ignore[no-any-return]


def _bits(b: Builder, key: Tensor, counter: Tensor, shape: tuple[Size, ...]) -> Tensor:
    """32 random bits for each element, as uint64: four rounds of squaring (Widynski, arXiv 2004.06278)."""
    size = product(shape)
    word = _word(b, key)
    x = y = b.Mul(b.Add(count(b, size, uint64), _word(b, counter)), word)
    z = b.Add(y, word)
    for addend in (y, z, y):
        x = b.Add(b.Mul(x, x), addend)
        x = b.Add(b.Div(x, _HALF), b.Mul(x, _HALF))
    return b.reshape(b.Div(b.Add(b.Mul(x, x), z), _HALF), (size,), shape)


def _mask(b: Builder, key: Tensor, counter: Tensor, *, shape: Any, rate: float) -> Tensor:
    return b.GreaterOrEqual(_bits(b, key, counter, shape), np.uint64(threshold(rate)))  # type: ignore[no-any-return]


def _uniform(b: Builder, key: Tensor, counter: Tensor, *, shape: Any) -> Tensor:
    top = b.Div(_bits(b, key, counter, shape), np.uint64(256))
    return b.Mul(b.cast(top, float32), np.float32(2**-24))  # type: ignore[no-any-return]


def _advance_counter(b: Builder, counter: Tensor, *, amount: Size) -> Tensor:
    total = b.Add(_word(b, counter), b.cast(b.size(amount), uint64))
    high = b.Div(total, _HALF)
    low = b.Sub(total, b.Mul(high, _HALF))
    return b.cast(b.Concat(low, high, axis=0), uint32)


rows = {
    ops.random_mask: by(_mask),
    ops.random_uniform: by(_uniform),
    ops.advance_counter: by(_advance_counter),
}
