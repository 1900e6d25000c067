"""The truth: a graph in float64 on the same rounded arrays, and the same with each rounding made at random.

The reference takes composites apart, widens what is left, and runs it by the ops' own NumPy references. No pass that
makes graphs smaller for a backend runs here, so a mistake of such a pass cannot be on both sides.

What a perturbed run perturbs:

1. Each float result of an op that rounds is multiplied by 1 + eps u, u even in [-1, 1], eps that of its declared type.
   What moves data, compares or counts is left alone (its bound is `exact`).
2. A sum of n terms (contraction, reduction) rounds n times, each time relative to what it has summed so far. Added up
   one after another, as OpenBLAS does within a block and NumPy along a leading axis, that is eps sqrt(n) / 4 of the
   result (measured: 2.3 eps rms for products of 256 terms, 5 eps for sums of 2048), and as much of the terms' root sum
   of squares where large terms cancel. So result and first operand are perturbed by eps max(1, sqrt(n) / 4).
3. A cast to a narrower float is perturbed by that type's eps: near a boundary it may go either way.
4. Equal numbers in one place are perturbed equally, as real rounding does it: ties stay ties (a maximum over a window
   of blank pixels). Independent errors overstated a convolution's training divergence by a factor of 10^4.
5. Of several runs one sums float32 tensors one after another in float32. Where many terms are equal, such sums err far
   beyond chance, always to the same side (400 eps for 16,384 squares of blank images, by NumPy; 240 by PyTorch's own
   batch normalization of channels-last images).
6. The bodies of loops and branches are perturbed node by node, anew in each iteration; what a loop itself does (carry,
   stack, choose) rounds nothing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ml_dtypes
import numpy as np

from ..ir import DType, Graph, Node, Op, Value, ops
from ..ir.evaluate import Rule, all_sizes, reference_rule, resolve
from ..ir.graph import bound_symbols
from ..ir.op import attribute_key
from ..ir.passes import decompose
from ..ir.passes.widen import widened
from ..ir.types import holds, part_of

Key = tuple[str, str]  # role (parameter or state) and path
HELD = ("parameter", "state")


_FLOAT32 = 2.0**-23
_LOW, _HALF = np.uint64(20), np.uint64(1 << 19)


class Noise:
    """Relative rounding errors, even in [-1, 1] times eps: a hash of each number's bits, another one at each call."""

    def __init__(self, seed: int, one_by_one: bool = False) -> None:
        self._random = random.Random(seed)
        self.one_by_one = one_by_one  # sums of float32 are rounded after each term

    def __call__(self, array: Any, eps: float) -> Any:
        array = np.asarray(array)
        if array.dtype.kind == "c":
            return self(array.real, eps) + 1j * self(array.imag, eps)
        factor = np.uint64(self._random.getrandbits(64) | 1)
        with np.errstate(all="ignore"):
            errors = ((array.view(np.uint64) + _HALF >> _LOW) * factor).view(np.int64).astype(np.float64)
            errors *= eps * 2.0**-63
            errors += 1.0
            errors *= array
        return errors


@dataclass(frozen=True, eq=False)
class Step:
    """One node, resolved. Values are numbers of slots; `eps` is what its results are perturbed by."""

    node: Node
    rule: Rule
    operands: tuple[int | None, ...]
    attributes: Mapping[str, Any]
    results: tuple[int, ...]
    eps: float
    sums: bool
    dead: tuple[int, ...]  # slots that nobody reads any more
    bodies: Mapping[str, Reference]  # the graphs among the attributes
    bindings: Mapping[str, int]


Place = tuple[int, ...]  # in which iteration of each loop around it a step runs; () outside of loops


class Watch(Protocol):
    """Sees the operands of each step of a run, and may replace them."""

    def __call__(self, step: Step, operands: list[Any], place: Place) -> list[Any]: ...


@dataclass
class _Body:
    """A body as a function of arrays, while one loop runs; it counts its iterations."""

    reference: Reference
    bindings: Mapping[str, int]
    noise: Noise | None
    watch: Watch | None
    place: Place
    calls: int = 0

    def __call__(self, *arrays: Any) -> list[Any]:
        place, self.calls = (*self.place, self.calls), self.calls + 1
        return self.reference.run(arrays, self.noise, self.watch, self.bindings, place)


