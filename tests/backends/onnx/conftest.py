"""What the tests of the ONNX backend share: an op on all its samples as one graph, its bounds, how to run it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from bodies import of_type
from draws import drawn

from isograd.backends.onnx.gaps import NOT_THERE
from isograd.backends.onnx.model import OPSET, emit
from isograd.backends.onnxruntime import inexact_fusions
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import backward
from isograd.ir.errors import UnsupportedOpError
from isograd.ir.evaluate import run_reference
from isograd.ir.op import NO_GRADIENT
from isograd.ir.passes import widen
from isograd.ir.types import dtype_of

EPS = 2.0**-23
RUNS = 8  # perturbed references


def as_type(operand: Any, dtype: str) -> Any:
    """A sample's operand; of its float32 arrays others are made."""
    if operand is None:
        return None
    array = np.asarray(operand)
    return array.astype(dtype_of(dtype).numpy) if array.dtype == np.float32 else array


def sample_graph(op: Any, *, gradients: bool = True, dtype: str = "float32") -> tuple[Graph, list[np.ndarray]]:
    """A graph that applies an op to each of its samples, and differentiates random projections; and its arrays."""
    graph, arrays = Graph(op.name), []
    generator = np.random.default_rng(7)

    def given(name: str, array: np.ndarray) -> Any:
        arrays.append(array)
        return graph.input(name, TensorType(dtype_of(array.dtype), array.shape))

    for k, sample in enumerate(op.samples):
        operands = [as_type(o, dtype) for o in sample.operands]
        values = [None if a is None else given(f"s{k}.{i}", a) for i, a in enumerate(operands)]
        results = graph.apply(op, *values, **of_type(sample.attributes, dtype))
        outputs = results if isinstance(results, tuple) else (results,)
        for j, value in enumerate(outputs):
            graph.output(value, f"s{k}.out{j}")
        wrt = [v for v in values if v is not None and v.dtype.is_differentiable]
        floats = [v for v in outputs if v.dtype.is_differentiable]
        if gradients and sample.differentiable and op.gradient != NO_GRADIENT and wrt and floats:
            seeds = [given(f"s{k}.seed{j}", drawn(generator, v.shape, v.dtype.numpy)) for j, v in enumerate(floats)]
            for i, gradient in enumerate(backward(floats, seeds, wrt)):
                if gradient is not None:
                    graph.output(gradient, f"s{k}.gradient{i}", "gradient")
    return graph, arrays


def expected(graph: Graph, arrays: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each output in float64, and how far roundings of each node, drawn at random from its op's bound, may move it."""
    wide = widen(graph)
    truth = run_reference(wide, arrays)
    spread = [np.zeros(np.shape(t)) for t in truth]
    generator = np.random.default_rng(3)

    def perturb(node: Any, results: tuple[Any, ...]) -> tuple[Any, ...]:
        bound = node.op.bound
        return results if bound.kind == "exact" else tuple(moved(bound, np.asarray(r)) for r in results)

    def moved(bound: Any, result: np.ndarray) -> np.ndarray:
        if result.dtype != np.float64:
            return result
        finite = np.where(np.isfinite(result), np.abs(result), 0.0)  # an infinity stays where it is
        size = finite if bound.kind == "elementwise" else np.max(finite, initial=0.0)
        draw = generator.choice([-1.0, 1.0], result.shape)
        return np.asarray(result + draw * (bound.factor * EPS * size + bound.floor))

    for _ in range(RUNS):
        for t, s, r in zip(truth, spread, run_reference(wide, arrays, watch=perturb), strict=True):
            if np.asarray(t).dtype == np.float64:
                with np.errstate(invalid="ignore"):
                    np.maximum(s, np.abs(r - t), out=s, where=np.isfinite(t))
    return list(zip(truth, spread, strict=True))


def run(graph: Graph, arrays: list[np.ndarray], *, opset: int = OPSET, level: Any = None) -> list[np.ndarray]:
    """A graph through ONNX Runtime, one thread; the checker has seen the model."""
    emission = emit(graph, opset=opset)
    onnx.checker.check_model(emission.model, full_check=True)
    return run_model(emission.model, dict(zip(emission.inputs, arrays, strict=True)), level)


def run_model(model: onnx.ModelProto, feeds: dict[str, np.ndarray], level: Any = None) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    if level is not None:
        options.graph_optimization_level = level
    session = ort.InferenceSession(
        model.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=inexact_fusions(model),
    )
    return session.run(None, feeds)


def pytest_generate_tests(metafunc: Any) -> None:
    if "op" in metafunc.fixturenames:
        metafunc.parametrize("op", list(map(marked, sampled())), ids=lambda op: op.name)


def sampled() -> list[Any]:
    return [op for op in ops.ALL if op.samples]


def marked(op: Any) -> Any:
    """A parameter of a test that is expected to fail where there is no lowering for the op."""
    since, reason = NOT_THERE.get(op.name, (0, ""))
    marks = [pytest.mark.xfail(reason=reason, raises=UnsupportedOpError, strict=True)] if since > OPSET else []
    return pytest.param(op, marks=marks)


@pytest.fixture(scope="session", name="sample_graph")
def _sample_graph() -> Any:
    return sample_graph


@pytest.fixture(scope="session", name="expected")
def _expected() -> Any:
    return expected


@pytest.fixture(scope="session", name="run")
def _run() -> Any:
    return run


@pytest.fixture(scope="session", name="run_model")
def _run_model() -> Any:
    return run_model
