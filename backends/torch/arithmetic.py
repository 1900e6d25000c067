"""PyTorch: elementwise arithmetic."""

from __future__ import annotations

import operator
from typing import Any

import torch

from ...ir import Node, ops
from ..fold import is_number
from ..rules import When


def _at_least(x: Any, y: Any) -> Any:
    return x.clamp(min=y)


def _at_most(x: Any, y: Any) -> Any:
    return x.clamp(max=y)


def _sign(x: Any) -> Any:
    """The sign of each element; torch.sign gives 0 for NaN."""
    signs = torch.sign(x)
    return torch.where(torch.isnan(x), x, signs)


def _reciprocal(x: Any) -> Any:
    return 1.0 / x


# PyTorch stores uint16, uint32 and uint64 but hardly computes with them; int64 wraps to the same bits.


def _add_unsigned(x: Any, y: Any) -> Any:
    return (x.to(torch.int64) + y.to(torch.int64)).to(x.dtype)


def _subtract_unsigned(x: Any, y: Any) -> Any:
    return (x.to(torch.int64) - y.to(torch.int64)).to(x.dtype)


def _negative_unsigned(x: Any) -> Any:
    return (-x.to(torch.int64)).to(x.dtype)


def is_wide_unsigned(node: Node) -> bool:
    """Whether the first operand is of one of the unsigned types for which PyTorch lacks most operations."""
    x = node.inputs[0]
    return x is not None and x.dtype.name in ("uint16", "uint32", "uint64")


def _is_float(node: Node) -> bool:
    return node.outputs[0].dtype.is_float


def _limit_is_number(node: Node) -> bool:
    x, y = node.inputs
    return is_number(y) and not is_number(x)


rows = {
    ops.add: (When(is_wide_unsigned, _add_unsigned), operator.add),
    ops.subtract: (When(is_wide_unsigned, _subtract_unsigned), operator.sub),
    ops.multiply: operator.mul,
    ops.divide: operator.truediv,
    ops.power: operator.pow,
    ops.maximum: (When(_limit_is_number, _at_least), torch.maximum),
    ops.minimum: (When(_limit_is_number, _at_most), torch.minimum),
    ops.negative: (When(is_wide_unsigned, _negative_unsigned), operator.neg),
    ops.absolute: torch.abs,
    ops.sign: (When(_is_float, _sign), torch.sign),
    ops.floor: torch.floor,
    ops.ceil: torch.ceil,
    ops.round_: torch.round,
    ops.square: torch.square,
    ops.sqrt: torch.sqrt,
    ops.rsqrt: torch.rsqrt,
    ops.reciprocal: _reciprocal,
    ops.exp: torch.exp,
    ops.expm1: torch.expm1,
    ops.log: torch.log,
    ops.log1p: torch.log1p,
    ops.sin: torch.sin,
    ops.cos: torch.cos,
    ops.tan: torch.tan,
    ops.arcsin: torch.asin,
    ops.arccos: torch.acos,
    ops.arctan: torch.atan,
    ops.sinh: torch.sinh,
    ops.cosh: torch.cosh,
    ops.arcsinh: torch.asinh,
    ops.arccosh: torch.acosh,
    ops.arctanh: torch.atanh,
    ops.tanh: torch.tanh,
    ops.erf: torch.erf,
    ops.sigmoid: torch.sigmoid,
}
NUMBERS = (_at_least, _at_most)  # they take a Python number as it is
