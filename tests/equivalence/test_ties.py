"""Decisions near a tie: found where rounding may turn them, and turned."""

import numpy as np
import pytest

from isograd.equivalence.expected import Ensemble
from isograd.equivalence.judge import inherited
from isograd.equivalence.reference import Reference
from isograd.ir import Graph, TensorType, ops
from isograd.ir.types import float32


def run(build, *arrays):
    graph = Graph("g")
    values = [graph.input(f"x{i}", TensorType(float32, a.shape)) for i, a in enumerate(arrays)]
    graph.output(build(*values), "y")
    ensemble = Ensemble(Reference(graph), {}, ties=True)
    (expected,) = ensemble(*arrays)
    return expected, ensemble.near


def shifted(distance):
    """x times 3, less 3: a computed number that is `distance` from zero, and two others that are not."""
    return np.array([1.0 + distance, 2.1, -2.1], np.float32), np.array([3.0, 3.0, 3.0], np.float32)


def computed(x, y):
    return x * y - 3.0


@pytest.mark.parametrize(
    "decide",
    [
        lambda d: ops.cast(d > 0.0, dtype=float32),
        lambda d: ops.cast(ops.less_equal(d, 0.0), dtype=float32),
        ops.sign,
        lambda d: ops.floor(d),
        lambda d: ops.ceil(d),
        lambda d: ops.round_(d + 0.5),
        lambda d: ops.cast(ops.maximum(d, 0.0) > 0.0, dtype=float32),
        lambda d: ops.cast(ops.minimum(d, 0.0) < 0.0, dtype=float32),
    ],
    ids=["greater", "less_equal", "sign", "floor", "ceil", "round", "maximum", "minimum"],
)
def test_a_decision_near_a_tie_is_turned(decide):
    expected, near = run(lambda x, y: decide(computed(x, y)), *shifted(2e-7))
    assert near
    assert near[0].count == 1
    assert near[0].distance < 2e-6
    assert expected.turned[0] >= 1.0
    assert not expected.turned[1:].any()


def test_a_decision_far_from_a_tie_is_not():
    expected, near = run(lambda x, y: ops.sign(computed(x, y)), *shifted(1e-4))
    assert near == []
    assert not expected.turned.any()


def test_an_exact_tie_is_not_near():
    """A unit that is off is zero on every backend, and so is what is compared with itself."""
    x = np.array([-1.0, -2.0, 5.0], np.float32)
    _, near = run(lambda v: ops.cast(ops.maximum(v * 3.0, 0.0) > 0.0, dtype=float32), x)
    assert near == []
    _, near = run(lambda v: ops.cast(ops.equal(v, v), dtype=float32), x)
    assert near == []


def test_the_largest_of_nearly_equal_ones_may_be_another():
    x = np.array([[1.0, 1.0 + 1e-7, 0.0]] * 8 + [[1.0, 2.0, 3.0]] * 8, np.float32)
    three = np.full((1, 1), 3.0, np.float32)
    expected, near = run(lambda v, w: ops.cast(ops.argmax(v * w, axis=-1), dtype=float32), x, three)
    assert np.sum(expected.turned[:8] == 1.0) > 4
    assert not expected.turned[8:].any()
    assert near[0].node.op is ops.argmax


def test_the_gradient_of_a_pool_may_go_elsewhere():
    window = {"window": (2,), "strides": (2,), "padding": ((0, 0),), "layout": "NWC"}
    x = np.array([1.0, 1.0] * 8 + [5.0, 2.0] * 8, np.float32).reshape(1, 32, 1)
    g = np.ones((1, 16, 1), np.float32)
    expected, near = run(lambda a, b: ops.max_pool_gradient(a, b * 3.0, **window), g, x)
    assert expected.value.ravel().tolist() == [1, 0] * 16
    assert np.sum(expected.turned[0, :16] > 0.9) > 8
    assert not (expected.turned[0, 16:] > 1e-6).any()
    assert near[0].node.op is ops.max_pool_gradient


def test_a_turned_decision_leaves_the_verdict_open_and_a_fault_does_not():
    expected, near = run(lambda x, y: ops.cast(computed(x, y) > 0.0, dtype=float32), *shifted(2e-7))
    found = expected.value.astype(np.float32)
    found[0] = 1 - found[0]
    assert inherited("t", found, expected, near).outcome == "undecided"
    found[1] = 7.0
    assert inherited("t", found, expected, near).outcome == "differs"
