"""The rows of the semantics table (special values, gradients at kinks) through ONNX Runtime."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from isograd.backends.onnx.gaps import GAPS
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.types import float32


def rows_of_the_ir():
    """The table as the IR's own tests hold it."""
    place = Path(__file__).parents[2] / "ir" / "test_semantics.py"
    spec = importlib.util.spec_from_file_location("semantics_rows", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ROWS = rows_of_the_ir()
ULPS = {"rtol": 1e-6, "atol": 0.0}  # the IR's rows are exact in its reference; a slope here may be rounded


def evaluate(run, function, operands, wants_slopes):
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(float32, np.shape(o))) for i, o in enumerate(operands)]
    out = function(*values)
    results = gradients(graph, ops.reduce_sum(out), values) if wants_slopes else [out]
    for i, result in enumerate(results):
        graph.output(result, f"y{i}")
    return run(graph, [np.asarray(o, np.float32) for o in operands])


@pytest.mark.parametrize("row", ROWS.VALUES, ids=lambda row: row[0])
def test_values(row, run):
    np.testing.assert_allclose(evaluate(run, row[1], row[2], False)[0], row[3], **ULPS)


@pytest.mark.parametrize("row", ROWS.SLOPES, ids=lambda row: row[0])
def test_slopes(row, run):
    for found, right in zip(evaluate(run, row[1], row[2], True), row[3], strict=True):
        np.testing.assert_allclose(found, right, **ULPS)


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum], ids=["maximum", "minimum"])
@pytest.mark.parametrize("length", [1, 37, 100_000])
@pytest.mark.parametrize("side", [0, 1])
def test_v1_nan_on_either_side(function, length, side, run):
    operands = [np.ones(length), np.ones(length)]
    operands[side] = np.full(length, np.nan)
    assert np.isnan(evaluate(run, function, operands, False)[0]).all()


def test_v7_the_first_of_many_is_the_largest(run):
    x = np.zeros(5000)
    x[[1234, 1235, 4999]] = 1.0
    assert evaluate(run, ops.argmax, [x], False)[0] == 1234
    assert evaluate(run, ops.argmin, [-x], False)[0] == 1234


def test_g5_the_first_of_equals_in_a_window_has_the_gradient(run):
    window = {"window": (2, 2), "strides": (1, 1), "padding": ((0, 0), (0, 0))}
    for fill in (0.0, -np.inf):
        (found,) = evaluate(run, lambda v: ops.max_pool(v, **window), [np.full((1, 2, 2, 1), fill)], True)
        assert found.ravel().tolist() == [1.0, 0.0, 0.0, 0.0]


def test_i30_a_mean_of_nothing_is_nan(run):
    assert np.isnan(evaluate(run, lambda v: ops.reduce_mean(v, axes=(0,)), [np.zeros((0, 2))], False)[0]).all()


# What is known to differ; each is asserted to differ still


def pooled(x):
    return ops.max_pool(x, window=(2, 2), strides=(1, 1), padding=((0, 0), (0, 0)))


def window_of(*values):
    return [np.reshape(values, (1, 2, 2, 1))]


NAN = np.nan
DIFFERING = {  # what `GAPS` says, as cases: function, operands, wants slopes, what the graph says
    ("reduce_max", "a NaN that is not first"): (ops.reduce_max, [[1.0, NAN, 3.0]], False, NAN),
    ("reduce_min", "a NaN that is not first"): (ops.reduce_min, [[1.0, NAN, 3.0]], False, NAN),
    ("max_pool", "a NaN that is not first in its window"): (pooled, window_of(NAN, 1, 2, 3), False, NAN),
    ("max_pool_gradient", "a NaN that is not first in its window"): (
        pooled,
        window_of(1, NAN, 2, 3),
        True,
        [0, 1, 0, 0],
    ),
    ("top_k", "a NaN beside an infinity"): (
        lambda x: ops.top_k(x, k=2)[0],
        [[2.0, NAN, np.inf, NAN]],
        False,
        [NAN, NAN],
    ),
    ("threshold", "a NaN"): (lambda x: ops.threshold(x, threshold=1.0), [[NAN]], False, NAN),
    ("soft_shrink", "a NaN"): (ops.soft_shrink, [[NAN]], False, NAN),
    ("hard_shrink", "a NaN"): (ops.hard_shrink, [[NAN]], False, NAN),
    ("sigmoid", "below -17"): (ops.sigmoid, [[-18.0]], False, [1.522998e-08]),
}


def test_each_gap_has_a_case():
    assert set(DIFFERING) == set(GAPS)


@pytest.mark.parametrize("gap", GAPS, ids=" ".join)
def test_gaps_are_still_there(gap, run):
    function, operands, wants_slopes, right = DIFFERING[gap]
    found = evaluate(run, function, operands, wants_slopes)[0]
    assert not np.allclose(np.ravel(found), np.ravel(right), rtol=1e-3, atol=0, equal_nan=True), (
        f"{gap} is mended: {found}"
    )
