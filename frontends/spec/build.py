"""From a spec to a model: one graph for each mode, and the initial arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from ...ir import ops
from ...ir.dims import Dim, Size, product
from ...ir.errors import SpecError, TypeMismatchError
from ...ir.graph import Graph, Value
from ...ir.model import Mode, Model, Recipe, Regularizer
from ...ir.types import DType, TensorType, dtype_of, uint32
from .document import Place
from .formula import Formula, evaluate_all, evaluate_formula
from .initializers import GLOROT_UNIFORM, ZEROS, Given, Initializer
from .layers import Layer, Site
from .names import hint
from .options import OptionError, reporting
from .penalties import Penalty
from .program import Body, Step
from .reader import Source, Spec, read_spec
from .sections import Parameter
from .stream import Array, Stream, key_words

BUDGET = 1 << 31  # elements of all parameters and states together, and of any one tensor
COUNTER = "random.counter"  # the state that every random layer advances
# What a type rule may raise about attributes that a formula gave it.
_FORMULA_ERRORS = (TypeMismatchError, TypeError, ValueError, IndexError, KeyError, ArithmeticError)


def from_spec(source: Source | Spec, *, base: str | Path | None = None, budget: int = BUDGET) -> Model:
    """A model from a spec: a path to .yaml, .yml or .json, YAML text of several lines, a dict, or a `Spec`.

    Raises `SpecError` with the line. `budget` bounds the elements of all parameters together, and of any one tensor,
    before anything is allocated.

    >>> from_spec({"input": "float32[N, 4]", "layers": [{"dense": {"units": 2}}]})
    <model model: 2 parameters, 10 numbers>
    """
    spec = source if isinstance(source, Spec) else read_spec(source, base=base)
    builder = _Builder(spec, "inference", budget)
    graphs: dict[str, Graph] = {"inference": builder.build()}
    arrays = {
        role: {path: builder.draw(path, a) for path, a in found.items()} for role, found in builder.arrays.items()
    }

    def capture(mode: Mode) -> Graph:
        return graphs.pop(mode, None) or _Builder(spec, mode, budget).build()

    return Model(spec.name, capture, arrays["parameter"], arrays["state"], builder.recipe(), spec.source)


@dataclass(frozen=True)
class _Declared:
    """An array that the model will have, and the place of the spec that it comes from."""

    type: TensorType
    initializer: Initializer
    place: Place


@dataclass
class _Builder:
    """One graph of a spec under construction, and the arrays that it needs."""

    spec: Spec
    mode: Mode
    budget: int
    graph: Graph = field(init=False)
    arrays: dict[str, dict[str, _Declared]] = field(default_factory=lambda: {"parameter": {}, "state": {}})
    penalties: list[Regularizer] = field(default_factory=list)
    updates: dict[str, Value] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    ports: dict[tuple[str, str], Value] = field(default_factory=dict)
    counter: Value | None = None
    elements: int = 0
    place: Place = ()

    def build(self) -> Graph:
        self.graph = Graph(self.spec.name)
        inputs = {}
        for name, type_ in self.spec.inputs.items():
            with self._at((self._input_section, name), "input", name):
                inputs[name] = self.graph.input(name, type_)
                self._check_size(type_)
                self.sizes |= {str(s): s for s in type_.shape if isinstance(s, Dim)}
        program = self.spec.program
        for name, value in zip(program.outputs, self._body(program, "", inputs), strict=True):
            self.graph.output(value, name)
        for path, value in self.updates.items():
            self.graph.output(value, path, "state")
        return self.graph

    @property
    def _input_section(self) -> str:
        return "inputs" if self.spec.sections.input is None else "input"

    # steps

    def _body(self, body: Body, prefix: str, inputs: Mapping[str, Value]) -> list[Value]:
        tensors = dict(inputs)
        for name, (parameter, place) in body.parameters.items():
            with self._at(place, "parameter", name):
                tensors[name] = self._free(parameter, f"{prefix}{name}")
        for step in body.steps:
            first, *rest = self._step(step, prefix, tensors)
            tensors |= dict.fromkeys((*step.also, step.name), first) | dict(zip(step.rest, rest, strict=True))
        return [tensors[name] for name in body.outputs]

    def _step(self, step: Step, prefix: str, tensors: Mapping[str, Value]) -> Sequence[Value]:
        operands = [tensors[name] for name in step.operands]
        start = len(self.graph.nodes)
        with self._at(step.place, step.kind, step.name):
            if isinstance(step.what, Formula):
                values = self._formula(step, step.what, prefix, tensors)
            else:
                values = self._call(step, f"{prefix}{step.owner or step.name}", operands)
                if len(values) != len(step.rest) + 1:
                    raise OptionError(_named_wrongly(step, len(values)))
            for node in self.graph.nodes[start:]:
                for output in node.outputs:
                    self._check_size(output.type)
        names = (step.name, *step.rest) if step.is_named else ()
        return [v.named(name) for v, name in zip(values, names, strict=True)] if names else values

    def _formula(self, step: Step, formula: Formula, prefix: str, tensors: Mapping[str, Value]) -> Sequence[Value]:
        arrays = {path: self._array(prefix, path) for path in formula.paths}
        if step.rest:
            values = evaluate_all(formula, self.graph, {**tensors, **arrays}, self.sizes)
            if len(values) != len(step.rest) + 1:
                raise OptionError(_named_wrongly(step, len(values)))
            return values
        return [evaluate_formula(formula, self.graph, {**tensors, **arrays}, self.sizes)]

    def _array(self, prefix: str, path: str) -> Value:
        """The parameter of a layer that a formula names."""
        found = {p.removeprefix(prefix): v for (role, p), v in self.ports.items() if role == "parameter"}
        if path not in found:
            there = hint(path, [p for p in found if "." in p]) or "; such a name is an array of a layer: dense.kernel"
            raise OptionError(f"unknown parameter {path!r}{there}")
        return found[path]

    def _call(self, step: Step, path: str, operands: Sequence[Value]) -> Sequence[Value]:
        arguments = dict(zip(_argument_names(step, len(operands)), operands, strict=True))
        with self.graph.scope(step.name, step.kind, arguments):
            if isinstance(step.what, Body):
                return self._inner(step, step.what, f"{path}.", arguments)
            assert isinstance(step.what, Layer)
            result = step.what.apply(_Site(self, path), operands)
            return result if isinstance(result, tuple) else (result,)

    def _inner(self, step: Step, body: Body, prefix: str, inputs: Mapping[str, Value]) -> Sequence[Value]:
        try:
            return self._body(body, prefix, inputs)
        except SpecError as error:
            if step.kind not in self.spec.sections.blocks:
                raise
            raise self.spec.document.within(error, step.kind, step.place) from error.__cause__

    @contextlib.contextmanager
    def _at(self, place: Place, kind: str, name: str) -> Iterator[None]:
        """Nodes made in the block come from `place`, and what goes wrong there is reported there."""
        before, self.place = self.place, place
        document = self.spec.document
        errors = _FORMULA_ERRORS if kind == "formula" else (TypeMismatchError,)
        try:
            with reporting(document, place), self.graph.at(f"{document.where(place, short=True)} ({kind})"):
                yield
        except errors as error:
            what = f"{kind} {name!r}" if kind != name else kind
            raise document.error(place, f"{what}: {_complete(error)}") from error
        finally:
            self.place = before

    def _check_size(self, type_: TensorType) -> None:
        count = prod(s for s in type_.shape if isinstance(s, int))
        if min((s for s in type_.shape if isinstance(s, int)), default=0) < 0:
            raise TypeMismatchError(f"the tensor {type_} has a negative size")
        if count > self.budget:
            raise TypeMismatchError(
                f"a tensor of {count:,} elements ({type_}) exceeds the {self.budget:,} that are allowed"
            )

    # arrays

    def declare(self, role: str, path: str, type_: TensorType, initializer: Initializer) -> None:
        """Take an array into the model, unless the budget forbids it."""
        count = prod(s for s in type_.shape if isinstance(s, int))
        self.elements += count
        if self.elements > self.budget:
            whole = "" if self.elements == count else f", {self.elements:,} with those before it"
            raise TypeMismatchError(
                f"the {role} {path} of {count:,} elements{whole} exceeds the {self.budget:,} that are allowed"
            )
        self.arrays[role][path] = _Declared(type_, initializer, self.place)

    def port(self, role: str, path: str, type_: TensorType, initializer: Initializer) -> Value:
        """An array as an input of the graph; what is shared is one input."""
        if (role, path) not in self.ports:
            self.declare(role, path, type_, initializer)
            self.ports[role, path] = self.graph.input(path.rpartition(".")[2], type_, role, path)
        found = self.ports[role, path]
        if found.type != type_:
            raise TypeMismatchError(f"the shared {role} {path} is {found.type}, and here it would be {type_}")
        return found

    def penalize(self, path: str, penalty: Penalty | None) -> None:
        if penalty is None or not (penalty.l1 or penalty.l2) or ("parameter", path) in self.ports:
            return
        if self.spec.loss is None:
            raise TypeMismatchError("a regularizer is added to the loss, and the spec has no section 'loss'")
        self.penalties.append(Regularizer(path, penalty.l1, penalty.l2))

    def _free(self, parameter: Parameter, path: str) -> Value:
        array = parameter.array
        shape = tuple(parameter.shape or ()) if array is None else array.shape
        initializer = Given(value=array) if array is not None else parameter.initializer or GLOROT_UNIFORM
        self.penalize(path, parameter.regularizer)
        return self.port("parameter", path, TensorType(dtype_of(parameter.dtype), shape), initializer)

    def draw(self, path: str, declared: _Declared) -> Array:
        """The initial values of an array: they depend on the seed and the path alone."""
        shape = tuple(int(size) for size in declared.type.shape)
        try:
            return declared.initializer.draw(shape, declared.type.dtype, Stream(self.spec.seed, path))
        except TypeMismatchError as error:
            raise self.spec.document.error(declared.place, f"{path}: {error}") from error

    def random(self, path: str, shape: Sequence[Size]) -> tuple[Value, Value] | None:
        """A key of its own for each layer, and the counter that all share, advanced by what the layer takes."""
        words = TensorType(uint32, (2,))
        key = Given(value=key_words(self.spec.seed, path))
        if self.mode == "inference":
            self.declare("state", path, words, key)
            self.arrays["state"].setdefault(COUNTER, _Declared(words, ZEROS, ()))
            return None
        key_value = self.port("state", path, words, key)
        before = self.port("state", COUNTER, words, ZEROS) if self.counter is None else self.counter
        self.counter = ops.advance_counter(before, amount=product(shape))
        self.updates[COUNTER] = self.counter
        return key_value, before

    def recipe(self) -> Recipe | None:
        sections = self.spec.sections
        if self.spec.loss is None or self.spec.optimizer is None:
            return None
        return Recipe(
            self.spec.loss, self.spec.optimizer, sections.metrics, sections.loss_weights, tuple(self.penalties)
        )


def _argument_names(step: Step, count: int) -> Sequence[str]:
    """What a layer or a block calls the tensors that it is applied to."""
    if isinstance(step.what, Body):
        return step.what.inputs
    return ["x"] if count == 1 else [f"x{i}" for i in range(count)]


def _named_wrongly(step: Step, count: int) -> str:
    names, several = len(step.rest) + 1, "tensor" if count == 1 else "tensors"
    advice = "give each a name, `_` where nothing needs it"
    return f"{step.kind} gives {count} {several} here, and this names {names}: {advice}"


def _complete(error: Exception) -> str:
    """What is wrong, with the op and its operands where the message names no tensor."""
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith("in ")]
    return f"{error} ({notes[0]})" if notes and "[" not in str(error) else str(error)


class _Site:
    """Where a layer is being built: what `layers.base.Site` asks for."""

    def __init__(self, builder: _Builder, path: str) -> None:
        self.builder, self.path = builder, path
        self.graph, self.training = builder.graph, builder.mode == "training"

    def parameter(
        self, name: str, shape: Sequence[Size], dtype: DType, initializer: Initializer, penalty: Penalty | None = None
    ) -> Value:
        path = f"{self.path}.{name}"
        self.builder.penalize(path, penalty)
        return self.builder.port("parameter", path, TensorType(dtype, tuple(shape)), initializer)

    def state(self, name: str, shape: Sequence[Size], dtype: DType, initializer: Initializer) -> Value:
        path = f"{self.path}.{name}"
        value = self.builder.port("state", path, TensorType(dtype, tuple(shape)), initializer)
        return self.builder.updates.get(path, value)  # a layer that is shared goes on from its last use

    def update(self, name: str, value: Value) -> None:
        self.builder.updates[f"{self.path}.{name}"] = value

    @contextlib.contextmanager
    def part(self, name: str, kind: str, arguments: Mapping[str, Value]) -> Iterator[Site]:
        with self.graph.scope(name, kind, arguments):
            yield _Site(self.builder, f"{self.path}.{name}")

    def random(self, shape: Sequence[Size], name: str = "key") -> tuple[Value, Value] | None:
        return self.builder.random(f"{self.path}.{name}", shape)
