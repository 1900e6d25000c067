"""Integer expressions over sympy: the one normal form of symbolic sizes."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

import sympy


class floor_quotient_(sympy.Function):  # type: ignore[misc]  # sympy is untyped
    """floor(a/b) that sympy does not rewrite: a person recognizes `floor((H - 3)/2)`."""

    nargs = 2
    is_integer = True
    is_nonnegative = None

    def _sympystr(self, printer: Any) -> str:
        a, b = self.args
        return f"floor({printer.parenthesize(a, 50) if a.is_Add else printer._print(a)}/{b})"


_LONGEST, _MOST_TERMS, _HIGHEST_POWER = 1000, 4000, 64


@lru_cache(maxsize=1024)
def symbol(name: str) -> Any:
    return sympy.Symbol(name, integer=True, nonnegative=True)


def normal(expression: Any) -> Any:
    return sympy.expand(sympy.sympify(expression))


@lru_cache(maxsize=4096)
def floor_quotient(a: Any, b: int) -> Any:
    """floor(a/b): whole multiples of b are taken out, and nested quotients become one."""
    a = normal(a)
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
    inner = [t for t in sympy.Add.make_args(rest) if isinstance(t, floor_quotient_)]
    others = rest - sum(inner)
    if len(inner) == 1 and sympy.sympify(others).is_Integer:
        a_inner, b_inner = inner[0].args
        return normal(whole + floor_quotient(a_inner + others * b_inner, b * int(b_inner)))
    return normal(whole + floor_quotient_(rest, sympy.Integer(b)))


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


def substitute(expression: Any, replacements: dict[str, Any]) -> Any:
    replaced = expression.subs({symbol(k): v for k, v in replacements.items()}, simultaneous=True)
    return replaced.replace(floor_quotient_, lambda a, b: floor_quotient(a, int(b)))


def parse(text: str) -> Any:
    """Read an expression of names, ints, + - *, powers of names, and floor(a/b); nothing is executed.

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
        case ast.Call(
            func=ast.Name(id="floor"), args=[ast.BinOp(left=a, op=ast.Div(), right=ast.Constant(value=int(b)))]
        ) if b > 0:
            return floor_quotient(_read(a), b)
    raise ValueError(f"not a size: {ast.unparse(node)}")
