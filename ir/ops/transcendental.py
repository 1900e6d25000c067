"""Functions made of logarithms, exponentials and angles, and the choices that keep them finite where they may be."""

from __future__ import annotations

import math
from typing import Any

from ..graph import Value
from ..op import Bound, sample
from .arithmetic import (
    PAIRS,
    POSITIVE,
    absolute,
    arctan,
    binary,
    cos,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    power,
    sin,
    sqrt,
    unary,
)  # fmt: skip
from .comparison import equal, greater, isnan, less_equal, logical_and, logical_not, where
from .division import copysign

_REAL = ("float",)
_BOUND = Bound("parts", floor=1e-7)
_MIXED = tuple(
    sample(a, b, between=(0.25, 3.0)) for a, b in (((2, 3), (2, 3)), ((2, 1), (1, 3)), ((), (4,)), ((0, 3), (3,)))
)


def _log_of_base(base: float) -> Any:
    factor = 1.0 / math.log(base)
    return (lambda g, out, x: (factor * g / x,)), (lambda x: factor * log(x))


def _arctan2_parts(y: Value, x: Value) -> Value:
    """The angle in the first octant, and where it is mirrored to."""
    long, short = maximum(absolute(x), absolute(y)), minimum(absolute(x), absolute(y))
    ratio = where(equal(short, long), 1.0, short / long)  # infinity over itself is 1 here
    angle = arctan(where(equal(short, 0.0), short, ratio))
    angle = where(greater(absolute(y), absolute(x)), 0.5 * math.pi - angle, angle)
    return copysign(where(copysign(1.0, x) < 0.0, math.pi - angle, angle), y)  # type: ignore[no-any-return]


def _arctan2_gradient(g: Value, out: Value, y: Value, x: Value) -> tuple[Value, Value]:
    """0 at the origin, where there is no angle."""
    length = x * x + y * y
    share = where(equal(length, 0.0), 0.0, g / where(equal(length, 0.0), 1.0, length))
    return share * x, -share * y


def _hypot_parts(x: Value, y: Value) -> Value:
    """The longer side is taken out first, lest its square overflows."""
    long, short = maximum(absolute(x), absolute(y)), minimum(absolute(x), absolute(y))
    ratio = short / where(logical_and(long > 0.0, long < math.inf), long, 1.0)
    return where(equal(long, math.inf), math.inf, long * sqrt(1.0 + ratio * ratio))  # type: ignore[no-any-return]


def _hypot_gradient(g: Value, out: Value, x: Value, y: Value) -> tuple[Value, Value]:
    share = where(equal(out, 0.0), 0.0, g / where(equal(out, 0.0), 1.0, out))
    return share * x, share * y


def _logaddexp_parts(x: Value, y: Value) -> Value:
    apart = maximum(x, y) + log1p(exp(-absolute(x - y)))
    return where(equal(x, y), x + math.log(2.0), apart)  # type: ignore[no-any-return]  # x - y of infinities is NaN


def _logaddexp_gradient(g: Value, out: Value, x: Value, y: Value) -> tuple[Value, Value]:
    return g * exp(x - out), g * exp(y - out)


def _vanishes(x: Value, y: Value) -> Value:
    """Whether a product with a logarithm is 0 whatever the logarithm is."""
    return logical_and(equal(x, 0.0), logical_not(isnan(y)))  # type: ignore[no-any-return]


def _times(logarithm: Any, offset: float) -> Any:
    """Parts and gradient of x log(y + offset), which is 0 where x is 0, with no slope where y + offset is 0 too."""

    def parts(x: Value, y: Value) -> Value:
        zero = _vanishes(x, y)
        return where(zero, 0.0, x * logarithm(where(zero, 1.0, y)))  # type: ignore[no-any-return]

    def gradient(g: Value, out: Value, x: Value, y: Value) -> tuple[Value, Value]:
        zero = _vanishes(x, y)
        outside = logical_and(zero, less_equal(y, -offset))
        to_y = where(zero, 0.0, g * x / (where(zero, 1.0, y) + offset))
        return where(outside, 0.0, g * logarithm(where(outside, 1.0, y))), to_y

    return parts, gradient


def _sinc_parts(x: Value) -> Value:
    angle = math.pi * where(equal(x, 0.0), 1.0, x)
    return where(equal(x, 0.0), 1.0, sin(angle) / angle)  # type: ignore[no-any-return]


def _sinc_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    return (where(equal(x, 0.0), 0.0, g * (cos(math.pi * x) - out) / where(equal(x, 0.0), 1.0, x)),)


_LOG2, _LOG10 = _log_of_base(2.0), _log_of_base(10.0)
_XLOGY, _XLOG1PY = _times(log, 0.0), _times(log1p, 1.0)

exp2 = unary("exp2", None, lambda g, out, x: (math.log(2.0) * g * out,), lambda x: power(2.0, x), kinds=_REAL,
             bound=Bound("parts"))  # fmt: skip
log2 = unary("log2", None, *_LOG2, kinds=_REAL, samples=POSITIVE, bound=_BOUND)
log10 = unary("log10", None, *_LOG10, kinds=_REAL, samples=POSITIVE, bound=_BOUND)
sinc = unary("sinc", None, _sinc_gradient, _sinc_parts, kinds=_REAL, bound=_BOUND,
             samples=tuple(sample(s, between=(0.25, 2.0)) for s in ((2, 3), (), (0, 3))))  # fmt: skip
logit = unary("logit", None, lambda g, out, x: (g / (x * (1.0 - x)),), lambda x: log(x / (1.0 - x)), kinds=_REAL,
              samples=tuple(sample(s, between=(0.1, 0.9)) for s in ((2, 3), ())), bound=_BOUND)  # fmt: skip
arctan2 = binary("arctan2", None, _arctan2_gradient, _arctan2_parts, kinds=_REAL, bound=Bound("parts"),
                 samples=PAIRS)  # fmt: skip
hypot = binary("hypot", None, _hypot_gradient, _hypot_parts, kinds=_REAL, bound=Bound("parts"), samples=PAIRS)
logaddexp = binary("logaddexp", None, _logaddexp_gradient, _logaddexp_parts, kinds=_REAL, bound=_BOUND, samples=PAIRS)
xlogy = binary("xlogy", None, _XLOGY[1], _XLOGY[0], kinds=_REAL, bound=_BOUND, samples=_MIXED)
xlog1py = binary("xlog1py", None, _XLOG1PY[1], _XLOG1PY[0], kinds=_REAL, bound=_BOUND, samples=_MIXED)

OPS = (exp2, log2, log10, sinc, logit, arctan2, hypot, logaddexp, xlogy, xlog1py)
