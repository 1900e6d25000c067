"""Special functions: the error function's relatives, and the logarithm of the gamma function with its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import absolute, check_kind, erf, exp, floor, log, log1p, sin, sqrt, square, tan, unary
from .comparison import equal, greater, less, less_equal, logical_and, where
from .division import copysign

_REAL = ("float",)
_2_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B2, B4, ...
_START = 10  # from where on the asymptotic series are exact enough
_WINITZKI = 0.147  # S. Winitzki's approximation of the inverse error function, good to 2e-3
_GAMMA_SAMPLES = (
    sample((2, 3), between=(0.25, 3.0)), sample((), between=(3.0, 4.0)), sample((0, 3)),
    sample((4,), between=(5.0, 40.0)), sample(np.array([-0.6, -1.3, -7.25], np.float32)),
)  # fmt: skip


def _erfc(x: Any) -> Any:
    return np.vectorize(math.erfc, otypes=[x.dtype])(x)


def _erfinv_parts(x: Value) -> Value:
    """Halley's iteration from Winitzki's start; the error is measured by what is left to 1 where that is small."""
    size = absolute(x)
    inside = where(less(size, 1.0), size, 0.0)
    half = 0.5 * log1p(-(inside * inside))
    middle = 2.0 / (math.pi * _WINITZKI) + half
    y = sqrt(where(less(inside, 1e-3), 0.0, sqrt(middle * middle - 2.0 * half / _WINITZKI) - middle))
    for _ in range(3):
        off = where(less(inside, 0.5), erf(y) - inside, (1.0 - inside) - erfc(y))
        step = off / (_2_OVER_SQRT_PI * exp(-(y * y)))
        y = y - step / (1.0 + y * step)
    return copysign(where(equal(size, 1.0), math.inf, where(less(size, 1.0), y, math.nan)), x)  # type: ignore[no-any-return]


def _series(z: Value, first: Value, terms: list[float]) -> Value:
    """first * (terms[0] + terms[1] / z^2 + terms[2] / z^4 + ...)"""
    inverse = 1.0 / (z * z)
    total: Any = terms[-1]
    for term in reversed(terms[:-1]):
        total = total * inverse + term
    return first * total  # type: ignore[no-any-return]


def _reflected(x: Value) -> tuple[Value, Value, Value]:
    """Where 1 - x is taken for x, what is then positive, and by how much x is more than a whole number."""
    left = less(x, 0.5)
    return left, where(left, 1.0 - x, x), x - floor(x)


def _is_pole(x: Value) -> Value:
    return logical_and(less_equal(x, 0.0), equal(x, floor(x)))  # type: ignore[no-any-return]


def _log_gamma_parts(x: Value) -> Value:
    """Stirling's series, after steps to where it is good, and the reflection below 1/2."""
    left, p, rest = _reflected(x)
    small = less(p, float(_START))
    low = where(small, p, 1.0)
    steps = low
    for i in range(1, _START):
        steps = steps * (low + float(i))
    z = where(small, p + float(_START), p)
    terms = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)]
    series = _series(z, 1.0 / z, terms) + (0.5 * math.log(2.0 * math.pi) - z)
    total = (z - 0.5) * log(z) + series - where(small, log(steps), 0.0)
    total = where(equal(p, math.inf), math.inf, total)
    reflection = math.log(math.pi) - log(absolute(sin(math.pi * rest))) - total
    return where(_is_pole(x), math.inf, where(left, reflection, total))  # type: ignore[no-any-return]


def _digamma_parts(x: Value) -> Value:
    left, p, rest = _reflected(x)
    total: Any = 0.0
    for i in range(_START):
        total = 1.0 / (p + float(i)) + total
    z = p + float(_START)
    inverse = 1.0 / z
    terms = [b / (2 * k) for k, b in enumerate(_BERNOULLI, 1)]
    value = log(z) - 0.5 * inverse - _series(z, inverse * inverse, terms) - total
    return where(_is_pole(x), math.nan, where(left, value - math.pi / tan(math.pi * rest), value))  # type: ignore[no-any-return]


def _polygamma_type(x: TensorType, *, order: int) -> TensorType:
    check_kind("polygamma", _REAL, x)
    if order < 1:
        raise TypeMismatchError(f"polygamma's order is at least 1, not {order}; of order 0 it is digamma")
    return x


def _polygamma_parts(x: Value, *, order: int) -> Value:
    """The derivative of digamma's series; below 1/2 the first alone is known, by reflection."""
    if order > 1:
        return where(greater(x, 0.0), _polygamma_above(x, order), math.nan)  # type: ignore[no-any-return]
    left, p, rest = _reflected(x)
    value = _polygamma_above(p, 1)
    return where(_is_pole(x), math.inf, where(left, square(math.pi / sin(math.pi * rest)) - value, value))  # type: ignore[no-any-return]


def _polygamma_above(x: Value, order: int) -> Value:
    total: Any = 0.0
    for i in range(_START):
        total = (x + float(i)) ** float(-order - 1) + total
    z = x + float(_START)
    factorial = float(math.factorial(order))
    lower = math.factorial(order - 1) * z ** float(-order) + 0.5 * factorial * z ** float(-order - 1)
    terms = [b * math.factorial(2 * k + order - 1) / math.factorial(2 * k) for k, b in enumerate(_BERNOULLI, 1)]
    value = lower + _series(z, z ** float(-order - 2), terms) + factorial * total
    return -value if order % 2 == 0 else value  # type: ignore[no-any-return]


erfc = unary("erfc", _erfc, lambda g, out, x: (-_2_OVER_SQRT_PI * g * exp(-(x * x)),), kinds=_REAL,
             bound=Bound(floor=1e-7))  # fmt: skip
erfinv = unary("erfinv", None, lambda g, out, x: (g * exp(out * out) / _2_OVER_SQRT_PI,), _erfinv_parts, kinds=_REAL,
               samples=tuple(sample(s, between=(-0.8, 0.8)) for s in ((2, 3), (), (0, 3))),
               bound=Bound("parts", floor=1e-6))  # fmt: skip
log_gamma = unary("log_gamma", None, lambda g, out, x: (g * digamma(x),), _log_gamma_parts, kinds=_REAL,
                  samples=_GAMMA_SAMPLES[:4], bound=Bound("parts", floor=1e-5))  # fmt: skip
digamma: Op = unary("digamma", None, lambda g, out, x: (g * polygamma(x, order=1),), _digamma_parts, kinds=_REAL,
                samples=_GAMMA_SAMPLES[:4], bound=Bound("parts", floor=1e-6))  # fmt: skip
polygamma: Op = Op("polygamma", _polygamma_type, None,
               lambda g, out, x, *, order: (g * polygamma(x, order=order + 1),), _polygamma_parts,
               samples=(sample((2, 3), between=(0.5, 3.0), order=1), sample((4,), between=(1.0, 20.0), order=2)),
               bound=Bound("parts", floor=1e-6), smooth=True)  # fmt: skip

OPS = (erfc, erfinv, log_gamma, digamma, polygamma)
