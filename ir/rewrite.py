"""Copying a graph node by node into a new one: what every pass is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import ops
from .graph import Graph, Node, Port, Scope, Value
from .types import TensorType


class Rewriter:
    """A new graph under construction, and the new value of each old one.

    Inputs are copied at once; `copy` repeats a node, `replace` says that old values have other new ones,
    `finish` copies the outputs. Scopes are made anew where their arguments are new values. `retype` gives the inputs
    other types.
    """

    def __init__(self, graph: Graph, retype: Callable[[TensorType], TensorType] = lambda t: t) -> None:
        self.old, self.new = graph, Graph(graph.name)
        self.new.guards = list(graph.guards)
        self.values: dict[Value, Value] = {}
        self._scopes: dict[Scope, Scope] = {}
        self._retype = retype
        for port in graph.inputs:
            self.take(port)

    def take(self, port: Port) -> None:
        """Repeat an input."""
        type = self._retype(port.value.type)
        self.values[port.value] = self.new.input(port.value.name, type, port.role, port.path, port.view)

    @classmethod
    def into(cls, new: Graph, values: Mapping[Value, Value]) -> Rewriter:
        """Copies nodes to the end of a graph that is there already; `values` says what stands for what they use."""
        self = cls.__new__(cls)
        self.old = self.new = new
        self.values, self._scopes = dict(values), {}
        return self

    def inputs(self, node: Node) -> tuple[Value | None, ...]:
        return tuple([None if v is None else self.values[v] for v in node.inputs])

    def scope(self, scope: Scope | None) -> Scope | None:
        if scope is None:
            return None
        if scope not in self._scopes:
            arguments = tuple((n, self.values[v]) for n, v in scope.arguments if v in self.values)
            self._scopes[scope] = Scope(self.scope(scope.parent), scope.name, scope.kind, scope.call, arguments)
        return self._scopes[scope]

    def within(self, node: Node) -> Any:
        """A block whose nodes stand where `node` stood."""
        return _Place(self.new, self.scope(node.scope), node)

    def copy(self, node: Node) -> None:
        with self.within(node):
            if is_scalar_constant(node.outputs[0]):  # not a second node for a number that a rule has used already
                self.replace(node, (self.new.constant(node.attributes["value"], node.outputs[0].dtype),))
                return
            made = self.new.append(node.op, self.inputs(node), node.attributes, tuple([v.type for v in node.outputs]))
        made.lowering = node.lowering
        self.replace(node, made.outputs)

    def replace(self, node: Node, values: tuple[Value, ...]) -> None:
        for old, new in zip(node.outputs, values, strict=True):
            if old.name:
                new.named(old.name)
            self.values[old] = new

    def finish(self) -> Graph:
        self.new.outputs = [Port(self.values[p.value], p.role, p.path) for p in self.old.outputs]
        return self.new


class _Place:
    def __init__(self, graph: Graph, scope: Scope | None, node: Node) -> None:
        self.graph, self.after = graph, (scope, node.section, node.origin)

    def __enter__(self) -> None:
        g = self.graph
        self.before = (g._scope, g._section, g._origin)
        g._scope, g._section, g._origin = self.after

    def __exit__(self, *_: object) -> None:
        self.graph._scope, self.graph._section, self.graph._origin = self.before


def is_scalar_constant(value: Value | None) -> bool:
    """Whether a value is one known number: such nodes have no place of their own, each number has one."""
    return value is not None and value.node is not None and value.node.op is ops.constant and value.rank == 0


def rewrite(graph: Graph, rule: Callable[[Rewriter, Node], bool]) -> Graph:
    """Copy a graph; where `rule(rewriter, node)` returns true, it has replaced the node itself.

    Where it never does, the graph itself is given back: who asks for changes sees by identity whether there were any.
    """
    rewriter, changed = Rewriter(graph), False
    for node in graph.nodes:
        if rule(rewriter, node):
            changed = True
        else:
            rewriter.copy(node)
    return rewriter.finish() if changed else graph


def inside(graph: Graph, change: Callable[[Graph], Graph]) -> Graph:
    """The graph with `change` made to each graph in its attributes: the bodies of loops and branches."""
    found = (a for node in graph.nodes for a in node.attributes.values() if isinstance(a, Graph))
    changed = {body: new for body in dict.fromkeys(found) if (new := change(body)) is not body}
    if not changed:
        return graph

    def rule(rewriter: Rewriter, node: Node) -> bool:
        bodies = {k: changed[a] for k, a in node.attributes.items() if isinstance(a, Graph) and a in changed}
        if not bodies:
            return False
        with rewriter.within(node):
            made = rewriter.new.append(
                node.op, rewriter.inputs(node), node.attributes | bodies, tuple(v.type for v in node.outputs)
            )
        made.lowering = node.lowering
        rewriter.replace(node, made.outputs)
        return True

    return rewrite(graph, rule)
