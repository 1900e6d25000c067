"""An op: one object that knows its schema, type rule, meaning, gradient and samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .dims import Dim, collecting_guards
from .errors import TypeMismatchError
from .graph import Graph, Node, Value
from .types import DType, TensorType

NO_GRADIENT = "no gradient"  # what an op declares that is constant or discrete in all its operands


@dataclass(frozen=True)
class Sample:
    """Operands (arrays, or None for an operand left out) and attributes on which every system tests an op."""

    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]
    differentiable: bool = True


def sample(
    *operands: Any, between: tuple[float, float] = (-2.0, 2.0), differentiable: bool = True, **attributes: Any
) -> Sample:
    """A sample; a shape (a tuple of ints) stands for a float32 array drawn evenly `between` two numbers."""
    generator = np.random.default_rng(0)
    arrays = tuple(generator.uniform(*between, o).astype(np.float32) if isinstance(o, tuple) else o for o in operands)
    return Sample(arrays, attributes, differentiable)


@dataclass(frozen=True)
class Bound:
    """How far a correct float32 result may lie from the float64 one (`NUMERICS.md` 3.2-3.3).

    `exact`: not at all. `elementwise`: `factor` ulps and `floor` (absolute). `contraction` and `reduction`:
    `factor` eps times the op on absolute operands. `parts`: what its decomposition's rounding gives.
    """

    kind: str = "elementwise"
    factor: float = 8.0
    floor: float = 0.0


EXACT = Bound("exact")


@dataclass(frozen=True)
class Signature:
    """Names of operands and attributes, read off a type rule's own signature."""

    operands: tuple[str, ...]
    optional: frozenset[str]
    variadic: bool
    attributes: Mapping[str, Any]  # name -> default, or inspect.Parameter.empty

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        parameters = inspect.signature(function).parameters.values()
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
        return cls(
            tuple(
                p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY, p.VAR_POSITIONAL)
            ),
            frozenset(p.name for p in positional if p.default is not p.empty or "None" in str(p.annotation)),
            any(p.kind is p.VAR_POSITIONAL for p in parameters),
            {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY},
        )


