"""Results as large as their data says: the sizes are found when the program runs, and everything after knows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.backends.check import check
from isograd.backends.program import execute
from isograd.equivalence import compare
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.errors import GuardError, TypeMismatchError, UnsupportedOpError, VerificationError
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Model
from isograd.ir.parse import parse
from isograd.ir.text import graph_arrays, print_graph
from isograd.ir.types import bool_, float32, int32, int64
from isograd.ir.verify import verify

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
PYTHON = [b for b in BACKENDS if b != "onnxruntime"]
X = np.arange(12, dtype=np.float32).reshape(4, 3) - 5.5
MASKS = ([True, False, True, True], [False, False, False, False], [True] * 4)


def compiled(backend: str, graph: Graph) -> Any:
    return runtime(backend).compile(graph, device=None if backend == "numpy" else "cpu")


def agree(backend: str, graph: Graph, runs: list[list[np.ndarray]]) -> None:
    verify(graph)
    program = compiled(backend, graph)
    for arrays in runs:
        for port, found, right in zip(graph.outputs, program(*arrays), run_reference(graph, arrays), strict=True):
            result = program.to_numpy(found)
            assert (result.dtype, result.shape) == (right.dtype, right.shape), port.path
            np.testing.assert_allclose(result, right, rtol=1e-6, atol=1e-6, err_msg=port.path)


def masked_mean() -> Graph:
    """Of the rows that a mask holds the mean, and the gradient of its square."""
    graph = Graph("masked_mean")
    x, mask = graph.input("x", TensorType(float32, (symbol("N"), 3))), graph.input("mask", TensorType(bool_, (4,)))
    rows = ops.boolean_mask(x, mask)
    graph.output(rows, "rows")
    graph.output(ops.reduce_mean(rows, axes=(0,)), "mean")
    graph.output(ops.reshape(rows, shape=(rows.shape[0] * 3,)), "flat")
    total = ops.reduce_sum(rows * rows) / graph.size(rows.shape[0] + 1, float32)
    graph.output(gradients(graph, total, [x])[0], "gradient")
    return graph


def everything() -> Graph:
    graph = Graph("everything")
    k = graph.input("k", TensorType(int64, (symbol("N"),)))
    x = graph.input("x", TensorType(float32, (symbol("N"), 3)))
    places = ops.nonzero(ops.greater(x, 0.0))
    graph.output(places, "places")
    graph.output(ops.gather_nd(x, places) * 2.0, "positive")
    values, first, inverse, counts = ops.unique(k)
    for name, value in (("values", values), ("first", first), ("inverse", inverse), ("counts", counts)):
        graph.output(value, name)
    graph.output(ops.take(values, inverse), "again")
    graph.output(ops.repeat_each(x, k), "repeated")
    graph.output(ops.arange_to(ops.reduce_sum(k)) + 1, "counted")
    floats = ops.unique(x)
    graph.output(floats[0], "floats")
    graph.output(ops.take(floats[0], floats[2]), "floats again")
    return graph


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("backend", BACKENDS)
def test_one_program_for_all_masks(backend: str) -> None:
    runs = [[X, np.array(m)] for m in MASKS]
    graph = masked_mean()
    agree(backend, graph, runs[:1] + runs[2:])
    program = compiled(backend, graph)
    assert program.to_numpy(program(*runs[1])[0]).shape == (0, 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_found_differs_with_the_data(backend: str) -> None:
    runs = [
        [np.array(k, np.int64), x.astype(np.float32)] for k, x in (([2, 0, 2, 1], X), ([3, 3, 0], np.round(X[:3] / 4)))
    ]
    agree(backend, everything(), runs)


@pytest.mark.parametrize("graph", [masked_mean(), everything()], ids=lambda g: g.name)
def test_the_text_reads_back(graph: Graph) -> None:
    text = print_graph(graph)
    assert print_graph(parse(text, graph_arrays(graph))) == text


def test_each_call_has_a_size_of_its_own() -> None:
    graph = Graph()
    x = graph.input("x", TensorType(bool_, (symbol("nonzero_2"),)))
    assert [str(ops.nonzero(x).shape[0]) for _ in range(2)] == ["nonzero_1", "nonzero_3"]


def test_a_size_is_not_read_before_it_is_found() -> None:
    graph = Graph()
    x = graph.input("x", TensorType(bool_, (5,)))
    found = ops.nonzero(x)
    graph.output(graph.size(found.shape[0], int64) + ops.reduce_sum(found), "y")
    verify(graph)
    graph.nodes.sort(key=lambda n: n.op is not ops.size)
    with pytest.raises(VerificationError, match="nor found by a node before"):
        verify(graph)


def guarded() -> Graph:
    """As many true elements as x has: nobody knows before it runs."""
    graph = Graph("guarded")
    x, mask = graph.input("x", TensorType(float32, (symbol("N"),))), graph.input("mask", TensorType(bool_, (6,)))
    graph.output(ops.cast(ops.squeeze(ops.nonzero(mask), 1), dtype=float32) + x, "y")
    return graph


MASK = np.array([True, False, True, True, False, False])


@pytest.mark.parametrize("backend", PYTHON)
def test_a_condition_on_a_found_size_is_checked_when_it_is_known(backend: str) -> None:
    agree(backend, guarded(), [[np.ones(3, np.float32), MASK]])
    program = compiled(backend, guarded())
    said = r"these sizes do not fit: (N|nonzero_1) == (N|nonzero_1)"
    if backend == "tensorflow":  # which runs the check beside what it is about
        said = f"{said}|Incompatible shapes"
    with pytest.raises(Exception, match=said):
        program(np.ones(2, np.float32), MASK)


def test_the_reference_checks_it_too() -> None:
    with pytest.raises(GuardError, match=r"nonzero_1 = 3 \(found by nonzero"):
        run_reference(guarded(), [np.ones(2, np.float32), MASK])


@pytest.mark.skipif(not is_installed("onnxruntime"), reason="ONNX Runtime is not installed")
def test_onnx_runtime_notices_in_its_own_words() -> None:
    with pytest.raises(Exception, match="Add"):
        compiled("onnxruntime", guarded())(np.ones(2, np.float32), MASK)


def test_a_known_number_must_be_right() -> None:
    graph = Graph()
    x = graph.input("x", TensorType(bool_, (4,)))
    graph.output(ops.nonzero(x, size=2), "y")
    with pytest.raises(TypeMismatchError, match="3 were found where the graph says that there are 2"):
        run_reference(graph, [np.array(MASKS[0])])


def looped(size: int | None) -> Graph:
    body = Graph("body")
    total, row = (body.input(n, TensorType(int32, s)) for n, s in (("total", ()), ("row", (4,))))
    found = ops.nonzero(row, size=size)
    body.output(total + ops.cast(ops.reduce_sum(found), dtype=int32), "total")
    graph = Graph("looped")
    x = graph.input("x", TensorType(int32, (3, 4)))
    graph.output(ops.scan(graph.constant(0, int32), x, body=body, carries=1, xs=1), "y")
    return graph


ROWS = np.array([[1, 0, 2, 0], [0, 0, 3, 4], [5, 6, 0, 0]], np.int32)
UNEVEN = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [5, 6, 7, 0]], np.int32)


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "jax"])
def test_in_a_loop_each_turn_finds_its_own(backend: str) -> None:
    agree(backend, looped(None), [[ROWS], [UNEVEN]])


@pytest.mark.skipif(not is_installed("jax"), reason="JAX is not installed")
def test_jax_compiles_loops_and_says_that_it_cannot() -> None:
    with pytest.raises(UnsupportedOpError, match=r"nonzero.*test_selection.py:\d+.*size=") as caught:
        compiled("jax", looped(None))
    report = check(Model("looped", lambda mode: looped(None), {}, {}), "jax")
    assert str(caught.value) in str(report)
    agree("jax", looped(2), [[ROWS]])


@pytest.mark.skipif(not is_installed("jax"), reason="JAX is not installed")
def test_jax_is_not_compiled_where_only_data_tells_sizes() -> None:
    source = compiled("jax", masked_mean()).source
    assert "jax.jit" not in source
    assert execute(source, "masked_mean")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_models_are_compared() -> None:
    graph = Graph("chosen")
    x = graph.input("x", TensorType(float32, (5, 3)))
    graph.output(ops.tanh(ops.boolean_mask(x, ops.greater(ops.reduce_sum(x, axes=(1,)), 0.0))), "y")
    assert compare(Model("chosen", lambda mode: graph, {}, {}), backends=("numpy",)).ok
