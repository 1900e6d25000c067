"""Checking a graph against every invariant of the IR."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from .collection import uncollected
from .dims import Dim, Guard, collecting_guards, symbols_of
from .errors import IsogradError, VerificationError
from .graph import SECTIONS, Graph, Node, Port, Scope, Value, bound_by, bound_symbols
from .text import lines_around
from .types import DTYPES, DType, TensorType

INPUT_ROLES = frozenset({"input", "parameter", "state", "constant"})
OUTPUT_ROLES = frozenset({"output", "parameter", "state", "gradient", "loss", "metric"})
_SHORT_NAMES = {d.short for d in DTYPES}
_PLAIN = (bool, int, float, complex, str, type(None), DType, Dim, np.ndarray, Graph)


@uncollected
def verify(graph: Graph) -> None:
    """Raise `VerificationError` unless the graph keeps every invariant:

    1. Each value is defined once, before it is used, by an input or a node of this graph, and knows its place.
    2. Each node has the operands and all the attributes of its op's schema.
    3. The op's type rule, run again, gives the types of the outputs, and demands no guard that the graph lacks.
    4. What a node uses is of its own section or an earlier one, so that each section can be a function.
    5. A scope's arguments are defined before its first node.
    6. Ports have a known role, and one role and path only once; a view has the axes of its port, each once.
    7. Every symbol in types, attributes and guards is the size of an axis of an input, or one that a node finds in its
       data, under a name that text can hold; and a node reads no size before it is found.

    The error's notes are the node, its place in the user's model, and the lines around it.
    """
    _Verifier(graph, frozenset()).run()


class _Verifier:
    def __init__(self, graph: Graph, outer: frozenset[str]) -> None:
        self.graph, self.outer = graph, outer
        self.defined: dict[Value, int] = {}  # the section of each, as its place among SECTIONS
        self.guards = set(graph.guards)
        self.scopes: set[Scope] = set()

    def run(self) -> None:
        for port in self.graph.inputs:
            self._input(port)
        self.symbols = self._symbols()
        later = bound_symbols(self.graph)
        _check_symbols(later)
        self._bound("the guards", (size for g in self.graph.guards for size in (g.left, g.right)), later)
        _check_ports(self.graph.inputs, INPUT_ROLES)
        for node in self.graph.nodes:
            self._check(node)
        for port in self.graph.outputs:
            if port.value not in self.defined:
                raise VerificationError(f"the output {port.path!r} is no value of the graph")
        _check_ports(self.graph.outputs, OUTPUT_ROLES)

    def _input(self, port: Port) -> None:
        value = port.value
        if value.graph is not self.graph or value.node is not None:
            raise VerificationError(f"the input {port.path!r} is no input value of this graph")
        if value in self.defined:
            raise VerificationError(f"the input {port.path!r} is defined twice")
        self.defined[value] = 0

    def _symbols(self) -> frozenset[str]:
        """The symbols that the inputs give numbers to."""
        sizes = [size for port in self.graph.inputs for size in port.value.shape]
        found = self.outer | {str(size) for size in sizes if isinstance(size, Dim) and symbols_of(size) == {str(size)}}
        _check_symbols(found)
        self.symbols = found
        self._bound("the inputs", sizes)
        return found

    def _bound(self, where: str, sizes: Iterable[Any], later: frozenset[str] = frozenset()) -> None:
        loose = {s for size in sizes for s in symbols_of(size)} - self.symbols - later
        if loose:
            raise VerificationError(
                f"{', '.join(sorted(loose))} in {where} is the size of no axis of an input, nor found by a node before"
            )

    def _check(self, node: Node) -> None:
        try:
            self._inputs(node)
            self._attributes(node)
            self._place(node)
            self._types(node)
            self._outputs(node)
        except VerificationError as error:
            error.add_note(f"in {node!r}")
            error.add_note(f"at {node.origin or 'an unknown place'}")
            error.add_note(lines_around(self.graph, node))
            raise

    def _inputs(self, node: Node) -> None:
        signature = node.op.signature
        names = signature.operands
        if len(node.inputs) != len(names) and not (signature.variadic and len(node.inputs) >= len(names) - 1):
            _fail(node, f"takes the operands ({', '.join(names)}), not {len(node.inputs)}")
        for i, value in enumerate(node.inputs):
            name = names[min(i, len(names) - 1)]
            if value is None:
                if name not in signature.optional:
                    _fail(node, f"lacks its operand {name}")
            elif value not in self.defined:
                elsewhere = (
                    "belongs to another graph" if value.graph is not self.graph else "is not defined before it is used"
                )
                _fail(node, f"uses {value!r}, which {elsewhere}")

    def _attributes(self, node: Node) -> None:
        self.symbols |= bound_by(node)
        schema = node.op.signature.attributes
        if node.attributes.keys() != schema.keys():
            _fail(node, f"has the attributes ({', '.join(node.attributes)}), not ({', '.join(schema)})")
        for name, value in node.attributes.items():
            for part in _leaves(value):
                if not isinstance(part, _PLAIN):
                    _fail(node, f"has the attribute {name} = {part!r}, which no text can hold")
                if isinstance(part, Graph):
                    _Verifier(part, self.symbols).run()
            self._bound(f"the attribute {name} of {node.op.name}", _leaves(value))

    def _place(self, node: Node) -> None:
        if node.section not in SECTIONS:
            _fail(node, f"is in the section {node.section!r}; there are {', '.join(SECTIONS)}")
        section = SECTIONS.index(node.section)
        if any(v is not None and self.defined[v] > section for v in node.inputs):
            _fail(node, f"of the section {node.section} uses a value of a later one")
        for scope in _new(node.scope, self.scopes):
            for name, value in scope.arguments:
                if value not in self.defined:
                    _fail(node, f"is in {scope!r}, whose argument {name} is not defined before it")

    def _types(self, node: Node) -> None:
        types = tuple(None if v is None else v.type for v in node.inputs)
        try:
            with collecting_guards() as guards:
                expected = node.op.output_types(types, node.attributes)
        except (IsogradError, TypeError, ValueError) as error:
            _fail(node, f"breaks its type rule: {error}")
        found = tuple(v.type for v in node.outputs)
        if found != expected:
            _fail(node, f"has outputs of type {_listed(found)}, but its type rule gives {_listed(expected)}")
        missing: list[Guard] = [g for g in guards if g not in self.guards]
        if missing:
            _fail(node, f"needs the guard {missing[0]}, which the graph lacks")

    def _outputs(self, node: Node) -> None:
        if not node.outputs:
            _fail(node, "has no output")
        for i, value in enumerate(node.outputs):
            if value in self.defined:
                _fail(node, f"defines {value!r} again")
            if value.graph is not self.graph or value.node is not node or value.index != i:
                _fail(node, f"has the output {value!r}, which does not know its place")
            self.defined[value] = SECTIONS.index(node.section)


def _check_symbols(names: Iterable[str]) -> None:
    for name in sorted(names):
        if not name.isidentifier() or keyword.iskeyword(name) or name in _SHORT_NAMES:
            raise VerificationError(f"a size cannot be called {name!r}: it would not read back as one")


def _fail(node: Node, message: str) -> NoReturn:
    raise VerificationError(f"a node {node.op.name} {message}")


def _check_ports(ports: Sequence[Port], roles: frozenset[str]) -> None:
    seen = set()
    for port in ports:
        if port.role not in roles:
            raise VerificationError(f"{port.path!r} has the role {port.role!r}; there are {', '.join(sorted(roles))}")
        if (port.role, port.path) in seen:
            raise VerificationError(f"there are two of {port.role} {port.path!r}")
        seen.add((port.role, port.path))
        if port.view is not None and (
            port.role not in ("parameter", "state") or sorted(port.view) != list(range(port.value.rank))
        ):
            raise VerificationError(f"{port.role} {port.path!r}: {port.view} is no view of {port.value.type}")


def _new(scope: Scope | None, seen: set[Scope]) -> list[Scope]:
    """The scope and those around it that were not seen before."""
    found = []
    while scope is not None and scope not in seen:
        seen.add(scope)
        found.append(scope)
        scope = scope.parent
    return found


def _leaves(attribute: Any) -> list[Any]:
    return [leaf for part in attribute for leaf in _leaves(part)] if isinstance(attribute, tuple) else [attribute]


def _listed(types: Sequence[TensorType]) -> str:
    return ", ".join(map(str, types))
