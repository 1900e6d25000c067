"""Recurrent layers with one gradient, for each of the outputs that may have one: what frameworks claim whole."""

import itertools

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import backward, gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.types import dtype_of

LAYERS = [(ops.lstm, 3), (ops.gru, 2), (ops.simple_rnn, 2)]
CASES = [(op, given) for op, count in LAYERS for given in itertools.product((True, False), repeat=count) if any(given)]
BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]


def layer_graph(op, number=0):
    """The layer on a sample without a mask, its operands and outputs, and the arrays."""
    sample, graph = op.samples[number], Graph(op.name)
    arrays = [np.asarray(o) for o in sample.operands]
    values = [graph.input(f"x{i}", TensorType(dtype_of(a.dtype), a.shape)) for i, a in enumerate(arrays)]
    outputs = graph.apply(op, *values, **sample.attributes)
    for i, value in enumerate(outputs):
        graph.output(value, f"y{i}")
    return graph, values, outputs, arrays


def run(backend, graph, arrays):
    program = runtime(backend).compile(graph)
    return [program.to_numpy(a) for a in program(*arrays)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("op", "given"), CASES, ids=str)
def test_one_gradient(backend, op, given):
    graph, values, outputs, arrays = layer_graph(op)
    pairs = []
    for i, (value, has) in enumerate(zip(outputs, given, strict=True)):
        if has:
            arrays.append(np.random.default_rng(i).normal(size=value.shape).astype(np.float32))
            pairs.append((value, graph.input(f"g{i}", value.type)))
    found = backward([v for v, _ in pairs], [s for _, s in pairs], values)
    for i, gradient in enumerate(found):
        graph.output(gradient, f"d{i}", "gradient")
    for result, truth in zip(run(backend, graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(result, truth, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("op", [op for op, _ in LAYERS], ids=str)
def test_gradient_of_the_gradient(backend, op):
    graph, values, outputs, arrays = layer_graph(op)
    slopes = gradients(graph, ops.reduce_sum(ops.square(outputs[0])), values)
    total = ops.reduce_sum(ops.square(slopes[-1]))
    with graph.section("backward"):
        for i, gradient in enumerate(gradients(graph, total, values)):
            graph.output(gradient, f"d{i}", "gradient")
    for result, truth in zip(run(backend, graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(result, truth, rtol=2e-3, atol=2e-5)


@pytest.mark.skipif("torch" not in BACKENDS, reason="torch is not installed")
@pytest.mark.parametrize("op", [op for op, _ in LAYERS], ids=str)
def test_pytorch_runs_the_layer_and_its_gradient_whole(op):
    graph, values, outputs, _ = layer_graph(op)
    for i, gradient in enumerate(gradients(graph, ops.reduce_sum(outputs[0]), values)):
        graph.output(gradient, f"d{i}", "gradient")
    source = runtime("torch").compile(graph).source
    assert "torch.autograd.grad(" in source
    assert "for z in" not in source
