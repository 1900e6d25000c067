"""ONNX: the bits of integers. Shifts of signed ones, and of types without a kernel, go through 64 bits."""

from __future__ import annotations

from ...ir import DType, Node, ops
from ...ir.types import int64, uint64
from ..rules import When
from .builder import Builder, Tensor
from .kernels import has_kernel
from .lowering import by, op


def _shift_left(b: Builder, x: Tensor, s: Tensor) -> Tensor:
    shifted = b.BitShift(b.cast(x, uint64), b.cast(s, uint64), direction="LEFT")
    return b.cast(shifted, x.dtype)


def _shift_right(b: Builder, x: Tensor, s: Tensor) -> Tensor:
    shifted = b.BitShift(b.cast(x, uint64), b.cast(s, uint64), direction="RIGHT")
    return b.cast(shifted, x.dtype)


def _shift_right_signed(b: Builder, x: Tensor, s: Tensor) -> Tensor:
    """What is negative is inverted (-1 - x) before and after, so that zeros come in where ones should."""
    wide, minus_one = b.cast(x, int64), b.constant(-1, int64)
    is_negative = b.Less(wide, b.constant(0, int64))
    magnitude = b.cast(b.Where(is_negative, b.Sub(minus_one, wide), wide), uint64)
    shifted = b.cast(b.BitShift(magnitude, b.cast(s, uint64), direction="RIGHT"), int64)
    return b.cast(b.Where(is_negative, b.Sub(minus_one, shifted), shifted), x.dtype)


def _as_integer(b: Builder, x: Tensor, *, dtype: DType) -> Tensor:
    return b.cast(x, dtype)


def _bitcast(b: Builder, x: Tensor, *, dtype: DType) -> Tensor:
    return b.bitcast(x, dtype)


def _has_shift(node: Node) -> bool:
    return has_kernel("BitShift", node.outputs[0].dtype)


def _is_signed(node: Node) -> bool:
    return node.outputs[0].dtype.kind == "int"


def _stays_integer(node: Node) -> bool:
    """A cast between integers of one width keeps the bits."""
    x = node.inputs[0]
    return x is not None and x.dtype.is_integer and node.outputs[0].dtype.is_integer


rows = {
    ops.bitwise_and: op("BitwiseAnd", since=18),
    ops.bitwise_or: op("BitwiseOr", since=18),
    ops.bitwise_xor: op("BitwiseXor", since=18),
    ops.bitwise_not: op("BitwiseNot", since=18),
    ops.shift_left: (When(_has_shift, op("BitShift", direction="LEFT")), by(_shift_left)),
    ops.shift_right: (
        When(_has_shift, op("BitShift", direction="RIGHT")), When(_is_signed, by(_shift_right_signed)),
        by(_shift_right),
    ),
    ops.bitcast: (When(_stays_integer, by(_as_integer)), by(_bitcast, since=26)),
}  # fmt: skip
