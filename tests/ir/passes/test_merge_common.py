"""The numbered cases of merge_common."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.passes import merge_common
from isograd.ir.types import float32, float64


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def x(graph):
    return graph.input("x", TensorType(float32, (2, 3)))


def count(graph, *values):
    """How many nodes of the op of the values are left."""
    for i, value in enumerate(values):
        graph.output(value, str(i))
    return sum(n.op is values[0].node.op for n in merge_common(graph).nodes)


def test_1_equal_nodes_of_one_scope(graph, x):
    with graph.scope("a", "A"):
        first, second = ops.tanh(x), ops.tanh(x)
    assert count(graph, first, second) == 1


def test_1_chains_merge(graph, x):
    assert count(graph, ops.tanh(ops.sin(x)), ops.tanh(ops.sin(x))) == 1


def test_1_operands_in_another_order_differ(graph, x):
    assert count(graph, x - 1.0, 1.0 - x) == 2


def test_2_the_first_in_an_enclosing_layer(graph, x):
    with graph.scope("a", "A"):
        first = ops.tanh(x)
        with graph.scope("b", "B"):
            second = ops.tanh(x)
    assert count(graph, first, second) == 1


def test_2_the_first_in_an_inner_layer_stays_there(graph, x):
    with graph.scope("a", "A"):
        with graph.scope("b", "B"):
            first = ops.tanh(x)
        second = ops.tanh(x)
    assert count(graph, first, second) == 2


def test_2_layers_beside_each_other_stay_equal(graph, x):
    values = []
    for name in "abc":
        with graph.scope(name, "Layer"):
            values += [ops.tanh(x), ops.tanh(x)]
    assert count(graph, *values) == 3


def test_2_a_composite_is_no_layer(graph, x):
    with graph.scope("a", "A"):
        with graph.scope("", "gelu"):
            first = ops.tanh(x)
        with graph.scope("", "gelu_gradient"):
            second = ops.tanh(x)
    assert count(graph, first, second) == 1


def test_2_calls_of_one_composite_stay_equal(graph, x):
    values = []
    for _ in range(2):
        with graph.scope("", "adam"):
            values.append(ops.tanh(x))
    assert count(graph, *values) == 2


def test_3_attributes_and_element_types(graph, x):
    values = [
        ops.reduce_sum(x, axes=(0,)),
        ops.reduce_sum(x, axes=(1,)),
        ops.reduce_sum(x, axes=(0,), keepdims=True),
        ops.reduce_sum(x, axes=[0]),
    ]
    assert count(graph, *values) == 3


def test_3_arrays_by_their_bytes(graph):
    a = np.zeros((2, 3), np.float32)
    values = [graph.constant(v) for v in (a, a.copy(), -a, a.reshape(3, 2), a.astype(np.float64))]
    assert count(graph, *values) == 4


def test_3_numbers_by_their_bits(graph, x):
    y = ops.cast(x, dtype=float64)
    assert count(graph, x * 0.0, x * -0.0, x * 0.0, y * 0.0) == 3
