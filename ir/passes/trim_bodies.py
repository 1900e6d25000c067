"""Take out of loops and branches what nothing uses.

1. A stacked output of a scan, or an output of a branch, that nothing uses is not computed.
2. A carry of a scan goes where its end is not used and no other carry or stacked output of an iteration comes from it.
3. An operand that the body does not read is not given to it; two that are the same value are given once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..graph import Graph, Node, Port, Value
from ..rewrite import Rewriter, rewrite
from .remove_dead import remove_dead


def trim_bodies(graph: Graph) -> Graph:
    if not any(node.op in _RULES for node in graph.nodes):
        return graph
    uses = graph.uses()

    def rule(rewriter: Rewriter, node: Node) -> bool:
        trim = _RULES.get(node.op)
        return trim is not None and trim(rewriter, node, [uses.get(v, 0) > 0 for v in node.outputs])

    return rewrite(graph, rule)


def _scan(rewriter: Rewriter, node: Node, used: Sequence[bool]) -> bool:
    body, carries, xs = (node.attributes[k] for k in ("body", "carries", "xs"))
    values = [p.value for p in body.inputs]
    outputs = _live_outputs(body, carries, used)
    if not outputs:
        return False
    read = _read(body, outputs)
    kept_xs = [i for i in range(carries, carries + xs) if values[i] in read]
    if xs and not kept_xs:
        kept_xs = [carries]  # one of them says how long the scan is
    operands = [i for i in outputs if i < carries] + kept_xs
    same = _same(rewriter, node, carries + xs, read, values)
    operands += [i for i in range(carries + xs, len(values)) if same.get(i) == i]
    if len(outputs) == len(node.outputs) and len(operands) == len(values):
        return False
    new_body = _shrunk(body, operands, outputs, same)
    attributes = node.attributes | {
        "body": new_body, "carries": sum(i < carries for i in outputs), "xs": len(kept_xs),
    }  # fmt: skip
    _replace(rewriter, node, operands, outputs, attributes)
    return True


def _live_outputs(body: Graph, carries: int, used: Sequence[bool]) -> list[int]:
    """The outputs that are used outside, and the carries from which those come in the end."""
    values = [p.value for p in body.inputs]
    live = {i for i, x in enumerate(used) if x}
    while True:
        read = _read(body, sorted(live))
        more = {i for i in range(carries) if values[i] in read} - live
        if not more:
            return sorted(live)
        live |= more


def _cond(rewriter: Rewriter, node: Node, used: Sequence[bool]) -> bool:
    sides = (node.attributes["then"], node.attributes["otherwise"])
    outputs = [i for i, x in enumerate(used) if x]
    if not outputs:
        return False
    values = [[p.value for p in side.inputs] for side in sides]
    reads = [_read(side, outputs) for side in sides]
    read = {values[0][i] for i in range(len(values[0])) if any(v[i] in r for v, r in zip(values, reads, strict=True))}
    same = _same(rewriter, node, 0, read, values[0], first=1)
    operands = [i for i in range(len(values[0])) if same.get(i) == i]
    if len(outputs) == len(node.outputs) and len(operands) == len(values[0]):
        return False
    names = ("then", "otherwise")
    bodies = {k: _shrunk(side, operands, outputs, same) for k, side in zip(names, sides, strict=True)}
    _replace(rewriter, node, [-1, *operands], outputs, node.attributes | bodies, first=1)
    return True


def _read(body: Graph, outputs: Sequence[int]) -> set[Value]:
    """What a body's outputs come from."""
    live = {body.outputs[i].value for i in outputs}
    for node in reversed(body.nodes):
        if any(v in live for v in node.outputs):
            live.update(v for v in node.inputs if v is not None)
    return live


def _same(
    rewriter: Rewriter, node: Node, start: int, read: set[Value], values: Sequence[Value], first: int = 0
) -> dict[int, int]:
    """For each operand from `start` on that is read, the first one that is the same value."""
    given = rewriter.inputs(node)[first:]
    seen: dict[Any, int] = {}
    return {i: seen.setdefault(given[i], i) for i in range(start, len(values)) if values[i] in read}


def _shrunk(body: Graph, operands: Sequence[int], outputs: Sequence[int], same: dict[int, int]) -> Graph:
    """The body with these inputs and outputs alone."""
    graph = Graph(body.name)
    graph.guards = list(body.guards)
    values: dict[Value, Value] = {}
    for i in operands:
        port = body.inputs[i]
        values[port.value] = graph.input(port.value.name, port.value.type, port.role, port.path)
    for i, j in same.items():
        values[body.inputs[i].value] = values[body.inputs[j].value]
    live = _read(body, outputs)
    rewriter = Rewriter.into(graph, values)
    for node in body.nodes:
        if any(v in live for v in node.outputs):
            rewriter.copy(node)
    graph.outputs = [Port(rewriter.values[body.outputs[i].value], "output", str(k)) for k, i in enumerate(outputs)]
    return remove_dead(graph)


def _replace(
    rewriter: Rewriter, node: Node, operands: Sequence[int], outputs: Sequence[int], attributes: dict[str, Any],
    first: int = 0,
) -> None:  # fmt: skip
    inputs = rewriter.inputs(node)
    types = tuple(node.outputs[i].type for i in outputs)
    with rewriter.within(node):
        made = rewriter.new.append(node.op, tuple(inputs[i + first] for i in operands), attributes, types)
    for i, new in zip(outputs, made.outputs, strict=True):
        rewriter.values[node.outputs[i]] = new.named(node.outputs[i].name)


_RULES = {ops.scan: _scan, ops.cond: _cond}
