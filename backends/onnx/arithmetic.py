"""ONNX: elementwise arithmetic and transcendental functions."""

from __future__ import annotations

from ...ir import Node, ops
from ...ir.types import int64
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by, op


def number(b: Builder, value: float) -> Tensor:
    """A scalar of the element type of the node's first operand."""
    first = b.node.inputs[0]
    assert first is not None
    return b.constant(value, first.dtype)


def _negative_unsigned(b: Builder, x: Tensor) -> Tensor:
    return b.Sub(number(b, 0), x)  # type: ignore[no-any-return]


def _maximum_wide(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.Where(b.Greater(x, y), x, y)  # type: ignore[no-any-return]


def _minimum_wide(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.Where(b.Less(x, y), x, y)  # type: ignore[no-any-return]


def _sign_wide(b: Builder, x: Tensor) -> Tensor:
    above, below = (b.cast(compare(x, number(b, 0)), x.dtype) for compare in (b.Greater, b.Less))
    return b.Sub(above, below)  # type: ignore[no-any-return]


def _square(b: Builder, x: Tensor) -> Tensor:
    return b.Mul(x, x)  # type: ignore[no-any-return]


def _rsqrt(b: Builder, x: Tensor) -> Tensor:
    return b.Reciprocal(b.Sqrt(x))  # type: ignore[no-any-return]


def _expm1(b: Builder, x: Tensor) -> Tensor:
    """tanh(x/2) (exp(x) + 1): exp(x) - 1 would cancel near zero."""
    return b.Mul(b.Tanh(b.Mul(x, number(b, 0.5))), b.Add(b.Exp(x), number(b, 1.0)))  # type: ignore[no-any-return]


def _log1p(b: Builder, x: Tensor) -> Tensor:
    """log(1 + x) x / d, where d is what of x has come into the rounded 1 + x."""
    one, zero = number(b, 1.0), number(b, 0.0)
    total = b.Add(x, one)
    d = b.Sub(total, one)
    ratio = b.Where(b.Equal(d, x), one, b.Div(x, d))  # infinity over itself is 1 here
    return b.Where(b.Equal(d, zero), x, b.Mul(b.Log(total), ratio))  # type: ignore[no-any-return]


def is_int64(node: Node) -> bool:
    """Whether extremes must be found by comparisons: see `kernels.BROKEN`."""
    return node.inputs[0] is not None and node.inputs[0].dtype == int64


def _is_unsigned(node: Node) -> bool:
    return node.outputs[0].dtype.kind == "uint"


rows = {
    ops.add: op("Add"),
    ops.subtract: op("Sub"),
    ops.multiply: op("Mul"),
    ops.divide: op("Div"),
    ops.power: op("Pow"),
    ops.maximum: (When(is_int64, by(_maximum_wide, "Where", "Greater")), op("Max")),
    ops.minimum: (When(is_int64, by(_minimum_wide, "Where", "Less")), op("Min")),
    ops.negative: (When(_is_unsigned, by(_negative_unsigned, "Sub")), op("Neg")),
    ops.absolute: op("Abs"),
    ops.sign: (When(is_int64, by(_sign_wide, "Sub")), op("Sign")),
    ops.floor: op("Floor"),
    ops.ceil: op("Ceil"),
    ops.round_: op("Round"),
    ops.square: by(_square, "Mul"),
    ops.sqrt: op("Sqrt"),
    ops.rsqrt: by(_rsqrt, "Sqrt", "Reciprocal"),
    ops.reciprocal: op("Reciprocal"),
    ops.exp: op("Exp"),
    ops.expm1: by(_expm1, "Tanh", "Exp", "Mul", "Add"),
    ops.log: op("Log"),
    ops.log1p: by(_log1p, "Log", "Where", "Equal", "Add", "Div"),
    ops.sin: op("Sin"),
    ops.cos: op("Cos"),
    ops.tan: op("Tan"),
    ops.arcsin: op("Asin"),
    ops.arccos: op("Acos"),
    ops.arctan: op("Atan"),
    ops.sinh: op("Sinh"),
    ops.cosh: op("Cosh"),
    ops.arcsinh: op("Asinh"),
    ops.arccosh: op("Acosh"),
    ops.arctanh: op("Atanh"),
    ops.tanh: op("Tanh"),
    ops.erf: op("Erf"),
    ops.sigmoid: op("Sigmoid"),
}
