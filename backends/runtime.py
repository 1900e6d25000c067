"""What every backend offers: a runtime that compiles graphs, and programs that hold their parameters and state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import Graph

Key = tuple[str, str]  # role (parameter or state) and path
HELD = ("parameter", "state")


class Program(ABC):
    """A compiled graph with its parameters and state on a device.

    Calling it takes the graph's inputs of role `input`, in order, and gives its outputs, in order, but for new values
    of parameters and state: those replace the held ones.
    """

    source: str  # what runs: the text of the printed module, or of the ONNX model
    device: str

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @abstractmethod
    def load(self, arrays: Mapping[Key, np.ndarray]) -> None:
        """Put parameters and state (every port of those roles) onto the device, as copies."""

    @abstractmethod
    def __call__(self, *inputs: Any) -> list[Any]:
        """Run once. Inputs are NumPy arrays or the framework's own; outputs are the framework's own, on the device."""

    @abstractmethod
    def arrays(self) -> dict[Key, np.ndarray]:
        """Parameters and state as they are now, as NumPy arrays."""

    @abstractmethod
    def to_numpy(self, array: Any) -> np.ndarray:
        """One output as a NumPy array; waits until it is computed."""


class Runtime(ABC):
    """A framework on this machine. Importing the module of a runtime imports its framework."""

    name: str

    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def devices(self) -> Sequence[str]:
        """The names of devices, the default first: `cpu`, `cuda`, `cuda:1`."""

    @abstractmethod
    def compile(self, graph: Graph, *, device: str | None = None, **options: Any) -> Program:
        """A program for the graph. Raises `UnsupportedOpError` with every op that has no lowering, with origins."""
