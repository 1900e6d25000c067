"""The first divergence: which node of a program it is that a backend computes differently.

Programs that give values from inside are run, and what they give is held to the reference (inherited rule): from
values spread over the whole graph to those before the first that differs, until all operands of a value agree. Its
node is run alone on the reference's operands (local rule). In a loop the first iteration that differs is looked into in
the same way, as a program of its own. Looking inside changes how a program is compiled, so the program as it is runs
once more with that one value beside its own outputs: the finding is confirmed, or it says that it is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..ir import Graph, Node, Port, Value
from ..ir.dims import bind_shape
from ..ir.evaluate import all_sizes, resolve
from ..ir.graph import bound_symbols
from ..ir.rewrite import Rewriter
from ..ir.text import Printer
from ..ir.types import dtype_of
from .candidate import Candidate, Job
from .expected import Ensemble
from .iterations import parts_at_fault
from .judge import Verdict, inherited, worst
from .local import alone, judge_node
from .reference import HELD, Key, Reference
from .report import Divergence
from .truth import Truth

Batch = Sequence[np.ndarray]
WATCHED = 48  # values from inside that one program gives
_TOGETHER = 64  # nodes that are run alone, beside each other, in one program
_UNCONFIRMED = "; the program as it runs could not confirm it, since looking inside changes how it is compiled"


def find_divergence(candidate: Candidate, graph: Graph, arrays: Mapping[Key, np.ndarray], batch: Batch) -> Divergence:
    """The first node of a program that a candidate computes differently on these inputs."""
    search = _Search(candidate, graph, arrays, batch)
    value, verdict = search.first()
    if value is None or verdict is None:
        summary = "the outputs differ, but no value inside does when it is looked at" + _UNCONFIRMED
        return Divergence(candidate.name, False, summary)
    guilty, local = search.guilty(value)
    node = guilty or value.node
    assert node is not None
    if guilty is not None and guilty is not value.node:
        verdict = search.judged(guilty.outputs[:1])[guilty.outputs[0]]
    fault = _Fault(search, node, local)
    if guilty is not None:
        fault = _followed(fault)
    confirmed = search.confirmed(node)
    node = fault.node
    return Divergence(
        candidate.name,
        True,
        _summary(fault, guilty is not None, confirmed),
        Printer(fault.search.graph).node_lines(node)[-1],
        node.op.name,
        node.origin,
        "/".join(node.scope.path) if node.scope else "",
        tuple(fault.search.operand_texts(node)),
        fault.local,
        verdict,
        confirmed,
        fault.within,
    )


@dataclass(frozen=True)
class _Fault:
    """The node to blame, what its own bound says of it, and in which iterations and branches it is."""

    search: _Search
    node: Node
    local: Verdict | None
    within: tuple[str, ...] = ()


def _followed(fault: _Fault) -> _Fault:
    """The fault of a loop or branch as that of a node in it, as far as it can be followed."""
    search = fault.search
    parts = parts_at_fault(search.candidate, fault.node, search.operands(fault.node), search.bindings)
    for part in parts:
        inner = _Search(search.candidate, part.body, {}, part.operands)
        value, _ = inner.first()
        guilty, local = inner.guilty(value) if value is not None else (None, None)
        if guilty is not None:
            return _followed(_Fault(inner, guilty, local, (*fault.within, part.said)))
    return replace(fault, within=(*fault.within, *(p.said for p in parts[:1])))


def find_in_training(candidate: Candidate, truth: Truth, step: int) -> Divergence:
    """The first node that differs in a step (counted from 0) of a training run, or in one before it.

    Each step that is looked at starts from the reference's own parameters and state.
    """
    for k in sorted({0, step // 2, step}):
        held = truth.held_before(k)
        ensemble = Ensemble(truth.reference, held, truth.seed, ties=True)
        expected = ensemble(*truth.batches[k])
        outcome = candidate.run(Job(truth.graph, held, [truth.batches[k]]))
        found = [inherited("", c, e, ensemble.near) for c, e in zip(outcome.outputs[0], expected, strict=True)]
        found += [inherited("", outcome.arrays[key], e, ensemble.near) for key, e in ensemble.arrays().items()]
        if any(v.outcome == "differs" for v in found):
            return find_divergence(candidate, truth.graph, held, truth.batches[k])
    summary = (
        f"single steps, each from the reference's own parameters, agree (step {step + 1} among them): "
        "what differs has built up over the steps, and no node is to blame"
    )
    return Divergence(candidate.name, False, summary)


def _summary(fault: _Fault, guilty: bool, confirmed: bool) -> str:
    node, local = fault.node, fault.local
    where = "".join(f", {w}" for w in fault.within)
    if guilty and local is not None:
        times = f"{local.ratio:.3g} times" if np.isfinite(local.ratio) else "infinitely many times"
        text = f"{node.op.name} is the first node beyond its own bound{where}: {times} what it allows"
    else:
        text = (
            f"the first value that differs is that of {node.op.name}, though each node alone is within its bound: "
            "look at what the backend makes of several nodes together"
        )
    return text if confirmed else text + _UNCONFIRMED


def watching(graph: Graph, values: Sequence[Value], *, whole: bool = False) -> Graph:
    """The graph with values from inside as outputs (of role metric), in place of its own or beside them."""
    rewriter = Rewriter(graph)
    for node in graph.nodes:
        rewriter.copy(node)
    new = rewriter.finish() if whole else rewriter.new
    new.outputs += [Port(rewriter.values[v], "metric", f"watched.{i}") for i, v in enumerate(values)]
    return new


@dataclass(frozen=True)
class _Operands:
    """A node, and what the reference has for its operands, in the declared types."""

    node: Node
    given: list[Any]


class _Search:
    def __init__(
        self, candidate: Candidate, graph: Graph, arrays: Mapping[Key, np.ndarray], batch: Batch, seed: int = 0
    ) -> None:
        self.candidate, self.graph, self.arrays, self.batch, self.seed = candidate, graph, arrays, batch, seed
        uses = graph.uses()
        self.order = {v: i for i, v in enumerate(v for n in graph.nodes if n.inputs for v in n.outputs if v in uses)}
        self.bindings: dict[str, int] = {}
        for port, array in zip(graph.ports("input"), batch, strict=True):
            bind_shape(port.value.shape, array.shape, self.bindings, port.path)
        if bound_symbols(graph):
            given = iter(batch)
            held = [next(given) if p.role == "input" else arrays[p.role, p.path] for p in graph.inputs]
            self.bindings = all_sizes(graph, held)

    def first(self) -> tuple[Value | None, Verdict | None]:
        """The first value that differs while all that it was computed from agree."""
        pool, good, bad = set(self.order), set[Value](), None
        while pool:
            ordered = sorted(pool, key=self.order.__getitem__)
            chosen = [ordered[i] for i in np.linspace(0, len(ordered) - 1, min(WATCHED, len(ordered))).astype(int)]
            verdicts = self.judged(chosen)
            failing = [v for v in chosen if verdicts[v].outcome == "differs"]
            good |= set(chosen) - set(failing)
            if failing:
                bad = failing[0], verdicts[failing[0]]
                pool &= _before(failing[0])
            pool -= good.union(*map(_before, good)) | set(chosen)
        return bad or (None, None)

    def judged(self, values: Sequence[Value]) -> dict[Value, Verdict]:
        """Each value as the candidate computes it in its program, held to the reference."""
        watched = watching(self.graph, values)
        ensemble = Ensemble(Reference(watched), self.arrays, self.seed, ties=True)
        expected = ensemble(*self.batch)
        found = self.candidate.run(Job(watched, self.arrays, [self.batch])).outputs[0]
        triples = zip(values, found, expected, strict=True)
        return {v: inherited(v.name or "value", c, e, ensemble.near) for v, c, e in triples}

    def guilty(self, value: Value) -> tuple[Node | None, Verdict | None]:
        """The node of a value if it is beyond its bound alone, else the first one before it that is."""
        assert value.node is not None
        local = self._alone([value.node])[0]
        if local.outcome == "differs":
            return value.node, local
        before = _before(value)
        nodes = list(dict.fromkeys(v.node for v in self.order if v in before and v.node is not None))
        for start in range(0, len(nodes), _TOGETHER):
            some = nodes[start : start + _TOGETHER]
            for node, verdict in zip(some, self._alone(some), strict=True):
                if verdict.outcome == "differs":
                    return node, verdict
        return None, local

    def _alone(self, nodes: Sequence[Node]) -> list[Verdict]:
        """Each node run by itself on the reference's operands; all of them in one program."""
        together, graphs, operands = Graph("nodes"), [], []
        for i, item in enumerate(self._operands(nodes)):
            graph = alone(item.node, item.given, self.bindings)
            graphs.append(graph)
            operands.append([o for o in item.given if o is not None])
            _beside(together, graph, i)
        inputs = [o for given in operands for o in given]
        found = iter(self.candidate.run(Job(together, {}, [inputs])).outputs[0])
        verdicts = []
        for graph, given in zip(graphs, operands, strict=True):
            judged = judge_node(graph, given, [next(found) for _ in graph.outputs])
            verdict = worst(judged)
            assert verdict is not None
            verdicts.append(verdict)
        return verdicts

    def _operands(self, nodes: Sequence[Node]) -> list[_Operands]:
        values = list(dict.fromkeys(v for n in nodes for v in n.inputs if v is not None))
        reference = Reference(watching(self.graph, values))
        given = iter(reference.widen_inputs(self.batch))
        held = reference.widen(
            {k: a for k, a in self.arrays.items() if k in {(p.role, p.path) for p in reference.ports}}
        )
        arrays = [held[p.role, p.path] if p.role in HELD else next(given) for p in reference.ports]
        with np.errstate(all="ignore"):
            results = {
                v: np.asarray(r).astype(v.dtype.numpy) for v, r in zip(values, reference.run(arrays), strict=True)
            }
        return [_Operands(n, [None if v is None else results[v] for v in n.inputs]) for n in nodes]

    def confirmed(self, node: Node) -> bool:
        """Whether the node's value differs also where the program computes all that it is for."""
        value = next(v for v in node.outputs if v in self.order)
        whole = watching(self.graph, [value], whole=True)
        ensemble = Ensemble(Reference(whole), self.arrays, self.seed, ties=True)
        expected = ensemble(*self.batch)
        found = self.candidate.run(Job(whole, self.arrays, [self.batch])).outputs[0]
        return inherited("", found[-1], expected[-1], ensemble.near).outcome == "differs"

    def operands(self, node: Node) -> list[Any]:
        """What the reference has for a node's operands."""
        return self._operands([node])[0].given

    def operand_texts(self, node: Node) -> list[str]:
        (item,) = self._operands([node])
        names = node.op.signature.operands
        texts = []
        for i, (value, array) in enumerate(zip(node.inputs, item.given, strict=True)):
            if value is not None and array is not None:
                kind = f"{dtype_of(array.dtype).short}{list(array.shape)}"
                texts.append(f"{names[min(i, len(names) - 1)]}: {kind}, {_range(array)}")
        attributes = resolve(node.attributes, self.bindings)
        return [*texts, *(f"{k} = {v}" for k, v in attributes.items() if not isinstance(v, np.ndarray))]


def _range(array: np.ndarray) -> str:
    if not array.size:
        return "no elements"
    return f"from {np.min(array):.6g} to {np.max(array):.6g}" if array.dtype.kind in "fiu" else f"{array.size} elements"


def _before(value: Value) -> set[Value]:
    """All values that a value is computed from."""
    found: set[Value] = set()
    waiting = [value]
    while waiting:
        node = waiting.pop().node
        for operand in node.inputs if node is not None else ():
            if operand is not None and operand not in found:
                found.add(operand)
                waiting.append(operand)
    return found


def _beside(together: Graph, graph: Graph, number: int) -> None:
    """Append a graph of one node to another graph, with inputs and outputs of its own."""
    values = {p.value: together.input(f"n{number}_{p.path}", p.value.type) for p in graph.inputs}
    node = graph.nodes[-1]
    with together.at(node.origin):
        made = together.append(
            node.op,
            tuple(None if v is None else values[v] for v in node.inputs),
            node.attributes,
            tuple(v.type for v in node.outputs),
        )
    for i, value in enumerate(made.outputs):
        together.output(value, f"n{number}_y{i}")
