"""What `check` says fails does fail when it is tried, and nothing else does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isograd
from isograd import Loss, Model, Optimizer, Recipe
from isograd.backends import BACKENDS, is_installed, runtime
from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.dims import symbol
from isograd.ir.op import Op
from isograd.ir.types import DType, complex64, float32, float64, uint32, uint64

TARGETS = [b for b in BACKENDS if is_installed(b)]
N = symbol("N")
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def _never(x: Any) -> Any:
    raise AssertionError("check ran the model")


def _same(x: TensorType) -> TensorType:
    return x


mystery = Op("mystery", _same, _never)  # no row anywhere, no gradient
doubled_mystery = Op("doubled_mystery", _same, None, None, lambda x: mystery(x) * 2.0)


def made(build: Callable[[Graph], Value], *, recipe: bool = False) -> Model:
    def capture(mode: str) -> Graph:
        graph = Graph("bad")
        graph.output(build(graph), "y")
        return graph

    chosen = Recipe(Loss("mean_squared_error"), Optimizer("sgd")) if recipe else None
    return Model("bad", capture, {"w": np.ones(3, np.float32)} if recipe else {}, None, chosen)


def given(graph: Graph, dtype: DType = float32, shape: tuple[Any, ...] = (2, 3)) -> Value:
    return graph.input("x", TensorType(dtype, shape))


def _weighted(graph: Graph) -> Value:
    return given(graph) * graph.input("w", TensorType(float32, (3,)), "parameter")


def _philox(graph: Graph) -> Value:
    key, counter = (graph.input(n, TensorType(uint32, (s,))) for n, s in (("key", 2), ("counter", 4)))
    drawn: Value = ops.random_uniform(key, counter, shape=(3,), generator="philox")
    return drawn


def _several(graph: Graph) -> Value:
    x = given(graph)
    with graph.at("first.py:1"):
        y = mystery(x)
    with graph.at("second.py:2"):
        y = doubled_mystery(y)
    with graph.at("third.py:3"):
        turned: Value = ops.reduce_sum(ops.cast(y, dtype=complex64))
    return turned


MODELS = {
    "nothing": made(lambda g: ops.tanh(given(g)) + 1.0),
    "an op without a row": made(lambda g: mystery(given(g))),
    "one in the parts of another": made(lambda g: doubled_mystery(given(g))),
    "an order of uint64": made(lambda g: ops.reduce_max(given(g, uint64))),
    "complex numbers": made(lambda g: given(g, complex64) * given_twice(g)),
    "float64": made(lambda g: ops.erf(given(g, float64))),
    "philox": made(_philox),
    "a size that no axis has": made(lambda g: given(g, shape=(N * symbol("M"),)) * g.size(N, float32)),
    "a free size": made(lambda g: given(g, shape=(N, 3)) * g.size(N, float32)),
    "several": made(_several),
}  # fmt: skip


def given_twice(graph: Graph) -> Value:
    return graph.inputs[0].value


def tried(model: Model, target: str, opset: int) -> str:
    """What compiling says where it fails."""
    options: dict[str, Any] = {"opset": opset} if target == "onnxruntime" else {}
    try:
        runtime(target).compile(model.inference, device=None if target == "numpy" else "cpu", **options).load({})
    except Exception as error:
        return repr(error)
    return ""


@pytest.mark.parametrize("opset", [17, 21])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", MODELS)
def test_what_is_said_to_fail_does_and_nothing_else(name: str, target: str, opset: int) -> None:
    found, error = isograd.check(MODELS[name], target, opset=opset), tried(MODELS[name], target, opset)
    assert found.ok == (not error), f"{found}\n{error}"
    for finding in found.failures(target):
        if finding.problem == "no lowering":
            assert f"{finding.what.split()[0]} ({finding.count}x)" in error


def test_all_of_it_with_places_and_advice() -> None:
    found = isograd.check(MODELS["several"], ["numpy", "onnx"])
    assert [(f.target, f.problem, f.what, f.count, f.places) for f in found.findings] == [
        ("numpy", "no lowering", "mystery of float32", 2, ("first.py:1", "second.py:2")),
        ("onnx", "no lowering", "mystery of float32", 2, ("first.py:1", "second.py:2")),
        ("onnx", "element type", "reduce_sum of complex64", 1, ("third.py:3",)),
        ("onnx", "element type", "complex tensors", 2, ("third.py:3",)),
    ]
    assert "ONNX Runtime has no reduce_sum of complex64; cast before it." in str(found)
    assert not found.ok


def test_a_newer_opset_is_advised() -> None:
    (finding,) = isograd.check(MODELS["philox"], "onnx", opset=17).failures()
    assert finding.advice == "Opset 18 has it: opset=18."
    assert isograd.check(MODELS["philox"], "onnx").ok


def test_what_is_less_exact_is_a_note() -> None:
    found = isograd.check(MODELS["float64"], "onnx")
    assert found.ok
    assert [f.problem for f in found.findings] == ["less exact"]


def test_gradients_that_are_missing() -> None:
    def build(graph: Graph) -> Value:
        with graph.at("layer.py:7"):
            y: Value = doubled_mystery(_weighted(graph))
        return y

    model = made(build, recipe=True)
    found = [f for f in isograd.check(model, "numpy").findings if f.graph == "training"]
    assert [(f.target, f.problem, f.what, f.places) for f in found] == [
        ("all", "no gradient", "doubled_mystery of float32", ("layer.py:7",))
    ]
    with pytest.raises(isograd.UnsupportedOpError, match="no gradient"):
        runtime("numpy").compile(isograd.training_step(model).training)


def test_gradients_that_nothing_needs_are_not_asked_for() -> None:
    model = made(lambda g: ops.stop_gradient(_weighted(g)) + ops.floor(_weighted_again(g)), recipe=True)
    assert isograd.check(model, "numpy").ok


def _weighted_again(graph: Graph) -> Value:
    return graph.inputs[0].value * graph.inputs[1].value


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_examples_have_no_problem_and_are_checked_fast(file: Path) -> None:
    model = isograd.from_spec(file)
    for target in TARGETS:
        runtime(target)  # importing a framework is not what is timed
    start = time.perf_counter()
    found = isograd.check(model)
    assert found.ok, str(found)
    assert time.perf_counter() - start < 30.0  # five targets; a busy machine


def test_a_target_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isograd.backends.check.is_installed", lambda name: name == "numpy")
    assert isograd.check(MODELS["nothing"]).ok  # of all that are there
    found = isograd.check(MODELS["nothing"], ["numpy", "jax"])
    assert [(f.target, f.problem, f.advice) for f in found.failures()] == [
        ("jax", "not installed", "pip install 'isograd[jax]'")
    ]
    with pytest.raises(isograd.BackendUnavailableError, match="there is no target 'theano'"):
        isograd.check(MODELS["nothing"], "theano")
