"""Steps whose layers are functions: the numbers of the reference, and what crosses the borders in every form."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from encoder import Encoder
from forms import FORMS, form

import isograd
from isograd.backends import is_installed, runtime
from isograd.backends.export import PYTHON_TARGETS, source
from isograd.backends.program import execute, prepare
from isograd.backends.step import print_step
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


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", FORMS)
def test_what_crosses_borders(name: str, target: str) -> None:
    """Inference, gradients and the step of each form give the reference's numbers."""
    model = form(name)
    x, y = np.random.default_rng(1).normal(size=(2, 5, 4)).astype(np.float32)
    assert_same(model, model.inference, target, x)
    for derived in (isograd.training_step(model), loss_and_gradients(model)):
        assert_same(derived, derived.training, target, x, y)


@pytest.mark.parametrize(
    ("name", "loops"),
    [("plain", 2), ("two_carried", 2), ("each_output_read_again", 1), ("one_layer_again_and_again", 0)],
)
def test_equal_blocks_are_loops(name: str, loops: int) -> None:
    """One loop forwards and one backwards over the four blocks; the update is a loop of its own."""
    step = isograd.training_step(form(name))
    assert source(step, "numpy", step.training).count("    for i") == loops


@pytest.mark.parametrize("target", TARGETS)
def test_unused_and_missing_elements_keep_their_names(target: str, tmp_path: Path) -> None:
    """Layers that nothing calls are in the module, and a file of weights fits it."""
    for name in ("one_layer_again_and_again", "numbers_with_gaps", "tied"):
        model = form(name)
        isograd.export(model, target, tmp_path / name)
        names = execute((tmp_path / name / f"{name}.py").read_text(), name)
        names["load"](str(tmp_path / name / "weights.safetensors"))
        if target == "torch":
            assert names["Model"]().state_dict().keys() == model.parameters.keys()


def test_printing_takes_time_in_proportion() -> None:
    """Twice the blocks take about twice as long (the bound leaves room for a busy machine)."""
    target = runtime("numpy").target

    def seconds(layers: int) -> float:
        graph = isograd.training_step(Encoder(layers=layers).model()).training
        prepared = prepare(graph, target.table, target.name, target.passes, within_layers=True)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            print_step(prepared, target, '"""step"""')
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds(40) < 3.0 * seconds(20)


@pytest.mark.parametrize("target", TARGETS)
def test_groups_of_many_parameters_are_told_by_their_names(target: str) -> None:
    encoder = Encoder(layers=3)
    groups = {"layer.*bias": {"learning_rate": 0.1}}
    step = isograd.training_step(encoder.model(isograd.Optimizer("adam", {"learning_rate": 0.01}, groups=groups)))
    assert_same(step, step.training, target, *encoder.batch())
    condition = 'n.startswith("layer.") and n.endswith(".bias")'
    assert source(step, target, step.training).count(condition) == 2  # the group, and the rest


@pytest.mark.parametrize("backend", TARGETS)
def test_a_loop_within_a_layer_hides_none_of_its_parameters(backend: str) -> None:
    """The layer has a list of blocks, and after those a dense layer of its own."""
    block = {"layers": [{"dense": {"units": 4, "activation": "tanh"}}]}
    inner = {"sequential": [{"block": None, "repeat": 3}, {"dense": {"units": 2, "name": "last"}}], "of": "x"}
    model = isograd.from_spec({"input": {"x": "float32[N, 4]"}, "blocks": {"block": block}, "tensors": {"y": inner}})
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_allclose(model.compile(backend)(x), model.compile("onnxruntime")(x), rtol=1e-5, atol=1e-6)
