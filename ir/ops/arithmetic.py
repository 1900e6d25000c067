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
_SHAPES = (sample((2, 3)), sample(()), sample((0, 3)), sample((1, 4, 2)))
_POSITIVE = tuple(sample(s, between=(0.25, 3.0)) for s in ((2, 3), (), (0, 2)))
_UNIT = tuple(sample(s, between=(-0.9, 0.9)) for s in ((2, 3), ()))
_PAIRS = (
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


def _unary(
    name: str, reference: Callable[..., Any], gradient: Any, *, kinds: tuple[str, ...] = _FLOAT,
    samples: tuple[Sample, ...] = _SHAPES, bound: Bound | None = None, smooth: bool = True,
) -> Op:  # fmt: skip
    def type_rule(x: TensorType) -> TensorType:
        check_kind(name, kinds, x)
        return x

    return Op(name, type_rule, reference, gradient, samples=samples, bound=bound or Bound(), smooth=smooth)


def _binary(
    name: str, reference: Callable[..., Any], gradient: Any, *, kinds: tuple[str, ...] = _NUMBER,
    samples: tuple[Sample, ...] = _PAIRS, bound: Bound | None = None, smooth: bool = True,
) -> Op:  # fmt: skip
    def type_rule(x: TensorType, y: TensorType) -> TensorType:
        check_kind(name, kinds, x, y)
        check_same_dtype(name, x, y)
        return TensorType(x.dtype, broadcast_shapes(x.shape, y.shape))

    return Op(
        name, type_rule, reference, gradient, samples=samples, broadcasts=True, bound=bound or Bound(), smooth=smooth
    )


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

add = _binary("add", operator.add, lambda g, out, x, y: (g, g))
subtract = _binary("subtract", operator.sub, lambda g, out, x, y: (g, -g))
multiply = _binary("multiply", operator.mul, lambda g, out, x, y: (g * y, g * x))
divide = _binary("divide", operator.truediv, lambda g, out, x, y: (g / y, -g * out / y), kinds=_FLOAT,
                 samples=tuple(sample(a, b, between=(0.5, 2.0))
                               for a, b in (((2, 3), (2, 3)), ((2, 1), (1, 3)), ((), (4,)))))  # fmt: skip
power = _binary("power", operator.pow, _power_gradient, kinds=("float",), bound=Bound(factor=16.0),
                samples=tuple(sample(a, b, between=(0.25, 2.0))
                              for a, b in (((2, 3), (3,)), ((2, 3), ()), ((2, 1), (1, 3)))))  # fmt: skip
maximum = _binary(
    "maximum", np.maximum, lambda g, out, x, y: _ties(g, greater(x, y), equal(x, y)), bound=EXACT, smooth=False
)
minimum = _binary(
    "minimum", np.minimum, lambda g, out, x, y: _ties(g, greater(y, x), equal(x, y)), bound=EXACT, smooth=False
)

negative = _unary("negative", operator.neg, lambda g, out, x: (-g,), kinds=_NUMBER, bound=EXACT)
absolute = _unary(
    "absolute", np.abs, lambda g, out, x: (g * sign(x),), kinds=("int", "float"), bound=EXACT, smooth=False
)
sign: Op = _unary("sign", np.sign, NO_GRADIENT, kinds=("int", "float"), bound=EXACT, smooth=False)
floor = _unary("floor", np.floor, NO_GRADIENT, kinds=("float",), bound=EXACT, smooth=False)
ceil = _unary("ceil", np.ceil, NO_GRADIENT, kinds=("float",), bound=EXACT, smooth=False)
round_ = _unary("round", np.round, NO_GRADIENT, kinds=("float",), bound=EXACT, smooth=False)  # half to even
square = _unary("square", np.square, lambda g, out, x: (2.0 * g * x,))
sqrt = _unary("sqrt", np.sqrt, lambda g, out, x: (0.5 * g / out,), samples=_POSITIVE)
rsqrt = _unary("rsqrt", _rsqrt, lambda g, out, x: (-0.5 * g * out / x,), samples=_POSITIVE)
reciprocal = _unary("reciprocal", _reciprocal, lambda g, out, x: (-g * out * out,), samples=_POSITIVE)
exp = _unary("exp", np.exp, lambda g, out, x: (g * out,))
expm1 = _unary("expm1", np.expm1, lambda g, out, x: (g * (out + 1.0),))
log = _unary("log", np.log, lambda g, out, x: (g / x,), samples=_POSITIVE, bound=Bound(floor=1e-7))
log1p = _unary("log1p", np.log1p, lambda g, out, x: (g / (x + 1.0),), samples=_POSITIVE)
sin = _unary("sin", np.sin, lambda g, out, x: (g * cos(x),), bound=Bound(floor=1e-7))
cos: Op = _unary("cos", np.cos, lambda g, out, x: (-g * sin(x),), bound=Bound(floor=1e-7))
tan = _unary("tan", np.tan, lambda g, out, x: (g * (1.0 + out * out),), samples=_UNIT)
arcsin = _unary("arcsin", np.arcsin, lambda g, out, x: (g * rsqrt(1.0 - x * x),), samples=_UNIT)
arccos = _unary("arccos", np.arccos, lambda g, out, x: (-g * rsqrt(1.0 - x * x),), samples=_UNIT)
arctan = _unary("arctan", np.arctan, lambda g, out, x: (g / (1.0 + x * x),))
sinh = _unary("sinh", np.sinh, lambda g, out, x: (g * cosh(x),))
cosh: Op = _unary("cosh", np.cosh, lambda g, out, x: (g * sinh(x),))
tanh = _unary("tanh", np.tanh, lambda g, out, x: (g * (1.0 - out * out),))
erf = _unary("erf", _erf, lambda g, out, x: (_2_OVER_SQRT_PI * g * exp(-(x * x)),), kinds=("float",))
sigmoid = _unary(
    "sigmoid", _sigmoid, lambda g, out, x: (g * out * (1.0 - out),), kinds=("float",), bound=Bound(floor=1.2e-7)
)


OPS = (
    add, subtract, multiply, divide, power, maximum, minimum, negative, absolute, sign, floor, ceil, round_, square,
    sqrt, rsqrt, reciprocal, exp, expm1, log, log1p, sin, cos, tan, arcsin, arccos, arctan, sinh, cosh, tanh, erf,
    sigmoid,
)  # fmt: skip
