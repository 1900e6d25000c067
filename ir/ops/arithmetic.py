"""Elementwise arithmetic and transcendental functions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dims import broadcast_shapes
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, Sample, sample
from ..types import TensorType
from .comparison import equal, greater, where

_FLOAT = ("float", "complex")
_NUMBER = ("int", "uint", "float", "complex")
SHAPES = (sample((2, 3)), sample(()), sample((0, 3)), sample((1, 4, 2)))
POSITIVE = tuple(sample(s, between=(0.25, 3.0)) for s in ((2, 3), (), (0, 2)))
_ABOVE_ONE = tuple(sample(s, between=(1.25, 3.0)) for s in ((2, 3), ()))
UNIT = tuple(sample(s, between=(-0.9, 0.9)) for s in ((2, 3), ()))
PAIRS = (
    sample((2, 3), (2, 3)), sample((2, 3), (3,)), sample((2, 1), (1, 3)), sample((), (4,)), sample((0, 3), (3,)),
)  # fmt: skip


def check_kind(op: str, kinds: tuple[str, ...], *types: TensorType) -> None:
    """Raise unless every type is of one of the kinds (float, int, ...)."""
    for t in types:
        if t.dtype.kind not in kinds:
            raise TypeMismatchError(f"{op} works on {' and '.join(kinds)} tensors, not on {t}; cast first")


def check_same_dtype(op: str, *types: TensorType) -> None:
    if len({t.dtype for t in types}) > 1:
        raise TypeMismatchError(
            f"{op}: the operands must have one element type, not {' and '.join(map(str, types))}; cast one of them"
        )


def unary(
    name: str, reference: Callable[..., Any] | None, gradient: Any, decompose: Callable[..., Any] | None = None, *,
    kinds: tuple[str, ...] = _FLOAT, samples: tuple[Sample, ...] = SHAPES, bound: Bound | None = None,
    smooth: bool = True,
) -> Op:  # fmt: skip
    """An op of one operand, whose type the result has."""

    def type_rule(x: TensorType) -> TensorType:
        check_kind(name, kinds, x)
        return x

    return Op(name, type_rule, reference, gradient, decompose, samples=samples, bound=bound or Bound(), smooth=smooth)


def binary(
    name: str, reference: Callable[..., Any] | None, gradient: Any, decompose: Callable[..., Any] | None = None, *,
    kinds: tuple[str, ...] = _NUMBER, samples: tuple[Sample, ...] = PAIRS, bound: Bound | None = None,
    smooth: bool = True,
) -> Op:  # fmt: skip
    """An op of two operands of one element type, which broadcast."""

    def type_rule(x: TensorType, y: TensorType) -> TensorType:
        check_kind(name, kinds, x, y)
        check_same_dtype(name, x, y)
        return TensorType(x.dtype, broadcast_shapes(x.shape, y.shape))

    return Op(
        name, type_rule, reference, gradient, decompose, samples=samples, broadcasts=True, bound=bound or Bound(),
        smooth=smooth,
    )  # fmt: skip


def _power_gradient(g: Value, out: Value, x: Value, y: Value) -> tuple[Value, Value]:
    slope = where(equal(y, 0.0), 0.0, y * x ** (y - 1.0))
    return g * slope, g * where(equal(x, 0.0), 0.0, out * log(where(equal(x, 0.0), 1.0, x)))


def _ties(g: Value, first_wins: Value, tie: Value) -> tuple[Value, Value]:
    half = 0.5 * g
    return where(first_wins, g, where(tie, half, 0.0)), where(first_wins, 0.0, where(tie, half, g))


# The ones are ints below: bfloat16 is not NumPy's own, and a Python float would widen it.


def _reciprocal(x: Any) -> Any:
    return 1 / x


def _rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(x)


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def _sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _floor_gradient(g: Value, out: Value, x: Value) -> tuple[None]:
    return (None,)


_2_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)

add = binary("add", operator.add, lambda g, out, x, y: (g, g))
subtract = binary("subtract", operator.sub, lambda g, out, x, y: (g, -g))
multiply = binary("multiply", operator.mul, lambda g, out, x, y: (g * y, g * x))
divide = binary("divide", operator.truediv, lambda g, out, x, y: (g / y, -g * out / y), kinds=_FLOAT,
                 samples=tuple(sample(a, b, between=(0.5, 2.0))
                               for a, b in (((2, 3), (2, 3)), ((2, 1), (1, 3)), ((), (4,)))))  # fmt: skip
power = binary("power", operator.pow, _power_gradient, kinds=("float",), bound=Bound(factor=16.0),
                samples=tuple(sample(a, b, between=(0.25, 2.0))
                              for a, b in (((2, 3), (3,)), ((2, 3), ()), ((2, 1), (1, 3)))))  # fmt: skip
maximum = binary(
    "maximum", np.maximum, lambda g, out, x, y: _ties(g, greater(x, y), equal(x, y)), bound=EXACT, smooth=False
)
minimum = binary(
    "minimum", np.minimum, lambda g, out, x, y: _ties(g, greater(y, x), equal(x, y)), bound=EXACT, smooth=False
)

negative = unary("negative", operator.neg, lambda g, out, x: (-g,), kinds=_NUMBER, bound=EXACT)
absolute = unary(
    "absolute", np.abs, lambda g, out, x: (g * sign(x),), kinds=("int", "float"), bound=EXACT, smooth=False
)
sign: Op = unary("sign", np.sign, NO_GRADIENT, kinds=("int", "float"), bound=EXACT, smooth=False)
floor = unary("floor", np.floor, NO_GRADIENT, kinds=("float",), bound=EXACT, smooth=False)
ceil = unary("ceil", np.ceil, NO_GRADIENT, kinds=("float",), bound=EXACT, smooth=False)
round_ = unary("round", np.round, NO_GRADIENT, kinds=("float",), bound=EXACT, smooth=False)  # half to even
square = unary("square", np.square, lambda g, out, x: (2.0 * g * x,))
sqrt = unary("sqrt", np.sqrt, lambda g, out, x: (0.5 * g / out,), samples=POSITIVE)
rsqrt = unary("rsqrt", _rsqrt, lambda g, out, x: (-0.5 * g * out / x,), samples=POSITIVE)
reciprocal = unary("reciprocal", _reciprocal, lambda g, out, x: (-g * out * out,), samples=POSITIVE)
exp = unary("exp", np.exp, lambda g, out, x: (g * out,))
expm1 = unary("expm1", np.expm1, lambda g, out, x: (g * (out + 1.0),))
log = unary("log", np.log, lambda g, out, x: (g / x,), samples=POSITIVE, bound=Bound(floor=1e-7))
log1p = unary("log1p", np.log1p, lambda g, out, x: (g / (x + 1.0),), samples=POSITIVE)
sin = unary("sin", np.sin, lambda g, out, x: (g * cos(x),), bound=Bound(floor=1e-7))
cos: Op = unary("cos", np.cos, lambda g, out, x: (-g * sin(x),), bound=Bound(floor=1e-7))
tan = unary("tan", np.tan, lambda g, out, x: (g * (1.0 + out * out),), samples=UNIT)
arcsin = unary("arcsin", np.arcsin, lambda g, out, x: (g * rsqrt(1.0 - x * x),), samples=UNIT)
arccos = unary("arccos", np.arccos, lambda g, out, x: (-g * rsqrt(1.0 - x * x),), samples=UNIT)
arctan = unary("arctan", np.arctan, lambda g, out, x: (g / (1.0 + x * x),))
sinh = unary("sinh", np.sinh, lambda g, out, x: (g * cosh(x),))
cosh: Op = unary("cosh", np.cosh, lambda g, out, x: (g * sinh(x),))
arcsinh = unary("arcsinh", np.arcsinh, lambda g, out, x: (g * rsqrt(x * x + 1.0),))
arccosh = unary("arccosh", np.arccosh, lambda g, out, x: (g * rsqrt(x * x - 1.0),), samples=_ABOVE_ONE)
arctanh = unary("arctanh", np.arctanh, lambda g, out, x: (g / (1.0 - x * x),), samples=UNIT)
tanh = unary("tanh", np.tanh, lambda g, out, x: (g * (1.0 - out * out),))
erf = unary("erf", _erf, lambda g, out, x: (_2_OVER_SQRT_PI * g * exp(-(x * x)),), kinds=("float",))
sigmoid = unary(
    "sigmoid", _sigmoid, lambda g, out, x: (g * out * (1.0 - out),), kinds=("float",), bound=Bound(floor=1.2e-7)
)


OPS = (
    add, subtract, multiply, divide, power, maximum, minimum, negative, absolute, sign, floor, ceil, round_, square,
    sqrt, rsqrt, reciprocal, exp, expm1, log, log1p, sin, cos, tan, arcsin, arccos, arctan, sinh, cosh, arcsinh,
    arccosh, arctanh, tanh, erf, sigmoid,
)  # fmt: skip
