"""All passes together, to the end."""

import numpy as np

from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.passes import decompose, optimize
from isograd.ir.types import float32


def test_what_one_pass_makes_possible_another_does():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2, 3)))
    one = ops.exp(graph.constant(np.zeros((2, 3)), float32))  # folds to ones, which multiply nothing
    y = ops.transpose(ops.transpose(x * one, axes=(1, 0)), axes=(1, 0))
    graph.output(ops.tanh(y) + ops.tanh(x), "y")
    assert str(optimize(graph)).splitlines()[3:5] == [
        "    v1: f32[2, 3] = tanh(x)",
        "    v2: f32[2, 3] = add(v1, v1)",
    ]


def test_the_gradient_of_a_mean_of_a_softmax():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (symbol("N"), 3)))
    loss = ops.reduce_sum(ops.square(ops.softmax(x)))
    graph.output(gradients(graph, loss, [x])[0], "x", "gradient")
    after = optimize(decompose(graph, keep=lambda node: False))
    assert [n.op.name for n in after.nodes] == [
        "reduce_max", "stop_gradient", "subtract", "exp", "reduce_sum", "divide",
        "constant", "multiply", "multiply", "reduce_sum", "subtract", "multiply",
    ]  # fmt: skip
    assert not any(n.op is ops.broadcast_to for n in after.nodes)
