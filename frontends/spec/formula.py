"""Formulas such as `relu(h @ w + b)`: read through Python's `ast` with a closed grammar, and never executed.

    formula  = name | name.name | number | -formula
             | formula (+ - * / // % ** @) formula | formula (< <= > >= == !=) formula
             | formula[place, ...] | function(operand, ..., operand=operand, ..., attribute=literal, ...)
    operand  = formula | None
    place    = whole number | first : last : step
    literal  = number | text | True | False | None | inf | name of a size | (literal, ...) | [literal, ...]

Names are inputs, parameters and tensors; with dots, the arrays of layers (`embedding.embeddings`). Functions are
isograd's ops by their names. Several results of a function are told apart by a place, `top_k(x, k=3)[0]`, or by names
of their own (see `program`).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...ir import ops
from ...ir.dims import Size
from ...ir.errors import TypeMismatchError
from ...ir.graph import Graph, Value
from ...ir.op import Op
from .attributes import KINDS, attributes_of, cut, literal, typed
from .names import hint
from .options import OptionError, show
from .places import check_places, taken

LONGEST, DEEPEST = 4096, 100  # characters of a formula, and how deep it nests
# Ops that have no place in a formula, and why.
_GRADIENTS = "only gradients need it"
_RANDOM = "layers such as dropout and gaussian_noise draw random numbers"
_GRAPHS = "its attributes are graphs, and a spec has no words for them; the layers lstm, gru and simple_rnn are loops"
LEFT_OUT = {
    "constant": "a number, or a parameter with a `value`, is one",
    "batch_norm": "the layer batch_normalization keeps the moving averages",
    **dict.fromkeys(("scan", "while_loop", "cond"), _GRAPHS),
    **dict.fromkeys((op.name for op in (*ops.random.OPS, *ops.sampling.OPS)), _RANDOM),
    "fractional_max_pool": "its windows are random, and the spec has no layer of it",
    "conv_input_gradient": "conv_transpose is the function of this kind", "conv_filter_gradient": _GRADIENTS,
    "max_pool_gradient": _GRADIENTS, "max_pool_select": _GRADIENTS, "average_pool_gradient": _GRADIENTS,
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
    **{name: op for name, op in ops.BY_NAME.items() if name not in LEFT_OUT},
    "expand_dims": expand_dims, "squeeze": squeeze, "linear": linear, "swish": ops.silu, "exponential": ops.exp,
}  # fmt: skip
_BINARY: dict[type, tuple[str, Op]] = {
    ast.Add: ("+", ops.add), ast.Sub: ("-", ops.subtract), ast.Mult: ("*", ops.multiply), ast.Div: ("/", ops.divide),
    ast.FloorDiv: ("//", ops.floor_divide), ast.Mod: ("%", ops.remainder),
    ast.Pow: ("**", ops.power), ast.MatMult: ("@", ops.matmul),
    ast.Lt: ("<", ops.less), ast.LtE: ("<=", ops.less_equal), ast.Gt: (">", ops.greater),
    ast.GtE: (">=", ops.greater_equal), ast.Eq: ("==", ops.equal), ast.NotEq: ("!=", ops.not_equal),
}  # fmt: skip
_GRAMMAR = "a formula has names, numbers, + - * / // % ** @, comparisons, x[...], and calls of functions"


@dataclass(frozen=True)
class Formula:
    """A formula that is in the grammar, and the tensors and the layers' arrays that it names, by first use."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    paths: tuple[str, ...] = ()


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
    found = dict.fromkeys(_names(tree, 0))
    names = dict.fromkeys(name.partition(".")[0] for name in found)
    return Formula(text, tree, tuple(names), tuple(name for name in found if "." in name))


_DEEP = f"a formula nests at most {DEEPEST} deep; tensors under names of their own can hold its parts"


def _names(node: ast.expr, depth: int) -> Iterator[str]:
    """The tensors that a formula names; raises where the formula is not in the grammar."""
    if depth > DEEPEST:
        raise OptionError(_DEEP)
    parts: list[ast.expr] = []
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Attribute():
            yield _path(node)
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
            parts = _call_parts(name, node, operands, keywords)
        case ast.Subscript(value=value, slice=place):
            check_places(place)
            parts = [value]
        case _:
            raise _refused(node)
    for part in parts:
        yield from _names(part, depth + 1)


