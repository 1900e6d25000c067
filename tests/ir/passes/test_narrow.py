"""64-bit integers become 32 bits wide where that is proved, and only there."""

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import narrow
from isograd.ir.types import dtype_of, float32, int16, int32, int64
from isograd.ir.verify import verify


def chosen(rows=4, factor=3):
    """What lies beside the largest elements: indices of 64 bits, used and gone."""
    graph = Graph("chosen")
    x = graph.input("x", TensorType(float32, (rows, 5)))
    k = graph.input("k", TensorType(int16, ()))
    places = ops.argmax(x, axis=0)
    beside = ops.where(ops.less(places, 2), places * factor, 1 - places) + ops.cast(k, dtype=int64)
    graph.output(ops.take(x, ops.argmax(x, axis=0)), "taken")
    graph.output(ops.cast(beside, dtype=float32), "beside")
    graph.output(ops.equal(ops.argsort(x, axis=1), graph.apply(ops.arange, size=5, dtype=int64)), "sorted")
    return graph


def wide(graph):
    return [v for n in graph.nodes for v in n.outputs if v.dtype == int64]


ARRAYS = [np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32), np.array(-7, np.int16)]


def test_what_is_small_becomes_narrow():
    graph = chosen()
    found = narrow(graph)
    verify(found)
    assert wide(graph)
    assert not wide(found)
    for a, b in zip(run_reference(graph, ARRAYS), run_reference(found, ARRAYS), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("graph", [chosen(symbol("N")), chosen(factor=2**31 // 3 + 1), chosen(factor=2**31 // 3)])
def test_what_may_be_large_stays(graph):
    assert narrow(graph) is graph


def test_the_last_factor_that_fits():
    """3 is the largest index, 2^15 - 1 the largest number of 16 bits."""
    assert not wide(narrow(chosen(factor=(2**31 - 2**15) // 3)))
    assert wide(narrow(chosen(factor=(2**31 - 2**15) // 3 + 1)))


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64"])
def test_inputs_and_outputs_keep_their_types(dtype):
    for graph in (chosen(), chosen()):
        if graph.outputs[0].path:
            graph.input("wide", TensorType(dtype_of(dtype), ()))
        assert narrow(graph) is graph
    graph = chosen()
    graph.output(ops.cast(graph.outputs[0].value, dtype=dtype_of(dtype)), "wide")
    assert narrow(graph) is graph


def test_products_that_leave_32_bits_are_exact_on_the_way():
    graph = Graph()
    x = graph.input("x", TensorType(int32, ()))
    product = ops.cast(x, dtype=int64) * 3
    graph.output(ops.greater(product, 2**31 + 5), "y")
    assert narrow(graph) is graph


@pytest.mark.skipif(not is_installed("jax"), reason="JAX is not installed")
def test_jax_runs_without_64_bits_where_it_can():
    for graph, is_wide in ((chosen(), False), (chosen(factor=2**31), True)):
        program = runtime("jax").compile(graph, device="cpu")
        assert ("enable_x64" in program.source) == is_wide
        for found, right in zip(program(*ARRAYS), run_reference(graph, ARRAYS), strict=True):
            np.testing.assert_array_equal(program.to_numpy(found), right)
