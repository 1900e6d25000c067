"""Formulas such as `relu(h @ w + b)`: read through Python's `ast` with a closed grammar, and never executed.

    formula  = name | number | -formula | formula (+ - * / ** @) formula | formula (< <= > >= == !=) formula
             | function(formula, ..., attribute=literal, ...)
    literal  = number | text | True | False | None | name of a size | (literal, ...) | [literal, ...]

Names are inputs, parameters and tensors; functions are isograd's ops by their names.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...ir import ops
from ...ir.dims import Size
from ...ir.errors import TypeMismatchError
from ...ir.graph import Graph, Value
from ...ir.op import Op
from ...ir.types import DTYPES, dtype_of
from .names import hint
from .options import OptionError, show

LONGEST, DEEPEST = 4096, 100  # characters of a formula, and how deep it nests
# Ops without operands, with several results, with random bits, and those that only gradients need.
_LEFT_OUT = {
    "constant", "size", "arange", "batch_norm", *(op.name for op in (*ops.random.OPS, *ops.sampling.OPS)),
    "conv_input_gradient", "conv_filter_gradient", "max_pool_gradient", "max_pool_select", "average_pool_gradient",
}  # fmt: skip


def expand_dims(x: Value, *, axis: int) -> Value:
    return ops.expand_dims(x, axis)


def squeeze(x: Value, *, axis: int) -> Value:
    size = x.shape[ops.normalize_axis(axis, x.rank)]
    if size != 1:
        raise TypeMismatchError(f"squeeze removes axes of size 1, but axis {axis} of {x.type} has the size {size}")
    return ops.squeeze(x, axis)


def linear(x: Value) -> Value:
    return x


Function = Op | Callable[..., Value]
FUNCTIONS: dict[str, Function] = {
    **{name: op for name, op in ops.BY_NAME.items() if name not in _LEFT_OUT},
    "expand_dims": expand_dims, "squeeze": squeeze, "linear": linear, "swish": ops.silu, "exponential": ops.exp,
}  # fmt: skip
_BINARY: dict[type, tuple[str, Op]] = {
    ast.Add: ("+", ops.add), ast.Sub: ("-", ops.subtract), ast.Mult: ("*", ops.multiply), ast.Div: ("/", ops.divide),
    ast.Pow: ("**", ops.power), ast.MatMult: ("@", ops.matmul),
    ast.Lt: ("<", ops.less), ast.LtE: ("<=", ops.less_equal), ast.Gt: (">", ops.greater),
    ast.GtE: (">=", ops.greater_equal), ast.Eq: ("==", ops.equal), ast.NotEq: ("!=", ops.not_equal),
}  # fmt: skip
_GRAMMAR = "a formula has names, numbers, + - * / ** @, comparisons, and calls of functions"


@dataclass(frozen=True)
class Formula:
    """A formula that is in the grammar, and the tensors that it names, by first use."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]


