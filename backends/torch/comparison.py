"""PyTorch: comparisons, logic, choice."""

from __future__ import annotations

import operator
from typing import Any

import torch

from ...ir import Node, ops
from ..fold import is_number
from ..rules import When
from .arithmetic import is_wide_unsigned

# PyTorch has no order on wide unsigned integers; that of int64 is theirs once the highest bits are exchanged.


def _less_unsigned(x: Any, y: Any) -> Any:
    return ordered(x) < ordered(y)


def _less_equal_unsigned(x: Any, y: Any) -> Any:
    return ordered(x) <= ordered(y)


def _greater_unsigned(x: Any, y: Any) -> Any:
    return ordered(x) > ordered(y)


def _greater_equal_unsigned(x: Any, y: Any) -> Any:
    return ordered(x) >= ordered(y)


def ordered(x: Any) -> Any:
    """Unsigned integers as int64 in the same order."""
    lowest = -(2**63)
    return x.to(torch.int64) ^ lowest


def _where(condition: Any, x: Any, y: Any) -> Any:
    return torch.where(condition, x, y)


def _is_decided(node: Node) -> bool:
    """Whether the condition is a constant, of which PyTorch wants a tensor."""
    return is_number(node.inputs[0])


rows = {
    ops.equal: operator.eq,
    ops.not_equal: operator.ne,
    ops.less: (When(is_wide_unsigned, _less_unsigned), operator.lt),
    ops.less_equal: (When(is_wide_unsigned, _less_equal_unsigned), operator.le),
    ops.greater: (When(is_wide_unsigned, _greater_unsigned), operator.gt),
    ops.greater_equal: (When(is_wide_unsigned, _greater_equal_unsigned), operator.ge),
    ops.logical_and: operator.and_,
    ops.logical_or: operator.or_,
    ops.logical_xor: operator.xor,
    ops.logical_not: operator.invert,
    ops.isnan: torch.isnan,
    ops.isfinite: torch.isfinite,
    ops.isinf: torch.isinf,
    ops.where: (When(_is_decided, _where), torch.where),
}
