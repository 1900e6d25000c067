"""Arithmetic, comparisons and elementary functions, written a second time with those of `math`."""

from __future__ import annotations

import math

import numpy as np

from isograd.ir.types import bool_


def each(function):
    """A function of numbers as one of arrays."""
    return lambda *arrays: np.vectorize(function, otypes=[float])(*arrays) if np.broadcast(*arrays).size else 0.0


SECOND = {
    "add": each(lambda x, y: math.fsum((x, y))),
    "subtract": each(lambda x, y: math.fsum((x, -y))),
    "multiply": each(lambda x, y: x / (1.0 / y)),
    "divide": each(lambda x, y: x * (1.0 / y)),
    "power": each(lambda x, y: math.exp(y * math.log(x))),
    "maximum": each(max),
    "minimum": each(min),
    "negative": each(lambda x: 0.0 - x),
    "absolute": each(math.fabs),
    "sign": each(lambda x: (x > 0) - (x < 0)),
    "floor": each(math.floor),
    "ceil": each(math.ceil),
    "round": each(round),
    "square": each(lambda x: math.pow(x, 2)),
    "sqrt": each(lambda x: math.exp(0.5 * math.log(x))),
    "rsqrt": each(lambda x: math.exp(-0.5 * math.log(x))),
    "reciprocal": each(lambda x: x**-1),
    "arcsin": each(math.asin),
    "arccos": each(math.acos),
    "arctan": each(math.atan),
    "tanh": each(math.tanh),
    "erf": each(lambda x: 1.0 - math.erfc(x)),
    "sigmoid": each(lambda x: 0.5 + 0.5 * math.tanh(0.5 * x)),
    "equal": each(lambda x, y: x - y == 0),
    "not_equal": each(lambda x, y: x - y != 0),
    "less": each(lambda x, y: y - x > 0),
    "less_equal": each(lambda x, y: y - x >= 0),
    "greater": each(lambda x, y: x - y > 0),
    "greater_equal": each(lambda x, y: x - y >= 0),
    "logical_and": each(min),
    "logical_or": each(max),
    "logical_xor": each(lambda x, y: abs(int(x) - int(y))),
    "logical_not": each(lambda x: 1 - int(x)),
    "isnan": each(math.isnan),
    "isfinite": each(math.isfinite),
    "where": each(lambda c, x, y: x if c else y),
    "cast": lambda x, *, dtype: each(bool if dtype == bool_ else int if dtype.is_integer else float)(x),
    "stop_gradient": each(float),
    **{
        name: each(getattr(math, name))
        for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh")
    },
}
