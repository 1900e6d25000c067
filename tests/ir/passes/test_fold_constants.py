"""The numbered cases of fold_constants."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.passes import fold_constants, remove_dead
from isograd.ir.types import float32, int32, uint32


@pytest.fixture
def graph():
    return Graph()


def folded(graph, value, **options):
    """The array that the value becomes, or None if it stays."""
    graph.outputs = []
    graph.output(value, "y")
    node = remove_dead(fold_constants(remove_dead(graph), **options)).outputs[0].value.node
    return node.attributes["value"] if node.op is ops.constant else None


def test_1_a_number_stays_a_number(graph):
    x = graph.input("x", TensorType(float32, (2,)))
    with graph.scope("a", "A"):
        graph.output(x * ops.sqrt(graph.constant(2.0) + 2.0), "y")
    (line,) = (line for line in str(fold_constants(graph)).splitlines() if "multiply" in line)
    assert line.endswith("multiply(x, 2.0)")


def test_1_an_array_takes_the_place_of_its_node(graph):
    with graph.scope("a", "A"), graph.section("update"), graph.at("here"):
        y = ops.exp(graph.constant([0.0, 1.0], float32)).named("y")
    graph.output(y, "y")
    node = fold_constants(graph).nodes[-1]
    assert (node.op, node.scope.path, node.section, node.origin, node.outputs[0].name) == (
        ops.constant,
        ("a",),
        "update",
        "here",
        "y",
    )
    np.testing.assert_array_equal(node.attributes["value"], np.exp(np.array([0, 1], np.float32)))


def test_1_in_the_nodes_own_type(graph):
    big = graph.constant(2**31 - 1, int32)
    assert folded(graph, big + 1) == -(2**31)
    assert folded(graph, graph.constant(0.1, float32) * 3.0).dtype == np.float32
    assert np.isnan(folded(graph, graph.constant(0.0) / 0.0))


def test_1_composites_and_operands_left_out(graph):
    x = graph.constant(np.arange(6).reshape(2, 3), float32)
    found = folded(graph, ops.layer_norm(x, None, graph.constant([1.0, 2.0, 3.0], float32)))
    np.testing.assert_allclose(found.mean(0), [1 - 1.2238, 2.0, 3 + 1.2238], atol=1e-4)


def test_1_what_depends_on_an_input_stays(graph):
    x = graph.input("x", TensorType(float32, ()))
    assert folded(graph, x * 2.0) is None


def test_2_several_outputs(graph):
    x = graph.constant(np.arange(6).reshape(2, 3), float32)
    y, mean, variance = ops.batch_norm(x)
    for value in (y, mean, variance):
        graph.output(value, str(len(graph.outputs)))
    after = remove_dead(fold_constants(graph))
    assert [n.op for n in after.nodes] == [ops.constant] * 3
    np.testing.assert_allclose(after.outputs[1].value.node.attributes["value"], [1.5, 2.5, 3.5])


def test_3_random_ops_and_counting_stay(graph):
    words = graph.constant([1, 2], uint32)
    made = [
        ops.random_mask(words, words, shape=(3,), rate=0.5), ops.random_uniform(words, words, shape=(3,)),
        ops.advance_counter(words, amount=1), ops.dropout(graph.constant([1.0, 2.0], float32), words, words, rate=0.5),
        graph.apply(ops.arange, size=5, dtype=int32), graph.size(symbol("N"), int32),
    ]  # fmt: skip
    assert all(folded(graph, value) is None for value in made)


def test_4_a_broadcast_stays_and_a_number_that_gets_axes(graph):
    assert folded(graph, ops.reshape(graph.constant(1.0), shape=(1, 1))) is None
    assert folded(graph, ops.broadcast_to(graph.constant([1.0, 2.0], float32), shape=(100, 2))) is None
    assert folded(graph, ops.broadcast_to(graph.constant(1.0), shape=(100, 100))) is None


def test_5_the_budget_is_for_each_node_and_for_all(graph):
    x = graph.constant(np.ones(60), float32)
    assert folded(graph, -x, budget=60) is not None
    assert folded(graph, -x, budget=59) is None
    for i in range(3):
        graph.output(ops.exp(x * float(i + 2)), str(i))
    kinds = [p.value.node.op for p in fold_constants(graph, budget=250).outputs if p.path in "012"]
    assert kinds.count(ops.constant) == 1


def test_5_nothing_large_is_made_on_the_way(graph):
    """A padding or a window can be far larger than operand and result: these would take terabytes."""
    one = graph.constant(np.ones((1, 1, 1, 1)), float32)
    huge = 10**9
    strides = {"strides": (2 * huge + 1,) * 2, "padding": ((huge, huge),) * 2}
    conv = ops.conv(one, one, dilations=(1, 1), **strides)
    assert conv.shape == (1, 1, 1, 1)
    assert folded(graph, conv) is None
    wide = graph.constant(np.ones((1, 2000, 1)), float32)
    assert folded(graph, ops.average_pool(wide, window=(1000,), strides=(1,), padding=((0, 0),), layout="NWC")) is None
    kernel = graph.constant(np.ones((1000, 1, 1)), float32)
    line = {"strides": (1,), "padding": ((0, 0),), "dilations": (1,), "layout": "NWC", "filter_layout": "WIO"}
    assert folded(graph, ops.conv(wide, kernel, **line)) is None
    assert folded(graph, ops.conv(wide, kernel, **line), budget=2_000_000) is not None


def test_6_symbolic_sizes_stay(graph):
    n = symbol("N")
    x = graph.constant(np.ones((4, 2)), float32)
    assert folded(graph, ops.slice_(x, starts=(0, 0), stops=(n, 2), steps=(1, 1))) is None
