"""The truth: a graph in float64 on the same rounded arrays, and the same with each rounding made at random.

The reference takes composites apart, widens what is left, and runs it by the ops' own NumPy references. No pass that
backends use to make graphs smaller runs here, so a mistake of theirs cannot be in both. What rounds is perturbed:

1. Each float result of an op that rounds is multiplied by 1 + eps u, u even in [-1, 1], eps that of its declared type.
   What moves data, compares or counts is left alone (its bound is `exact`).
2. A sum of products rounds each product, which a perturbed result does not show where large products cancel. Mostly
   the operands are perturbed results already; where they are all given (a first layer), the first one is perturbed.
3. A cast to a narrower float is perturbed by that type's eps: next to a boundary it may go either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from ..ir import DType, Graph, Node, Value, ops
from ..ir.evaluate import Rule, bind_inputs, reference_rule, resolve
from ..ir.op import attribute_key
from ..ir.passes import decompose
from ..ir.passes.widen import widened
from ..ir.types import holds, part_of

Key = tuple[str, str]  # role (parameter or state) and path
HELD = ("parameter", "state")
RUNS = 5  # perturbed runs: the largest of five deviations is within a factor two of the standard one
_POOL = 1 << 18


class Noise:
    """Relative rounding errors: slices, at random places, of one pool of even numbers in [-1, 1]."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(seed))
        self._pool = self._generator.uniform(-1.0, 1.0, _POOL)

    def __call__(self, array: Any, eps: float) -> Any:
        count = np.size(array)
        start = int(self._generator.integers(_POOL - min(count, _POOL) + 1))
        errors = self._pool[start : start + count] if count <= _POOL else np.resize(np.roll(self._pool, start), count)
        return array + array * (errors.reshape(np.shape(array)) * eps)


@dataclass(frozen=True)
class Step:
    """One node, resolved: values are numbers of slots; `eps` belongs to the results, `fresh` to the first operand."""

    rule: Rule
    operands: tuple[int | None, ...]
    attributes: Mapping[str, Any]
    results: tuple[int, ...]
    eps: float
    fresh: float
    dead: tuple[int, ...]  # slots that nobody reads after this step


