"""isograd in sixty lines, without a framework: build a graph, print it, run it, differentiate it, make it smaller."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.parse import parse
from isograd.ir.passes import optimize
from isograd.ir.types import float32
from isograd.ir.verify import verify

TEXT = """\
def model(
    image: f32[N, 3],
    kernel: f32[3, 2] = parameter("dense.kernel"),
):
    with scope("dense", kind="Dense", x=image):
        logits: f32[N, 2] = matmul(image, kernel)
    v1: f32[N, 2] = tanh(logits)
    loss: f32 = reduce_sum(v1)
    return output("loss", loss)
"""


@pytest.fixture
def graph():
    graph = Graph()
    image = graph.input("image", TensorType(float32, (symbol("N"), 3)))
    kernel = graph.input("kernel", TensorType(float32, (3, 2)), "parameter", "dense.kernel")
    with graph.scope("dense", "Dense", {"x": image}):
        logits = (image @ kernel).named("logits")
    graph.output(ops.reduce_sum(ops.tanh(logits)).named("loss"), "loss")
    return graph


IMAGE = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]], np.float32)
KERNEL = np.array([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]], np.float32)


def test_it_prints_as_python_and_reads_back(graph):
    assert str(graph) == TEXT
    assert str(parse(TEXT)) == TEXT


def test_it_runs(graph):
    (loss,) = run_reference(graph, [IMAGE, KERNEL])
    np.testing.assert_allclose(loss, np.tanh(IMAGE @ KERNEL).sum(), rtol=1e-6)


def test_it_differentiates_and_shrinks(graph):
    loss, kernel = graph.outputs[0].value, graph.ports("parameter")[0].value
    (slope,) = gradients(graph, loss, [kernel])
    graph.outputs = []
    graph.output(slope, "dense.kernel", "gradient")
    smaller = optimize(graph)
    verify(smaller)
    assert str(smaller).splitlines()[7:] == [
        '    with section("backward"):',
        "        v2: f32[N, 2] = multiply(v1, v1)",
        "        d_logits: f32[N, 2] = subtract(1.0, v2)",
        '        with scope("dense", kind="Dense"):',
        "            v3: f32[3, N] = transpose(image, axes=(1, 0))",
        "            d_kernel: f32[3, 2] = matmul(v3, d_logits)",
        '    return gradient("dense.kernel", d_kernel)',
    ]
    (found,) = run_reference(smaller, [IMAGE, KERNEL])
    np.testing.assert_allclose(found, IMAGE.T @ (1 - np.tanh(IMAGE @ KERNEL) ** 2), rtol=1e-5)
