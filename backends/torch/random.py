"""PyTorch: counter-based random bits on int64, which wraps as uint64 does."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...ir import ops
from ...ir.ops.random import threshold


def squares32(key: Any, counter: Any, shape: Any) -> Any:
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


def _mask(key: Any, counter: Any, *, shape: Any, rate: Any) -> Any:
    return squares32(key, counter, shape) >= threshold(rate)


def _uniform(key: Any, counter: Any, *, shape: Any) -> Any:
    return (squares32(key, counter, shape) >> 8) * 2.0**-24


def _advance_counter(counter: Any, *, amount: Any) -> Any:
    """The 64-bit counter, low word first, moved on by an amount."""
    low, high = counter.to(torch.int64).unbind()
    low = low + amount % 2**32
    high = high + amount // 2**32 + (low >> 32)
    return (torch.stack((low, high)) & 0xFFFFFFFF).to(torch.uint32)


rows = {ops.random_mask: _mask, ops.random_uniform: _uniform, ops.advance_counter: _advance_counter}
