"""Reverse-mode differentiation: a graph gains the nodes that compute its gradients."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from . import ops
from .collection import uncollected
from .dims import Size, collecting_guards
from .errors import TypeMismatchError, UnsupportedOpError
from .graph import SECTIONS, Graph, Node, Scope, Value
from .op import NO_GRADIENT, Bound, Op, Signature
from .types import TensorType

Results = Sequence["Value | None"]
_Term = tuple[Value, "Scope | None"]


class _Gradients:
    """The gradient of each value: a sum over its users, within each layer first, in the scope that the users share."""

    def __init__(self, section: str) -> None:
        self.section = section
        self._terms: dict[Value, list[_Term]] = {}

    def get(self, value: Value) -> Value | None:
        terms = self._terms.get(value)
        if terms is None:
            return None
        if len(terms) > 1:
            self._terms[value] = terms = [(self._sum(terms, 0), None)]
        return terms[0][0]

    def named(self, value: Value) -> Value | None:
        """The gradient when all users have added to it."""
        gradient = self.get(value)
        return gradient.named(f"d_{value.name}") if gradient is not None and value.name else gradient

    def add(self, value: Value, gradient: Value, scope: Scope | None) -> None:
        self._terms.setdefault(value, []).append((gradient, scope))

    def _sum(self, terms: Sequence[_Term], depth: int) -> Value:
        groups: dict[object, list[_Term]] = {}
        for i, (gradient, scope) in enumerate(terms):
            ancestry = scope.ancestry if scope else ()
            groups.setdefault(ancestry[depth] if depth < len(ancestry) else i, []).append((gradient, scope))
        if len(groups) == 1 and len(terms) > 1:
            return self._sum(terms, depth + 1)
        sums = [self._sum(group, depth + 1) if len(group) > 1 else group[0][0] for group in groups.values()]
        ancestry = terms[0][1].ancestry[:depth] if terms[0][1] else ()
        return functools.reduce(lambda a, b: self._added(a, b, ancestry[-1] if ancestry else None), sums)

    def _added(self, a: Value, b: Value, scope: Scope | None) -> Value:
        sections = [self.section, *(v.node.section for v in (a, b) if v.node)]
        origin = b.node.origin if b.node else ""
        with a.graph.scope_set(scope), a.graph.section(max(sections, key=SECTIONS.index)), a.graph.at(origin):
            return ops.add(a, b)  # type: ignore[no-any-return]


@uncollected
def backward(
    outputs: Sequence[Value], seeds: Sequence[Value], wrt: Sequence[Value], *, since: int = 0, section: str = ""
) -> list[Value | None]:
    """Append the gradients of sum(seed * output) to the outputs' graph; None where an input has no influence.

    Nodes are appended in the scope of the node that they differentiate, in section `section`, or else in the one that
    is set, or else in `backward`, and never in one before that of what they use. The nodes before number `since` are
    taken as given. Raises `UnsupportedOpError` with every op on the way that has no gradient rule.
    """
    graph = outputs[0].graph
    nodes = _between(graph.nodes[since:], outputs, wrt)
    _check_rules(nodes)
    outer = section or max(graph._section, "backward", key=SECTIONS.index)
    gradients = _Gradients(outer)
    for output, seed in zip(outputs, seeds, strict=True):
        gradients.add(output, seed, None)
    wanted = {v for node in nodes for v in node.outputs} | set(wrt)
    for node in reversed(nodes):
        given = [g for v in node.outputs if (g := gradients.get(v)) is not None]
        if given:
            sections = [outer, node.section, *(g.node.section for g in given if g.node)]
            with graph.like(node), graph.section(max(sections, key=SECTIONS.index)):
                _differentiate(node, gradients, wanted)
    return [gradients.named(v) for v in wrt]


def _between(nodes: Sequence[Node], outputs: Sequence[Value], wrt: Sequence[Value]) -> list[Node]:
    """The nodes that depend on `wrt` and that the outputs depend on, in order."""
    depends = set(wrt)
    forward = []
    for node in nodes:
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


def differentiated(outputs: Sequence[Value], wrt: Sequence[Value]) -> list[Node]:
    """The nodes that gradients go through."""
    return _between(outputs[0].graph.nodes, outputs, wrt)


def _check_rules(nodes: Sequence[Node]) -> None:
    missing = [n for n in nodes if n.op.gradient is None and n.op.decompose is None]
    if missing:
        lines = "\n".join(f"  {n.op.name} at {n.origin or '?'}" for n in missing)
        raise UnsupportedOpError(f"these ops have no gradient rule:\n{lines}")


def _differentiate(node: Node, gradients: _Gradients, wanted: set[Value]) -> None:
    g = tuple(gradients.named(v) for v in node.outputs)
    composite = node.op.is_composite
    results = (
        _composite_gradient(node, g) if composite else _by_rule(node.op, g, node.outputs, node.inputs, node.attributes)
    )
    for value, gradient in zip(node.inputs, results, strict=True):
        if value is None or gradient is None or value not in wanted or not value.dtype.is_differentiable:
            continue
        try:
            if node.op.broadcasts and gradient.shape != value.shape:
                gradient = ops.sum_to(_full(gradient, node.outputs[0].shape), value.shape)
            if gradient.type != value.type:
                raise TypeMismatchError(
                    f"the gradient of {node.op.name} should be {value.type}, but its rule gave {gradient.type}"
                )
        except TypeMismatchError as error:
            error.add_note(f"in {node!r} at {node.origin}")
            raise
        gradients.add(value, gradient, node.scope)


def _by_rule(op: Op, g: Results, out: Sequence[Value], inputs: Results, attributes: Mapping[str, Any]) -> Any:
    """What the op's own gradient rule gives; it takes tuples where there are several outputs.

    The gradient of a real loss by z = x + iy is that by x plus i times that by y, as in PyTorch and TensorFlow (in JAX
    it is the conjugate of this). Through an op with a complex derivative comes the incoming gradient times the
    conjugate of that derivative. Rules are formulas of the derivative itself, so this is the one place that conjugates:
    what goes in and what comes out. Ops that have no complex derivative, or an adjoint of their own, say `conjugates`.
    """
    assert callable(op.gradient)
    turn = not op.conjugates and any(v is not None and v.dtype.kind == "complex" for v in (*g, *inputs))
    if turn:
        g = tuple(map(_conjugated, g))
    results = op.gradient(*((g[0], out[0]) if len(out) == 1 else (g, out)), *inputs, **attributes)
    return tuple(map(_conjugated, results)) if turn and results is not NotImplemented else results


def _conjugated(v: Value | None) -> Value | None:
    """The conjugate of a complex value; of one that is a conjugate, what it was made of."""
    if v is None or v.dtype.kind != "complex":
        return v
    if v.node is not None and v.node.op is ops.conjugate:
        return v.node.inputs[0]
    return ops.conjugate(v)  # type: ignore[no-any-return]


def _full(gradient: Value, shape: tuple[Size, ...]) -> Value:
    """A rule may leave an axis unbroadcast (`where(c, 1, 0)` of a scalar): give it its size before it is summed."""
    return gradient if gradient.shape == shape else ops.broadcast_to(gradient, shape=shape)


def _composite_gradient(node: Node, g: tuple[Value | None, ...]) -> list[Value | None]:
    """One node `gradient(C)`, which a backend may claim and any pass may take apart."""
    op = gradient_op(node.op, tuple(v is not None for v in g), tuple(v is not None for v in node.inputs))
    present = [v for v in (*g, *node.outputs, *node.inputs) if v is not None]
    outputs = op(*present, **node.attributes)
    found = iter(outputs if isinstance(outputs, tuple) else (outputs,))
    return [next(found) if v is not None and v.dtype.is_differentiable else None for v in node.inputs]


@functools.cache
def gradient_op(op: Op, given: tuple[bool, ...], present: tuple[bool, ...]) -> Op:
    """The gradient of a composite as an op of its own.

    `given` says which outputs have a gradient, `present` which inputs there are. Its operands are the given gradients,
    all outputs, and the present inputs; its outputs are the gradients of the differentiable inputs, in order; its
    attributes are those of `op`.
    """
    split = sum(given), sum(given) + len(given)

    def type_rule(*types: TensorType, **attributes: Any) -> tuple[TensorType, ...]:
        g, out, inputs = _unpack(types, split, given, present)
        with collecting_guards():  # the composite's own node has demanded them
            expected = op.output_types(inputs, attributes)
        if out != expected or any(a is not None and a != b for a, b in zip(g, expected, strict=True)):
            raise TypeMismatchError(
                f"{result.name}: the outputs and their gradients are {expected}, not {types[: split[1]]}"
            )
        return tuple(t for t in types[split[1] :] if t.dtype.is_differentiable)

    def decompose(*values: Value, **attributes: Any) -> tuple[Value, ...]:
        operands = values[split[1] :]
        if len(set(operands)) < len(operands):  # one value in two places has a gradient in each of them
            return _apart(result, values, attributes)
        g, out, inputs = _unpack(values, split, given, present)
        results = _by_rule(op, g, out, inputs, attributes) if callable(op.gradient) else NotImplemented
        if results is NotImplemented:
            results = _derived(op, g, inputs, attributes)
        return tuple(
            _typed(r, v) for r, v in zip(results, inputs, strict=True) if v is not None and v.dtype.is_differentiable
        )

    result = Op(
        f"{op.name}_gradient", type_rule, None, None, decompose, bound=Bound("parts", op.bound.factor, op.bound.floor),
        smooth=op.smooth,
        schema=Signature(_operand_names(op, given, present), frozenset(), False, op.signature.attributes),
        folds=op.folds, derivative_of=op, given=given, present=present,
    )  # fmt: skip
    return result


def _apart(op: Op, values: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Value, ...]:
    """The decomposition as it is for different operands, on these."""
    graph, separate = values[0].graph, Graph(op.name)
    inputs = [separate.input(v.name, v.type, path=str(i)) for i, v in enumerate(values)]
    assert op.decompose is not None
    results = op.decompose(*inputs, **attributes)
    new = dict(zip(inputs, values, strict=True))
    for node in separate.nodes:
        if node.op is ops.constant and node.outputs[0].rank == 0:
            new[node.outputs[0]] = graph.constant(node.attributes["value"], node.outputs[0].dtype)
            continue
        operands = tuple(None if v is None else new[v] for v in node.inputs)
        made = graph.append(node.op, operands, node.attributes, tuple(v.type for v in node.outputs))
        new.update((v, m.named(v.name)) for v, m in zip(node.outputs, made.outputs, strict=True))
    graph.demand(separate.guards)
    return tuple(new[v] for v in results)


def _unpack(flat: tuple[Any, ...], split: tuple[int, int], given: tuple[bool, ...], present: tuple[bool, ...]) -> Any:
    """The operands of a gradient op as gradients, outputs and inputs, with None for what is left out."""
    g, inputs = iter(flat[: split[0]]), iter(flat[split[1] :])
    return (
        tuple(next(g) if x else None for x in given),
        flat[split[0] : split[1]],
        tuple(next(inputs) if x else None for x in present),
    )


def _operand_names(op: Op, given: tuple[bool, ...], present: tuple[bool, ...]) -> tuple[str, ...]:
    many = len(given) > 1
    g = [f"g{i}" if many else "g" for i, x in enumerate(given) if x]
    out = [f"out{i}" if many else "out" for i in range(len(given))]
    names = op.signature.operands
    if op.signature.variadic:
        names = (*names[:-1], *(f"{names[-1]}{i}" for i in range(len(present) - len(names) + 1)))
    return (*g, *out, *(n for n, x in zip(names, present, strict=True) if x))


def _derived(op: Op, g: Results, inputs: Results, attributes: Mapping[str, Any]) -> list[Value | None]:
    """The gradient from the parts: run them again and differentiate them, all where the composite's gradient is."""
    assert op.decompose is not None
    leaves = [v for v in inputs if v is not None]
    graph = leaves[0].graph
    start = len(graph.nodes)
    parts = op.decompose(*inputs, **attributes)
    parts = parts if isinstance(parts, tuple | list) else (parts,)
    pairs = [(p, s) for p, s in zip(parts, g, strict=True) if s is not None]
    outputs, seeds = [p for p, _ in pairs], [s for _, s in pairs]
    found = iter(backward(outputs, seeds, leaves, since=start, section=graph._section))
    return [None if v is None else next(found) for v in inputs]


def _typed(gradient: Value | None, value: Value) -> Value:
    if gradient is None:
        return ops.broadcast_to(value.graph.constant(0.0, value.dtype), shape=value.shape)  # type: ignore[no-any-return]
    return gradient if gradient.shape == value.shape else ops.sum_to(gradient, value.shape)


def gradients(graph: Graph, output: Value, wrt: Sequence[Value]) -> list[Value]:
    """Gradients of a scalar output, zeros where an input has no influence. Appends to `graph`."""
    if output.shape != ():
        raise TypeMismatchError(
            f"the gradient is that of one number, but the output is {output.type}; sum it or choose an element"
        )
    if output.dtype.kind == "complex":
        raise TypeMismatchError(f"the gradient is that of a real number, not of {output.type}; take its real part")
    with graph.section("backward"):
        seed = graph.constant(1.0, output.dtype)
        found = backward([output], [seed], wrt)
        return [_typed(g, v) if g is None else g for g, v in zip(found, wrt, strict=True)]
