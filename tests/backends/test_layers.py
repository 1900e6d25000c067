"""Steps whose layers are functions: the numbers of the reference, and what crosses the borders in every form."""

from __future__ import annotations

import numpy as np
import pytest
from encoder import Encoder

import isograd
from isograd.backends import is_installed, runtime
from isograd.backends.export import PYTHON_TARGETS
from isograd.ir import Graph
from isograd.ir.evaluate import run_reference
from isograd.ir.training import loss_and_gradients

TARGETS = [t for t in PYTHON_TARGETS if is_installed(t)]
Key = tuple[str, str]


def printed(model: isograd.Model, graph: Graph, backend: str, *batch: np.ndarray) -> dict[Key, np.ndarray]:
    """What the printed program gives, new parameters and state included."""
    program = runtime(backend).compile(graph)
    program.load(model.arrays(graph))
    ports = [p for p in graph.outputs if p.role not in ("parameter", "state")]
    given = {(p.role, p.path): program.to_numpy(v) for p, v in zip(ports, program(*batch), strict=True)}
    return {**program.arrays(), **given}


def reference(model: isograd.Model, graph: Graph, *batch: np.ndarray) -> dict[Key, np.ndarray]:
    arrays, given = model.arrays(graph), iter(batch)
    inputs = [next(given) if p.role == "input" else arrays[p.role, p.path] for p in graph.inputs]
    return {(p.role, p.path): v for p, v in zip(graph.outputs, run_reference(graph, inputs), strict=True)}


def assert_same(model: isograd.Model, graph: Graph, backend: str, *batch: np.ndarray) -> None:
    found, expected = printed(model, graph, backend, *batch), reference(model, graph, *batch)
    for key, array in expected.items():
        scale = float(np.abs(array).max(initial=0.0))
        np.testing.assert_allclose(found[key], array, rtol=0, atol=1e-3 * scale + 1e-8, err_msg=str(key))


@pytest.mark.parametrize("target", TARGETS)
def test_a_step_of_blocks_gives_the_reference(target: str) -> None:
    encoder = Encoder(layers=3)
    step = isograd.training_step(encoder.model())
    assert_same(step, step.training, target, *encoder.batch())


@pytest.mark.parametrize("target", TARGETS)
def test_the_gradients_of_blocks_are_the_references(target: str) -> None:
    encoder = Encoder(layers=3)
    model = loss_and_gradients(encoder.model())
    assert_same(model, model.training, target, *encoder.batch())
