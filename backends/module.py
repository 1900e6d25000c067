"""A whole Python module from a graph: functions for scopes, helpers, imports, a loader of weights."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..ir import Node, Port, Scope, Value
from ..ir.types import dtype_of
from .body import Body
from .equality import key_of_call
from .regions import SMALLEST_COMPOSITE, Bundle, Call
from .repetition import CallParts, items_in_runs, print_loop
from .rules import find_rule, nodes_within
from .style import tidy
from .target import Target, drop_defaults
from .template import (
    bind,
    free_names,
    function_ast,
    function_source,
    helper_names,
    is_ours,
    literal,
    name_of,
    single_return,
    substitute,
    unread_parameters,
    without_unread,
)

LETTERS = {"parameter": "p", "state": "s"}  # what a function calls its branches of the trees


@dataclass
class Function:
    """A printed function or class."""

    name: str
    text: str


@dataclass
class ModuleWriter:
    """Collects what a module needs while its functions are printed."""

    target: Target
    paths: dict[Value, Port]  # of parameters and state
    functions: dict[str, Function] = field(default_factory=dict)  # text without its name -> function
    helpers: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)  # what functions of composites may be called, and values not
    order: list[Function] = field(default_factory=list)
    by_scope: bool = False  # a step whose layers are functions
    printed: dict[Any, tuple[Function, list[str]]] = field(default_factory=dict)  # by what their calls consist of
    known_lengths: dict[tuple[str, str], int] = field(default_factory=dict)
    local_names: dict[Value, str] = field(default_factory=dict)  # what the functions that save values call them

    @cached_property
    def _numbers(self) -> dict[tuple[str, str], set[str]]:
        """The names of the branches at each place of the trees of parameters and of state."""
        found: dict[tuple[str, str], set[str]] = {}
        for port in self.paths.values():
            parts = port.path.split(".")
            for i, part in enumerate(parts):
                found.setdefault((port.role, ".".join(parts[:i])), set()).add(part)
        return found

    def length(self, path: str, role: str = "") -> int:
        """How long the list at a path of a tree is (in the source, where no role is given); 0 if there is none."""
        if (path, role) not in self.known_lengths:
            names = {n for r in ([role] if role else LETTERS) for n in self._numbers.get((r, path), ())}
            self.known_lengths[path, role] = len(names) if names == {str(i) for i in range(len(names))} else 0
        return self.known_lengths[path, role]

    def branch(self, root: str, path: Sequence[str], role: str, within: Sequence[str] = ()) -> ast.expr:
        """The branch of a tree at a path, from the branch `within`, which is called `root`."""
        tree: ast.expr = name_of(root)
        above = ".".join(within)
        for part in ".".join(path).split(".") if path else ():
            number = part.isdigit() and self.length(above, role)
            tree = ast.Subscript(tree, ast.Constant(int(part) if number else part), ast.Load())
            above = f"{above}.{part}" if above else part
        return tree

    def __post_init__(self) -> None:
        self.taken |= set(self.target.imports) | {"load", "params", "state", "self"}

    # rules

    def call(self, rule: Any, operands: Sequence[ast.expr], attributes: Mapping[str, ast.expr]) -> ast.expr:
        """The expression that applies a rule: a public function, a substituted template, or a helper."""
        public = self.target.public_names.get(id(rule))
        if public is not None:
            keywords = [ast.keyword(k, v) for k, v in drop_defaults(rule, attributes).items()]
            return ast.Call(ast.parse(public, mode="eval").body, [o for o in operands if not is_none(o)], keywords)
        template = single_return(rule)
        if template is None:
            keywords = [ast.keyword(a.arg, attributes[a.arg]) for a in without_unread(rule).kwonlyargs]
            gone, most = unread_parameters(rule), len(function_ast(rule).args.args)
            read = [o for i, o in enumerate(operands) if i not in gone and (i < most or not is_none(o))]
            return ast.Call(name_of(self.helper(rule)), read, keywords)
        expression = substitute(template, bind(rule, operands, attributes), rule.__globals__)
        own = free_names(template) - set(inspect.signature(rule).parameters)  # a value may be called as a global is
        resolved: ast.expr = self.resolve_names(expression, {k: v for k, v in rule.__globals__.items() if k in own})
        return resolved

    def resolve_names(self, tree: Any, scope: Mapping[str, Any]) -> Any:
        """Take along the helpers that a piece of code reads; constants of the rule's module are written out."""
        for name in sorted(free_names(tree)):
            if name in self.target.imports:
                continue
            if callable(scope.get(name)) and is_ours(scope[name]):
                tree = _Rename({name: name_of(self.helper(scope[name]))}).visit(tree)
            elif isinstance(scope.get(name), int | float | str | tuple):
                tree = _Rename({name: literal(scope[name])}).visit(tree)
        return tree

    def reserve(self, nodes: Sequence[Node]) -> None:
        """Keep the names of the helpers that nodes will need from being given to values."""
        for rule in {find_rule(self.target.table, n) for n in nodes_within(nodes)}:
            if callable(rule) and is_ours(rule):
                self.taken |= helper_names(rule)
        sizes: Counter[Scope] = Counter()
        for node in nodes_within(nodes):
            weight = sum(1 for _ in nodes_within([node]))
            sizes.update({s: weight for s in (node.scope.ancestry if node.scope else ()) if not s.name})
        self.called |= {snake(s.kind) for s, count in sizes.items() if count >= SMALLEST_COMPOSITE}

    def helper(self, function: Any) -> str:
        """Take a function along as it is written, with what it calls; its name in the module."""
        name = function_ast(function).name
        if name not in self.helpers:
            self.helpers[name] = ""
            self.taken.add(name)
            renamed = {}
            for free in sorted(free_names(function_ast(function))):
                value = function.__globals__.get(free)
                if free in self.target.imports:
                    continue
                if callable(value) and is_ours(value):
                    renamed[free] = self.helper(value)
                elif isinstance(value, int | float | str | tuple):
                    renamed[free] = repr(value)
            self.helpers[name] = _renamed(function_source(function), renamed)
        return name

    def array_constant(self, array: np.ndarray) -> ast.expr:
        dtype = f"np.{dtype_of(array.dtype).name}".replace("np.bool", "bool")
        numbers = re.sub(r"\b(nan|inf)\b", r'float("\1")', repr(array.tolist()))
        text = f"np.array({numbers}, {dtype})" if array.size else f"np.zeros({array.shape!r}, {dtype})"
        return ast.parse(self.target.array(text), mode="eval").body

    # functions

    def print_items(self, body: Body, items: Sequence[Node | Call]) -> None:
        """Print items in order; equal calls on the elements of a list, each fed by the one before, as a loop."""
        for item in items_in_runs(self, body, items):
            if isinstance(item, Node):
                body.node(item)
            elif len(item.calls) > 1:
                print_loop(body, item)
            else:
                item.calls[0].define(body)

    def parts_of(self, body: Body, call: Call) -> CallParts:
        """What a call in a body consists of, found out once."""
        if call not in body.parts:
            body.parts[call] = self.call_parts(body, call, self.outputs_of(body, call))
        return body.parts[call]

    def outputs_of(self, body: Body, call: Call) -> list[Value]:
        """What the caller reads of a call: single values, then what it gives as one."""
        return [v for v in (*(v for n in call.nodes for v in n.outputs), *call.gives) if body.uses.get(v, 0) > 0]

    def call_parts(self, body: Body, call: Call, outputs: Sequence[Value]) -> CallParts:
        """What the call of a scope consists of; its function is printed now, where it was not before."""
        leaves, values = self._split(call, self._outside(call))
        function = self.function_of(call, leaves, values, outputs)
        roles = [r for r in LETTERS if any(self.paths[v].role == r for v in leaves)]
        path = call.scope.path[len(body.prefix) :]
        return CallParts(
            function.name,
            outputs,
            leaves,
            values,
            [self.branch(body.roots[r], path, r, body.prefix) for r in roles],
            [LETTERS[r] for r in roles],
            place=self.place_of(call.scope, roles),
            sizes=call.sizes,
        )

    @staticmethod
    def _outside(call: Call) -> list[Value]:
        """What crosses the border: in the order of the arguments that the scope names, then by first use."""
        given = [v for _, v in call.scope.arguments]
        order = {v: given.index(v) if v in given else len(given) for v in call.inputs}
        order |= {v: -1 for v in call.inputs if isinstance(v, Bundle)}
        return sorted((v for v in call.inputs if not is_inline(v)), key=order.__getitem__)

    def _split(self, call: Call, outside: Sequence[Value]) -> tuple[list[Value], list[Value]]:
        """What the callee finds in its own branch of the tree, and what it is given."""
        prefix = ".".join(call.scope.path) + "."
        own = [v for v in outside if v in self.paths and call.scope.name and self.paths[v].path.startswith(prefix)]
        return own, [v for v in outside if v not in own]

    def function_of(
        self,
        call: Call,
        leaves: Sequence[Value],
        values: Sequence[Value],
        outputs: Sequence[Value],
    ) -> Function:
        """The function of a call: printed now, or before for an equal one."""
        roles = [r for r in LETTERS if any(self.paths[v].role == r for v in leaves)]
        body = Body(self, call.items, outputs, LETTERS, call.scope.path, by_layer=bool(call.scope.name))
        names = [LETTERS[r] for r in roles] + argument_names(call.scope, values)
        for value in leaves:
            port = self.paths[value]
            path = self.relative(port.path, call.scope)
            body.argument(value, self.branch(LETTERS[port.role], path, port.role, call.scope.path))
        for value, name in zip(values, names[len(roles) :], strict=True):
            body.argument(value, name_of(name))
        saved = [m for o in outputs if isinstance(o, Bundle) and not o.is_tree for m in o.members]
        key = key_of_call(call, [(v, ast.unparse(body.expression(v).tree)) for v in (*leaves, *values)], outputs)
        if key not in self.printed:
            names += size_arguments(body, call)
            self._unpack(body, call)
            self.print_items(body, call.items)
            trees = [body.expression(v).tree for v in saved]
            body.finish(", ".join(map(ast.unparse, body.result(outputs))))
            function = self.named(f"({', '.join(names)}):\n" + "\n".join(body.lines), function_name(call), "def {}{}")
            self.printed[key] = function, [t.id if isinstance(t, ast.Name) else "" for t in trees]
        function, found = self.printed[key]
        self.local_names |= dict(zip(saved, found, strict=True))
        return function

    def _unpack(self, body: Body, call: Call) -> None:
        """`x, mean = saved`: what the forward saved gets the names that it had there."""
        if call.takes is None:
            return
        names = []
        for value in call.takes.members:
            names.append(body.name_for(value, self.local_names.get(value, "")))
            body.argument(value, name_of(names[-1]))
        body.line(f"{', '.join(names)} = {ast.unparse(body.expression(call.takes).tree)}")

    def place_of(self, scope: Scope, roles: Sequence[str]) -> tuple[str, int] | None:
        """The list that a layer is an element of, in each of the trees that it reads, and its number there."""
        *parents, last = ".".join(scope.path).split(".")
        above = ".".join(parents)
        is_element = scope.name and last.isdigit() and all(self.length(above, r) for r in roles)
        return (above, int(last)) if is_element else None

    @staticmethod
    def relative(path: str, scope: Scope) -> tuple[str, ...]:
        """A parameter's path from the scope that it lies in."""
        return tuple(path.split("."))[len(".".join(scope.path).split(".")) :]

    def named(self, text: str, base: str, form: str) -> Function:
        """The function or class of this text, printed once."""
        if text not in self.functions:
            name = _free_name(base, self.taken)
            self.taken.add(name)
            self.functions[text] = Function(name, form.format(name, text))
            self.order.append(self.functions[text])
        return self.functions[text]

    def text(self, head: str, main: str, tail: str = "") -> str:
        """The module: head, imports, helpers, the main function, the functions that it calls, the loader."""
        parts = [*self.helpers.values(), main, *self._by_first_call(main), *([tail] if tail else [])]
        return tidy("\n\n\n".join(["\n".join([head, "", *self._imports("\n".join(parts))]), *parts])) + "\n"

    def _imports(self, code: str) -> list[str]:
        """The import statements of the names that the code reads, the standard library's first."""
        read = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}
        found = {statement for alias, statement in self.target.imports.items() if alias in read}
        statements = sorted(found, key=lambda s: (s.startswith("from"), s.split()[1]))  # as isort has it
        own = [s for s in statements if s.split()[1] in sys.stdlib_module_names]
        return [*own, *([""] if own and len(own) < len(statements) else []), *(s for s in statements if s not in own)]

    def _by_first_call(self, main: str) -> list[str]:
        """The functions in the order in which a reader meets their names."""
        waiting, texts = {f.name: f.text for f in self.order}, []

        def visit(text: str) -> None:
            for name in re.findall(r"\b\w+(?=\()", text):
                if name in waiting:
                    texts.append(waiting.pop(name))
            for name in re.findall(r"\b\w+(?=\()", text):
                if name in bodies:
                    visit(bodies.pop(name))

        bodies = dict(waiting)
        visit(main)
        return texts


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = re.sub(rf"(?<![\w.]){re.escape(old)}\b", new, text)
    return text


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return deepcopy(self.names[node.id]) if node.id in self.names else node


