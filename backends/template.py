"""Functions as templates: a rule's source becomes an expression with its operands put in place.

A rule with a single `return` is substituted; what is known when it is printed (attributes that are literals, and
what follows from them) is computed. A longer function comes along as a helper.
"""

from __future__ import annotations

import ast
import inspect
import operator
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from ..ir.dims import Dim
from .sizes import placed_size, placeholder

_BINARY: dict[Any, type[ast.operator]] = {
    operator.add: ast.Add,
    operator.sub: ast.Sub,
    operator.mul: ast.Mult,
    operator.truediv: ast.Div,
    operator.pow: ast.Pow,
    operator.matmul: ast.MatMult,
    operator.floordiv: ast.FloorDiv,
    operator.mod: ast.Mod,
    operator.and_: ast.BitAnd,
    operator.or_: ast.BitOr,
    operator.xor: ast.BitXor,
    operator.lshift: ast.LShift,
    operator.rshift: ast.RShift,
}
_COMPARE: dict[Any, type[ast.cmpop]] = {
    operator.eq: ast.Eq,
    operator.ne: ast.NotEq,
    operator.lt: ast.Lt,
    operator.le: ast.LtE,
    operator.gt: ast.Gt,
    operator.ge: ast.GtE,
}
_UNARY: dict[Any, type[ast.unaryop]] = {operator.neg: ast.USub, operator.invert: ast.Invert}
_KNOWN: dict[str, Any] = {
    f.__name__: f
    for f in (len, tuple, list, sorted, min, max, range, sum, zip, enumerate, all, any, abs, int, str, set, reversed)
}


def operator_expression(rule: Callable[..., Any], operands: Sequence[ast.expr]) -> ast.expr | None:
    """`a + b` and its like, where the rule is a function of Python's `operator` module."""
    if rule in _BINARY:
        return ast.BinOp(operands[0], _BINARY[rule](), operands[1])
    if rule in _COMPARE:
        return ast.Compare(operands[0], [_COMPARE[rule]()], [operands[1]])
    if rule in _UNARY:
        return ast.UnaryOp(_UNARY[rule](), operands[0])
    return None


@cache
def function_ast(function: Callable[..., Any]) -> ast.FunctionDef:
    """The function's definition, without decorators, annotations and the leading underscore of its name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"{function} is not a def, so it has no name to print")
    tree.decorator_list = []
    tree.name = tree.name.lstrip("_")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.AnnAssign):
            raise TypeError(f"{function.__name__}: annotated assignments do not belong into a template")
    return tree


def function_source(function: Callable[..., Any]) -> str:
    """The function as it is written, without decorators, annotations, and marks for our own tools."""
    definition = function_ast(function)
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    body = [re.sub(r"  # (fmt|type|noqa)[:\b].*", "", line) for line in lines[definition.body[0].lineno - 1 :]]
    inner = [ast.unparse(n) for n in ast.walk(definition) if isinstance(n, ast.FunctionDef) and n is not definition]
    body = [re.sub(r"def (\w+)\(.*\) -> .*:$", lambda m: _header(inner, m[1]) or m[0], line) for line in body]
    return "\n".join([f"def {definition.name}({ast.unparse(without_unread(function))}):", *body])


def _header(definitions: Sequence[str], name: str) -> str:
    return next((d.split("\n")[0] for d in definitions if d.startswith(f"def {name}(")), "")


def is_ours(function: Any) -> bool:
    """Whether a function is defined in this package: then it is not there for the printed module to import."""
    return str(getattr(function, "__module__", "")).startswith(__package__.rpartition(".")[0])


def single_return(function: Callable[..., Any]) -> ast.expr | None:
    """The returned expression of a function that does nothing else (a docstring apart)."""
    body = [
        s for s in function_ast(function).body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
    ]
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None


@cache
def unread_parameters(function: Callable[..., Any]) -> frozenset[int]:
    """The positions of operands that a rule takes for its place in the order only, and does not read."""
    try:
        definition = function_ast(function)
    except (TypeError, OSError):
        return frozenset()  # a framework's own function
    read = {n.id for statement in definition.body for n in ast.walk(statement) if isinstance(n, ast.Name)}
    return frozenset(i for i, a in enumerate(definition.args.args) if a.arg not in read)


def without_unread(function: Callable[..., Any]) -> ast.arguments:
    """The parameters of a helper as it is written: those that it reads."""
    arguments = deepcopy(function_ast(function).args)
    gone = unread_parameters(function)
    arguments.args = [a for i, a in enumerate(arguments.args) if i not in gone]
    read = {n.id for statement in function_ast(function).body for n in ast.walk(statement) if isinstance(n, ast.Name)}
    kept = [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if a.arg in read]
    arguments.kwonlyargs, arguments.kw_defaults = [a for a, _ in kept], [d for _, d in kept]
    return arguments


def bind(
    function: Callable[..., Any], operands: Sequence[ast.expr], attributes: Mapping[str, ast.expr]
) -> dict[str, ast.expr]:
    """Parameter name -> expression; a variadic parameter gets a tuple."""
    arguments = function_ast(function).args
    names = [a.arg for a in arguments.args]
    bound = dict(zip(names, operands, strict=False))
    if arguments.vararg:
        rest = list(operands[len(names) :])
        (first,) = rest if len(rest) == 1 else (None,)
        all_of = ast.Call(name_of("list"), [first.value], []) if isinstance(first, ast.Starred) else None
        bound[arguments.vararg.arg] = all_of or ast.Tuple(rest, ast.Load())
    wanted = {a.arg for a in arguments.kwonlyargs}
    return bound | {k: v for k, v in attributes.items() if k in wanted or arguments.kwarg}


def substitute(expression: ast.expr, values: Mapping[str, ast.expr], scope: Mapping[str, Any]) -> ast.expr:
    """The expression with names replaced and everything known computed. `scope` are the template's globals."""
    replaced = _Substitute(values).visit(deepcopy(expression))
    return _Fold(scope).visit(replaced)  # type: ignore[no-any-return]


