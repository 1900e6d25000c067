"""Reverse mode through control flow.

A scan's gradient is a scan in the other direction. What it needs of the forward one becomes further outputs of that:
the node gains them when it is differentiated. The gradient of what is the same in every iteration is a further carry,
or, where it ends in a sum or a matrix product, one such product of stacked operands after the loop. A loop with a bound
becomes a scan over a branch; a branch's gradient is a branch, which runs its forward part again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import ops
from .autodiff import backward
from .dims import Size, product
from .errors import UnsupportedOpError
from .graph import Graph, Node, Value
from .ops.control import scan_length, types_of
from .rewrite import Rewriter
from .types import TensorType

Optional = Sequence["Value | None"]
Stacks = Mapping[Value, Value]
VIEWS = frozenset({ops.reshape, ops.transpose, ops.broadcast_to})  # made again rather than kept for every iteration
CHEAP = frozenset({ops.add, ops.subtract, ops.multiply, ops.negative})  # so are these of what is kept anyway


def zeros(graph: Graph, t: TensorType) -> Value:
    return ops.broadcast_to(graph.constant(0, t.dtype), shape=t.shape)  # type: ignore[no-any-return]


# scan


def scan_gradient(
    g: Optional, out: Sequence[Value], *inputs: Value, body: Graph, carries: int, xs: int, reverse: bool,
    length: Size | None,
) -> list[Value | None]:  # fmt: skip
    """The gradients to all operands, by a scan in the other direction."""
    node = out[0].node
    assert node is not None
    joint = _Joint(body, carries, xs, [x is not None for x in g])
    if not joint.seeds:
        return [None] * len(inputs)
    kept = _keep(node, joint)
    stacks = {v: node.outputs[i] for v, i in kept.items()} | dict(
        zip(joint.elements, inputs[carries : carries + xs], strict=True)
    )
    again = _Backward(joint, list(stacks))
    graph = out[0].graph
    start = [zeros(graph, inputs[i].type) if (x := g[i]) is None else x for i in joint.carried]
    start += [zeros(graph, v.type) for v in again.accumulated]
    rows = [x for i in joint.given if (x := g[i]) is not None] + [stacks[v] for v in again.used]
    captured = [inputs[carries + xs + i] for i in again.captured]
    n = scan_length([v.type for v in inputs[carries : carries + xs]], length)
    results = graph.apply(
        ops.scan, *start, *rows, *captured, body=again.graph, carries=len(start), xs=len(rows), reverse=not reverse,
        length=None if rows else n,
    )  # fmt: skip
    results = results if isinstance(results, tuple) else (results,)
    return again.spread(results, stacks, len(inputs))


def _gradient_name(value: Value) -> str:
    return f"d_{value.name}" if value.name else ""


class _Joint:
    """A body with its own gradient behind it, in one graph."""

    def __init__(self, body: Graph, carries: int, xs: int, given: Sequence[bool]) -> None:
        rewriter = Rewriter(body)
        for node in body.nodes:
            rewriter.copy(node)
        self.body, self.graph = body, rewriter.new
        self.old = {new: old for old, new in rewriter.values.items()}
        values = [p.value for p in self.graph.inputs]
        self.carries, self.elements = values[:carries], values[carries : carries + xs]
        self.captured = values[carries + xs :]
        self.outputs = [rewriter.values[p.value] for p in body.outputs]
        self.forward = frozenset(self.graph.nodes)
        self.carried = [i for i, v in enumerate(self.carries) if v.dtype.is_differentiable]
        self.given = [i for i in range(carries, len(self.outputs)) if given[i]]
        seeded = [*self.carried, *self.given] if self.given or any(given[i] for i in self.carried) else []
        self.seeds = [
            self.graph.input(
                _gradient_name(values[i] if i < carries else self.outputs[i]), self.outputs[i].type, path=f"d_{i}"
            )
            for i in seeded
        ]
        wrt = [v for v in values if v.dtype.is_differentiable]
        found: list[Value | None] = []
        if self.seeds:
            with self.graph.section("backward"):
                found = backward([self.outputs[i] for i in seeded], self.seeds, wrt)
        self.gradients = dict(zip(wrt, found, strict=True)) if found else {}
        self.cheap: set[Value] = set()

    def invariant(self, value: Value) -> bool:
        """Whether a value of the forward part is the same in every iteration."""
        if value.node is None:
            return value in self.captured
        return all(v is None or self.invariant(v) for v in value.node.inputs) and (
            value.node.op.folds or not value.node.inputs
        )

    def made_again(self, value: Value) -> bool:
        """Whether the backward part computes a value itself rather than being given it."""
        node = value.node
        if node is None:
            return False
        again = node.op in VIEWS or node.op is ops.constant or value in self.cheap
        return again or node not in self.forward or self.invariant(value)

    def leaves(self, values: Sequence[Value]) -> tuple[list[Value], list[Node]]:
        """What a computation of these values is given, and the nodes that it runs, in order."""
        given: dict[Value, None] = {}
        run: set[Node] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if not self.made_again(value):
                given[value] = None
            elif value.node is not None and value.node not in run:
                run.add(value.node)
                waiting += [v for v in value.node.inputs if v is not None]
        return list(given), [n for n in self.graph.nodes if n in run]


def _keep(node: Node, joint: _Joint) -> dict[Value, int]:
    """Let the forward scan give what the backward one needs; which of its outputs each value is."""
    outside = {*joint.seeds, *joint.elements, *joint.captured}
    residuals = _residuals(joint, outside)
    first = len(joint.carries)
    places = {v: i for i, v in reversed(list(enumerate(joint.outputs))) if i >= first}
    rewriter = Rewriter(joint.body)
    for old in joint.body.nodes:
        rewriter.copy(old)
    body, outputs = rewriter.finish(), list(node.outputs)
    length = _length_of(node, joint)
    for value in residuals:
        if value not in places:
            places[value] = len(outputs)
            body.output(rewriter.values[joint.old[value]], str(len(outputs)))
            t = value.type.with_shape((length, *value.shape))
            outputs.append(Value(outputs[0].graph, t, node, len(outputs), value.name))
    node.outputs, node.attributes = tuple(outputs), node.attributes | {"body": body}
    return {v: places[v] for v in residuals}


def _residuals(joint: _Joint, outside: set[Value]) -> list[Value]:
    """What the backward part needs of the forward one, but for sums and products of the rest."""
    wanted = [v for v in joint.gradients.values() if v is not None]
    while True:
        residuals = [v for v in joint.leaves(wanted)[0] if v not in outside]
        at_hand = {*residuals, *outside}
        made = [v for v in residuals if v.node and v.node.op in CHEAP and _of(v.node, at_hand)]
        if not made:
            return residuals
        joint.cheap.add(made[0])


def _of(node: Node, values: set[Value]) -> bool:
    return all(v in values or (v is not None and v.node is not None and v.node.op is ops.constant) for v in node.inputs)


def _length_of(node: Node, joint: _Joint) -> Size:
    first = len(joint.carries)
    sequences = [v.type for v in node.inputs[first : first + len(joint.elements)] if v is not None]
    return scan_length(sequences, node.attributes["length"])


class _Backward:
    """The body of the reversed scan, and how its results become gradients."""

    def __init__(self, joint: _Joint, stacked: Sequence[Value]) -> None:
        self.joint = joint
        self.sums: dict[Value, _Sum] = {}
        self.accumulated: list[Value] = []  # gradients that are a further carry
        for value in joint.captured:
            gradient = joint.gradients.get(value)
            if gradient is None:
                continue
            total = _sum_of(gradient, joint)
            if total is None:
                self.accumulated.append(gradient)
            else:
                self.sums[value] = total
        self.rows = self._rows(set(stacked))
        needed, nodes = joint.leaves([*self._carried(), *self.accumulated, *self.rows])
        self.used = [v for v in stacked if v in needed]
        self.captured = [i for i, v in enumerate(joint.captured) if v in needed]
        self.graph = self._build(nodes)

    def _carried(self) -> list[Value]:
        return [g for i in self.joint.carried if (g := self.joint.gradients.get(self.joint.carries[i])) is not None]

    def _rows(self, stacked: set[Value]) -> list[Value]:
        """What each iteration gives: gradients of elements, and operands of the sums after the loop."""
        wanted = [g for v in self.joint.elements if (g := self.joint.gradients.get(v)) is not None]
        wanted += [v for total in self.sums.values() for v in total.operands if v not in stacked]
        return list(dict.fromkeys(wanted))

    def _build(self, nodes: Sequence[Node]) -> Graph:
        joint, graph = self.joint, Graph(f"{self.joint.body.name}_backward")
        values: dict[Value, Value] = {}
        count = len(joint.carried)
        for seed in joint.seeds[:count]:
            values[seed] = graph.input(seed.name, seed.type, path=f"carry{len(graph.inputs)}")
        sums = [graph.input("", v.type, path=f"sum{i}") for i, v in enumerate(self.accumulated)]
        for value in (*joint.seeds[count:], *self.used, *(joint.captured[i] for i in self.captured)):
            values[value] = graph.input(value.name, value.type, path=f"x{len(graph.inputs)}")
        rewriter = Rewriter.into(graph, values)
        for node in nodes:
            rewriter.copy(node)
        done = rewriter.values
        with graph.section("backward"):
            results = []
            for i in joint.carried:
                gradient = joint.gradients.get(joint.carries[i])
                results.append(zeros(graph, joint.carries[i].type) if gradient is None else done[gradient])
            results += [ops.add(s, done[v]) for s, v in zip(sums, self.accumulated, strict=True)]
        for i, value in enumerate([*results, *(done[v] for v in self.rows)]):
            graph.output(value, str(i))
        return graph

    def spread(self, results: Sequence[Value], stacks: Stacks, count: int) -> list[Value | None]:
        """The gradient of each operand of the forward scan from what the reversed one gave."""
        joint = self.joint
        found: dict[Value, Value] = {joint.carries[i]: r for i, r in zip(joint.carried, results, strict=False)}
        first = len(joint.carried) + len(self.accumulated)
        rows = dict(zip(self.rows, results[first:], strict=True)) | dict(stacks)
        own = dict(zip(self.rows, results[first:], strict=True))
        sums = dict(zip(self.accumulated, results[len(joint.carried) : first], strict=True))
        for value in joint.elements:
            gradient = joint.gradients.get(value)
            if gradient is not None:
                found[value] = own[gradient]
        for value in joint.captured:
            gradient = joint.gradients.get(value)
            if gradient is not None:
                found[value] = self.sums[value].build(rows) if value in self.sums else sums[gradient]
        values = [*joint.carries, *joint.elements, *joint.captured]
        assert len(values) == count
        return [found.get(v) for v in values]


@dataclass
class _Sum:
    """A sum over all iterations that is computed at once, from stacked operands."""

    operands: list[Value]
    build: Callable[[Stacks], Value] = field(repr=False)


def _sum_of(value: Value, joint: _Joint) -> _Sum | None:
    """How the sum of `value` over the iterations comes from stacked operands; None where only a carry will do."""
    node = value.node
    if node is None or node in joint.forward:
        return None
    rule = SUMS.get(node.op)
    return rule(node, joint) if rule else None


def _sum_of_both(node: Node, joint: _Joint) -> _Sum | None:
    parts = [_sum_of(v, joint) for v in node.inputs if v is not None and v.type == node.outputs[0].type]
    a, b = (*parts, None, None)[:2]
    return _Sum([*a.operands, *b.operands], lambda s: ops.add(a.build(s), b.build(s))) if a and b else None


def _sum_within(node: Node, joint: _Joint) -> _Sum | None:
    assert node.inputs[0] is not None
    inner = _sum_of(node.inputs[0], joint)
    return _Sum(inner.operands, lambda s: node.op(inner.build(s), **node.attributes)) if inner else None


def _sum_reduced(node: Node, joint: _Joint) -> _Sum | None:
    (x,) = (v for v in node.inputs if v is not None)
    axes = (0, *(a + 1 for a in ops.normalize_axes(node.attributes["axes"], x.rank)))
    shape = node.outputs[0].shape
    return _Sum([x], lambda s: ops.reshape(ops.reduce_sum(s[x], axes=axes), shape=shape))


def _sum_product(node: Node, joint: _Joint) -> _Sum | None:
    """Of products a @ b of matrices: the rows of all iterations as the contracted axis of one product."""
    a, b = (v for v in node.inputs if v is not None)
    if a.rank != 2 or b.rank != 2:
        return None
    turned = a.node if a.node is not None and a.node.op is ops.transpose else None
    left = turned.inputs[0] if turned else a
    assert left is not None
    m, n = node.outputs[0].shape

    def build(stacks: Stacks) -> Value:
        x, y = stacks[left], stacks[b]
        rows = product((y.shape[0], y.shape[1]))
        if turned:
            x = ops.transpose(ops.reshape(x, shape=(rows, m)), axes=(1, 0))
        else:
            x = ops.reshape(ops.transpose(x, axes=(1, 0, 2)), shape=(m, rows))
        return ops.matmul(x, ops.reshape(y, shape=(rows, n)))  # type: ignore[no-any-return]

    return _Sum([left, b], build)


SUMS: dict[Any, Callable[[Node, _Joint], _Sum | None]] = {
    ops.add: _sum_of_both,
    ops.negative: _sum_within,
    ops.reshape: _sum_within,
    ops.transpose: _sum_within,
    ops.reduce_sum: _sum_reduced,
    ops.matmul: _sum_product,
}


# while


def while_gradient(
    g: Optional, out: Sequence[Value], *inputs: Value, condition: Graph, body: Graph, carries: int,
    max_iterations: Size | None,
) -> list[Value | None]:  # fmt: skip
    """The loop becomes a scan of `max_iterations` steps, of which those after its end do nothing; then as there."""
    node = out[0].node
    assert node is not None
    if max_iterations is None:
        raise UnsupportedOpError(
            f"the gradient of while_loop at {node.origin or '?'} needs to know how many iterations there can be: "
            "give max_iterations"
        )
    node.op = ops.scan
    node.attributes = {
        "body": _guarded(condition, body, carries), "carries": carries, "xs": 0, "reverse": False,
        "length": max_iterations,
    }  # fmt: skip
    return scan_gradient(g, out, *inputs, **node.attributes)


def _guarded(condition: Graph, body: Graph, carries: int) -> Graph:
    """The body where the condition holds; else the carries as they are."""
    same = Graph("same")
    for p in body.inputs:
        same.input(p.value.name, p.value.type, path=p.path)
    for i in range(carries):
        same.output(same.inputs[i].value, str(i))
    rewriter = Rewriter(condition)
    for node in condition.nodes:
        rewriter.copy(node)
    graph = rewriter.new
    graph.name = "step"
    holds = rewriter.values[condition.outputs[0].value]
    results = graph.apply(ops.cond, holds, *(p.value for p in graph.inputs), then=body, otherwise=same)
    for i, value in enumerate(results if isinstance(results, tuple) else (results,)):
        graph.output(value, str(i))
    return graph


# cond


def cond_gradient(
    g: Optional, out: Sequence[Value], predicate: Value, *operands: Value, then: Graph, otherwise: Graph
) -> list[Value | None]:
    """A branch on the same predicate; each side runs its forward part again."""
    given = [i for i, x in enumerate(g) if x is not None]
    wanted = [i for i, v in enumerate(operands) if v.dtype.is_differentiable]
    if not given or not wanted:
        return [None] * (1 + len(operands))
    sides = [_side_gradient(side, given, wanted) for side in (then, otherwise)]
    results = predicate.graph.apply(
        ops.cond, predicate, *(g[i] for i in given), *operands, then=sides[0], otherwise=sides[1]
    )
    found = dict(zip(wanted, results if isinstance(results, tuple) else (results,), strict=True))
    return [None, *(found.get(i) for i in range(len(operands)))]


def _side_gradient(side: Graph, given: Sequence[int], wanted: Sequence[int]) -> Graph:
    graph = Graph(f"{side.name}_backward")
    types = types_of(side.outputs)
    seeds = [graph.input(_gradient_name(side.outputs[i].value), types[i], path=f"d{i}") for i in given]
    operands = [graph.input(p.value.name, p.value.type, path=f"x{i}") for i, p in enumerate(side.inputs)]
    rewriter = Rewriter.into(graph, dict(zip((p.value for p in side.inputs), operands, strict=True)))
    for node in side.nodes:
        rewriter.copy(node)
    with graph.section("backward"):
        outputs = [rewriter.values[side.outputs[i].value] for i in given]
        found = backward(outputs, seeds, [operands[i] for i in wanted])
        for i, gradient in zip(wanted, found, strict=True):
            graph.output(zeros(graph, operands[i].type) if gradient is None else gradient, str(i))
    return graph
