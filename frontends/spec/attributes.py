"""The attributes of functions in formulas: literals, checked against the annotations of an op's type rule."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from ...ir.dims import Size
from ...ir.op import Op
from ...ir.types import DTYPES, dtype_of
from .names import hint
from .options import OptionError

INFINITE = "inf"  # a literal, where no size has this name


def attributes_of(function: Op | Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The keyword-only parameters of an op's type rule, or of a function."""
    rule = function.type_rule if isinstance(function, Op) else function
    return {n: p for n, p in inspect.signature(rule).parameters.items() if p.kind is p.KEYWORD_ONLY}


def cut(node: ast.expr) -> str:
    """A part of a formula as it was written, cut to a readable length."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def literal(node: ast.expr, sizes: Mapping[str, Size] | None) -> Any:
    """The value of an attribute. Without `sizes` its form alone is checked."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) | ast.Name(id="inf") as operand):
            return -literal(operand, sizes)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(literal(item, sizes) for item in items)
        case ast.Name(id=name):
            if name == INFINITE and name not in (sizes or {}):
                return math.inf
            if sizes is not None and name not in sizes:
                raise OptionError(f"unknown size {name!r}{hint(name, sizes)}")
            return 0 if sizes is None else sizes[name]
    raise OptionError(
        f"an attribute is a number, a text, True, False, None, a size or a list of these, not `{cut(node)}`"
    )


def typed(function: str, parameter: inspect.Parameter, value: Any) -> Any:
    """An attribute's value as its schema wants it: the annotation of the op's type rule."""
    annotation = str(parameter.annotation)
    words, check = KINDS[annotation]
    if annotation == "DType" and value in _DTYPE_NAMES:
        return dtype_of(value)
    if not check(value):
        raise OptionError(f"{parameter.name} of {function} must be {words}, not {_shown(value)}")
    return float(value) if annotation.startswith("float") and value is not None else value


def _shown(value: Any) -> str:
    return f"[{', '.join(map(_shown, value))}]" if isinstance(value, tuple) else repr(value)


_DTYPE_NAMES = {name for d in DTYPES for name in (d.name, d.short)}
Check = Callable[[Any], bool]


def _int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _size(value: Any) -> bool:
    return _int(value) or isinstance(value, Size)


def _float(value: Any) -> bool:
    return _int(value) or isinstance(value, float)


def _list_of(check: Check, length: int | None = None) -> Check:
    return lambda value: (
        isinstance(value, tuple) and all(map(check, value)) and (length is None or len(value) == length)
    )


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


_axes = _or_none(_list_of(_int))
_pairs = _list_of(_list_of(_int, 2))
KINDS: dict[str, tuple[str, Check]] = {
    "int": ("a whole number", _int),
    "float": ("a number", _float),
    "float | None": ("a number or None", _or_none(_float)),
    "bool": ("True or False", lambda v: isinstance(v, bool)),
    "str": ("a text", lambda v: isinstance(v, str)),
    "DType": ("the name of an element type such as 'float32'", lambda v: False),
    "Size": ("a size", _size),
    "Size | None": ("a size or None", _or_none(_size)),
    "Size | tuple[int, ...]": ("a size or a list of whole numbers", lambda v: _size(v) or _list_of(_int)(v)),
    "Axes": ("a list of axes", _axes),
    "tuple[Axes, Axes]": ("two lists of axes", _list_of(_axes, 2)),
    "tuple[int, ...]": ("a list of whole numbers", _list_of(_int)),
    "tuple[int, int]": ("a list of two whole numbers", _list_of(_int, 2)),
    "tuple[float, ...]": ("a list of numbers", _list_of(_float)),
    "tuple[Size, ...]": ("a list of sizes", _list_of(_size)),
    "tuple[tuple[int, int], ...]": ("a list of pairs of whole numbers", _pairs),
    "Pairs": ("a list of pairs of whole numbers", _pairs),
}
