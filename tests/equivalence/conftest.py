"""What the tests of comparisons share: a runtime with a fault, and the digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from isograd.backends.runtime import HELD, Program, Runtime
from isograd.frontends.data import load_data
from isograd.ir.evaluate import bind_inputs, evaluate, reference_rule

Fault = Callable[[Any, Any], Any]  # (node, its rule) -> another rule, or None


class FaultyProgram(Program):
    """NumPy in the declared types, node by node, with a fault."""

    source = ""
    device = "cpu"

    def __init__(self, graph, fault):
        super().__init__(graph)
        self.fault, self.held = fault, {}

    def load(self, arrays):
        self.held = {k: np.array(a) for k, a in arrays.items()}

    def __call__(self, *inputs):
        given = iter(inputs)
        arrays = [self.held[p.role, p.path] if p.role in HELD else np.asarray(next(given)) for p in self.graph.inputs]

        def table(node):
            return self.fault(node, reference_rule(node)) or reference_rule(node)

        with np.errstate(all="ignore"):
            results = evaluate(self.graph, table, arrays, bindings=bind_inputs(self.graph, arrays))
        pairs = list(zip(self.graph.outputs, results, strict=True))
        self.held |= {(p.role, p.path): np.asarray(r) for p, r in pairs if p.role in HELD}
        return [r for p, r in pairs if p.role not in HELD]

    def arrays(self):
        return self.held

    def to_numpy(self, array):
        return np.asarray(array)


class Faulty(Runtime):
    def __init__(self, fault, name="faulty"):
        self.fault, self.name = fault, name

    def version(self):
        return "0"

    def devices(self) -> Sequence[str]:
        return ("cpu",)

    def compile(self, graph, *, device=None, **options):
        return FaultyProgram(graph, self.fault)


@pytest.fixture(scope="session")
def faulty() -> type[Faulty]:
    return Faulty


@pytest.fixture(scope="session")
def digits():
    return load_data("digits")
