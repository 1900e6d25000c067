"""PyTorch: counter-based random bits on int64 and int32, which wrap as uint64 and uint32 do."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...ir import ops
from ...ir.ops.random import threshold
from ..rules import When, drawn_by


def squares(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element: four rounds of squaring counter times key (Widynski, arXiv 2004.06278)."""
    (k0, k1), (c0, c1) = key.to(torch.int64).unbind(), counter.to(torch.int64).unbind()
    key, counter = k0 | (k1 << 32), c0 | (c1 << 32)
    x = torch.arange(math.prod(shape), device=key.device).add_(counter).mul_(key)
    y, z = x.clone(), x + key
    for addend in (y, z, y):
        x.mul_(x).add_(addend)
        high = (x >> 32).bitwise_and_(0xFFFFFFFF)
        x.bitwise_left_shift_(32).bitwise_or_(high)
    return x.mul_(x).add_(z).bitwise_right_shift_(32).bitwise_and_(0xFFFFFFFF).reshape(shape)


def philox(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element: word i % 4 of the Philox4x32-10 block with counter `counter + i // 4`."""
    size, low = math.prod(shape), 0xFFFFFFFF
    x0 = torch.arange((size + 3) // 4, device=key.device)
    (a, b), (c0, c1, c2, c3) = key.to(torch.int64).unbind(), counter.to(torch.int64).unbind()
    x0 = x0 + c0
    x1 = (x0 >> 32) + c1
    x2 = (x1 >> 32) + c2
    x3 = (x2 >> 32) + c3
    x0, x1, x2, x3 = x0 & low, x1 & low, x2 & low, x3 & low
    for _ in range(10):
        p, q = x0 * 0xD2511F53, x2 * 0xCD9E8D57
        x0, x1, x2, x3 = (q >> 32) & low ^ x1 ^ a, q & low, (p >> 32) & low ^ x3 ^ b, p & low
        a, b = (a + 0x9E3779B9) & low, (b + 0xBB67AE85) & low
    return torch.stack((x0, x1, x2, x3), -1).reshape(-1)[:size].reshape(shape)


def threefry_2x32(key: Any, high: Any, low: Any) -> Any:
    """Two words for each pair of words: Threefry2x32-20 (Salmon et al., SC 2011), on int32."""
    a, b = key.view(torch.int32).unbind()
    keys = a, b, a ^ b ^ 0x1BD11BDA
    x, y = high + a, low + b
    for i in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[i % 2]:
            x = x + y
            y = x ^ ((y << turn) | ((y >> (32 - turn)) & ((1 << turn) - 1)))
        x, y = x + keys[(i + 1) % 3], y + keys[(i + 2) % 3] + (i + 1)
    return torch.stack((x, y))


def threefry(key: Any, counter: Any, shape: Any) -> Any:
    """A 32-bit number for each element: both words of the block of the counter `counter + i`, exclusively or-ed."""
    low, high = counter.to(torch.int64).unbind()
    index = torch.arange(math.prod(shape), device=key.device) + (low | (high << 32))
    x, y = threefry_2x32(key, (index >> 32).to(torch.int32), index.to(torch.int32))
    return (x ^ y).to(torch.int64).bitwise_and_(0xFFFFFFFF).reshape(shape)


def _squares(key: Any, counter: Any, *, shape: Any) -> Any:
    return squares(key, counter, shape).to(torch.uint32)


def _squares_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return (squares(key, counter, shape) >> (32 - width)).to(torch.uint32)


def _philox(key: Any, counter: Any, *, shape: Any) -> Any:
    return philox(key, counter, shape).to(torch.uint32)


def _philox_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return (philox(key, counter, shape) >> (32 - width)).to(torch.uint32)


def _threefry(key: Any, counter: Any, *, shape: Any) -> Any:
    return threefry(key, counter, shape).to(torch.uint32)


def _threefry_top(key: Any, counter: Any, *, shape: Any, width: Any) -> Any:
    return (threefry(key, counter, shape) >> (32 - width)).to(torch.uint32)


def _threefry_2x32(key: Any, high: Any, low: Any) -> Any:
    return threefry_2x32(key, high.view(torch.int32), low.view(torch.int32)).view(torch.uint32)


def _mask(key: Any, counter: Any, *, shape: Any, rate: Any) -> Any:
    return squares(key, counter, shape) >= threshold(rate)


def _uniform(key: Any, counter: Any, *, shape: Any) -> Any:
    return (squares(key, counter, shape) >> 8) * 2.0**-24


def _advance_counter(counter: Any, *, amount: Any) -> Any:
    """The 64-bit counter, low word first, moved on by an amount."""
    low, high = counter.to(torch.int64).unbind()
    low = low + amount % 2**32
    high = high + amount // 2**32 + (low >> 32)
    return (torch.stack((low, high)) & 0xFFFFFFFF).to(torch.uint32)


rows = {
    ops.random_bits: (
        When(drawn_by("squares", 32), _squares),
        When(drawn_by("squares"), _squares_top),
        When(drawn_by("philox", 32), _philox),
        When(drawn_by("philox"), _philox_top),
        When(drawn_by("threefry", 32), _threefry),
        _threefry_top,
    ),
    ops.random_mask: When(drawn_by("squares"), _mask),  # without a detour over uint32, of which PyTorch can little
    ops.random_uniform: When(drawn_by("squares"), _uniform),
    ops.threefry_2x32: _threefry_2x32,
    ops.advance_counter: _advance_counter,
}
