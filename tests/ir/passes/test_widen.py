"""The numbered cases of widen, and that the wide graph is what the narrow one approximates."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import widen
from isograd.ir.passes.widen import widened
from isograd.ir.types import bfloat16, complex64, complex128, float16, float32, float64, int32, int64, uint8, uint32
from isograd.ir.verify import verify

TENTH = float(np.float32(0.1))


def wide_result(function, array, dtype=float32):
    graph = Graph()
    graph.output(function(graph.input("x", TensorType(dtype, np.shape(array)))), "y")
    wide = widen(graph)
    verify(wide)
    (found,) = run_reference(wide, [np.asarray(array)])
    return np.asarray(found)


def test_every_sample_widens(case):
    """On the samples of every op the wide result is what the narrow one approximates."""
    for graph, arrays in case.graphs():
        wide = widen(graph)
        verify(wide)
        assert [(p.role, p.path) for p in wide.outputs] == [(p.role, p.path) for p in graph.outputs]
        assert all(p.value.dtype not in (float16, float32, bfloat16, complex64) for p in (*wide.inputs, *wide.outputs))
        for narrow, found in zip(run_reference(graph, arrays), run_reference(wide, arrays), strict=True):
            np.testing.assert_allclose(narrow, found, rtol=2e-4, atol=2e-5)
        assert str(widen(wide)) == str(wide)


WIDE = {
    float16: float64, bfloat16: float64, float32: float64, float64: float64, complex64: complex128, int32: int32,
    uint8: uint8,
}  # fmt: skip


@pytest.mark.parametrize(("dtype", "expected"), WIDE.items())
def test_1_types(dtype, expected):
    graph = Graph()
    graph.output(graph.input("x", TensorType(dtype, (2,))) * 3, "y")
    assert [p.value.dtype for p in (*widen(graph).inputs, *widen(graph).outputs)] == [expected, expected]


def test_1_attributes_that_are_types():
    assert wide_result(lambda x: x.graph.apply(ops.arange, size=3, dtype=float32), 0.0).dtype == np.float64
    assert wide_result(lambda x: x.graph.apply(ops.arange, size=3, dtype=int32), 0.0).dtype == np.int32


def test_2_constants_keep_their_numbers():
    assert wide_result(lambda x: x * 0.1, 1.0) == TENTH
    assert wide_result(lambda x: x * 0.1, 1.0, bfloat16) == float(np.asarray(0.1, bfloat16.numpy))
    assert wide_result(lambda x: x + np.array([0.1, 0.2], np.float32), 0.0).tolist() == [TENTH, float(np.float32(0.2))]


def test_3_hyperparameters_are_rounded_first():
    assert wide_result(lambda x: ops.leaky_relu(x, alpha=0.1), -1.0) == -TENTH
    expected = 1.0 / np.sqrt(1.0 + float(np.float32(1e-3)))
    ones = np.array([[1.0, -1.0]])
    np.testing.assert_allclose(
        wide_result(lambda x: ops.layer_norm(x, epsilon=1e-3), ones), ones * expected, rtol=1e-15
    )


def test_3_what_formulas_write_down_is_rounded_too():
    scale = float(np.float32(1.0507009873554805))
    assert wide_result(ops.selu, 3.0) == 3.0 * scale


def test_3_in_gradients_as_well():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2,)))
    graph.output(gradients(graph, ops.reduce_sum(ops.leaky_relu(x, alpha=0.1)), [x])[0], "x", "gradient")
    assert run_reference(widen(graph), [np.array([-1.0, 1.0])])[0].tolist() == [TENTH, 1.0]


def test_3_dropout_drops_the_same_elements_and_scales_as_the_backends_do():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (4000,)))
    words = [graph.input(n, TensorType(uint32, (2,)), "state") for n in ("key", "counter")]
    graph.output(ops.dropout(x, *words, rate=0.1), "y")
    arrays = [np.ones(4000, np.float32), np.array([1, 2], np.uint32), np.array([3, 0], np.uint32)]
    (narrow,), (wide,) = run_reference(graph, arrays), run_reference(widen(graph), arrays)
    assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
    np.testing.assert_array_equal(wide, narrow.astype(np.float64))


def test_4_casts_that_lose_bits_lose_them_here():
    x = 1.0 + 2.0**-9 + 2.0**-30
    assert wide_result(lambda v: ops.cast(ops.cast(v, dtype=bfloat16), dtype=float32), x, float64) == 1.0
    assert wide_result(lambda v: ops.cast(v, dtype=float16), x, float32) == 1.0 + 2.0**-9
    assert wide_result(lambda v: ops.cast(v, dtype=float32), x, float64) == 1.0 + 2.0**-9
    assert wide_result(lambda v: ops.cast(v, dtype=float32), 2**24 + 1, int32) == 2.0**24
    assert wide_result(lambda v: ops.cast(v, dtype=int32), np.float32(-1.7)) == -1


def test_4_casts_that_lose_nothing_are_gone():
    graph = Graph()
    x = graph.input("x", TensorType(float16, (2,)))
    graph.output(ops.cast(ops.cast(x, dtype=float32), dtype=float64), "y")
    assert widen(graph).nodes == []
    assert wide_result(lambda v: ops.cast(v, dtype=float32), 200, uint8).dtype == np.float64


def test_5_random_numbers_keep_their_bits():
    graph = Graph()
    words = [graph.input(n, TensorType(uint32, (2,)), "state") for n in ("key", "counter")]
    graph.output(ops.random_uniform(*words, shape=(5,)), "y")
    arrays = [np.array([1, 2], np.uint32), np.array([3, 0], np.uint32)]
    (narrow,), (wide,) = run_reference(graph, arrays), run_reference(widen(graph), arrays)
    assert wide.dtype == np.float64
    assert wide.tolist() == narrow.tolist()


def test_the_values_are_known_one_by_one():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2,)))
    with graph.at("here"), graph.scope("a", "A"):
        y = ops.gelu(x).named("y")
    graph.output(ops.argmax(y, dtype=int64), "z")
    wide, values = widened(graph)
    assert set(values) == {p.value for p in graph.inputs} | {v for n in graph.nodes for v in n.outputs}
    assert (values[y].graph, values[y].name, values[y].node.origin, values[y].node.scope.path) == (
        wide,
        "y",
        "here",
        ("a",),
    )
