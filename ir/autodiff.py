"""Reverse-mode differentiation: a graph gains the nodes that compute its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from . import ops
from .dims import Size
from .errors import TypeMismatchError, UnsupportedOpError
from .graph import Graph, Node, Value
from .op import NO_GRADIENT, Bound, Op, Sample, Signature
from .types import TensorType

Gradients = dict[Value, Value]


def backward(outputs: Sequence[Value], seeds: Sequence[Value], wrt: Sequence[Value]) -> list[Value | None]:
    """Append the gradients of sum(seed * output) to the outputs' graph; None where an input has no influence.

    Nodes are appended in section `backward` (unless one is set) and in the scope of the node that they
    differentiate. Raises `UnsupportedOpError` with every op on the way that has no gradient rule.
    """
    graph = outputs[0].graph
    nodes = _between(outputs, wrt)
    _check_rules(nodes)
    gradients: Gradients = {}
    for output, seed in zip(outputs, seeds, strict=True):
        _accumulate(gradients, output, seed)
    wanted = {v for node in nodes for v in node.outputs} | set(wrt)
    for node in reversed(nodes):
        if any(v in gradients for v in node.outputs):
            with graph.like(node), graph.section("backward" if node.section == "forward" else node.section):
                _differentiate(node, gradients, wanted)
    return [gradients.get(v) for v in wrt]


def _between(outputs: Sequence[Value], wrt: Sequence[Value]) -> list[Node]:
    """The nodes that depend on `wrt` and that the outputs depend on, in order."""
    graph = outputs[0].graph
    depends = set(wrt)
    forward = []
    for node in graph.nodes:
        if any(v in depends for v in node.inputs) and node.op.gradient != NO_GRADIENT:
            live = [v for v in node.outputs if v.dtype.is_differentiable and v not in depends]
            depends.update(live)
            if live:
                forward.append(node)
    needed = set(outputs)
    chosen = []
    for node in reversed(forward):
        if any(v in needed for v in node.outputs):
            needed.update(v for v in node.inputs if v is not None)
            chosen.append(node)
    return chosen[::-1]


def _check_rules(nodes: Sequence[Node]) -> None:
    missing = [n for n in nodes if n.op.gradient is None and n.op.decompose is None]
    if missing:
        lines = "\n".join(f"  {n.op.name} at {n.origin or '?'}" for n in missing)
        raise UnsupportedOpError(f"these ops have no gradient rule:\n{lines}")


def _differentiate(node: Node, gradients: Gradients, wanted: set[Value]) -> None:
    g = tuple(gradients.get(v) for v in node.outputs)
    if node.op.is_composite:
        results = _composite_gradient(node, g)
    else:
        assert callable(node.op.gradient)
        single = len(node.outputs) == 1
        results = node.op.gradient(g[0] if single else g, node.outputs[0] if single else node.outputs, *node.inputs, **node.attributes)
    for value, gradient in zip(node.inputs, results, strict=True):
        if value is None or gradient is None or value not in wanted or not value.dtype.is_differentiable:
            continue
        try:
            if node.op.broadcasts and gradient.shape != value.shape:
                gradient = ops.sum_to(_full(gradient, node.outputs[0].shape), value.shape)
            if gradient.type != value.type:
                raise TypeMismatchError(f"the gradient of {node.op.name} should be {value.type}, but its rule gave {gradient.type}")
        except TypeMismatchError as error:
            error.add_note(f"in {node!r} at {node.origin}")
            raise
        _accumulate(gradients, value, gradient)


def _full(gradient: Value, shape: tuple[Size, ...]) -> Value:
    """A rule may leave an axis unbroadcast (`where(c, 1, 0)` of a scalar): give it its size before it is summed."""
    return gradient if gradient.shape == shape else ops.broadcast_to(gradient, shape=shape)


def _accumulate(gradients: Gradients, value: Value, gradient: Value) -> None:
    before = gradients.get(value)
    if value.name and not gradient.name:
        gradient.named(f"d_{value.name}")
    gradients[value] = gradient if before is None else ops.add(before, gradient)


def _composite_gradient(node: Node, g: tuple[Value | None, ...]) -> list[Value | None]:
    """One node `gradient(C)`, which a backend may claim and any pass may take apart."""
    given = tuple(v is not None for v in g)
    op = gradient_op(node.op, given, tuple(v is not None for v in node.inputs))
    present = [v for v in (*g, *node.outputs, *node.inputs) if v is not None]
    outputs = op(*present, **node.attributes)
    outputs = iter(outputs if isinstance(outputs, tuple) else (outputs,))
    return [next(outputs) if v is not None and v.dtype.is_differentiable else None for v in node.inputs]


@lru_cache(maxsize=None)
def gradient_op(op: Op, given: tuple[bool, ...], present: tuple[bool, ...]) -> Op:
    """The gradient of a composite as an op of its own.

    Its operands are the given output gradients, the outputs, and the present inputs of `op`; its outputs are the
    gradients of the differentiable inputs, in order; its attributes are those of `op`.
    """
    splits = (sum(given), sum(given) + len(given))

    def unpack(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
        g, inputs = iter(values[: splits[0]]), iter(values[splits[1] :])
        return tuple(next(g) if x else None for x in given), values[splits[0] : splits[1]], tuple(next(inputs) if x else None for x in present)

    def type_rule(*types: TensorType, **attributes: Any) -> tuple[TensorType, ...]:
        return tuple(t for t in types[splits[1] :] if t.dtype.is_differentiable)

    def decompose(*values: Value, **attributes: Any) -> tuple[Value, ...]:
        g, out, inputs = unpack(values)
        results: Any = NotImplemented
        if callable(op.gradient):
            single = len(given) == 1
            results = op.gradient(g[0] if single else g, out[0] if single else out, *inputs, **attributes)
        if results is NotImplemented:
            results = _derived(op, g, inputs, attributes)
        return tuple(_typed(r, v) for r, v in zip(results, inputs, strict=True) if v is not None and v.dtype.is_differentiable)

    decompose_names = _operand_names(op, given, present)
    base = op.signature

    def samples() -> tuple[Sample, ...]:
        return ()

    result = Op(f"{op.name}_gradient", type_rule, None, None, decompose, samples(), bound=Bound("parts", op.bound.factor, op.bound.floor), smooth=op.smooth, derivative_of=op)
    result.__dict__["signature"] = Signature(decompose_names, frozenset(), False, dict(base.attributes))
    return result


def _operand_names(op: Op, given: tuple[bool, ...], present: tuple[bool, ...]) -> tuple[str, ...]:
    many = len(given) > 1
    g = [f"g{i}" if many else "g" for i, x in enumerate(given) if x]
    out = [f"out{i}" if many else "out" for i in range(len(given))]
    return (*g, *out, *(n for n, x in zip(op.signature.operands, present, strict=True) if x))


def _derived(op: Op, g: tuple[Value | None, ...], inputs: tuple[Value | None, ...], attributes: dict[str, Any]) -> list[Value | None]:
    """The gradient from the parts: run the parts again, and differentiate them."""
    assert op.decompose is not None
    leaves = [v for v in inputs if v is not None]
    graph = leaves[0].graph
    start = len(graph.nodes)
    with graph.section("forward"):
        parts = op.decompose(*inputs, **attributes)
    parts = parts if isinstance(parts, tuple | list) else (parts,)
    pairs = [(p, s) for p, s in zip(parts, g, strict=True) if s is not None]
    gradients = _backward_since(graph, start, [p for p, _ in pairs], [s for _, s in pairs if s is not None], leaves)
    found = iter(gradients)
    return [None if v is None else next(found) for v in inputs]


def _backward_since(graph: Graph, start: int, outputs: list[Value], seeds: list[Value], wrt: list[Value]) -> list[Value | None]:
    """`backward` over the nodes from `start` on only: what lies before is a given."""
    before, graph.nodes = graph.nodes[:start], graph.nodes[start:]
    try:
        return backward(outputs, seeds, wrt)
    finally:
        graph.nodes = before + graph.nodes


def _typed(gradient: Value | None, value: Value) -> Value:
    if gradient is None:
        return ops.broadcast_to(value.graph.constant(0.0, value.dtype), shape=value.shape)  # type: ignore[no-any-return]
    return gradient if gradient.shape == value.shape else ops.sum_to(gradient, value.shape)


def gradients(graph: Graph, output: Value, wrt: Sequence[Value]) -> list[Value]:
    """Gradients of a scalar output, zeros where an input has no influence. Appends to `graph`."""
    if output.shape != ():
        raise TypeMismatchError(f"the gradient is that of one number, but the output is {output.type}; sum it or choose an element")
    with graph.section("backward"):
        seed = graph.constant(1.0, output.dtype)
        found = backward([output], [seed], wrt)
        return [_typed(g, v) if g is None else g for g, v in zip(found, wrt, strict=True)]
