"""ONNX: counter-based random numbers; squares by addition, multiplication and division of uint64 alone.

ONNX Runtime's CUDA provider has no shifts and no bitwise ops: in squares a shift to the right is a division, one to the
left a product that wraps, and `or` of halves that do not meet is a sum. Philox and threefry are made of `xor`: there
they run on the CPU, with copies.
"""

from __future__ import annotations

import numpy as np

from ...ir import Size, ops
from ...ir.dims import floor_div, product
from ...ir.ops.random import threshold
from ...ir.types import float32, uint32, uint64
from ..rules import When, drawn_by
from .builder import Builder, Tensor
from .constant import count
from .lowering import by

_HALF = np.uint64(2**32)
Shape = tuple[Size, ...]


def _word(b: Builder, words: Tensor) -> Tensor:
    """The uint64 of two uint32, low word first."""
    wide = b.cast(words, uint64)
    return b.Add(b.Gather(wide, np.int64(0)), b.Mul(b.Gather(wide, np.int64(1)), _HALF))  # type: ignore[no-any-return]


def _squares(b: Builder, key: Tensor, counter: Tensor, shape: Shape) -> Tensor:
    """32 random bits for each element, as uint64: four rounds of squaring (Widynski, arXiv 2004.06278)."""
    size = product(shape)
    word = _word(b, key)
    x = y = b.Mul(b.Add(count(b, size, uint64), _word(b, counter)), word)
    z = b.Add(y, word)
    for addend in (y, z, y):
        x = b.Add(b.Mul(x, x), addend)
        x = b.Add(b.Div(x, _HALF), b.Mul(x, _HALF))
    return b.reshape(b.Div(b.Add(b.Mul(x, x), z), _HALF), (size,), shape)


def _halves(b: Builder, x: Tensor) -> tuple[Tensor, Tensor]:
    """The low and the high word of a uint64."""
    return b.cast(x, uint32), b.cast(b.Div(x, _HALF), uint32)


def _philox(b: Builder, key: Tensor, counter: Tensor, shape: Shape) -> Tensor:
    """Word i % 4 of the Philox4x32-10 block with the 128-bit counter `counter + i // 4` (Salmon et al., SC 2011)."""
    size = product(shape)
    blocks = floor_div(size + 3, 4)
    index = count(b, blocks, uint64)
    low = b.Add(index, _word(b, counter))
    high = b.Add(_word(b, b.Gather(counter, np.array([2, 3]))), b.cast(b.Less(low, index), uint64))
    (x0, x1), (x2, x3) = _halves(b, low), _halves(b, high)
    k0, k1 = (b.Gather(key, np.int64(i)) for i in (0, 1))
    for _ in range(10):
        p_low, p_high = _halves(b, b.Mul(b.cast(x0, uint64), np.uint64(0xD2511F53)))
        q_low, q_high = _halves(b, b.Mul(b.cast(x2, uint64), np.uint64(0xCD9E8D57)))
        x0, x2 = b.BitwiseXor(b.BitwiseXor(q_high, x1), k0), b.BitwiseXor(b.BitwiseXor(p_high, x3), k1)
        x1, x3 = q_low, p_low
        k0, k1 = b.Add(k0, np.uint32(0x9E3779B9)), b.Add(k1, np.uint32(0xBB67AE85))
    words = b.Concat(*(b.Unsqueeze(x, (1,)) for x in (x0, x1, x2, x3)), axis=1)
    drawn = b.Slice(b.Reshape(words, (-1,)), (0,), b.size(size))
    return b.reshape(drawn, (size,), shape)


def _rounds(b: Builder, key: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Threefry2x32-20 of two words (Salmon et al., SC 2011)."""
    first, second = (b.Gather(key, np.int64(i)) for i in (0, 1))
    keys = first, second, b.BitwiseXor(b.BitwiseXor(first, second), np.uint32(0x1BD11BDA))
    x, y = b.Add(x, first), b.Add(y, second)
    for i in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[i % 2]:
            x = b.Add(x, y)
            left = b.BitShift(y, np.uint32(turn), direction="LEFT")
            y = b.BitwiseXor(x, b.BitwiseOr(left, b.BitShift(y, np.uint32(32 - turn), direction="RIGHT")))
        x, y = b.Add(x, keys[(i + 1) % 3]), b.Add(b.Add(y, keys[(i + 2) % 3]), np.uint32(i + 1))
    return x, y


def _threefry(b: Builder, key: Tensor, counter: Tensor, shape: Shape) -> Tensor:
    """Both words of the block of the 64-bit `counter + i`, exclusively or-ed, as JAX does."""
    size = product(shape)
    low, high = _halves(b, b.Add(count(b, size, uint64), _word(b, counter)))
    return b.reshape(b.BitwiseXor(*_rounds(b, key, high, low)), (size,), shape)


def _bits(b: Builder, key: Tensor, counter: Tensor, *, shape: Shape, width: int, generator: str) -> Tensor:
    draw = {"squares": _squares, "philox": _philox, "threefry": _threefry}[generator]
    drawn = draw(b, key, counter, shape)
    if generator == "squares":
        return b.cast(drawn if width == 32 else b.Div(drawn, np.uint64(2 ** (32 - width))), uint32)
    return drawn if width == 32 else b.Div(drawn, np.uint32(2 ** (32 - width)))


def _threefry_2x32(b: Builder, key: Tensor, high: Tensor, low: Tensor) -> Tensor:
    words = (b.Unsqueeze(x, (0,)) for x in _rounds(b, key, high, low))
    return b.Concat(*words, axis=0)  # type: ignore[no-any-return]


def _mask(b: Builder, key: Tensor, counter: Tensor, *, shape: Shape, rate: float, generator: str) -> Tensor:
    return b.GreaterOrEqual(_squares(b, key, counter, shape), np.uint64(threshold(rate)))  # type: ignore[no-any-return]


def _uniform(b: Builder, key: Tensor, counter: Tensor, *, shape: Shape, generator: str) -> Tensor:
    top = b.Div(_squares(b, key, counter, shape), np.uint64(256))
    return b.Mul(b.cast(top, float32), np.float32(2**-24))  # type: ignore[no-any-return]


def _advance_counter(b: Builder, counter: Tensor, *, amount: Size) -> Tensor:
    total = b.Add(_word(b, counter), b.cast(b.size(amount), uint64))
    high = b.Div(total, _HALF)
    low = b.Sub(total, b.Mul(high, _HALF))
    return b.cast(b.Concat(low, high, axis=0), uint32)


_BITWISE = 18  # the opset of BitwiseXor
rows = {
    ops.random_bits: (When(drawn_by("squares"), by(_bits)), by(_bits, since=_BITWISE)),
    ops.threefry_2x32: by(_threefry_2x32, since=_BITWISE),
    ops.random_mask: When(drawn_by("squares"), by(_mask)),
    ops.random_uniform: When(drawn_by("squares"), by(_uniform)),
    ops.advance_counter: by(_advance_counter),
}
