"""Loops and branches: their bodies are perturbed, judged and looked into, iteration by iteration."""

import numpy as np
import pytest

from isograd.backends import installed
from isograd.equivalence import compare
from isograd.equivalence.expected import Ensemble
from isograd.equivalence.judge import inherited
from isograd.equivalence.reference import Reference, Replica
from isograd.ir import Graph, TensorType, control, ops
from isograd.ir.dims import symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Model
from isograd.ir.passes import widen
from isograd.ir.types import float32

generator = np.random.default_rng(2)
W = generator.uniform(-0.5, 0.5, (3, 3)).astype(np.float32)


def recurrent(reverse=False, length="T"):
    """h = tanh(h w + x), along the first axis of xs; the last h, and exp(h) of each step."""
    graph = Graph("recurrent")
    xs = graph.input("xs", TensorType(float32, (symbol(length) if isinstance(length, str) else length, 2, 3)))
    w = graph.input("w", TensorType(float32, (3, 3)))

    def step(h, x, w):
        new = ops.tanh(ops.matmul(h, w) + x)
        return [new], [ops.exp(new)]

    start = ops.broadcast_to(graph.constant(0.0), shape=(2, 3))
    (last,), (rows,) = control.scan(step, [start], [xs], [w], reverse=reverse)
    graph.output(last, "last")
    graph.output(rows, "rows")
    return graph


def shrinking(limit=1.0):
    """while sum(x) > limit: x = tanh(x), or its half where the first element is large."""
    graph = Graph("shrinking")
    x = graph.input("x", TensorType(float32, (3,)))

    def body(x):
        first = ops.reduce_sum(ops.slice_axis(x, 0, 0, 1))
        return control.cond(first > 2.0, lambda x: [x * 0.5], lambda x: [ops.tanh(x)], [x])

    (out,) = control.while_loop(lambda x: ops.reduce_sum(x) > limit, body, [x])
    graph.output(out, "y")
    return graph


def inputs(graph, length=6):
    xs = generator.uniform(-0.4, 0.4, (length, 2, 3)).astype(np.float32)
    return (xs, W) if graph.name == "recurrent" else (np.array([3.0, 0.4, 0.9], np.float32),)


GRAPHS = [recurrent, lambda: recurrent(reverse=True), shrinking]


