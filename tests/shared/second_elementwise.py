"""What the elementwise ops of later families compute, written a second time with Python's and mpmath's functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers, with attributes, as one of arrays, whose type the result has where it is of integers."""

    def vectorized(*arrays: Any, **attributes: Any) -> Any:
        first = np.asarray(arrays[0])
        kind = first.dtype if first.dtype.kind in "iu" else np.dtype(float)
        broadcast = np.broadcast_arrays(*arrays)
        made = [
            function(*(v.item() for v in values), **attributes)
            for values in zip(*map(np.ravel, broadcast), strict=True)
        ]
        return np.array([_wrapped(m, kind) for m in made], kind).reshape(broadcast[0].shape)

    return vectorized


def _wrapped(number: Any, dtype: np.dtype[Any]) -> Any:
    """An integer as it is kept in so many bits."""
    if dtype.kind not in "iu":
        return float(number)
    bits = 8 * dtype.itemsize
    low = int(number) % 2**bits
    return low - 2**bits if dtype.kind == "i" and low >= 2 ** (bits - 1) else low


def _quotient(rounding: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def divide(x: Any, y: Any) -> Any:
        if y == 0:
            return 0
        whole = rounding(mpmath.mpf(x) / mpmath.mpf(y))
        return int(whole)

    return divide


def _rest(rounding: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def remainder(x: Any, y: Any) -> Any:
        return x - y * _quotient(rounding)(x, y) if y else 0

    return remainder


def _truncated(x: Any) -> Any:
    return mpmath.floor(x) if x > 0 else mpmath.ceil(x)


def _clip(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else np.where(x < low, low, x)
    return x if high is None else np.where(x > high, high, x)


def _nan_to_num(x: float, *, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> float:
    if math.isnan(x):
        return nan
    if math.isinf(x):
        given = posinf if x > 0 else neginf
        return math.copysign(float(np.finfo(float).max), x) if given is None else given
    return x


def _prelu(x: float, slope: float) -> float:
    return x if x > 0 else slope * x


def _soft_shrink(x: float, *, limit: float = 0.5) -> float:
    return math.copysign(max(abs(x) - limit, 0.0), x)


def _sparse_plus(x: float) -> float:
    return 0.0 if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4


def _sparsemax(x: Any, *, axis: int = -1) -> Any:
    """By the definition of its authors: the largest k of the sorted for which 1 + k z_k is more than their sum."""

    def of_row(row: Any) -> Any:
        ordered = sorted(row, reverse=True)
        k = max(k for k in range(1, len(row) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k]))
        level = (sum(ordered[:k]) - 1) / k
        return np.array([max(v - level, 0.0) for v in row])

    return np.apply_along_axis(of_row, axis, x)


def _softmin(x: Any, *, axis: int = -1) -> Any:
    e = np.exp(-x)
    return e / e.sum(axis, keepdims=True)


def _glu(x: Any, *, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a / (1.0 + np.exp(-b))


def _huber(x: float, y: float, *, delta: float = 1.0) -> float:
    off = abs(x - y)
    return off * off / 2 if off <= delta else delta * (off - delta / 2)


def _shifted(x: int, s: int, bits: int) -> int:
    return (x % 2**bits) >> s


def _logical(x: Any, s: Any) -> Any:
    bits = 8 * x.dtype.itemsize
    return each(lambda a, b: _shifted(a, b, bits))(x, s)


SECOND: dict[str, Callable[..., Any]] = {
    "arcsinh": each(mpmath.asinh),
    "arccosh": each(mpmath.acosh),
    "arctanh": each(mpmath.atanh),
    "isinf": each(math.isinf),
    "trunc": each(math.trunc),
    "truncated_remainder": each(_rest(_truncated)),
    "remainder": each(_rest(mpmath.floor)),
    "truncated_divide": each(_quotient(_truncated)),
    "floor_divide": each(_quotient(mpmath.floor)),
    "divide_no_nan": each(lambda x, y: x / y if y else 0.0),
    "copysign": each(math.copysign),
    "exp2": each(lambda x: 2.0**x),
    "log2": each(math.log2),
    "log10": each(math.log10),
    "sinc": each(mpmath.sincpi),
    "logit": each(lambda x: math.log(x) - math.log1p(-x)),
    "arctan2": each(math.atan2),
    "hypot": each(math.hypot),
    "logaddexp": each(lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y))),
    "xlogy": each(lambda x, y: x * math.log(y)),
    "xlog1py": each(lambda x, y: x * math.log1p(y)),
    "erfc": each(mpmath.erfc),
    "erfinv": each(mpmath.erfinv),
    "log_gamma": each(lambda x: mpmath.log(abs(mpmath.gamma(x)))),
    "digamma": each(mpmath.digamma),
    "polygamma": each(lambda x, *, order: mpmath.polygamma(order, x)),
    "bitwise_and": each(lambda x, y: x & y),
    "bitwise_or": each(lambda x, y: x | y),
    "bitwise_xor": each(lambda x, y: (x | y) - (x & y)),
    "bitwise_not": each(lambda x: -1 - x),
    "shift_left": each(lambda x, s: x * 2**s),
    "shift_right": each(lambda x, s: x // 2**s),
    "shift_right_logical": _logical,
    "bitcast": lambda x, *, dtype: np.frombuffer(x.tobytes(), dtype.numpy).reshape(x.shape),
    "clip": _clip,
    "nan_to_num": each(_nan_to_num),
    "lerp": each(lambda x, y, w: (1.0 - w) * x + w * y),
    "mish": each(lambda x: x * math.tanh(math.log1p(math.exp(x)))),
    "tanh_shrink": each(lambda x: x - math.tanh(x)),
    "squareplus": each(lambda x, *, b=4.0: (x + math.sqrt(x * x + b)) / 2),
    "softmin": _softmin,
    "glu": _glu,
    "hard_swish": each(lambda x: x * sorted((0.0, x / 6.0 + 0.5, 1.0))[1]),
    "hard_tanh": each(lambda x, *, low=-1.0, high=1.0: sorted((low, x, high))[1]),
    "threshold": each(lambda x, *, threshold, value=0.0: x if x > threshold else value),
    "soft_shrink": each(_soft_shrink),
    "hard_shrink": each(lambda x, *, limit=0.5: x if abs(x) > limit else 0.0),
    "celu": each(lambda x, *, alpha=1.0: max(0.0, x) + min(0.0, alpha * (math.exp(x / alpha) - 1.0))),
    "prelu": each(_prelu),
    "sparse_plus": each(_sparse_plus),
    "sparse_sigmoid": each(lambda x: sorted((0.0, (x + 1) / 2, 1.0))[1]),
    "sparsemax": _sparsemax,
    "huber": each(_huber),
    "log_cosh": each(lambda x: mpmath.log(mpmath.cosh(x))),
}