def is_none(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is None


def is_inline(value: Value) -> bool:
    return value.node is not None and value.node.op.name == "constant"


def snake(name: str) -> str:
    return re.sub(r"\W", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()


def _free_name(base: str, taken: set[str]) -> str:
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def function_name(call: Call) -> str:
    """A function is called by its layer's kind; one that computes the layer's gradients says so."""
    return snake(call.scope.kind) + ("_backward" if call.section == "backward" and call.scope.name else "")


def argument_names(scope: Scope, values: Sequence[Value]) -> list[str]:
    """What a function calls its arguments: by the names that the scope gave them, else x, y, z..., gradients g."""
    given = {v: n for n, v in scope.arguments}
    used = set(given.values())
    spare = (n for n in [*"xyzw", *(f"x{i}" for i in range(2, 1000))] if n not in used)
    gradients = (n for n in ["g", *(f"g{i}" for i in range(2, 1000))] if n not in used)
    return [
        given.get(v) or (v.name if isinstance(v, Bundle) else next(gradients if _is_gradient(v) else spare))
        for v in values
    ]


def size_arguments(body: Body, call: Call) -> list[str]:
    """The names of further arguments: sizes that a function reads and that no axis of its values has."""
    for symbol in call.sizes:
        body.given[symbol] = body.name_for_size(symbol)
    return list(body.given.values())


def _is_gradient(value: Value) -> bool:
    return value.node is not None and value.node.section == "backward"
