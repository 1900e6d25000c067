"""What nothing uses goes; inputs and outputs stay."""

from isograd.ir import Graph, TensorType, ops
from isograd.ir.passes import remove_dead
from isograd.ir.types import float32


def test_dead_nodes_go_and_inputs_stay():
    graph = Graph()
    x, unused = (graph.input(n, TensorType(float32, (2,))) for n in ("x", "unused"))
    y = ops.tanh(x)
    ops.sin(ops.cos(y))
    graph.output(y, "y")
    assert [n.op for n in remove_dead(graph).nodes] == [ops.tanh]
    assert [p.path for p in remove_dead(graph).inputs] == ["x", "unused"]
    assert unused.graph is graph


def test_a_node_with_one_live_output_stays():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2, 3)))
    graph.output(ops.batch_norm(x)[1], "mean")
    assert [n.op for n in remove_dead(graph).nodes] == [ops.batch_norm]


def test_an_argument_that_died_leaves_its_scope():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2,)))
    dead = ops.tanh(x)
    with graph.scope("a", "A", {"x": x, "dead": dead}):
        graph.output(ops.sin(x), "y")
    scope = remove_dead(graph).nodes[0].scope
    assert [name for name, _ in scope.arguments] == ["x"]
