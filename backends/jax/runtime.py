"""JAX as a runtime."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...ir import Graph
from ...ir.graph import bound_symbols
from ..python_runtime import PythonProgram, PythonRuntime
from ..runtime import Program
from . import TARGET


class JaxRuntime(PythonRuntime):
    """JAX, jitted unless only data tells sizes; 64-bit types are enabled around programs that have them."""

    name = "jax"
    target = TARGET

    def version(self) -> str:
        return jax.__version__

    def devices(self) -> Sequence[str]:
        kinds = ["cuda" if d.platform == "gpu" else d.platform for d in jax.devices()]
        names = [k if kinds.index(k) == i else f"{k}:{i - kinds.index(k)}" for i, k in enumerate(kinds)]
        return tuple(dict.fromkeys([*names, "cpu"]))

    def _device(self, name: str) -> Any:
        kind, _, index = name.partition(":")
        return jax.devices("gpu" if kind == "cuda" else kind)[int(index or 0)]

    def put(self, array: np.ndarray, device: str) -> Any:
        with jax.enable_x64(True) if array.dtype.itemsize == 8 else contextlib.nullcontext():
            return jax.device_put(jnp.array(array, copy=True), self._device(device))

    def get(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def make(self, function: Callable[..., Any], device: str, options: Mapping[str, Any]) -> Callable[..., Any]:
        if options.get("compiled") and not hasattr(function, "lower"):  # a printed step is jitted where it is defined
            function = jax.jit(function)
        return _wide(function) if options.get("wide") else function

    def compile(self, graph: Graph, **options: Any) -> Program:
        program = super().compile(graph, compiled=not bound_symbols(graph), **options)
        assert isinstance(program, PythonProgram)
        program.options["wide"] = TARGET.wide in program.source  # the printed program knows whether it has 64 bits
        return program


def _wide(function: Callable[..., Any]) -> Callable[..., Any]:
    def widened(*arguments: Any) -> Any:
        with jax.enable_x64(True):
            return function(*arguments)

    return widened
