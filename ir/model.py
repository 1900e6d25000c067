"""A model: named arrays, and two graphs over them; a recipe: how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from os import PathLike
from typing import Any, Literal

import numpy as np

from .errors import TypeMismatchError
from .graph import Graph, Port
from .types import dtype_of

Mode = Literal["inference", "training"]


@dataclass(frozen=True)
class Loss:
    """A loss by name, with its options; `reduction` is the mean over all examples and elements.

    Names and options are listed in `isograd.ir.training.losses`.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes with the number of updates; names are in `isograd.ir.training.schedules`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by name, with hyperparameters, and whose convention the update follows.

    Names, hyperparameters and conventions are listed in `isograd.ir.training.optimizers`. `schedule`: of the learning
    rate, or `adjustable` where it is a state. `clip`: `value`, `norm` (of each gradient) or `global_norm`, and the
    bound. `average`: of the parameters, `ema` or `swa` with their options. `accumulate`: over so many batches.
    `groups`: hyperparameters (and `frozen`) for the parameters whose names fit a pattern; the first that fits counts.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    convention: Literal["keras", "torch", "optax"] = "keras"
    schedule: Schedule | None = None
    clip: Mapping[str, float] = field(default_factory=dict)
    average: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accumulate: int = 1
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Regularizer:
    """A penalty on one parameter, added to the loss: l1 * sum|w| + l2 * sum w^2."""

    parameter: str
    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: loss (of its only output, or one by output name), optimizer, metrics, penalties."""

    loss: Loss | Mapping[str, Loss]
    optimizer: Optimizer
    metrics: tuple[str, ...] = ()
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    regularizers: tuple[Regularizer, ...] = ()


class Model:
    """Named parameters and state, and two graphs over them, each captured when first needed.

    The graphs' inputs are ports of role `parameter`, `state` and `input`, named by path; their outputs are ports of
    role `output`, and `state` for the new value of each state that the graph changes. `capture(mode)` builds a graph.
    """

    def __init__(
        self,
        name: str,
        capture: Callable[[Mode], Graph],
        parameters: Mapping[str, np.ndarray],
        state: Mapping[str, np.ndarray] | None = None,
        recipe: Recipe | None = None,
        source: str = "",
    ) -> None:
        self.name, self.recipe, self.source = name, recipe, source
        self.parameters: dict[str, np.ndarray] = dict(parameters)
        self.state: dict[str, np.ndarray] = dict(state or {})
        self._capture = capture
        self._graphs: dict[str, Graph] = {}

    @classmethod
    def of(
        cls,
        graph: Graph,
        parameters: Mapping[str, np.ndarray] | None = None,
        state: Mapping[str, np.ndarray] | None = None,
        recipe: Recipe | None = None,
    ) -> Model:
        """A model of one graph, which both predicts and is trained.

        >>> from isograd.ir import Graph, TensorType
        >>> from isograd.ir.types import float32
        >>> graph = Graph("double")
        >>> x = graph.input("x", TensorType(float32, (2,)))
        >>> _ = graph.output(x * 2.0, "y")
        >>> Model.of(graph).compile("numpy")(np.array([1.0, 2.0], np.float32))
        array([2., 4.], dtype=float32)
        """
        return cls(graph.name, lambda mode: graph, parameters or {}, state, recipe)

    @property
    def inference(self) -> Graph:
        """The graph that predicts: dropout keeps everything, normalization uses the statistics in the state."""
        return self.graph("inference")

    @property
    def training(self) -> Graph:
        """The graph that training runs: dropout drops, normalization uses the batch's statistics and updates state."""
        return self.graph("training")

    def graph(self, mode: Mode) -> Graph:
        if mode not in self._graphs:
            graph = self._capture(mode)
            self._check(graph)
            self._graphs[mode] = graph
        return self._graphs[mode]

    @property
    def inputs(self) -> list[Port]:
        return self.inference.ports("input")

    @property
    def outputs(self) -> list[Port]:
        return self.inference.results("output")

    def arrays(self, graph: Graph) -> dict[tuple[str, str], np.ndarray]:
        """The arrays of the graph's ports that are not inputs, by role and path."""
        stores = {"parameter": self.parameters, "state": self.state}
        return {(p.role, p.path): stores[p.role][p.path] for p in graph.inputs if p.role in stores}

    def with_arrays(self, parameters: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray]) -> Model:
        """The same model with other numbers."""
        other = Model(
            self.name,
            self._capture,
            self.parameters | dict(parameters),
            self.state | dict(state),
            self.recipe,
            self.source,
        )
        other._graphs = self._graphs
        return other

    def with_recipe(self, recipe: Recipe) -> Model:
        other = Model(self.name, self._capture, self.parameters, self.state, recipe, self.source)
        other._graphs = self._graphs
        return other

    def compile(self, backend: str = "numpy", device: str | None = None, **options: Any) -> Any:
        """`run(*inputs, **named)` on a backend, by the inference graph; `run.source` is the text of what runs."""
        backends = import_module(f"{__package__.rpartition('.')[0]}.backends.export")  # the one arrow that points up
        return backends.compile_model(self, backend, device, **options)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write graphs, arrays and recipe into a folder, from which `isograd.load` reads them."""
        from .saving import save

        save(self, folder)

    def _check(self, graph: Graph) -> None:
        for port in graph.inputs:
            store = {"parameter": self.parameters, "state": self.state}.get(port.role)
            if store is None:
                continue
            array, t = store.get(port.path), port.value.type
            if array is None or dtype_of(array.dtype) != t.dtype or tuple(array.shape) != t.shape:
                found = "is missing" if array is None else f"is {dtype_of(array.dtype).short}{list(array.shape)}"
                raise TypeMismatchError(f"{port.role} {port.path!r} should be {t}, but {found}")

    def __str__(self) -> str:
        return str(self.inference)

    def __repr__(self) -> str:
        count = sum(a.size for a in self.parameters.values())
        return f"<model {self.name}: {len(self.parameters)} parameters, {count} numbers>"
