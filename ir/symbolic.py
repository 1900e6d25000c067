"""Integer expressions over sympy: the one normal form of symbolic sizes."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy

from .bounds import lower, upper
from .expressions import Floor, Maximum, Minimum, Remainder, text, with_remainders

_LONGEST, _MOST_TERMS, _HIGHEST_POWER, _MOST_OPERANDS = 1000, 4000, 64, 16


@lru_cache(maxsize=1024)
def symbol(name: str) -> Any:
    return sympy.Symbol(name, integer=True, nonnegative=True)


def normal(expression: Any) -> Any:
    expanded = sympy.expand(sympy.sympify(expression))
    return _with_one_half(expanded) if expanded.is_Add and expanded.has(Floor) else expanded


def _with_one_half(sum_: Any) -> Any:
    """A sum with floor(x/2) or floor((x + 1)/2), not both, as together they are x: the one that leaves less of x."""
    for atom in {t for t in sum_.as_coefficients_dict() if isinstance(t, Floor) and t.args[1] == 2}:
        x = atom.args[0] - atom.args[0].as_coeff_Add()[0]
        below, above = Floor(x, atom.args[1]), Floor(x + 1, atom.args[1])
        terms = sum_.as_coefficients_dict()
        halves = terms.get(below, 0) - terms.get(above, 0)
        rest = sympy.expand(sum_ - terms.get(below, 0) * below - terms.get(above, 0) * above + terms.get(above, 0) * x)
        left, whole = rest.as_coefficients_dict(), x.as_coefficients_dict()
        share = {left.get(t, 0) / c for t, c in whole.items()}
        if len(share) == 1 and abs(next(iter(share)) + halves) < abs(next(iter(share))):
            sum_ = sympy.expand(rest + halves * x) - halves * above
        else:
            sum_ = rest + halves * below
    return sum_


@lru_cache(maxsize=4096)
def floor_quotient(a: Any, b: Any) -> Any:
    """floor(a/b): whole multiples of b are taken out, and nested quotients become one."""
    a, b = normal(a), sympy.sympify(b)
    if not b.is_Integer:
        quotient = exact_quotient(a, b)
        return Floor(a, b) if quotient is None else quotient
    return _quotient(a, int(b))


def _quotient(a: Any, b: int) -> Any:
    whole: Any = 0
    rest: Any = 0
    for term in sympy.Add.make_args(a):
        coefficient, _ = term.as_coeff_Mul()
        if term.is_Integer:
            rest += term
        elif coefficient % b == 0:
            whole += term / b
        else:
            rest += term
    constant = int(rest.as_coeff_Add()[0]) if rest != 0 else 0
    whole, rest = whole + constant // b, rest - (constant // b) * b
    if sympy.sympify(rest).is_Integer:
        return normal(whole + int(rest) // b)
    inner = [t for t in sympy.Add.make_args(rest) if isinstance(t, Floor) and t.args[1].is_Integer]
    others = rest - sum(inner)
    if len(inner) == 1 and sympy.sympify(others).is_Integer:
        a_inner, b_inner = inner[0].args
        return normal(whole + floor_quotient(a_inner + others * b_inner, b * int(b_inner)))
    found = _one_case(rest, b)
    if found is not None:
        return normal(whole + found)
    if _is_negative(rest):  # floor(-a/b) is -ceil(a/b)
        return normal(whole - floor_quotient(b - 1 - rest, b))
    return normal(whole + Floor(rest, sympy.Integer(b)))


def _is_negative(sum_: Any) -> bool:
    """Whether the first term, by an order that a change of all signs does not change, has a minus."""
    terms = {t: c for t, c in sum_.as_coefficients_dict().items() if t != 1}
    return bool(terms[min(terms, key=lambda t: (t.has(Floor), sympy.default_sort_key(t)))] < 0)


def _one_case(a: Any, b: int) -> Any | None:
    """floor(a/b) where it is the same operand of a maximum in `a` that gives it for all sizes."""
    atom = next((t for t in sympy.Add.make_args(a) if isinstance(t, Maximum)), None)
    if atom is None:
        return None
    cases = [floor_quotient(a - atom + operand, b) for operand in atom.args]
    return next((x for x in cases if all(lower(x - y) >= 0 for y in cases)), None)


def extremum(kind: type[Maximum] | type[Minimum], operands: Sequence[Any]) -> Any:
    """The largest or smallest: what others exceed for all sizes is left out, what all have in common is taken out."""
    flat = [x for o in map(normal, operands) for x in _apart(kind, o)]
    if len(flat) > _MOST_OPERANDS:
        raise ValueError(f"not a size: the largest or smallest of {len(flat)} sizes is too long")
    kept: list[Any] = []
    for place, x in enumerate(flat):
        others = [*kept, *flat[place + 1 :]]
        beyond = (lower(o - x) if kind is Maximum else lower(x - o) for o in others)
        if not any(b >= 0 for b in beyond):
            kept.append(x)
    if len(kept) == 1:
        return kept[0]
    shift = _constant_part(kept)
    kept = [normal(x - shift) for x in kept]
    factor = int(sympy.gcd_list([t.as_coeff_Mul()[0] for x in kept for t in sympy.Add.make_args(x)]))
    ordered = sorted((normal(x / factor) for x in kept), key=lambda x: (x.is_Integer, sympy.default_sort_key(x)))
    return normal(factor * kind(*ordered) + shift)


def _apart(kind: type[Maximum] | type[Minimum], operand: Any) -> list[Any]:
    """The operands of an extremum within an operand: max(a, b) + c is one of a + c and b + c."""
    terms = [t.as_coeff_Mul() for t in sympy.Add.make_args(operand)]
    within = [(count, atom) for count, atom in terms if isinstance(atom, kind) and count > 0]
    if not within or math.prod(len(atom.args) for _, atom in within) > _MOST_OPERANDS:
        return [operand]
    count, atom = within[0]
    return [x for a in atom.args for x in _apart(kind, normal(operand + count * (a - atom)))]


def _constant_part(operands: Sequence[Any]) -> Any:
    """What makes a known operand zero, or else the least known part: max(H - 3, 0) is what a person writes."""
    known = [x for x in operands if x.is_Integer]
    return known[0] if known else min(x.as_coeff_Add()[0] for x in operands)


def multiply(a: Any, b: Any) -> Any:
    """The product, multiplied out. A text of a stranger may ask for one that never ends."""
    terms = len(sympy.Add.make_args(sympy.sympify(a))) * len(sympy.Add.make_args(sympy.sympify(b)))
    if terms > _MOST_TERMS:
        raise ValueError(f"not a size: a product of {terms} terms is too long")
    return normal(a * b)


def exact_quotient(a: Any, b: Any) -> Any:
    quotient = sympy.expand(sympy.cancel(sympy.sympify(a) / sympy.sympify(b)))
    whole = all(t.as_coeff_Mul()[0].is_Integer for t in sympy.Add.make_args(quotient))
    return quotient if whole and quotient.as_numer_denom()[1] == 1 else None


def simplest(difference: Any) -> Any:
    """What is at least zero exactly where `difference` is, as short as can be."""
    difference = normal(difference)
    terms = difference.as_coefficients_dict()
    constant = terms.pop(sympy.Integer(1), sympy.Integer(0))
    factor = sympy.gcd_list(list(terms.values()))
    if factor > 1:
        return simplest(sum(c * t for t, c in terms.items()) / factor + sympy.floor(constant / factor))
    atom = next((t for t in terms if isinstance(t, Maximum) and terms[t] > 0), None)
    if atom is not None:  # one of its operands is enough: the one that asks for least, where that is known
        cases = [simplest(difference + terms[atom] * (a - atom)) for a in atom.args]
        return next((x for x in cases if all(lower(x - y) >= 0 for y in cases)), difference)
    if len(terms) != 1:
        return difference
    (only, sign), *_ = terms.items()
    if not isinstance(only, Floor) or not only.args[1].is_Integer:
        return difference
    a, b = only.args  # floor(a/b) >= m where a >= b m, and m >= floor(a/b) where b m + b - 1 >= a
    return simplest(a + b * constant if sign > 0 else b * constant + b - 1 - a)


def sides(difference: Any) -> tuple[Any, Any]:
    """Two expressions without a common term, of which `difference` is a multiple of the difference."""
    terms = with_remainders(difference).as_coefficients_dict()
    factor = sympy.gcd_list(list(terms.values()))
    left = sum(c * t for t, c in terms.items() if c > 0) / factor
    right = -sum(c * t for t, c in terms.items() if c < 0) / factor
    return tuple(normal(sympy.sympify(s).replace(Remainder, _remainder)) for s in (left, right))


def _remainder(a: Any, b: Any) -> Any:
    return a - multiply(b, floor_quotient(a, b))


def substitute(expression: Any, replacements: dict[str, Any]) -> Any:
    names = {symbol(k): sympy.sympify(v) for k, v in replacements.items()}
    return normal(_rebuilt(expression, names))


def _rebuilt(e: Any, names: dict[Any, Any]) -> Any:
    """From the inside out, so that each part is in normal form before what it is a part of."""
    if not e.args:
        return names.get(e, e)
    parts = [_rebuilt(a, names) for a in e.args]
    if isinstance(e, Floor):
        return floor_quotient(*parts)
    return extremum(type(e), parts) if isinstance(e, Maximum | Minimum) else e.func(*parts)


def parse(text: str) -> Any:
    """Read an expression of names, ints, + - * %, powers of names, floor(a/b), max and min; nothing is executed.

    A text may come from a stranger: what would take long to multiply out is refused.
    """
    try:
        if len(text) > _LONGEST:
            raise SyntaxError("too long")
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"not a size: {text[:80]!r}: {error}") from None
    return normal(_read(body))


def _read(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return sympy.Integer(value)
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_read(operand)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _read(left) + _read(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _read(left) - _read(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return multiply(_read(left), _read(right))
        case ast.BinOp(left=ast.Name() | ast.Call() as left, op=ast.Pow(), right=ast.Constant(value=int(n))) if (
            0 <= n <= _HIGHEST_POWER
        ):
            return _read(left) ** n
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return _remainder(_read(left), _divisor(right))
        case ast.Call(func=ast.Name(id="floor"), args=[ast.BinOp(left=left, op=ast.Div(), right=right)], keywords=[]):
            return floor_quotient(_read(left), _divisor(right))
        case ast.Call(func=ast.Name(id="max" | "min" as kind), args=[_, _, *_] as operands, keywords=[]):
            return extremum(Maximum if kind == "max" else Minimum, [_read(o) for o in operands])
    raise ValueError(f"not a size: {ast.unparse(node)}")


def _divisor(node: ast.expr) -> Any:
    divisor = sympy.sympify(_read(node))
    if upper(divisor) <= 0:
        raise ValueError(f"not a size: it divides by {ast.unparse(node)}")
    return divisor


__all__ = [
    "Maximum",
    "Minimum",
    "exact_quotient",
    "extremum",
    "floor_quotient",
    "lower",
    "multiply",
    "normal",
    "parse",
    "sides",
    "simplest",
    "substitute",
    "symbol",
    "text",
    "upper",
]