class Reference:
    """A graph in float64 as a flat list of steps; equal nodes run once, those that nothing needs never."""

    def __init__(self, graph: Graph) -> None:
        declared = decompose(graph, keep=lambda node: False)
        self.graph, values = widened(declared)
        self.ports, self.outputs = declared.inputs, declared.outputs  # with declared types
        self._eps = {values[v]: eps for n in declared.nodes for v in n.outputs if (eps := _rounding(n, v))}
        self._sums = _float_sums(declared, values)
        self._bodies = {values[n.outputs[0]].node: bodies for n in declared.nodes if (bodies := _bodies_of(n))}
        self._nodes, self._slots = _needed(self.graph)
        self._dead = _dead_slots(self._nodes, self._slots, self.graph)
        self._steps: dict[Any, list[Step]] = {}
        self._growth: dict[Step, float] = {}

    def widen(self, arrays: Mapping[Key, Any]) -> dict[Key, Any]:
        """Arrays by role and path, rounded to the declared types of those inputs, then widened."""
        pairs = {(p.role, p.path): (p, q) for p, q in zip(self.ports, self.graph.inputs, strict=True)}
        rounded = {k: np.asarray(a, pairs[k][0].value.dtype.numpy) for k, a in arrays.items()}
        return {k: np.asarray(a, pairs[k][1].value.dtype.numpy) for k, a in rounded.items()}

    def widen_inputs(self, inputs: Sequence[Any]) -> list[Any]:
        """The same for inputs of role `input`, in order."""
        keys = [(p.role, p.path) for p in self.ports if p.role == "input"]
        return list(self.widen(dict(zip(keys, inputs, strict=True))).values())

    def run(
        self, arrays: Sequence[Any], noise: Noise | None = None, watch: Watch | None = None,
        outer: Mapping[str, int] | None = None, place: Place = (),
    ) -> list[Any]:  # fmt: skip
        """The outputs for wide arrays of all inputs; perturbed where there is noise.

        A body knows the sizes `outer` of the graph around it, and in which iteration it runs.
        """
        slots: list[Any] = [*arrays, *[None] * (1 + max(self._slots.values(), default=0) - len(arrays))]
        with np.errstate(all="ignore"):
            for step in self._resolved(arrays, outer or {}):
                operands = [None if i is None else slots[i] for i in step.operands]
                if watch is not None:
                    operands = watch(step, operands, place)
                eps = 0.0 if noise is None else step.eps
                if noise is not None and step.sums:
                    eps *= self._grown(step, operands)
                    operands[0] = noise(operands[0], eps)
                alone = noise is not None and noise.one_by_one and step.eps == _FLOAT32
                bodies = {k: _Body(b, step.bindings, noise, watch, place) for k, b in step.bodies.items()}
                rule = _IN_FLOAT32.get(step.node.op, step.rule) if alone else step.rule
                found = rule(*operands, **step.attributes, **bodies)
                for slot, result in zip(step.results, found if len(step.results) > 1 else (found,), strict=True):
                    slots[slot] = noise(result, eps) if noise is not None and eps else result
                for slot in step.dead:
                    slots[slot] = None
        return [slots[self._slots[p.value]] for p in self.graph.outputs]

    def _grown(self, step: Step, operands: list[Any]) -> float:
        if step not in self._growth:
            self._growth[step] = max(
                1.0, np.sqrt(np.max(terms(step.node, operands, step.attributes), initial=1.0)) / 4.0
            )
        return self._growth[step]

    def _resolved(self, arrays: Sequence[Any], outer: Mapping[str, int]) -> list[Step]:
        """The steps for inputs of these shapes, in a graph of these sizes."""
        key = (tuple(np.shape(a) for a in arrays), tuple(outer.items()))
        if key not in self._steps:
            bindings = all_sizes(self.graph, arrays, outer)
            steps = [self._step(n, bindings, d) for n, d in zip(self._nodes, self._dead, strict=True)]
            if bound_symbols(self.graph):  # other data, other sizes
                return steps
            self._steps[key] = steps
        return self._steps[key]

    def _step(self, node: Node, bindings: Mapping[str, int], dead: tuple[int, ...]) -> Step:
        slots, bodies = self._slots, self._bodies.get(node, {})
        return Step(
            node,
            reference_rule(node),
            tuple(None if v is None else slots[v] for v in node.inputs),
            resolve({k: a for k, a in node.attributes.items() if k not in bodies}, bindings),
            tuple(slots[v] for v in node.outputs),
            max(self._eps.get(v, 0.0) for v in node.outputs),
            node in self._sums,
            dead,
            bodies,
            bindings,
        )


def _bodies_of(node: Node) -> dict[str, Reference]:
    return {k: Reference(a) for k, a in node.attributes.items() if isinstance(a, Graph)}


def eps_of(dtype: DType) -> float:
    """One ulp of 1 in a float (or in a complex number's parts)."""
    return float(float_info(dtype).eps)


def float_info(dtype: DType) -> Any:
    return ml_dtypes.finfo(part_of(dtype).numpy)  # type: ignore[no-untyped-call]  # NumPy's knows no bfloat16


