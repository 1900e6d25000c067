"""Reverse mode through loops and branches: what is kept, what leaves the loop, what is refused."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, control, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.errors import GuardError, TypeMismatchError, UnsupportedOpError
from isograd.ir.evaluate import run_reference
from isograd.ir.parse import parse
from isograd.ir.passes import decompose, optimize
from isograd.ir.text import graph_arrays
from isograd.ir.types import float32, float64, int32
from isograd.ir.verify import verify


def type_of(*shape, dtype=float64):
    return TensorType(dtype, shape)


def recurrent(length="T"):
    graph = Graph("rnn")
    n, t = symbol("N"), symbol(length)
    x, h = graph.input("x", type_of(t, n, 3)), graph.input("h", type_of(n, 3))
    u = graph.input("u", type_of(3, 3), "parameter")

    def step(h, x, u):
        new = ops.tanh(x + h @ u)
        return [new], [new]

    (last,), (rows,) = control.scan(step, [h], [x], [u])
    return graph, x, h, u, last, rows


def scans(graph):
    return [n for n in graph.nodes if n.op is ops.scan]


def test_the_gradient_of_what_each_step_uses_is_one_product_after_the_loop():
    graph, _, _, u, _, rows = recurrent()
    graph.output(gradients(graph, ops.reduce_sum(rows * rows), [u])[0], "u", "gradient")
    small = optimize(graph)
    verify(small)
    inside = [n.op.name for n in scans(small)[1].attributes["body"].nodes]
    assert inside.count("matmul") == 1  # the one that carries the gradient on
    assert [n.op.name for n in small.nodes].count("matmul") == 1
    assert scans(small)[1].attributes["carries"] == 1


def test_a_gradient_that_is_no_product_is_a_further_carry():
    graph = Graph()
    x, a = graph.input("x", type_of(4, 2)), graph.input("a", type_of(2))
    (last,), _ = control.scan(lambda c, x, a: ([ops.sin(c * a) + x], []), [x.graph.input("c", type_of(2))], [x], [a])
    found = gradients(graph, ops.reduce_sum(last), [a])
    graph.output(found[0], "a", "gradient")
    assert scans(optimize(graph))[-1].attributes["carries"] == 2


def test_the_forward_loop_keeps_only_what_the_backward_one_reads():
    graph, x, _, _, last, _ = recurrent()
    before = len(scans(graph)[0].outputs)
    graph.output(last, "h")
    assert len(scans(optimize(graph))[0].outputs) == before - 1  # the rows are not used
    graph.output(gradients(graph, ops.reduce_sum(last), [x])[0], "x", "gradient")
    assert len(scans(optimize(graph))[0].outputs) == 2  # the state's tanh is kept


def test_a_composite_layer_and_its_gradient_share_one_forward_loop():
    graph = Graph()
    x = graph.input("x", type_of(2, 5, 3))
    h, kernel = graph.input("h", type_of(2, 4)), graph.input("k", type_of(3, 16))
    recurrent_kernel = graph.input("r", type_of(4, 16))
    y, _, _ = ops.lstm(x, h, h, kernel, recurrent_kernel)
    for p, g in zip("kr", gradients(graph, ops.reduce_sum(y * y), [kernel, recurrent_kernel]), strict=True):
        graph.output(g, p, "gradient")
    apart = decompose(graph, keep=lambda node: False)
    assert len(scans(apart)) == 3
    assert [n.attributes["reverse"] for n in scans(optimize(apart))] == [False, True]


def test_loops_of_different_steps_stay_apart():
    graph = Graph()
    x, h = graph.input("x", type_of(4, 2)), graph.input("h", type_of(2))
    for i, f in enumerate((ops.tanh, ops.sin)):
        (last,), _ = control.scan(lambda h, x, f=f: ([f(h + x)], []), [h], [x])
        graph.output(last, str(i))
    assert len(scans(optimize(graph))) == 2


def test_a_loop_without_a_bound_has_no_gradient():
    graph = Graph()
    x = graph.input("x", type_of(3))
    (y,) = control.while_loop(lambda x: ops.reduce_sum(x) > 1.0, lambda x: [ops.tanh(x)], [x])
    with pytest.raises(
        UnsupportedOpError, match=r"test_loops.py:\d+ needs to know how many iterations.*max_iterations"
    ):
        gradients(graph, ops.reduce_sum(y), [x])


@pytest.mark.parametrize("bound", [1, 3, 40])
def test_the_gradient_of_a_bounded_loop(bound):
    graph = Graph()
    x = graph.input("x", type_of(3))
    (y,) = control.while_loop(lambda x: ops.reduce_sum(x) > 1.0, lambda x: [ops.tanh(x)], [x], max_iterations=bound)
    graph.output(y, "y")
    graph.output(gradients(graph, ops.reduce_sum(y), [x])[0], "x", "gradient")
    start = np.array([0.9, 1.1, 0.4])
    value, slope, steps = start.copy(), np.ones(3), 0
    while value.sum() > 1.0 and steps < bound:
        value, steps = np.tanh(value), steps + 1
        slope *= 1 - value**2
    found = run_reference(graph, [start])
    np.testing.assert_allclose(found[0], value, rtol=1e-14)
    np.testing.assert_allclose(found[1], slope, rtol=1e-13)


def test_a_branch_that_is_not_taken_does_not_spoil_the_gradient():
    graph = Graph()
    x = graph.input("x", type_of())
    (y,) = control.cond(x > 0.0, lambda x: [ops.log(x)], lambda x: [x * 3.0], [x])
    graph.output(gradients(graph, y, [x])[0], "x", "gradient")
    assert run_reference(graph, [np.array(-1.0)]) == [3.0]
    assert run_reference(graph, [np.array(0.5)]) == [2.0]


def test_integers_are_carried_without_a_gradient():
    graph = Graph()
    x = graph.input("x", type_of(3))
    count = graph.constant(0, int32)
    (n, y), _ = control.scan(lambda n, y: ([n + 1, y * ops.cast(n + 1, dtype=float64)], []), [count, x], length=4)
    graph.output(gradients(graph, ops.reduce_sum(y), [x])[0], "x", "gradient")
    graph.output(n, "n")
    found = run_reference(optimize(graph), [np.ones(3)])
    np.testing.assert_array_equal(found[0], [24.0] * 3)
    assert found[1] == 4


def test_a_body_reads_back_with_its_free_sizes():
    graph, _, _, u, _, rows = recurrent()
    graph.output(gradients(graph, ops.reduce_sum(rows), [u])[0], "u", "gradient")
    verify(graph)
    assert str(parse(str(graph), graph_arrays(graph))) == str(graph)


def test_no_step_is_an_error():
    graph, *_, rows = recurrent()
    graph.output(rows, "y")
    with pytest.raises(GuardError, match="T >= 1"):
        run_reference(graph, [np.zeros((0, 2, 3)), np.zeros((2, 3)), np.zeros((3, 3))])
    with pytest.raises(TypeMismatchError, match="0 >= 1 is false"):
        control.scan(lambda h, x: ([h], [x]), [graph.inputs[1].value], [graph.input("z", type_of(0, 2))])


def test_what_does_not_fit_is_said():
    graph = Graph()
    x, h = graph.input("x", type_of(4, 2)), graph.input("h", type_of(2, dtype=float32))
    with pytest.raises(TypeMismatchError, match="the body gives as its carries"):
        control.scan(lambda h, x: ([ops.cast(h, dtype=float64)], []), [h], [x])
    with pytest.raises(TypeMismatchError, match="the step gives 2 carries, but there are 1"):
        control.scan(lambda h, x: ([h, h], []), [h], [x])
    with pytest.raises(TypeMismatchError, match="belongs to another graph"):
        control.scan(lambda h, x: ([h * 2.0 + graph.constant(1.0)], []), [h], [x])
    with pytest.raises(TypeMismatchError, match="the predicate is"):
        control.cond(h, lambda: [h], lambda: [h])