def parse_formula(text: str) -> Formula:
    """Read a formula; raises `OptionError` where it is not in the grammar.

    >>> parse_formula("relu(h @ w + b)").names
    ('h', 'w', 'b')
    """
    if len(text) > LONGEST:
        raise OptionError(f"a formula has at most {LONGEST:,} characters, and this one has {len(text):,}")
    try:
        tree = ast.parse(text.replace("\n", " ").strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise OptionError(f"{show(text)} is not a formula: {getattr(error, 'msg', error)}") from None
    except (RecursionError, MemoryError):
        raise OptionError(_DEEP) from None
    return Formula(text, tree, tuple(dict.fromkeys(_names(tree, 0))))


_DEEP = f"a formula nests at most {DEEPEST} deep; tensors under names of their own can hold its parts"


def _names(node: ast.expr, depth: int) -> Iterator[str]:
    """The tensors that a formula names; raises where the formula is not in the grammar."""
    if depth > DEEPEST:
        raise OptionError(_DEEP)
    parts: list[ast.expr] = []
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not math.isfinite(value):
                raise OptionError(f"a number in a formula is finite, not {ast.unparse(node)}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            parts = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            parts = [left, right]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _BINARY:
            parts = [left, right]
        case ast.Call(func=ast.Name(id=name), args=operands, keywords=keywords):
            _check_call(name, node, keywords)
            parts = operands
        case _:
            raise _refused(node)
    for part in parts:
        yield from _names(part, depth + 1)


def _refused(node: ast.expr) -> OptionError:
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return OptionError(f"`{_cut(node)}`: compare two things at a time; logical_and(a < b, b < c) joins comparisons")
    return OptionError(f"`{_cut(node)}` cannot stand in a formula: {_GRAMMAR}")


def _cut(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _check_call(name: str, node: ast.expr, keywords: list[ast.keyword]) -> None:
    if name not in FUNCTIONS:
        raise OptionError(f"unknown function {name!r}{hint(name, FUNCTIONS)}")
    known = _attributes(FUNCTIONS[name])
    for keyword in keywords:
        if keyword.arg is None:
            raise _refused(node)
        if sum(k.arg == keyword.arg for k in keywords) > 1:
            raise OptionError(f"the attribute {keyword.arg!r} of {name} stands there twice")
        if keyword.arg not in known:
            there = hint(keyword.arg, known) or "; it has none"
            raise OptionError(f"the function {name} has no attribute {keyword.arg!r}{there}")
        _literal(keyword.value, None)


def _attributes(function: Function) -> Mapping[str, inspect.Parameter]:
    rule = function.type_rule if isinstance(function, Op) else function
    return {n: p for n, p in inspect.signature(rule).parameters.items() if p.kind is p.KEYWORD_ONLY}


def _literal(node: ast.expr, sizes: Mapping[str, Size] | None) -> Any:
    """The value of an attribute. Without `sizes` its form alone is checked."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(_literal(item, sizes) for item in items)
        case ast.Name(id=name):
            if sizes is not None and name not in sizes:
                raise OptionError(f"unknown size {name!r}{hint(name, sizes)}")
            return 0 if sizes is None else sizes[name]
    raise OptionError(
        f"an attribute is a number, a text, True, False, None, a size or a list of these, not `{_cut(node)}`"
    )


def evaluate_formula(formula: Formula, graph: Graph, tensors: Mapping[str, Value], sizes: Mapping[str, Size]) -> Value:
    """Append a formula to a graph. Raises `OptionError` or `TypeMismatchError`."""
    result = _Evaluation(graph, tensors, sizes).value(formula.tree)
    if not isinstance(result, Value):
        raise OptionError(f"the formula {show(formula.text)} is the number {result}; a tensor is needed")
    return result


@dataclass(frozen=True)
class _Evaluation:
    graph: Graph
    tensors: Mapping[str, Value]
    sizes: Mapping[str, Size]

    def value(self, node: ast.expr) -> Value | int | float:
        match node:
            case ast.Name(id=name):
                return self.tensors[name]
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.UnaryOp(operand=operand):
                return -self.value(operand)
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._binary(type(op), self.value(left), self.value(right))
            case ast.Call(func=ast.Name(id=name), args=operands, keywords=keywords):
                return self._call(name, [self.value(o) for o in operands], {k.arg or "": k.value for k in keywords})
        raise AssertionError("the grammar was checked when the formula was read")

    def _binary(self, kind: type, left: Value | int | float, right: Value | int | float) -> Value | int | float:
        sign, op = _BINARY[kind]
        if isinstance(left, Value) or isinstance(right, Value):
            return op(left, right)  # type: ignore[no-any-return]
        return _folded(sign, left, right)

    def _call(self, name: str, operands: list[Any], keywords: Mapping[str, ast.expr]) -> Value:
        function, known = FUNCTIONS[name], _attributes(FUNCTIONS[name])
        if not any(isinstance(o, Value) for o in operands):
            raise OptionError(f"the function {name} needs a tensor")
        attributes = {key: _typed(name, known[key], _literal(node, self.sizes)) for key, node in keywords.items()}
        missing = [key for key, p in known.items() if p.default is p.empty and key not in attributes]
        if missing:
            raise OptionError(f"the function {name} needs the attribute {missing[0]!r}")
        if not isinstance(function, Op) and len(operands) != 1:
            raise OptionError(f"the function {name} takes one tensor, not {len(operands)}")
        return function(*operands, **attributes)


def _folded(sign: str, left: float, right: float) -> float:
    """Two numbers joined, as float64; a power of ints could take a year."""
    joins: dict[str, Callable[[float, float], float]] = {
        "+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": float.__truediv__, "**": math.pow,
    }  # fmt: skip
    if sign not in joins:
        raise OptionError(f"`{left} {sign} {right}` has no tensor")
    try:
        result = joins[sign](float(left), float(right))
    except (ArithmeticError, ValueError):
        result = math.nan
    if not math.isfinite(result):
        raise OptionError(f"`{left} {sign} {right}` is not a finite number")
    return result


def _typed(function: str, parameter: inspect.Parameter, value: Any) -> Any:
    """An attribute's value as its schema wants it: the annotation of the op's type rule."""
    words, check = _KINDS[str(parameter.annotation).partition(" = ")[0]]
    if str(parameter.annotation) == "DType" and value in _DTYPE_NAMES:
        return dtype_of(value)
    if not check(value):
        raise OptionError(f"{parameter.name} of {function} must be {words}, not {_shown(value)}")
    return float(value) if str(parameter.annotation) == "float" else value


def _shown(value: Any) -> str:
    return f"[{', '.join(map(_shown, value))}]" if isinstance(value, tuple) else repr(value)


_DTYPE_NAMES = {name for d in DTYPES for name in (d.name, d.short)}


def _int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _size(value: Any) -> bool:
    return _int(value) or isinstance(value, Size)


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(map(check, value))


_pair = _list_of(_int)
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number", _int),
    "float": ("a number", lambda v: _int(v) or (isinstance(v, float) and math.isfinite(v))),
    "bool": ("True or False", lambda v: isinstance(v, bool)),
    "str": ("a text", lambda v: isinstance(v, str)),
    "DType": ("the name of an element type such as 'float32'", lambda v: False),
    "Size": ("a size", _size),
    "Axes": ("a list of axes", lambda v: v is None or _list_of(_int)(v)),
    "tuple[int, ...]": ("a list of whole numbers", _list_of(_int)),
    "tuple[Size, ...]": ("a list of sizes", _list_of(_size)),
    "Pairs": ("a list of pairs of whole numbers", _list_of(lambda v: _pair(v) and len(v) == 2)),
}


def formula_types() -> set[str]:
    """The kinds of attributes that the functions have; a test asserts that each can be checked."""
    return {str(p.annotation) for f in FUNCTIONS.values() for p in _attributes(f).values()} - _KINDS.keys()