def _rounding(node: Node, value: Value) -> float:
    """The eps by which a node's result is perturbed; 0 where it does not round."""
    if not value.dtype.is_differentiable:
        return 0.0
    if node.op is ops.cast:
        source = node.inputs[0]
        narrows = source is not None and source.dtype.is_differentiable and not holds(value.dtype, source.dtype)
        return eps_of(value.dtype) if narrows else 0.0
    moves = node.op.bound.kind == "exact" or any(isinstance(a, Graph) for a in node.attributes.values())
    return 0.0 if moves else eps_of(value.dtype)


def _float_sums(declared: Graph, values: Mapping[Value, Value]) -> set[Node | None]:
    """The wide nodes that sum floats."""
    outputs = [n.outputs[0] for n in declared.nodes if n.op.bound.kind in ("contraction", "reduction")]
    return {values[v].node for v in outputs if v.dtype.is_differentiable}


def sum_one_by_one(x: Any, *, axes: tuple[int, ...] | None, keepdims: bool) -> Any:
    """A sum in float32, rounded after each term."""
    gone = tuple(range(x.ndim)) if axes is None else tuple(a % x.ndim for a in axes)
    kept = [i for i in range(x.ndim) if i not in gone]
    count = math.prod(x.shape[i] for i in gone)
    rows = x.transpose(*gone, *kept).reshape(count, *(x.shape[i] for i in kept)).astype(np.float32)
    total = np.add.accumulate(rows, axis=0)[-1] if count else rows.sum(axis=0)
    return np.expand_dims(total, gone).astype(np.float64) if keepdims else total.astype(np.float64)


_IN_FLOAT32: Mapping[Op, Rule] = {ops.reduce_sum: sum_one_by_one}
_SUMMED = {ops.index_put: 2, ops.scatter_along_axis: 3, ops.scatter_nd: 3, ops.bincount: 2}  # so many operands, else 1


def terms(node: Node, operands: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """How many terms each result of a sum has: the same op on ones."""
    found = reference_rule(node)(*summed(node, operands, np.ones_like), **attributes)
    return np.real(found[0] if isinstance(found, tuple) else found)


def summed(node: Node, operands: Sequence[Any], change: Callable[[Any], Any]) -> list[Any]:
    """A sum's operands with what it sums changed: all floats of a product, of another sum its first operands."""
    last = len(operands) if node.op.bound.kind == "contraction" else _SUMMED.get(node.op, 1)
    floats = [o is not None and np.asarray(o).dtype.kind in "fc" for o in operands]
    return [change(o) if i < last and floats[i] else o for i, o in enumerate(operands)]


def _needed(graph: Graph) -> tuple[list[Node], dict[Value, int]]:
    """The nodes that the outputs need, equal ones once, and a slot for each value, the inputs' first."""
    live = {p.value for p in graph.outputs}
    for node in reversed(graph.nodes):
        if not live.isdisjoint(node.outputs):
            live.update(v for v in node.inputs if v is not None)
    slots = {p.value: i for i, p in enumerate(graph.inputs)}
    count = len(slots)
    seen: dict[Any, Node] = {}
    for node in graph.nodes:
        if live.isdisjoint(node.outputs):
            continue
        operands = tuple(None if v is None else slots[v] for v in node.inputs)
        first = seen.setdefault((node.op, operands, attribute_key(node.attributes)), node)
        if first is node:
            slots |= {v: count + i for i, v in enumerate(node.outputs)}
            count += len(node.outputs)
        else:
            slots |= {v: slots[w] for v, w in zip(node.outputs, first.outputs, strict=True)}
    return list(seen.values()), slots


def _dead_slots(nodes: Sequence[Node], slots: Mapping[Value, int], graph: Graph) -> list[tuple[int, ...]]:
    """For each node the slots that no later one reads."""
    kept = {slots[p.value] for p in (*graph.outputs, *graph.inputs)}
    dead = []
    for node in reversed(nodes):
        touched = {slots[v] for v in (*node.inputs, *node.outputs) if v is not None} - kept
        dead.append(tuple(touched))
        kept |= touched
    return dead[::-1]


class Replica:
    """A reference that holds its parameters and state, as a backend's program does; perturbed where it has noise."""

    def __init__(self, reference: Reference, arrays: Mapping[Key, Any], noise: Noise | None = None) -> None:
        self.reference, self.noise = reference, noise
        keys = [(p.role, p.path) for p in reference.ports if p.role in HELD]
        self.held = reference.widen({k: arrays[k] for k in keys})

    def __call__(self, *inputs: Any, watch: Watch | None = None) -> list[Any]:
        """Outputs for wide inputs, in order, but for new values of what is held: those replace the old ones."""
        given = iter(inputs)
        arrays = [self.held[p.role, p.path] if p.role in HELD else next(given) for p in self.reference.ports]
        results = self.reference.run(arrays, self.noise, watch)
        pairs = list(zip(self.reference.outputs, results, strict=True))
        self.held |= {(p.role, p.path): r for p, r in pairs if p.role in HELD}
        return [r for p, r in pairs if p.role not in HELD]
