"""Random bits are the same as everywhere, at every counter."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.types import float32, uint32

COUNTERS = [(0, 0), (0xFFFFFFFE, 0), (0xFFFFFFF0, 0xFFFFFFFF), (12345, 0x80000000)]
KEYS = [(0x548C9DEC, 0xC8DED3B1), (0xFFFFFFFF, 0xFFFFFFFF), (1, 0)]


def drawn(shape):
    graph = Graph()
    key, counter = (graph.input(n, TensorType(uint32, (2,))) for n in ("key", "counter"))
    graph.output(graph.apply(ops.random_uniform, key, counter, shape=shape), "uniform")
    for i, rate in enumerate((0.0, 0.3, 1.0)):
        graph.output(graph.apply(ops.random_mask, key, counter, shape=shape, rate=rate), f"mask{i}")
    for i, amount in enumerate((0, 77, 2**31 + 5)):
        graph.output(ops.advance_counter(counter, amount=amount), f"next{i}")
    return graph


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 1000)])  # an array of counts, and a Range
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("counter", COUNTERS)
def test_bits_are_identical(shape, key, counter, run):
    graph, arrays = drawn(shape), [np.array(key, np.uint32), np.array(counter, np.uint32)]
    for port, found, right in zip(graph.outputs, run(graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_array_equal(found, right, err_msg=port.path)


def test_a_mask_of_any_batch(run):
    graph, n = Graph(), symbol("N")
    x = graph.input("x", TensorType(float32, (n, 4)))
    key, counter = (graph.input(m, TensorType(uint32, (2,))) for m in ("key", "counter"))
    graph.output(ops.dropout(x, key, counter, rate=0.5), "y")
    graph.output(ops.advance_counter(counter, amount=n * 4), "next")
    for size in (1, 9):
        arrays = [np.ones((size, 4), np.float32), np.array(KEYS[0], np.uint32), np.array(COUNTERS[1], np.uint32)]
        for found, right in zip(run(graph, arrays), run_reference(graph, arrays), strict=True):
            np.testing.assert_array_equal(found, right)


def test_only_what_cuda_has(sample_graph):
    """ONNX Runtime's CUDA provider has no shifts, no bitwise ops and no choice between unsigned integers."""
    from isograd.backends.onnx.model import to_model

    kinds = {n.op_type for n in to_model(drawn((3, 5))).graph.node}
    assert kinds <= {
        "Cast",
        "Gather",
        "Mul",
        "Add",
        "Sub",
        "Div",
        "GreaterOrEqual",
        "Less",
        "Reshape",
        "Concat",
        "Range",
    }
