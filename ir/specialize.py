"""Fixing what a model leaves open: the numbers of its symbols, the values of its inputs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from .dims import Dim, Size, bind_shape, collecting_guards, require, substitute_dim, symbols_of
from .errors import IsogradError, TypeMismatchError
from .graph import Graph, Node, Port
from .model import Model
from .ops import size
from .passes import fold_constants, remove_dead
from .rewrite import Rewriter
from .types import TensorType


def specialize(model: Model, known: Mapping[str, Any]) -> Model:
    """The model with symbols of its inputs' shapes replaced by numbers, and inputs by values.

    `known` maps the name of a symbol to an int, or the path of an input to an array: it is no input any more, what
    follows from it alone is computed now, and the symbols of its shape are known too. The arrays, the recipe and the
    other inputs stay. Raises `TypeMismatchError` where there is no such symbol or input, where a value does not fit,
    and where the model's own guards say that it does not run with these sizes.
    """
    _specialized(model.inference, known)  # what is wrong is said now, not when a graph is needed
    return Model(
        model.name,
        lambda mode: _specialized(model.graph(mode), known),
        model.parameters,
        model.state,
        model.recipe,
        model.source,
    )


def with_sizes(graph: Graph, sizes: Mapping[str, Size]) -> Graph:
    """A graph with numbers for symbols; `sizes` may have more than it has."""
    return _Specializer(graph, sizes, {}).run()


def _specialized(graph: Graph, known: Mapping[str, Any]) -> Graph:
    ports = {p.path: p for p in graph.ports("input")}
    symbols = {s for p in ports.values() for n in p.value.shape for s in symbols_of(n)}
    _check_names(known, [*ports, *sorted(symbols)])
    sizes = {k: _number(k, v) for k, v in known.items() if k not in ports}
    values = {k: _array(ports[k], v, sizes) for k, v in known.items() if k in ports}
    made = _Specializer(graph, sizes, values).run()
    return remove_dead(fold_constants(made)) if values else made


def _check_names(known: Mapping[str, Any], names: list[str]) -> None:
    for name in known:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            there = ", ".join(names) or "none"
            raise TypeMismatchError(f"the model has no input and no symbol {name!r}; there are: {there}{hint}")


def _number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise TypeMismatchError(f"the size {name} should be a whole number of at least 0, not {value!r}")
    return int(value)


def _array(port: Port, value: Any, sizes: dict[str, int]) -> np.ndarray:
    """The value as an array of the input's type; the symbols of its shape get their numbers."""
    array, dtype = np.asarray(value), port.value.dtype
    if not np.can_cast(array.dtype, dtype.numpy, "same_kind"):
        raise TypeMismatchError(f"input {port.path!r} should be {port.value.type}, but the value is {array.dtype.name}")
    cast = array.astype(dtype.numpy)
    if dtype.is_integer and not np.array_equal(cast, array):
        raise TypeMismatchError(f"input {port.path!r} should be {port.value.type}, which does not hold {value!r}")
    bind_shape(port.value.shape, array.shape, sizes, f"input {port.path!r}")
    return cast


class _Specializer:
    """Copies a graph, its types and attributes with numbers for symbols; every type rule runs again."""

    def __init__(self, graph: Graph, sizes: Mapping[str, Size], values: Mapping[str, np.ndarray]) -> None:
        self.graph, self.sizes = graph, sizes
        self.rewriter = Rewriter(graph, self._type)
        new = self.rewriter.new
        new.guards = []
        kept: list[Port] = []
        for old, port in zip(graph.inputs, new.inputs, strict=True):
            if port.role == "input" and port.path in values:
                frozen = new.constant(values[port.path], port.value.dtype)
                self.rewriter.values[old.value] = frozen.named(old.value.name)
            else:
                port.value.index = len(kept)
                kept.append(port)
        new.inputs = kept

    def run(self) -> Graph:
        new = self.rewriter.new
        with collecting_guards() as guards:
            for guard in self.graph.guards:
                try:
                    require(guard.relation, self._part(guard.left), self._part(guard.right))
                except TypeMismatchError:
                    fixed = ", ".join(f"{k} = {v}" for k, v in self.sizes.items())
                    raise TypeMismatchError(f"the model needs {guard}, which is not true for {fixed}") from None
        new.demand(guards)
        for node in self.graph.nodes:
            self._copy(node)
        return self.rewriter.finish()

    def _copy(self, node: Node) -> None:
        rewriter, attributes = self.rewriter, {k: self._part(v) for k, v in node.attributes.items()}
        inputs = rewriter.inputs(node)
        with rewriter.within(node):
            if node.op is size and isinstance(attributes["dim"], int):
                rewriter.replace(node, (rewriter.new.constant(attributes["dim"], attributes["dtype"]),))
                return
            try:
                with collecting_guards() as guards:
                    types = node.op.output_types(tuple(None if v is None else v.type for v in inputs), attributes)
            except IsogradError as error:
                error.add_note(f"in {node!r} at {node.origin}")
                raise
            rewriter.new.demand(guards)
            rewriter.replace(node, rewriter.new.append(node.op, inputs, attributes, types).outputs)

    def _type(self, t: TensorType) -> TensorType:
        return t.with_shape(tuple(substitute_dim(n, self.sizes) for n in t.shape))

    def _part(self, attribute: Any) -> Any:
        if isinstance(attribute, Dim):
            return substitute_dim(attribute, self.sizes)
        if isinstance(attribute, Graph):
            return with_sizes(attribute, self.sizes)
        return tuple(map(self._part, attribute)) if isinstance(attribute, tuple) else attribute