@dataclass(frozen=True, eq=False)
class Op:
    """A kind of node. With `reference` and `gradient` it is a primitive, with `decompose` a composite.

    `type_rule(*types, **attributes)` gives the outputs' types (one or a tuple); its signature is the schema.
    `reference(*arrays, **attributes)` computes with NumPy. `gradient(g, out, *inputs, **attributes)` gives the
    gradients of the inputs as formulas on values (None where there is none; g and out are tuples where there are
    several outputs). `decompose(*inputs, **attributes)` gives the outputs as formulas.
    """

    name: str
    type_rule: Callable[..., Any]
    reference: Callable[..., Any] | None = None
    gradient: Callable[..., Any] | str | None = None
    decompose: Callable[..., Any] | None = None
    samples: tuple[Sample, ...] = ()
    broadcasts: bool = False  # the engine sums gradients over broadcast axes
    numbers: tuple[str, ...] | None = None  # the operands whose dtype a Python number takes; all by default
    saved: int = 0  # so many last outputs are for the gradient only; a call does not return them
    bound: Bound = field(default_factory=Bound)
    smooth: bool = False  # second derivatives exist at the samples
    schema: Signature | None = None  # where the type rule's own signature is not it
    conjugates: bool = False  # its gradient rule is that of complex operands as it stands (autodiff conjugates others)
    folds: bool = True  # may be computed when the graph is built
    binds: str = ""  # the attribute whose symbol is the size of an output that depends on data; made fresh if None
    derivative_of: Op | None = None  # set on the gradient of a composite, with the next two
    output_names: tuple[str, ...] = ()  # what printed code calls the outputs; "" for one without a name of its own
    given: tuple[bool, ...] = ()  # which outputs of the composite have a gradient
    present: tuple[bool, ...] = ()  # which operands the composite has

    @cached_property
    def signature(self) -> Signature:
        return self.schema or Signature.of(self.type_rule)

    @property
    def is_composite(self) -> bool:
        return self.decompose is not None

    def __call__(self, *operands: Any, **attributes: Any) -> Any:
        graph = next((o.graph for o in operands if isinstance(o, Value)), None)
        if graph is None:
            raise TypeMismatchError(
                f"{self.name}: at least one operand must be a value of a graph; graph.apply(...) takes numbers alone"
            )
        return self.append(graph, operands, attributes)

    def append(self, graph: Graph, operands: tuple[Any, ...], attributes: Mapping[str, Any]) -> Any:
        try:
            inputs = self._inputs(graph, operands)
            complete = self._attributes(attributes)
            if self.binds and complete[self.binds] is None:
                complete[self.binds] = graph.fresh_size(self.name)
            with collecting_guards() as guards:
                types = self.output_types(tuple(None if v is None else v.type for v in inputs), complete)
        except (TypeMismatchError, TypeError, ValueError) as error:
            error.add_note(
                f"in {self.name}({', '.join([*map(repr, operands), *(f'{k}={v!r}' for k, v in attributes.items())])})"
            )
            if graph._origin:
                error.add_note(f"at {graph._origin}")
            raise
        graph.demand(guards)
        node = graph.append(self, inputs, complete, types)
        visible = node.outputs[: len(node.outputs) - self.saved]
        return visible[0] if len(visible) == 1 else visible

    def output_types(
        self, types: tuple[TensorType | None, ...], attributes: Mapping[str, Any]
    ) -> tuple[TensorType, ...]:
        result = self.type_rule(*types, **attributes)
        outputs = result if isinstance(result, tuple) else (result,)
        for t in outputs:
            if not isinstance(t.dtype, DType):
                raise TypeMismatchError(
                    f"{self.name}: {t.dtype!r} is not an element type; dtype_of gives one by its name"
                )
            if any(isinstance(size, int) and size < 0 for size in t.shape):
                raise TypeMismatchError(f"{self.name} would give {t}, but a size cannot be negative")
        return outputs

    def _inputs(self, graph: Graph, operands: tuple[Any, ...]) -> tuple[Value | None, ...]:
        names, signature = self.signature.operands, self.signature
        least = sum(n not in signature.optional for n in names) - signature.variadic
        if len(operands) < least or (len(operands) > len(names) and not signature.variadic):
            raise TypeMismatchError(f"{self.name} takes the operands ({', '.join(names)}), not {len(operands)} of them")
        filled = operands + (None,) * (0 if signature.variadic else len(names) - len(operands))
        lacking = [n for n, o in zip(names, filled, strict=False) if o is None and n not in signature.optional]
        if lacking:
            raise TypeMismatchError(f"{self.name} needs its operand {', '.join(lacking)}")
        donors = [
            o for i, o in enumerate(filled)
            if isinstance(o, Value) and (self.numbers is None or names[min(i, len(names) - 1)] in self.numbers)
        ]  # fmt: skip
        dtype = donors[0].dtype if donors else None
        return tuple(self._value(graph, o, dtype) for o in filled)

    def _value(self, graph: Graph, operand: Any, dtype: DType | None) -> Value | None:
        if operand is None:
            return None
        if isinstance(operand, Value):
            if operand.graph is not graph:
                raise TypeMismatchError(f"{operand!r} belongs to another graph")
            return operand
        if dtype is None:
            raise TypeMismatchError(
                f"{self.name}: no operand says which element type the number {operand} has; use graph.constant"
            )
        if isinstance(operand, Dim):
            return graph.size(operand, dtype)
        return graph.constant(operand, dtype)

    def _attributes(self, given: Mapping[str, Any]) -> dict[str, Any]:
        schema = self.signature.attributes
        unknown = given.keys() - schema.keys()
        if unknown:
            raise TypeMismatchError(
                f"{self.name} has no attribute {', '.join(sorted(unknown))}; it has {', '.join(schema) or 'none'}"
            )
        missing = [n for n, default in schema.items() if default is inspect.Parameter.empty and n not in given]
        if missing:
            raise TypeMismatchError(f"{self.name} needs the attribute {', '.join(missing)}")
        return {n: _frozen(given.get(n, default)) for n, default in schema.items()}

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(v) for v in value)
    return value.item() if isinstance(value, np.generic) else value


def attribute_key(attribute: Any) -> Any:
    """What is equal for attributes (or dicts of them) that are the same, bit for bit and type for type."""
    if isinstance(attribute, dict):
        return tuple([(k, attribute_key(v)) for k, v in attribute.items()])
    if isinstance(attribute, int | str):
        return type(attribute), attribute
    if isinstance(attribute, tuple):
        return tuple(map(attribute_key, attribute))
    if isinstance(attribute, Graph):
        return _graph_key(attribute)
    if isinstance(attribute, np.ndarray):
        return (attribute.dtype.str, attribute.dtype.name, attribute.shape, attribute.tobytes())
    return (type(attribute), repr(attribute) if isinstance(attribute, float | complex) else attribute)


_GRAPH_KEYS: WeakKeyDictionary[Graph, tuple[tuple[int, int], Any]] = WeakKeyDictionary()


def _graph_key(graph: Graph) -> Any:
    """What is equal for graphs of one text and the same arrays in it; made once, since bodies do not change."""
    from .text import Printer

    size = len(graph.nodes), len(graph.outputs)
    known = _GRAPH_KEYS.get(graph)
    if known is None or known[0] != size:
        printer = Printer(graph)
        text = printer.text()
        known = _GRAPH_KEYS[graph] = size, (Graph, text, attribute_key(printer.arrays.by_name))
    return known[1]


def used_outputs(node: Node, uses: Mapping[Value, int]) -> tuple[bool, ...]:
    """Which outputs of a node anything uses."""
    return tuple(uses.get(v, 0) > 0 for v in node.outputs)