@pytest.mark.parametrize("build", GRAPHS, ids=["scan", "reversed", "while"])
def test_runs_what_the_widened_graph_means(build):
    graph = build()
    given = inputs(graph)
    wide = [a.astype(float) for a in given]
    for found, wanted in zip(Replica(Reference(graph), {})(*wide), run_reference(widen(graph), wide), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("build", GRAPHS, ids=["scan", "reversed", "while"])
def test_bodies_spread_and_loops_themselves_do_not(build):
    """As what they do in float32 does: no less than its error a fourth of the allowance, and not much more."""
    graph = build()
    given = inputs(graph)
    expected = Ensemble(Reference(graph), {})(*given)
    for e, found in zip(expected, run_reference(graph, given), strict=True):
        assert inherited("y", found, e).ratio < 0.7
        assert 0 < np.max(e.spread) < 8 * 2.0**-23 * np.max(np.abs(e.value))


def test_a_loop_that_only_moves_spreads_nothing():
    graph = Graph("moves")
    xs = graph.input("xs", TensorType(float32, (5, 3)))
    (last,), (rows,) = control.scan(lambda h, x: ([x], [h]), [ops.broadcast_to(graph.constant(1.5), shape=(3,))], [xs])
    graph.output(last, "last")
    graph.output(rows, "rows")
    for expected in Ensemble(Reference(graph), {})(generator.normal(size=(5, 3)).astype(np.float32)):
        assert not expected.spread.any()


def test_each_iteration_rounds_anew():
    """A product of 400 rounded factors spreads by about the root of their number, not by one ulp, nor by 400."""
    graph = Graph("powers")
    x = graph.input("x", TensorType(float32, (50,)))
    (y,), _ = control.scan(lambda y, x: ([y * x], []), [x], [], [x], length=400)
    graph.output(y, "y")
    (expected,) = Ensemble(Reference(graph), {})(np.linspace(0.98, 1.02, 50, dtype=np.float32))
    share = np.mean(expected.spread / expected.value) / 2.0**-23
    assert 5 < share < 60


@pytest.mark.parametrize("backend", installed())
def test_sizes_and_iterations_may_be_free(backend):
    model = Model("recurrent", lambda mode: recurrent(), {})
    batch = inputs(model.inference, 4)
    report = compare(model, inputs=batch, backends=backend)
    assert report.ok, report


def at_large(node, rule):
    """tanh is wrong where what it is given is large."""
    if node.op is not ops.tanh:
        return None
    return lambda x: np.where(np.abs(x) > 1, rule(x) + np.float32(0.01), rule(x)).astype(np.float32)


@pytest.mark.parametrize(("reverse", "spike", "iteration"), [(False, 4, 5), (True, 4, 3), (False, 0, 1), (False, 6, 7)])
def test_the_iteration_is_found_and_the_node_in_it(faulty, reverse, spike, iteration):
    graph = recurrent(reverse)
    xs, w = inputs(graph, 7)
    xs[spike] += 2.0
    xs[:, :, 1:] *= 0.1
    xs[:, 1] *= 0.1
    xs[spike, 0, 0] = 2.0
    report = compare(Model("recurrent", lambda mode: graph, {}), inputs=(xs, w), backends=faulty(at_large))
    found = report.first_divergence
    assert found.op == "tanh"
    assert found.within == (f"in iteration {iteration} of scan",)
    assert f"tanh is the first node beyond its own bound, in iteration {iteration} of scan" in found.summary
    assert found.local.ratio > 100
    assert found.confirmed
    assert "test_loops.py" in found.origin


def test_a_branch_in_a_loop_is_looked_into(faulty):
    report = compare(
        Model("shrinking", lambda mode: shrinking(), {}), inputs=inputs(shrinking()), backends=faulty(at_large)
    )
    found = report.first_divergence
    assert found.op == "tanh"
    assert found.within == ("in iteration 2 of while_loop", "in the branch `otherwise` of cond")


def test_a_condition_is_looked_into(faulty):
    """It stops too early: the sum is said to be less."""

    def fault(node, rule):
        return (lambda x, y: x > y + 0.7) if node.op is ops.greater else None

    report = compare(
        Model("shrinking", lambda mode: shrinking(), {}), inputs=inputs(shrinking()), backends=faulty(fault)
    )
    found = report.first_divergence
    assert not report.ok
    assert found.op == "greater"
    assert found.within == ("in iteration 3 of while_loop",)


def test_a_loop_that_itself_is_wrong_is_named_with_the_iteration(faulty):
    """A scan that forgets its carry from the third iteration on: no node of the body is at fault."""

    def fault(node, rule):
        if node.op is not ops.scan:
            return None

        def forgets(*operands, body, **options):
            calls = []

            def changed(h, *rest):
                calls.append(h)
                return body(h if len(calls) < 3 else np.zeros_like(h), *rest)

            return rule(*operands, body=changed, **options)

        return forgets

    graph = recurrent()
    report = compare(Model("recurrent", lambda mode: graph, {}), inputs=inputs(graph), backends=faulty(fault))
    found = report.first_divergence
    assert found.op == "scan"
    assert found.within == ("in iteration 3 of scan",)


def test_a_condition_near_a_tie_is_turned():
    """The sum after the first iteration is the limit, to within rounding: one iteration more is no fault."""
    x = np.array([1.9, 0.3, 0.9], np.float32)
    once = np.tanh(x)
    graph = shrinking(limit=float(np.sum(once.astype(float))))
    ensemble = Ensemble(Reference(graph), {}, ties=True)
    (expected,) = ensemble(x)
    assert any(n.node.op is ops.greater for n in ensemble.near)
    for found in (once, np.tanh(once)):
        assert inherited("y", found, expected, ensemble.near).outcome in ("same", "undecided")
    assert inherited("y", -once, expected, ensemble.near).outcome == "differs"


def test_decisions_in_each_iteration_are_turned_by_themselves():
    """A running sum passes its limit in the fourth iteration, by rounding only; before and after it is far from it."""
    graph = Graph("steps")
    xs = graph.input("xs", TensorType(float32, (6,)))

    def step(total, x):
        total = total + x * 3.0
        return [total], [ops.cast(total > 6.0, dtype=float32)]

    _, (above,) = control.scan(step, [graph.constant(0.0)], [xs])
    graph.output(above, "above")
    ensemble = Ensemble(Reference(graph), {}, ties=True)
    (expected,) = ensemble(np.array([0.3, 0.7, 0.6, 0.4, 0.7, 0.8], np.float32))
    assert expected.turned.tolist() == [0, 0, 0, 1, 0, 0]
    assert [n.count for n in ensemble.near] == [1]


@pytest.mark.parametrize("descending", [False, True])
def test_an_order_of_nearly_equal_ones_may_be_another(descending):
    x = np.tile(np.array([1.0, 1.0 + 1e-7, 0.0, 5.0], np.float32), (16, 1))
    graph = Graph("order")
    values, three = (graph.input(n, TensorType(float32, s)) for n, s in (("x", (16, 4)), ("three", (1, 1))))
    graph.output(ops.argsort(values * three, descending=descending), "order")
    graph.output(ops.top_k(values * three, k=3)[1], "places")
    ensemble = Ensemble(Reference(graph), {}, ties=True)
    for expected in ensemble(x, np.full((1, 1), 3.0, np.float32)):
        nearly = np.isin(expected.value, [0, 1])
        assert np.mean(expected.turned[nearly] == 1) > 0.5
        assert not expected.turned[~nearly].any()
    assert {n.node.op for n in ensemble.near} == {ops.argsort}
