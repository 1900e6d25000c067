"""The one loop that runs a graph by a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from .dims import Dim, bind_shape, evaluate_dim
from .errors import UnsupportedOpError
from .graph import Graph, Node, Port, Value, bound_by, bound_symbols
from .op import Op
from .types import TensorType, dtype_of

Rule = Callable[..., Any]


def evaluate(
    graph: Graph,
    table: Callable[[Node], Rule],
    inputs: Sequence[Any],
    *,
    bindings: dict[str, int] | None = None,
    watch: Any = None,
) -> list[Any]:
    """The graph's outputs, where `table(node)` gives the rule that computes a node from its inputs and attributes.

    `bindings` gives symbols their numbers; attributes that hold sizes are resolved by it. `watch(node, outputs)`
    may replace what a node gave.
    """
    environment: dict[Value, Any] = {port.value: given for port, given in zip(graph.inputs, inputs, strict=True)}
    bindings = dict(bindings or {})  # what nodes bind is of this run
    for node in graph.nodes:
        operands = [None if v is None else environment[v] for v in node.inputs]
        attributes = resolve(node.attributes, bindings, bound_by(node))
        for name, value in node.attributes.items():
            if isinstance(value, Graph):
                attributes[name] = Body(value, table, bindings, watch)
        result = table(node)(*operands, **attributes)
        results = tuple(result) if len(node.outputs) > 1 else (result,)
        if watch is not None:
            results = watch(node, results)
        environment.update(zip(node.outputs, results, strict=True))
        if node.op.binds:
            bind_outputs(node, results, bindings)
    return [environment[port.value] for port in graph.outputs]


class Body:
    """A graph that is an attribute, as a function of arrays: what the rule of a loop or a branch is given."""

    def __init__(
        self, graph: Graph, table: Callable[[Node], Rule], bindings: Mapping[str, int], watch: Any = None
    ) -> None:
        own = bound_symbols(graph)
        self.graph, self._table, self._watch = graph, table, watch
        self._outer = {k: n for k, n in bindings.items() if k not in own}
        self._bound: dict[tuple[tuple[int, ...], ...], dict[str, int]] = {}

    def __call__(self, *arrays: Any) -> list[Any]:
        bindings = self._bindings(tuple(np.shape(a) for a in arrays))
        return evaluate(self.graph, self._table, arrays, bindings=bindings, watch=self._watch)

    def _bindings(self, shapes: tuple[tuple[int, ...], ...]) -> dict[str, int]:
        if shapes not in self._bound:
            self._bound[shapes] = self._outer | bind_shapes(self.graph, self.graph.inputs, shapes)
        return self._bound[shapes]


def resolve(attribute: Any, bindings: Mapping[str, int], later: frozenset[str] = frozenset()) -> Any:
    """An attribute (or a dict of them) with every size replaced by its number; but those of symbols bound `later`."""
    if isinstance(attribute, Dim):
        return attribute if attribute.symbols - bindings.keys() & later else evaluate_dim(attribute, bindings)
    if isinstance(attribute, tuple):
        return tuple(resolve(a, bindings, later) for a in attribute)
    if isinstance(attribute, dict):
        return {k: resolve(v, bindings, later) for k, v in attribute.items()}
    return attribute


def bind_outputs(node: Node, results: Sequence[Any], bindings: dict[str, int]) -> None:
    """Give a symbol the number that a node found for it, and check the guards that wait for it."""
    for value, array in zip(node.outputs, results, strict=True):
        bind_shape(value.shape, tuple(array.shape), bindings, f"an output of {node.op.name} at {node.origin or '?'}")
    for guard in node.outputs[0].graph.guards:
        if bound_by(node).intersection(guard.symbols) and bindings.keys() >= set(guard.symbols):
            guard.check(bindings, dict.fromkeys(bound_by(node), f"found by {node.op.name} at {node.origin or '?'}"))


def bind_inputs(graph: Graph, inputs: Sequence[Any]) -> dict[str, int]:
    """The numbers of the graph's symbols, from its inputs' shapes; raises where shapes or guards do not fit."""
    return bind_shapes(graph, graph.inputs, [tuple(array.shape) for array in inputs])


def bind_shapes(graph: Graph, ports: Sequence[Port], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The numbers of symbols, from the shapes that some of the graph's inputs have.

    Raises `TypeMismatchError` where a shape, and `GuardError` where a guard, does not fit.
    """
    bindings: dict[str, int] = {}
    for _ in range(2):  # the second round checks what was bound later than it was used
        for port, shape in zip(ports, shapes, strict=True):
            bind_shape(port.value.shape, shape, bindings, f"input {port.path!r}")
    if graph.guards:
        later = bound_symbols(graph)
        places = {s: f"axis {axis} of input {port.path!r}" for s, (port, axis) in symbol_places(graph).items()}
        for guard in graph.guards:
            if later.isdisjoint(guard.symbols):
                guard.check(bindings, places)
    return bindings


