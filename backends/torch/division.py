"""PyTorch: division in whole numbers, and what it leaves over."""

from __future__ import annotations

import operator
from typing import Any

import torch

from ...ir import Node, ops
from ..fold import divides_safely
from ..rules import When

# An integer divided by 0 is an error in PyTorch, and the smallest by -1 may end the process once it is compiled: by
# both is multiplied instead, which gives what the quotient is to be. uint64 cannot be divided at all.


def _floor_divide_any(x: Any, y: Any) -> Any:
    """The quotient rounded down; 0 where the divisor is 0."""
    usual = (y != 0) & (y != -1)
    return torch.where(usual, x // torch.where(usual, y, 1), x * y)


def _truncated_divide(x: Any, y: Any) -> Any:
    return torch.div(x, y, rounding_mode="trunc")


def _truncated_divide_any(x: Any, y: Any) -> Any:
    """The quotient without its fraction; 0 where the divisor is 0."""
    usual = (y != 0) & (y != -1)
    return torch.where(usual, torch.div(x, torch.where(usual, y, 1), rounding_mode="trunc"), x * y)


def _remainder_any(x: Any, y: Any) -> Any:
    """What is left over, with the divisor's sign; 0 where the divisor is 0."""
    return x % torch.where((y == 0) | (y == -1), 1, y)


def _truncated_remainder_any(x: Any, y: Any) -> Any:
    """What is left over, with the dividend's sign; 0 where the divisor is 0."""
    return torch.fmod(x, torch.where((y == 0) | (y == -1), 1, y))


def _quotient_unsigned(x: Any, y: Any) -> Any:
    """The quotient by way of int64; 0 where the divisor is 0."""
    x64, y64 = x.to(torch.int64), y.to(torch.int64)
    return torch.where(y64 == 0, 0, x64 // y64.clamp(min=1)).to(x.dtype)


def _remainder_unsigned(x: Any, y: Any) -> Any:
    """What is left over, by way of int64; 0 where the divisor is 0."""
    x64, y64 = x.to(torch.int64), y.to(torch.int64)
    return torch.where(y64 == 0, 0, x64 % y64.clamp(min=1)).to(x.dtype)


def _is_unsigned(node: Node) -> bool:
    dtype = node.outputs[0].dtype
    return dtype.kind == "uint" and dtype.bits < 64


def _needs_no_guard(node: Node) -> bool:
    dtype = node.outputs[0].dtype
    return dtype.is_float or (dtype.kind == "int" and divides_safely(node))


def _is_signed(node: Node) -> bool:
    return node.outputs[0].dtype.kind == "int"


rows = {
    ops.trunc: torch.trunc,
    ops.copysign: torch.copysign,
    ops.remainder: (
        When(_needs_no_guard, operator.mod), When(_is_unsigned, _remainder_unsigned), When(_is_signed, _remainder_any),
    ),
    ops.truncated_remainder: (
        When(_needs_no_guard, torch.fmod), When(_is_unsigned, _remainder_unsigned),
        When(_is_signed, _truncated_remainder_any),
    ),
    ops.floor_divide: (
        When(_needs_no_guard, operator.floordiv), When(_is_unsigned, _quotient_unsigned),
        When(_is_signed, _floor_divide_any),
    ),
    ops.truncated_divide: (
        When(_needs_no_guard, _truncated_divide), When(_is_unsigned, _quotient_unsigned),
        When(_is_signed, _truncated_divide_any),
    ),
}  # fmt: skip
