"""What can be said of symbolic sizes without knowing them: that one is never below another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import sympy

from .expressions import Floor, Maximum, Minimum

Bound = Fraction | float  # the float is one of the infinities
_DEEPEST = 6  # so many quotients, maxima and minima are looked into, one after the other
_MOST_CASES = 500  # and so many sums in all


def upper(expression: Any) -> Bound:
    """A number that the expression never exceeds, while its symbols are sizes; it need not be the least one."""
    return -lower(sympy.sympify(-expression))


def lower(expression: Any) -> Bound:
    """A number that the expression never falls below, while its symbols are sizes; it need not be the greatest one.

    >>> from isograd.ir.symbolic import floor_quotient, symbol
    >>> n = symbol("N")
    >>> lower(n - 3), lower(n - 2 * floor_quotient(n, 2)), upper(n - 2 * floor_quotient(n, 2))
    (Fraction(-3, 1), Fraction(0, 1), Fraction(1, 1))
    """
    return _search(sympy.expand(expression))


@lru_cache(maxsize=8192)
def _search(expression: Any) -> Bound:
    return _Search().lower(expression, 0)


class _Search:
    """Looks for a bound, so long: what a stranger wrote may have more cases than anyone can wait for."""

    def __init__(self) -> None:
        self.left = _MOST_CASES
        self.found: dict[Any, Bound] = {}

    def lower(self, expression: Any, depth: int) -> Bound:
        if expression not in self.found:
            self.found[expression] = self._lower(expression, depth)
        return self.found[expression]

    def _lower(self, expression: Any, depth: int) -> Bound:
        self.left -= 1
        terms = [(Fraction(int(c.p), int(c.q)), t) for c, t in (a.as_coeff_Mul() for a in _terms(expression))]
        found = sum((self._term(c, t, depth) for c, t in terms), Fraction(0))
        if depth < _DEEPEST and self.left > 0:
            for better in self._cases(expression, terms, depth + 1):
                found = max(found, better)
        return found

    def _term(self, coefficient: Fraction, term: Any, depth: int) -> Bound:
        """The lower bound of one term: a number times a product."""
        if term == 1:
            return coefficient
        low, high = self._product(term, depth)
        bound = low if coefficient > 0 else high
        return coefficient * bound if bound else Fraction(0)

    def _product(self, term: Any, depth: int) -> tuple[Bound, Bound]:
        low: Bound = Fraction(1)
        high: Bound = Fraction(1)
        factors = [f.as_base_exp() for f in sympy.Mul.make_args(term)]
        for base, power in factors:
            a, b = self._interval(base, depth)
            if a < 0 and (len(factors) > 1 or power != 1):
                return -math.inf, math.inf
            low, high = (x * y ** int(power) if x and y else Fraction(0) for x, y in ((low, a), (high, b)))
        return low, high

    def _interval(self, atom: Any, depth: int) -> tuple[Bound, Bound]:
        if atom.is_Symbol:
            return Fraction(0), math.inf
        if depth >= _DEEPEST or self.left <= 0:
            return -math.inf, math.inf
        between = [(self.lower(a, depth + 1), -self.lower(sympy.expand(-a), depth + 1)) for a in atom.args]
        if isinstance(atom, Floor):
            (a, b), divisor = between[0], atom.args[1]
            if not divisor.is_Integer:
                return (Fraction(0), b) if a >= 0 else (-math.inf, math.inf)
            return _rounded(a, int(divisor)), _rounded(b, int(divisor))
        choose = max if isinstance(atom, Maximum) else min
        return choose(a for a, _ in between), choose(b for _, b in between)

    def _cases(self, expression: Any, terms: list[tuple[Fraction, Any]], depth: int) -> Iterator[Bound]:
        """Other lower bounds: an extremum is one of its operands, a quotient is less than one from its rounding."""
        for c, t in terms:
            if isinstance(t, Maximum | Minimum):
                sums = [self.lower(sympy.expand(expression + _number(c) * (a - t)), depth) for a in t.args]
                yield max(sums) if (c > 0) == isinstance(t, Maximum) else min(sums)
        floors = [(c, t) for c, t in terms if isinstance(t, Floor) and t.args[1].is_Integer]
        outer = [(c, t) for c, t in floors if t.args[0].has(Floor, Maximum, Minimum)] or floors
        if floors:
            yield self.lower(sympy.expand(expression + sum(_spread(c, t) for c, t in outer)), depth)
        for (c, s), (d, t) in product(floors, floors):
            if c > 0 > d and s.args[1] == t.args[1]:  # floor(a/b) - floor(a'/b) >= floor((a - a')/b)
                shared, (a, b) = min(c, -d), s.args
                step = _rounded(self.lower(sympy.expand(a - t.args[0]), depth), int(b))
                yield shared * step + self.lower(sympy.expand(expression - _number(shared) * (s - t)), depth)


def _terms(expression: Any) -> Any:
    return sympy.Add.make_args(expression)


def _spread(coefficient: Fraction, quotient: Any) -> Any:
    """How far a quotient lies, at worst, from what it rounds."""
    a, b = quotient.args
    return _number(coefficient) * ((a - (b - 1 if coefficient > 0 else 0)) / b - quotient)


def _rounded(bound: Bound, divisor: int) -> Bound:
    return bound if math.isinf(bound) else Fraction(math.floor(bound / divisor))


def _number(fraction: Fraction) -> Any:
    return sympy.Rational(fraction.numerator, fraction.denominator)
