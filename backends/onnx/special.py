"""ONNX: special functions."""

from __future__ import annotations

from functools import reduce

from ...ir import ops
from .arithmetic import number
from .builder import Builder, Tensor
from .lowering import by

# log(erfc(x) / t) + x^2 as a polynomial of t = 1 / (1 + x/2), fitted by least squares to x from 0 to 13: within 8e-8.
_TAIL = (
    -1.26551211, 1.00003795, 0.373740068, 0.0999090342, -0.200449856, 0.315736656, -1.19263219, 1.54140329,
    -0.848712382, 0.176479632,
)  # fmt: skip


def _erfc(b: Builder, x: Tensor) -> Tensor:
    """By a polynomial, since 1 - erf(x) has no digits left where x is large."""
    size = b.Abs(x)
    t = b.Reciprocal(b.Add(b.Mul(size, number(b, 0.5)), number(b, 1.0)))
    first, *others = (number(b, c) for c in reversed(_TAIL))
    polynomial = reduce(lambda total, c: b.Add(b.Mul(total, t), c), others, first)
    tail = b.Mul(t, b.Exp(b.Sub(polynomial, b.Mul(size, size))))
    return b.Where(b.Less(x, number(b, 0.0)), b.Sub(number(b, 2.0), tail), tail)  # type: ignore[no-any-return]


rows = {ops.erfc: by(_erfc, "Erf")}  # the float32 of which is the only one there
