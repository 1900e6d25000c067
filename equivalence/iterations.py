"""Where in a loop or branch a candidate first differs: the iteration, and what its body is given there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir import Graph, Node, ops
from ..ir.specialize import with_sizes
from .candidate import Candidate, Job
from .judge import worst
from .local import alone, judge_node
from .reference import Reference

_MOST = 1 << 20  # iterations of a loop without a bound


@dataclass(frozen=True)
class Part:
    """A body that may be at fault, and its operands there, as the reference has them; `said` is where that is."""

    said: str
    body: Graph
    operands: list[Any]


def parts_at_fault(
    candidate: Candidate, node: Node, operands: Sequence[Any], bindings: Mapping[str, int]
) -> list[Part]:
    """The bodies to look into where a loop or branch differs on these operands; none where another node does."""
    if node.op is ops.cond:
        name = "then" if operands[0] else "otherwise"
        body = with_sizes(node.attributes[name], bindings)
        return [Part(f"in the branch `{name}` of cond", body, list(operands[1:]))]
    if node.op not in (ops.scan, ops.while_loop):
        return []
    loop = _Loop(candidate, node, operands, bindings)
    number = loop.first()
    if number is None:
        return []
    given = loop.before(number)
    names = ("body",) if node.op is ops.scan else ("condition", "body")
    said = f"in iteration {number} of {node.op.name}"
    return [Part(said, with_sizes(node.attributes[name], bindings), given) for name in names]


class _Loop:
    """A loop that can be stopped after so many iterations."""

    def __init__(self, candidate: Candidate, node: Node, operands: Sequence[Any], bindings: Mapping[str, int]) -> None:
        self.candidate, self.node, self.operands, self.bindings = candidate, node, list(operands), bindings
        self.carries = node.attributes["carries"]
        self.xs = node.attributes.get("xs", 0)

    def first(self) -> int | None:
        """The first iteration after which what the candidate has differs; None if it never does."""
        most = self._most()
        beyond = 1
        while not self._differs(beyond):
            if beyond == most:
                return None
            beyond = min(2 * beyond, most)
        within = beyond // 2  # nothing differs after so many
        while beyond - within > 1:
            middle = (within + beyond) // 2
            within, beyond = (within, middle) if self._differs(middle) else (middle, beyond)
        return beyond

    def before(self, number: int) -> list[Any]:
        """The operands of the body in an iteration, counted from 1."""
        end = self.carries + self.xs
        place = -number if self.node.attributes.get("reverse") else number - 1
        elements = [np.asarray(x[place]) for x in self.operands[self.carries : end]]
        return [*self._carried(number - 1), *elements, *self.operands[end:]]

    def _carried(self, count: int) -> list[Any]:
        if not count:
            return self.operands[: self.carries]
        graph, operands = self._stopped(count)
        reference = Reference(graph)
        results = reference.run(reference.widen_inputs(operands))[: self.carries]
        return [np.asarray(r).astype(p.value.dtype.numpy) for r, p in zip(results, graph.outputs, strict=False)]

    def _most(self) -> int:
        graph = alone(self.node, self.operands, self.bindings)
        if self.node.op is ops.while_loop:
            return graph.nodes[-1].attributes["max_iterations"] or _MOST
        return len(self.operands[self.carries]) if self.xs else int(graph.nodes[-1].attributes["length"])

    def _differs(self, count: int) -> bool:
        graph, operands = self._stopped(count)
        found = self.candidate.run(Job(graph, {}, [operands])).outputs[0]
        verdict = worst(judge_node(graph, operands, found))
        return verdict is not None and verdict.outcome == "differs"

    def _stopped(self, count: int) -> tuple[Graph, list[Any]]:
        """The loop alone with so many iterations, and its operands."""
        operands, end = list(self.operands), self.carries + self.xs
        if self.node.op is ops.while_loop:
            return alone(self.node, operands, self.bindings, max_iterations=count), operands
        some = slice(-count, None) if self.node.attributes["reverse"] else slice(count)
        operands[self.carries : end] = [np.ascontiguousarray(x[some]) for x in operands[self.carries : end]]
        length = None if self.xs else count
        return alone(self.node, operands, self.bindings, length=length), operands
