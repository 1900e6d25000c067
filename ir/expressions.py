"""What symbolic sizes are made of besides sums and products: quotients rounded down, maxima and minima."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.str import StrPrinter


class Floor(sympy.Function):  # type: ignore[misc]  # sympy is untyped
    """floor(a/b) that sympy does not rewrite: a person recognizes `floor((H - 3)/2)`."""

    nargs = 2
    is_integer = True
    is_nonnegative = None


class Maximum(sympy.Function):  # type: ignore[misc]  # sympy is untyped
    """The largest of several, in sympy's own order."""

    is_integer = True
    is_nonnegative = None


class Minimum(sympy.Function):  # type: ignore[misc]  # sympy is untyped
    """The smallest of several, in sympy's own order."""

    is_integer = True
    is_nonnegative = None


class Remainder(sympy.Function):  # type: ignore[misc]  # sympy is untyped
    """a % b in a text; in the normal form it is `a - b*floor(a/b)`."""

    nargs = 2
    is_integer = True


class _Printer(StrPrinter):  # type: ignore[misc]  # sympy is untyped
    def _print_Floor(self, e: Any) -> str:
        a, b = (with_remainders(x) for x in e.args)
        above = self.parenthesize(a, 50) if a.is_Add else self._print(a)
        return f"floor({above}/{self._print(b) if b.is_Atom else self.parenthesize(b, 100)})"

    def _print_Maximum(self, e: Any) -> str:
        return f"max({', '.join(map(self._inner, e.args))})"

    def _print_Minimum(self, e: Any) -> str:
        return f"min({', '.join(map(self._inner, e.args))})"

    def _print_Remainder(self, e: Any) -> str:
        a, b = (self._print(x) if x.is_Symbol or x.is_Integer else f"({self._inner(x)})" for x in e.args)
        return f"({a} % {b})"

    def _inner(self, e: Any) -> str:
        return str(self._print(with_remainders(e)))


def text(expression: Any) -> str:
    """The expression as Python would have it, but for `floor(a/b)`; what is a remainder is written so."""
    shown = with_remainders(expression)
    written = str(_Printer().doprint(shown))
    return written[1:-1] if isinstance(shown, Remainder) else written


def with_remainders(expression: Any) -> Any:
    """`a - b*floor(a/b)` as one `Remainder`, where a sum has all of it."""
    expression = sympy.sympify(expression)
    if not expression.has(Floor):
        return expression
    terms = dict(expression.as_coefficients_dict())
    for atom in sorted((t for t in terms if isinstance(t, Floor) and t.args[1].is_Integer), key=str):
        a, b = atom.args
        count, rest = -terms[atom] / b, expression - terms[atom] * atom
        left = sympy.expand(rest - count * a)
        if count.is_Integer and count != 0 and _length(left) < _length(rest):
            return with_remainders(left) + count * Remainder(a, b)
    return expression


def _length(sum_: Any) -> int:
    return sum(not t.is_Integer for t in sympy.Add.make_args(sum_))
