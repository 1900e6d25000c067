"""A lowering is a row: an op, and the rules that compute it, the first that fits wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ..ir import Node, Op, Value
from ..ir.errors import UnsupportedOpError
from ..ir.graph import Graph
from ..ir.ops import constant, size

Condition = Callable[[Node], bool]


@dataclass(frozen=True)
class GradientOf:
    """The key of a row that claims the gradient of a composite whole.

    The rule takes the output gradients that are given, the outputs, and the inputs that are present.
    """

    op: Op


@dataclass(frozen=True)
class When:
    """A rule for the nodes that fulfil a condition."""

    condition: Condition
    rule: Any

    def fits(self, node: Node) -> bool:
        return self.condition(node)


@dataclass(frozen=True)
class Alone(When):
    """A rule that gives no output that is saved for a gradient: it fits where nothing uses those."""

    def fits(self, node: Node) -> bool:
        return not any(map(is_used, saved_outputs(node))) and self.condition(node)


@dataclass(frozen=True)
class Undifferentiated(When):
    """A rule for a composite that computes its forward part alone: it fits where the graph has no gradient of it.

    Where it has, parts of both are shared, and the forward part whole would be computed besides.
    """

    def fits(self, node: Node) -> bool:
        return node not in differentiated(node.outputs[0].graph) and self.condition(node)


_DIFFERENTIATED: WeakKeyDictionary[Graph, tuple[int, Mapping[Node, tuple[Node, ...]]]] = WeakKeyDictionary()


def differentiated(graph: Graph) -> Mapping[Node, tuple[Node, ...]]:
    """The nodes of which the graph has a gradient whole, each with its gradients."""
    known = _DIFFERENTIATED.get(graph)
    if known is None or known[0] != len(graph.nodes):
        found: dict[Node, tuple[Node, ...]] = {}
        for node in graph.nodes:
            made = (
                {v.node for v in node.inputs if v is not None and v.node is not None} if node.op.derivative_of else ()
            )
            for forward in made:
                if forward.op is node.op.derivative_of:
                    found[forward] = (*found.get(forward, ()), node)
        known = _DIFFERENTIATED[graph] = len(graph.nodes), found
    return known[1]


def drawn_by(generator: str, width: int | None = None) -> Condition:
    """Whether a node draws with a generator, and whole words or so many bits of them where that is said."""

    def condition(node: Node) -> bool:
        return node.attributes["generator"] == generator and width in (None, node.attributes.get("width"))

    return condition


@dataclass(frozen=True)
class Statement:
    """A rule that writes a node as statements of its own: a loop or a branch. `write(body, node)`."""

    write: Callable[[Any, Node], None]


Key = Op | GradientOf
WRITTEN_OUT = (constant, size)  # ops that need no row: a literal, and an expression over shapes
Row = Any  # one rule, a When, or a tuple of them
Table = Mapping[Key, Row]


_USED: WeakKeyDictionary[Graph, tuple[tuple[int, int], frozenset[Value]]] = WeakKeyDictionary()


def is_used(value: Value) -> bool:
    """Whether a node or an output of its graph uses a value."""
    graph = value.graph
    size = len(graph.nodes), len(graph.outputs)
    known = _USED.get(graph)
    if known is None or known[0] != size:
        known = _USED[graph] = size, frozenset(graph.uses())
    return value in known[1]


def saved_outputs(node: Node) -> tuple[Value, ...]:
    """The outputs that are there for a gradient only."""
    return node.outputs[len(node.outputs) - node.op.saved :]


def key_of(op: Op) -> Key:
    return GradientOf(op.derivative_of) if op.derivative_of else op


def find_rule(table: Table, node: Node) -> Any | None:
    """The rule that was chosen for the node, else the first of its row whose condition holds, or None."""
    if node.lowering is not None:
        return node.lowering
    entry = find_entry(table, node)
    return entry.rule if isinstance(entry, When) else entry


def find_entry(table: Table, node: Node) -> Any | None:
    """The first of a node's row that fits, with its condition."""
    row = table.get(key_of(node.op))
    entries = row if isinstance(row, tuple) else (row,)
    return next((e for e in entries if not isinstance(e, When) or e.fits(node)), None)


def merge(*families: Table) -> Table:
    """One table of several; a key that two of them have is an error."""
    table: dict[Key, Row] = {}
    for family in families:
        double = table.keys() & family.keys()
        if double:
            raise ValueError(f"two rows for {double}")
        table.update(family)
    return table


def nodes_within(nodes: Iterable[Node]) -> Iterator[Node]:
    """Nodes, and those of the bodies of loops and branches among them."""
    for node in nodes:
        yield node
        for attribute in node.attributes.values():
            if isinstance(attribute, Graph):
                yield from nodes_within(attribute.nodes)


def missing_rules(graph: Graph, table: Table) -> list[Node]:
    """The nodes that no rule fits, those in the bodies of loops and branches too."""
    return [n for n in nodes_within(graph.nodes) if n.op not in WRITTEN_OUT and find_rule(table, n) is None]


def check_lowered(graph: Graph, table: Table, target: str) -> None:
    """Raise one error that names every node without a rule, and where it comes from."""
    missing: dict[str, list[str]] = {}
    for node in missing_rules(graph, table):
        missing.setdefault(node.op.name, []).append(node.origin or "?")
    if missing:
        lines = [f"  {name} ({len(places)}x): {', '.join(dict.fromkeys(places))}" for name, places in missing.items()]
        raise UnsupportedOpError(f"{target} has no lowering for:\n" + "\n".join(lines))