def all_sizes(graph: Graph, inputs: Sequence[Any], outer: Mapping[str, int] | None = None) -> dict[str, int]:
    """The numbers of all symbols, with `outer` ones; where the graph finds sizes in its data, it is run for them."""
    bindings = {**(outer or {}), **bind_inputs(graph, inputs)}
    if bound_symbols(graph):

        def watch(node: Node, results: tuple[Any, ...]) -> tuple[Any, ...]:
            if node.op.binds:
                bind_outputs(node, results, bindings)
            return results

        evaluate(graph, reference_rule, inputs, bindings=bindings, watch=watch)
    return bindings


def symbol_places(graph: Graph) -> dict[str, tuple[Port, int]]:
    """For each symbol the input and the axis whose size it is."""
    found: dict[str, tuple[Port, int]] = {}
    for port in graph.inputs:
        for axis, size in enumerate(port.value.shape):
            if isinstance(size, Dim) and size.symbols == {str(size)}:
                found.setdefault(str(size), (port, axis))
    return found


def reference_rule(node: Node) -> Rule:
    """What computes a node with NumPy: its op's own reference, or its decomposition."""
    return reference_of(node.op)


@cache
def reference_of(op: Op) -> Rule:
    if op.reference is not None:
        return op.reference
    if op.decompose is None:
        raise UnsupportedOpError(f"the op {op.name} has neither a reference nor a decomposition")
    return lambda *operands, **attributes: _run_parts(op, operands, attributes)


def _run_parts(op: Op, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    types = tuple(None if o is None else TensorType(dtype_of(o.dtype), tuple(np.shape(o))) for o in operands)
    graph = parts_of(op, types, tuple(attributes.items()))
    given = [np.asarray(o) for o in operands if o is not None]
    results = evaluate(graph, reference_rule, given)
    return results[0] if len(results) == 1 else tuple(results)


@lru_cache(maxsize=4096)
def parts_of(op: Op, types: tuple[TensorType | None, ...], attributes: tuple[tuple[str, Any], ...]) -> Graph:
    """The decomposition of a composite, made once; not to be changed."""
    return decomposition(op, types, dict(attributes))


def decomposition(op: Op, types: Sequence[TensorType | None], attributes: Mapping[str, Any]) -> Graph:
    """A graph that computes a composite op by its parts, on inputs of these types."""
    assert op.decompose is not None
    graph = Graph(op.name)
    names = op.signature.operands
    inputs = [
        None if t is None else graph.input(f"{names[min(i, len(names) - 1)]}_{i}", t) for i, t in enumerate(types)
    ]
    results = op.decompose(*inputs, **attributes)
    for i, value in enumerate(results if isinstance(results, tuple | list) else (results,)):
        graph.output(value, str(i))
    return graph


def run_reference(graph: Graph, inputs: Sequence[Any], *, watch: Any = None) -> list[Any]:
    """Run a graph on NumPy by the ops' references, in the dtypes of its types.

    >>> from isograd.ir import Graph, TensorType
    >>> from isograd.ir.types import float32
    >>> graph = Graph()
    >>> x = graph.input("x", TensorType(float32, (2,)))
    >>> _ = graph.output(x * 2.0 + 1.0, "y")
    >>> run_reference(graph, [np.array([1.0, 2.0], np.float32)])
    [array([3., 5.], dtype=float32)]
    """
    arrays = [np.asarray(a, p.value.dtype.numpy) for a, p in zip(inputs, graph.inputs, strict=True)]
    with np.errstate(all="ignore"):
        return evaluate(graph, reference_rule, arrays, bindings=bind_inputs(graph, arrays), watch=watch)