def _spread(arguments: Sequence[ast.expr]) -> list[ast.expr]:
    """The arguments of a call with `*(a, b)` as a and b."""
    return [
        b
        for a in arguments
        for b in (a.value.elts if isinstance(a, ast.Starred) and isinstance(a.value, ast.Tuple) else [a])
    ]


class _Substitute(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return deepcopy(self.values[node.id]) if node.id in self.values else node

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.args = _spread(node.args)
        return node


class _Fold(ast.NodeTransformer):
    """Compute, innermost first, each expression that is made of literals, known builtins and functions of ours."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.DictComp | ast.SetComp):
            return self._computed(node)
        super().generic_visit(node)
        if isinstance(node, ast.Tuple | ast.List):
            node.elts = _spread(node.elts)
        return self._computed(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self.visit(node.test)
        if isinstance(node.test, ast.Constant):
            return self.visit(node.body if node.test.value else node.orelse)  # type: ignore[no-any-return]
        super().generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        super().generic_visit(node)
        node.args = _spread(node.args)
        node.keywords = [k for k in node.keywords if not (isinstance(k.value, ast.Name) and k.value.id == "_omitted")]
        return self._computed(node)

    def _computed(self, node: ast.AST) -> ast.AST:
        if not isinstance(
            node,
            ast.Call
            | ast.Compare
            | ast.BoolOp
            | ast.UnaryOp
            | ast.BinOp
            | ast.Subscript
            | ast.GeneratorExp
            | ast.ListComp
            | ast.JoinedStr,
        ):
            return node
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.operand, ast.Constant)
            and not isinstance(node.op, ast.Not)
        ):
            return node  # a negative literal
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
            given = not (isinstance(node.left, ast.Constant) and node.left.value is None)
            return ast.Constant(given == isinstance(node.ops[0], ast.IsNot))  # `x is None` of an attribute
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if any(not self._is_known(n) for n in names - bound) or any(
            isinstance(n, ast.Attribute) for n in ast.walk(node)
        ):
            return node
        scope = {n: self._named(n) for n in names - bound}
        text = ast.unparse(node)  # of our own templates and of literals, never text from a model
        try:
            value = eval(text, {"__builtins__": {}} | scope)
            return literal(tuple(value) if inspect.isgenerator(value) else value)
        except TypeError:
            if all(placed_size(n) is None for n in names):
                raise
            return node  # a size that is not known has no order, no truth, no `//`: computed when the module runs

    def _named(self, name: str) -> Any:
        size = placed_size(name)
        return size if size is not None else _KNOWN.get(name) or self.scope.get(name)

    def _is_known(self, name: str) -> bool:
        return name in _KNOWN or placed_size(name) is not None or is_ours(self.scope.get(name))


def literal(value: Any) -> ast.expr:
    """A Python literal as an expression."""
    if isinstance(value, tuple):
        return ast.Tuple([literal(v) for v in value], ast.Load())
    if isinstance(value, list):
        return ast.List([literal(v) for v in value], ast.Load())
    if isinstance(value, slice):  # between brackets: `:4` for 0:4:1
        return ast.Slice(
            literal(value.start) if value.start != 0 else None,
            literal(value.stop) if value.stop is not None else None,
            literal(value.step) if value.step != 1 else None,
        )
    if isinstance(value, Dim):
        return placeholder(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def helper_names(function: Callable[..., Any]) -> set[str]:
    """The names of the helpers that a rule brings along: its own, where it is no template, and of those it calls."""
    names = set() if single_return(function) is not None else {function_ast(function).name}
    for free in free_names(function_ast(function)):
        called = function.__globals__.get(free)
        if callable(called) and is_ours(called) and inspect.isfunction(called):
            names |= {function_ast(called).name} | helper_names(called)
    return names


def name_of(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def free_names(tree: ast.AST) -> set[str]:
    """Names that an expression or a function reads but does not bind."""
    loads = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    stores = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    arguments = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    return loads - stores - arguments
