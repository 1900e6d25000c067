"""Merge scans that carry the same values along: the forward loop of a layer, and that which its gradient ran again.

Two scans of one direction and length, over the same initial carries, become one, in the place of the first, where their
new carries are computed alike: then they are the same in every iteration. The merged body gives the stacked outputs of
both, each once. What the second one is given must be there before the first one; and its place must be one from which
the first may be used (see `merge_common`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import ops
from ..graph import Graph, Node, Port, Value
from ..rewrite import Rewriter
from .merge_common import layers_of, merge_common


@dataclass(frozen=True)
class Common:
    """The body of two loops, its operands, how many of them are sequences, which of its outputs the second's are."""

    body: Graph
    operands: Sequence[Value]
    xs: int
    where: Sequence[int]


@dataclass(frozen=True)
class Pair:
    """Two loops that become one."""

    first: Node
    second: Node
    common: Common


def merge_loops(graph: Graph) -> Graph:
    while pairs := _pairs(graph):
        graph = _with(graph, pairs)
    return graph


def _pairs(graph: Graph) -> list[Pair]:
    """Loops that merge, two by two, no loop in two pairs: all that is moved is moved to where it may be anyway."""
    place = {node: i for i, node in enumerate(graph.nodes)}
    groups: dict[object, list[Node]] = {}
    for node in graph.nodes:
        if node.op is ops.scan and node.attributes["carries"]:
            groups.setdefault(_key(node), []).append(node)
    return [pair for nodes in groups.values() if (pair := _pair_among(nodes, place)) is not None]


def _pair_among(nodes: Sequence[Node], place: dict[Node, int]) -> Pair | None:
    for i, first in enumerate(nodes):
        for second in nodes[i + 1 :]:
            common = _common_body(first, second) if _reachable(first, second, place) else None
            if common is not None:
                return Pair(first, second, common)
    return None


def _key(node: Node) -> object:
    a = node.attributes
    length = node.inputs[a["carries"]] if a["xs"] else None
    steps = length.shape[0] if length is not None else a["length"]
    return (a["reverse"], str(steps), node.inputs[: a["carries"]])


def _reachable(first: Node, second: Node, place: dict[Node, int]) -> bool:
    early = all(v is None or v.node is None or place[v.node] < place[first] for v in second.inputs)
    scope = first.scope
    while scope is not None and not scope.name:
        scope = scope.parent
    return early and scope in layers_of(second.scope)


def _common_body(first: Node, second: Node) -> Common | None:
    carries = first.attributes["carries"]
    graph = Graph(first.attributes["body"].name)
    operands: dict[tuple[str, Value], Value] = {}  # the same value may be a sequence and captured
    kinds = [(n, i, v, _kind(n, i)) for n in (first, second) for i, v in enumerate(n.inputs)]
    given: dict[Node, dict[Value, Value]] = {first: {}, second: {}}
    for kind in ("carry", "x", "captured"):
        for node, i, operand, its in kinds:
            if its != kind or operand is None:
                continue
            port = node.attributes["body"].inputs[i].value
            key = (f"carry{i}" if kind == "carry" else kind, operand)
            if key not in operands:
                operands[key] = graph.input(port.name, port.type, path=f"{len(graph.inputs)}")
            given[node][port] = operands[key]
    outputs = [_copied(graph, node, given[node]) for node in (first, second)]
    graph.outputs = [Port(v, "output", str(i)) for i, v in enumerate((*outputs[0], *outputs[1]))]
    graph = merge_common(graph)
    values = [p.value for p in graph.outputs]
    one, other = values[: len(outputs[0])], values[len(outputs[0]) :]
    if one[:carries] != other[:carries]:
        return None
    places = {v: i for i, v in reversed(list(enumerate(one))) if i >= carries}
    kept, where = list(one), list(range(carries))
    for value in other[carries:]:
        if value not in places:
            places[value] = len(kept)
            kept.append(value)
        where.append(places[value])
    graph.outputs = [Port(v, "output", str(i)) for i, v in enumerate(kept)]
    return Common(graph, [v for _, v in operands], sum(k == "x" for k, _ in operands), where)


def _kind(node: Node, i: int) -> str:
    carries, xs = node.attributes["carries"], node.attributes["xs"]
    return "carry" if i < carries else "x" if i < carries + xs else "captured"


def _copied(graph: Graph, node: Node, values: dict[Value, Value]) -> list[Value]:
    rewriter = Rewriter.into(graph, values)
    body: Graph = node.attributes["body"]
    for inner in body.nodes:
        rewriter.copy(inner)
    return [rewriter.values[p.value] for p in body.outputs]


def _with(graph: Graph, pairs: Sequence[Pair]) -> Graph:
    """The graph with one scan for each two."""
    firsts, seconds = {p.first: p for p in pairs}, {p.second for p in pairs}
    rewriter = Rewriter(graph)
    for node in graph.nodes:
        if node in firsts:
            _merged(rewriter, firsts[node])
        elif node not in seconds:
            rewriter.copy(node)
    return rewriter.finish()


def _merged(rewriter: Rewriter, pair: Pair) -> None:
    """Append the scan that stands for two."""
    first, second, common = pair.first, pair.second, pair.common
    attributes = first.attributes | {"body": common.body, "xs": common.xs}
    n = first.outputs[-1].shape[0] if len(first.outputs) > first.attributes["carries"] else None
    types = [v.type for v in first.outputs]
    for port in common.body.outputs[len(types) :]:
        rows = next(v.type for v, i in zip(second.outputs, common.where, strict=True) if i == len(types))
        types.append(rows if n is None else port.value.type.with_shape((n, *port.value.shape)))
    with rewriter.within(first):
        made = rewriter.new.append(
            ops.scan, tuple(rewriter.values[v] for v in common.operands), attributes, tuple(types)
        )
    for old, new in zip(first.outputs, made.outputs, strict=False):
        rewriter.values[old] = new.named(old.name)
    for old, i in zip(second.outputs, common.where, strict=True):
        rewriter.values[old] = made.outputs[i].named(old.name)
