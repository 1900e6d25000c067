"""Running printed modules: what the four Python frameworks share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import Graph
from ..ir.errors import BackendUnavailableError
from ..ir.evaluate import bind_shapes
from .emit import is_model, print_module, ready_graph
from .program import as_tree, execute
from .runtime import HELD, Key, Program, Runtime
from .step import step_name
from .target import Target
from .views import Views, as_source, stored, views_of


class PythonRuntime(Runtime):
    """A framework whose programs are printed Python modules."""

    target: Target
    closes_over = False  # whether what a step updates in place need not be passed to it

    @abstractmethod
    def put(self, array: np.ndarray, device: str) -> Any:
        """A copy of an array on a device."""

    @abstractmethod
    def get(self, array: Any) -> np.ndarray:
        """An array of the framework as a NumPy array."""

    def hold(self, array: np.ndarray, device: str) -> Any:
        """What a flat function keeps a parameter or a state in."""
        return self.put(array, device)

    def make(self, function: Callable[..., Any], device: str, options: Mapping[str, Any]) -> Callable[..., Any]:
        """The printed function as it is to be run: compiled, without recording gradients, ..."""
        return function

    def compile(self, graph: Graph, *, device: str | None = None, head: str = "", **options: Any) -> Program:
        devices = self.devices()
        chosen = device or devices[0]
        if chosen not in devices:
            raise BackendUnavailableError(f"{self.name} has no device {chosen!r} here; it has {', '.join(devices)}")
        ready = ready_graph(graph, self.target)
        return PythonProgram(graph, self, chosen, print_module(ready, self.target, head), options, views_of(ready))


class PythonProgram(Program):
    """A printed module, executed."""

    def __init__(
        self, graph: Graph, runtime: PythonRuntime, device: str, source: str, options: Mapping[str, Any], views: Views
    ) -> None:
        super().__init__(graph)
        self.views = views
        self.runtime, self.device, self.source = runtime, device, source
        self.is_model = is_model(graph)
        self.names = execute(source, graph.name)
        self.ports = graph.ports("input")
        self.roles = [r for r in HELD if graph.ports(r)]
        self.new = [r for r in HELD if graph.results(r)]
        self.held: dict[str, dict[str, Any]] = {r: {} for r in HELD}
        self.trees: list[Any] = []
        self.options = dict(options)
        self._function: Callable[..., Any] | None = None

    def load(self, arrays: Mapping[Key, np.ndarray]) -> None:
        self.held = {r: {} for r in HELD}
        for port in self.graph.inputs:
            if port.role in HELD:
                key = port.role, port.path
                array = stored(np.asarray(arrays[key], port.value.dtype.numpy), self.views.get(key))
                place = self.runtime.put if self.is_model else self.runtime.hold
                self.held[port.role][port.path] = place(array, self.device)
        if self.is_model:
            self._function = self.runtime.make(self._model(), self.device, self.options)
            self.trees = [] if self.runtime.target.style == "modules" else [as_tree(self.held[r]) for r in self.roles]
        elif self.runtime.closes_over:
            self._function = self.runtime.make(self._closed(), self.device, self.options)
        elif self._function is None:
            self._function = self.runtime.make(self.names[step_name(self.graph)], self.device, self.options)

    def _closed(self) -> Callable[..., Any]:
        """The printed step on the held parameters and state: they are not passed at each call."""
        function, (params, state) = self.names[step_name(self.graph)], self.held.values()
        return lambda *batch: function(params, state, *batch)

    def _model(self) -> Callable[..., Any]:
        if self.runtime.target.style != "modules":
            return self.names["model"]  # type: ignore[no-any-return]
        model = self.names["Model"]()
        assign: Any = self.runtime.target.options["assign"]
        assign(model, {path: a for r in HELD for path, a in self.held[r].items()}, self.device)
        return model  # type: ignore[no-any-return]

    def __call__(self, *inputs: Any) -> list[Any]:
        if self._function is None:
            self.load({})
        assert self._function is not None
        self._check(inputs)
        arrays = [self._array(a, p.value.dtype.numpy) for a, p in zip(inputs, self.ports, strict=True)]
        if self.is_model:
            result = self._function(*self.trees, *arrays)
            if self.trees and "state" in self.roles:
                result = result[0]
            return list(result) if len(self.graph.outputs) > 1 else [result]
        held = () if self.runtime.closes_over else (self.held["parameter"], self.held["state"])
        return self._step(self._function(*held, *arrays))

    def _array(self, given: Any, dtype: np.dtype[Any]) -> Any:
        if isinstance(given, np.ndarray | np.generic | int | float | bool | list):
            return self.runtime.put(np.asarray(given, dtype), self.device)
        return given

    def _check(self, inputs: Sequence[Any]) -> None:
        bind_shapes(self.graph, self.ports, [tuple(np.shape(a)) for a in inputs])

    def _step(self, result: Any) -> list[Any]:
        """What a printed step returned, in the order of the graph's outputs; new values replace the held ones."""
        parts = iter(result if isinstance(result, tuple) else (result,))
        found: dict[tuple[str, str], Any] = {}
        for role in ("loss", "output"):
            found |= {(role, p.path): next(parts) for p in self.graph.results(role)}
        for role in ("metric", "gradient"):
            ports = self.graph.results(role)
            if ports:
                group = next(parts)
                found |= {(role, p.path): group[p.path] for p in ports}
        if not self.runtime.target.in_place:
            for role in self.new:
                self.held[role] = dict(next(parts))
        return [found[p.role, p.path] for p in self.graph.outputs if p.role not in HELD]

    def arrays(self) -> dict[Key, np.ndarray]:
        return {
            (r, path): as_source(np.array(self.runtime.get(a)), self.views.get((r, path)))
            for r in HELD for path, a in self.held[r].items()
        }  # fmt: skip

    def to_numpy(self, array: Any) -> np.ndarray:
        return self.runtime.get(array)