def _path(node: ast.expr) -> str:
    """The dotted name of an array of a layer."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_path(value)}.{name}"
    raise _refused(node)


def _refused(node: ast.expr) -> OptionError:
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return OptionError(f"`{cut(node)}`: compare two things at a time; logical_and(a < b, b < c) joins comparisons")
    return OptionError(f"`{cut(node)}` cannot stand in a formula: {_GRAMMAR}")


def _call_parts(name: str, node: ast.expr, operands: list[ast.expr], keywords: list[ast.keyword]) -> list[ast.expr]:
    """The operands of a call; raises where its function or an attribute is not known."""
    if name in LEFT_OUT:
        raise OptionError(f"{name} cannot stand in a formula: {LEFT_OUT[name]}")
    if name not in FUNCTIONS:
        raise OptionError(f"unknown function {name!r}{hint(name, FUNCTIONS)}")
    function = FUNCTIONS[name]
    known, parts = attributes_of(function), list(operands)
    for keyword in keywords:
        if keyword.arg is None:
            raise _refused(node)
        if sum(k.arg == keyword.arg for k in keywords) > 1:
            raise OptionError(f"the attribute {keyword.arg!r} of {name} stands there twice")
        if keyword.arg in known:
            literal(keyword.value, None)
        elif keyword.arg in _operand_names(function)[len(operands) :]:
            parts.append(keyword.value)
        else:
            there = hint(keyword.arg, known) or "; it has none"
            raise OptionError(f"the function {name} has no attribute {keyword.arg!r}{there}")
    return [part for part in parts if not _is_none(part)]


def _operand_names(function: Function) -> tuple[str, ...]:
    """What the operands of a function are called, where their number is fixed."""
    return function.signature.operands if isinstance(function, Op) and not function.signature.variadic else ()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def evaluate_formula(formula: Formula, graph: Graph, tensors: Mapping[str, Value], sizes: Mapping[str, Size]) -> Value:
    """Append a formula of one result to a graph. Raises `OptionError` or `TypeMismatchError`."""
    results = evaluate_all(formula, graph, tensors, sizes)
    if len(results) > 1:
        raise OptionError(
            f"the formula {show(formula.text)} gives {len(results)} tensors: take one with `[0]`, or name each"
        )
    return results[0]


def evaluate_all(
    formula: Formula, graph: Graph, tensors: Mapping[str, Value], sizes: Mapping[str, Size]
) -> tuple[Value, ...]:
    """Append a formula to a graph, and give all of its results."""
    result = _Evaluation(graph, tensors, sizes).value(formula.tree)
    if isinstance(result, tuple):
        return result
    if not isinstance(result, Value):
        raise OptionError(f"the formula {show(formula.text)} is the number {result}; a tensor is needed")
    return (result,)


@dataclass(frozen=True)
class _Evaluation:
    graph: Graph
    tensors: Mapping[str, Value]
    sizes: Mapping[str, Size]

    def value(self, node: ast.expr) -> Any:
        """A tensor, a number, or the tuple of a function's several results."""
        match node:
            case ast.Name(id=name):
                return self.tensors[name]
            case ast.Attribute():
                return self.tensors[_path(node)]
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.UnaryOp(operand=operand):
                return -self.one(operand)
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._binary(type(op), self.one(left), self.one(right))
            case ast.Call(func=ast.Name(id=name), args=operands, keywords=keywords):
                return self._call(name, operands, {k.arg or "": k.value for k in keywords})
            case ast.Subscript(value=value, slice=place):
                return taken(self.value(value), place, self.sizes)
        raise AssertionError("the grammar was checked when the formula was read")

    def one(self, node: ast.expr) -> Any:
        """An operand: a tensor or a number, or None for one that is left out."""
        if _is_none(node):
            return None
        value = self.value(node)
        if isinstance(value, tuple):
            raise OptionError(f"`{cut(node)}` gives {len(value)} tensors: take one with `[0]`")
        return value

    def _binary(self, kind: type, left: Any, right: Any) -> Value | int | float:
        sign, op = _BINARY[kind]
        if isinstance(left, Value) or isinstance(right, Value):
            return op(left, right)  # type: ignore[no-any-return]
        return _folded(sign, left, right)

    def _call(self, name: str, nodes: list[ast.expr], keywords: Mapping[str, ast.expr]) -> Any:
        function = FUNCTIONS[name]
        known = attributes_of(function)
        operands = self._operands(function, nodes, {k: node for k, node in keywords.items() if k not in known})
        takes_tensors = not isinstance(function, Op) or bool(function.signature.operands)
        if takes_tensors and not any(isinstance(o, Value) for o in operands):
            raise OptionError(f"the function {name} needs a tensor")
        attributes = {
            key: typed(name, known[key], literal(node, self.sizes)) for key, node in keywords.items() if key in known
        }
        missing = [key for key, p in known.items() if p.default is p.empty and key not in attributes]
        if missing:
            raise OptionError(f"the function {name} needs the attribute {missing[0]!r}")
        if isinstance(function, Op):
            return function.append(self.graph, operands, attributes)
        if len(operands) != 1:
            raise OptionError(f"the function {name} takes one tensor, not {len(operands)}")
        return function(*operands, **attributes)

    def _operands(self, function: Function, nodes: list[ast.expr], named: Mapping[str, ast.expr]) -> tuple[Any, ...]:
        given = [self.one(node) for node in nodes]
        rest = _operand_names(function)[len(nodes) :]
        last = max((rest.index(name) for name in named), default=-1)
        return (*given, *(self.one(named[name]) if name in named else None for name in rest[: last + 1]))


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


def formula_types() -> set[str]:
    """The kinds of attributes that the functions have; a test asserts that each can be checked."""
    return {str(p.annotation) for f in FUNCTIONS.values() for p in attributes_of(f).values()} - KINDS.keys()
