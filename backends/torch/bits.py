"""PyTorch: the bits of integers."""

from __future__ import annotations

import operator
from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When
from .arithmetic import is_wide_unsigned


def _not_unsigned(x: Any) -> Any:
    return (~x.to(torch.int64)).to(x.dtype)


def _shift_left_unsigned(x: Any, s: Any) -> Any:
    return (x.to(torch.int64) << s.to(torch.int64)).to(x.dtype)


def _shift_right_unsigned(x: Any, s: Any) -> Any:
    return (x.to(torch.int64) >> s.to(torch.int64)).to(x.dtype)


def _shift_right_uint64(x: Any, s: Any) -> Any:
    """The shift of int64 repeats the highest bit, which is taken away again."""
    places = s.to(torch.int64)
    repeated = (torch.tensor(-1) << (63 - places)) << 1
    return ((x.to(torch.int64) >> places) & ~repeated).to(x.dtype)


def _bitcast(x: Any, *, dtype: Any) -> Any:
    return x.view(dtype)


def _is_uint64(node: Node) -> bool:
    return node.outputs[0].dtype.name == "uint64"


rows = {
    ops.bitwise_and: operator.and_,
    ops.bitwise_or: operator.or_,
    ops.bitwise_xor: operator.xor,
    ops.bitwise_not: (When(is_wide_unsigned, _not_unsigned), operator.invert),
    ops.shift_left: (When(is_wide_unsigned, _shift_left_unsigned), operator.lshift),
    ops.shift_right: (
        When(_is_uint64, _shift_right_uint64), When(is_wide_unsigned, _shift_right_unsigned), operator.rshift,
    ),
    ops.bitcast: _bitcast,
}  # fmt: skip
