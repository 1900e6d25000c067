"""Reading the text form of a graph through Python's own syntax tree; nothing is executed."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import ops
from .autodiff import gradient_op
from .collection import uncollected
from .dims import Guard, Size, parse_dim
from .errors import IsogradError, ParseError
from .graph import SECTIONS, Graph, Scope, Value
from .op import Op
from .text import AUTOMATIC
from .training import OPS as TRAINING_OPS
from .types import DTYPES, DType, TensorType

_RELATIONS = {ast.Eq: "==", ast.GtE: ">="}
_NUMBERS = {"inf": float("inf"), "nan": float("nan")}
_DTYPES = {d.short: d for d in DTYPES}
_ROLES = frozenset({"input", "parameter", "state", "constant", "output", "gradient", "loss", "metric"})


TABLE = ops.BY_NAME | {op.name: op for op in TRAINING_OPS}


@uncollected
def parse(
    text: str,
    arrays: Mapping[str, np.ndarray] | None = None,
    origins: Mapping[str, str] | None = None,
    table: Mapping[str, Op] = TABLE,
) -> Graph:
    """The graph that `print_graph` wrote as `text`, with its arrays (`graph_arrays`) and origins from the side.

    `table` gives the op of each name; the gradients of its composites are known too. Raises `ParseError` with the line
    where the text is not that of a graph, and the op's own error where operands do not fit it.

    >>> print(parse('def half(x: f32[N]): return output("y", divide(x, 2.0))'))
    Traceback (most recent call last):
    isograd.ir.errors.ParseError: line 1: expected a name or a number, not divide(x, 2.0)
    """
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ParseError(f"this is not the text of a graph: {error}") from None
    if len(module.body) != 1 or not isinstance(module.body[0], ast.FunctionDef):
        raise ParseError("the text of a graph is one function")
    lines = [line.encode() for line in text.split("\n")]
    return _Reader(lines, arrays or {}, origins or {}, table).graph(module.body[0])


class _Reader:
    """Reads one function. What is written alike is read once: sizes, types and attributes are kept by their text."""

    def __init__(
        self, lines: list[bytes], arrays: Mapping[str, Any], origins: Mapping[str, str], table: Mapping[str, Op]
    ) -> None:
        self._lines, self._arrays, self._origins, self._table = lines, arrays, origins, table
        self._types: dict[bytes, TensorType] = {}
        self._attributes: dict[bytes, Any] = {}
        self._bodies: dict[str, Graph] = {}
        self._values: dict[str, Value] = {}
        self._scopes: dict[Any, Scope] = {}

    def graph(self, function: ast.FunctionDef) -> Graph:
        self._graph = Graph(function.name)
        with self._line(function):
            self._inputs(function.args)
        self._block(function.body)
        if not isinstance(function.body[-1], ast.Return):
            raise ParseError(f"line {function.lineno}: the function {function.name} returns nothing")
        return self._graph

    @contextlib.contextmanager
    def _line(self, node: ast.stmt) -> Iterator[None]:
        """Say the line in every error of the block."""
        try:
            yield
        except ParseError as error:
            error.args = (str(error) if str(error).startswith("line ") else f"line {node.lineno}: {error}",)
            raise
        except IsogradError as error:
            error.add_note(f"in line {node.lineno} of the graph's text")
            raise
        except (
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
            ArithmeticError,
            AssertionError,
            RecursionError,
        ) as error:
            raise ParseError(f"line {node.lineno}: {error}") from error

    # statements

    def _inputs(self, arguments: ast.arguments) -> None:
        if arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
            raise ParseError("the inputs of a graph are plain parameters")
        defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
        for argument, default in zip(arguments.args, defaults, strict=True):
            role, path, view = ("input", argument.arg, None) if default is None else self._taken(default)
            value = self._graph.input(_hint(argument.arg), self._type(argument.annotation), role, path, view)
            self._define(argument.arg, value)

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            if isinstance(statement, ast.With):
                self._with(statement)
                continue
            with self._line(statement):
                self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.Call() as call):
                self._node([name], call, [self._type(annotation)])
            case ast.Assign(
                targets=[ast.Tuple(elts=names)], value=ast.Call(func=ast.Subscript(slice=ast.Tuple(elts=types))) as call
            ):
                self._node([_name(n) for n in names], call, [self._type(t) for t in types])
            case ast.Return():
                self._return(statement.value)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Name(id="guard"),
                    args=[ast.Compare(left=left, ops=[ast.Eq() | ast.GtE() as relation], comparators=[right])],
                )
            ):
                self._graph.guards.append(Guard(_RELATIONS[type(relation)], self._size(left), self._size(right)))
            case ast.Expr(value=ast.Call(func=ast.Name(id="name"), args=[ast.Constant(value=str(name))])):
                self._graph.name = name
            case ast.FunctionDef(name=name):
                self._bodies[name] = _Reader(self._lines, self._arrays, self._origins, self._table).graph(statement)
            case _:
                raise ParseError(f"not a statement of a graph: {ast.unparse(statement)[:80]}")

    def _with(self, statement: ast.With) -> None:
        with contextlib.ExitStack() as stack:
            for item in statement.items:
                with self._line(statement):
                    block = self._place(item.context_expr)
                stack.enter_context(block)
            self._block(statement.body)

    def _place(self, call: ast.expr) -> Any:
        match call:
            case ast.Call(func=ast.Name(id="section"), args=[ast.Constant(value=name)]) if name in SECTIONS:
                return self._graph.section(str(name))
            case ast.Call(func=ast.Name(id="scope"), args=[ast.Constant(value=str(name))], keywords=keywords):
                return self._graph.scope_set(self._scope(name, keywords))
        raise ParseError(f"neither a scope nor a section: {ast.unparse(call)[:80]}")

    def _scope(self, name: str, keywords: Sequence[ast.keyword]) -> Scope:
        head = {k.arg: _number(k.value) for k in keywords if k.arg in ("kind", "call")}
        kind, call = head.get("kind", ""), head.get("call", 1)
        if not isinstance(kind, str) or not isinstance(call, int):
            raise ParseError("the kind of a scope is a string, its call a number")
        parent = self._graph._scope
        key = (parent, name, kind, call)
        if key not in self._scopes:
            rest = _keywords([k for k in keywords if k.arg not in ("kind", "call")])
            arguments = tuple((k, self._value(v)) for k, v in rest)
            self._scopes[key] = Scope(parent, name, kind, call, arguments)
        return self._scopes[key]

    def _node(self, names: Sequence[str], call: ast.Call, types: Sequence[TensorType]) -> None:
        function = call.func.value if isinstance(call.func, ast.Subscript) else call.func
        op, operands = self._op(_name(function), call.args)
        attributes = {k: self._attribute(v) for k, v in _keywords(call.keywords)}
        with self._graph.at(self._origins.get(names[0]) or f"line {call.lineno} of the graph's text"):
            op.append(self._graph, tuple(map(self._operand, operands)), attributes)
        outputs = self._graph.nodes[-1].outputs
        if [v.type for v in outputs] != list(types):
            found, said = (", ".join(str(t) for t in side) for side in ([v.type for v in outputs], types))
            raise ParseError(f"{op.name} gives {found}, but the text says {said}")
        for name, value in zip(names, outputs, strict=True):
            self._define(name, value)
            value.name = _hint(name)

    def _define(self, name: str, value: Value) -> None:
        if name in self._values or name in _NUMBERS:
            raise ParseError(f"{name} is defined twice" if name in self._values else f"{name} is a number")
        self._values[name] = value

    def _return(self, value: ast.expr | None) -> None:
        results = value.elts if isinstance(value, ast.Tuple) else [value] if value else []
        for result in results:
            role, path, (operand,) = self._port(result, 2)
            self._graph.output(self._value(operand), path, role)

    # expressions

    def _taken(self, call: ast.expr) -> tuple[str, str, tuple[int, ...] | None]:
        """Role, path and view of an input."""
        viewed = isinstance(call, ast.Call) and len(call.args) == 2
        role, path, rest = self._port(call, 1 + viewed)
        axes = ast.literal_eval(rest[0]) if rest else None
        if axes is not None and not (isinstance(axes, tuple) and all(type(i) is int for i in axes)):
            raise ParseError(f"not the axes of a view: {ast.unparse(rest[0])[:80]}")
        return role, path, axes

    def _port(self, call: ast.expr, count: int) -> tuple[str, str, list[ast.expr]]:
        match call:
            case ast.Call(func=ast.Name(id=role), args=[ast.Constant(value=str(path)), *rest], keywords=[]) if (
                role in _ROLES
            ):
                if len(rest) == count - 1:
                    return role, path, rest
        raise ParseError(f"not a port: {ast.unparse(call)[:80]}")

    def _op(self, name: str, operands: Sequence[ast.expr]) -> tuple[Op, list[ast.expr]]:
        """The op of a name, with its operands in a row; those of a gradient come as its rule takes them."""
        op = self._table.get(name)
        if op is not None:
            return op, list(operands)
        base_name, found, rest = name.rpartition("_gradient")
        if not found or rest or len(operands) < 2:
            raise ParseError(f"there is no op {name}")
        base, inputs = self._op(base_name, operands[2:])
        if not base.is_composite:
            raise ParseError(f"there is no op {name}: {base_name} is not a composite")
        g, out = (_group(o) for o in operands[:2])
        full = (
            inputs
            if base.derivative_of or base.signature.variadic
            else inputs + [ast.Constant(None)] * (len(base.signature.operands) - len(inputs))
        )
        result = gradient_op(base, tuple(not _is_none(o) for o in g), tuple(not _is_none(o) for o in full))
        return result, [o for o in (*g, *out, *full) if not _is_none(o)]

    def _value(self, node: ast.expr) -> Value:
        value = self._operand(node)
        if not isinstance(value, Value):
            raise ParseError(f"expected a value, not {ast.unparse(node)[:80]}")
        return value

    def _operand(self, node: ast.expr) -> Any:
        """A value of the graph, None, or a number."""
        match node:
            case ast.Name(id=name) if name not in _NUMBERS:
                if name not in self._values:
                    raise ParseError(f"there is no value {name} before this line")
                return self._values[name]
            case ast.Call(func=ast.Name(id="constant"), args=[number, ast.Name(id=dtype)], keywords=[]):
                return self._graph.constant(_number(number), _dtype(dtype))
        return _number(node)

    def _attribute(self, node: ast.expr) -> Any:
        text = self._source(node)
        if text not in self._attributes:
            value = self._read_attribute(node)
            if b'array("' in text or self._bodies:  # what a name in it stands for may change
                return value
            self._attributes[text] = value
        return self._attributes[text]

    def _read_attribute(self, node: ast.expr) -> Any:
        match node:
            case ast.Tuple(elts=parts):
                return tuple(map(self._read_attribute, parts))
            case ast.Name(id=name) if name in self._bodies:
                return self._bodies[name]
            case ast.Name(id=name) if name in _DTYPES:
                return _DTYPES[name]
            case ast.Call(func=ast.Name(id="array"), args=[ast.Constant(value=str(name))], keywords=[]):
                return self._array(name)
        return _number(node) if _is_number(node) else self._size(node)

    def _array(self, name: str) -> Any:
        if name not in self._arrays:
            raise ParseError(f"there is no array {name} beside the text")
        return self._arrays[name]

    def _type(self, node: ast.expr | None) -> TensorType:
        if node is None:
            raise ParseError("an input has a type")
        text = self._source(node)
        if text not in self._types:
            self._types[text] = self._read_type(node)
        return self._types[text]

    def _read_type(self, node: ast.expr) -> TensorType:
        match node:
            case ast.Name(id=name):
                return TensorType(_dtype(name), ())
            case ast.Subscript(value=ast.Name(id=name), slice=sizes):
                return TensorType(_dtype(name), tuple(map(self._size, _group(sizes))))
        raise ParseError(f"not a type: {ast.unparse(node)[:80]}")

    def _size(self, node: ast.expr) -> Size:
        return (
            node.value if isinstance(node, ast.Constant) and type(node.value) is int else parse_dim(ast.unparse(node))
        )

    def _source(self, node: ast.expr) -> bytes:
        """An expression as it is written."""
        if node.lineno != node.end_lineno:
            return ast.unparse(node).encode()
        return self._lines[node.lineno - 1][node.col_offset : node.end_col_offset]


def _dtype(name: str) -> DType:
    if name not in _DTYPES:
        raise ParseError(f"there is no element type {name}")
    return _DTYPES[name]


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in _NUMBERS
        case ast.UnaryOp(operand=operand):
            return _is_number(operand)
        case ast.Call(func=ast.Name(id=name)):
            return name == "complex"
    return False


def _number(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()):
            return node.value
        case ast.Name(id=name) if name in _NUMBERS:
            return _NUMBERS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.Call(func=ast.Name(id="complex"), args=[real, imaginary], keywords=[]):
            return complex(_number(real), _number(imaginary))
    raise ParseError(f"expected a name or a number, not {ast.unparse(node)[:80]}")


def _keywords(keywords: Sequence[ast.keyword]) -> Iterator[tuple[str, ast.expr]]:
    for keyword in keywords:
        match keyword:
            case ast.keyword(arg=str(name)):
                yield name, keyword.value
            case ast.keyword(value=ast.Dict(keys=[ast.Constant(value=str(name))], values=[value])):
                yield name, value
            case _:
                raise ParseError(f"not an argument: {ast.unparse(keyword)[:80]}")


def _name(node: ast.expr) -> str:
    if not isinstance(node, ast.Name):
        raise ParseError(f"expected a name, not {ast.unparse(node)[:80]}")
    return node.id


def _hint(name: str) -> str:
    """What the value was called before names were made unique."""
    bare = name.lstrip("_")
    return "" if AUTOMATIC.fullmatch(bare) else bare


def _group(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