class Reference:
    """A graph in float64, its nodes in a flat list; equal nodes run once, those without use never."""

    def __init__(self, graph: Graph) -> None:
        declared = decompose(graph, keep=lambda node: False)
        self.graph, values = widened(declared)
        self.ports = graph.inputs
        self.outputs = graph.outputs
        self._eps = _roundings(declared, values)
        self._fresh = _given_products(declared, values)
        self._nodes, self._slots = _needed(self.graph)
        self._steps: dict[tuple[tuple[int, ...], ...], list[Step]] = {}

    def widen(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays for all inputs, rounded to the declared types, then widened."""
        pairs = zip(arrays, self.ports, self.graph.inputs, strict=True)
        return [np.asarray(np.asarray(a, p.value.dtype.numpy), q.value.dtype.numpy) for a, p, q in pairs]

    def run(self, arrays: Sequence[Any], noise: Noise | None = None) -> list[Any]:
        """The outputs for wide arrays of all inputs, in order."""
        slots: list[Any] = [*arrays, *[None] * (len(self._slots) - len(arrays))]
        with np.errstate(all="ignore"):
            for step in self._resolved(arrays):
                operands = [None if i is None else slots[i] for i in step.operands]
                if noise is not None and step.fresh:
                    operands[0] = noise(operands[0], step.fresh)
                found = step.rule(*operands, **step.attributes)
                results = found if len(step.results) > 1 else (found,)
                for slot, result in zip(step.results, results, strict=True):
                    slots[slot] = noise(result, step.eps) if noise is not None and step.eps else result
                for slot in step.dead:
                    slots[slot] = None
        return [slots[self._slots[p.value]] for p in self.graph.outputs]

    def _resolved(self, arrays: Sequence[Any]) -> list[Step]:
        """The steps for inputs of these shapes."""
        key = tuple(np.shape(a) for a in arrays)
        if key not in self._steps:
            bindings = bind_inputs(self.graph, arrays)
            last = _last_uses(self._nodes, self.graph)
            self._steps[key] = [self._step(n, bindings, last.get(i, ())) for i, n in enumerate(self._nodes)]
        return self._steps[key]

    def _step(self, node: Node, bindings: Mapping[str, int], dead: Sequence[Value]) -> Step:
        slots = self._slots
        return Step(
            reference_rule(node),
            tuple(None if v is None else slots[v] for v in node.inputs),
            resolve(node.attributes, bindings),
            tuple(slots[v] for v in node.outputs),
            max((self._eps.get(v, 0.0) for v in node.outputs), default=0.0),
            self._fresh.get(node, 0.0),
            tuple({slots[v] for v in dead}),
        )


def _roundings(declared: Graph, values: Mapping[Value, Value]) -> dict[Value, float]:
    """The eps by which each wide value is perturbed, where it is."""
    return {values[v]: eps for n in declared.nodes for v in n.outputs if (eps := _rounding(n, v))}


def _rounding(node: Node, value: Value) -> float:
    if not value.dtype.is_differentiable:
        return 0.0
    if node.op is ops.cast:
        source = node.inputs[0]
        narrows = source is not None and source.dtype.is_differentiable and not holds(value.dtype, source.dtype)
        return eps_of(value.dtype) if narrows else 0.0
    return 0.0 if node.op.bound.kind == "exact" else eps_of(value.dtype)


def eps_of(dtype: DType) -> float:
    """One ulp of 1 in a float (or in a complex number's parts)."""
    return float(ml_dtypes.finfo(part_of(dtype).numpy).eps)


def _given_products(declared: Graph, values: Mapping[Value, Value]) -> dict[Node, float]:
    """The wide nodes that sum over operands none of which is perturbed, with the eps for the first operand."""
    given = {p.value for p in declared.inputs}
    found: dict[Node, float] = {}
    for node in declared.nodes:
        if not all(v is None or v in given for v in node.inputs):
            continue
        if node.op.bound.kind == "exact":
            given.update(node.outputs)
        elif node.op.bound.kind in ("contraction", "reduction") and node.outputs[0].dtype.is_differentiable:
            wide = values[node.outputs[0]].node
            assert wide is not None
            found[wide] = eps_of(node.outputs[0].dtype)
    return found


def _needed(graph: Graph) -> tuple[list[Node], dict[Value, int]]:
    """The nodes that the outputs need, equal ones once, and a slot for each value, the inputs' first."""
    live = {p.value for p in graph.outputs}
    for node in reversed(graph.nodes):
        if not live.isdisjoint(node.outputs):
            live.update(v for v in node.inputs if v is not None)
    slots = {p.value: i for i, p in enumerate(graph.inputs)}
    seen: dict[Any, Node] = {}
    for node in graph.nodes:
        if live.isdisjoint(node.outputs):
            continue
        operands = tuple(None if v is None else slots[v] for v in node.inputs)
        first = seen.setdefault((node.op, operands, attribute_key(node.attributes)), node)
        if first is node:
            slots.update((v, len(slots) + i) for i, v in enumerate(node.outputs))
        else:
            slots.update((v, slots[w]) for v, w in zip(node.outputs, first.outputs, strict=True))
    return list(seen.values()), slots


def _last_uses(nodes: Sequence[Node], graph: Graph) -> dict[int, list[Value]]:
    ...


class Replica:
    """A reference that holds its own parameters and state, as a backend's program does; perturbed where it has noise."""

    def __init__(self, reference: Reference, arrays: Mapping[Key, Any], noise: Noise | None = None) -> None:
        self.reference, self.noise = reference, noise
        self.held: dict[Key, Any] = {}
        self.load(arrays)
