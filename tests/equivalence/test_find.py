"""Faults on purpose: each is caught, and the finder names the node."""

import dataclasses

import models
import numpy as np
import pytest

from isograd.backends import runtime
from isograd.backends.rules import When
from isograd.equivalence import compare
from isograd.ir import ops

ADAM = {"adam": {"learning_rate": 0.003}}


def compared(digits, fault, spec=models.PERCEPTRON, **options):
    options = {"steps": 4, "data": digits} | options
    return compare(models.model(spec, optimizer=ADAM), backends=fault, **options)


def at(node, op, *last):
    """Whether a node is a forward one of an op, with these last sizes of its output."""
    return node.op is op and node.section == "forward" and node.outputs[0].shape[-len(last) :] == last


def drops_a_bias(node, rule):
    return (lambda x, y: x) if at(node, ops.add, 10) and node.inputs[1].rank == 1 else None


def swaps_an_axis(node, rule):
    return (lambda x, *, axis: rule(x, axis=0)) if node.op is ops.softmax else None


def other_epsilon(node, rule):
    return (lambda *a, **k: rule(*a, **k | {"epsilon": 1e-3})) if node.op.name == "adam" else None


def half_products(node, rule):
    if node.op is not ops.matmul:
        return None
    return lambda x, y: x.astype(np.float16).astype(np.float32) @ y.astype(np.float16).astype(np.float32)


def flips_a_comparison(node, rule):
    return (lambda g, out, x: np.where(out >= 0, g, np.float32(0))) if node.op.name == "relu_gradient" else None


def another_sign(node, rule):
    return (lambda *a, **k: -rule(*a, **k)) if at(node, ops.matmul, 16) else None


@pytest.mark.parametrize(
    ("fault", "kind", "op"),
    [
        (drops_a_bias, "loss", "add"),
        (swaps_an_axis, "outputs", "softmax"),
        (half_products, "outputs", "matmul"),
        (another_sign, "outputs", "matmul"),
        (flips_a_comparison, "gradients", "relu_gradient"),
        (other_epsilon, "parameters", "adam"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_fault_is_caught_and_its_node_named(faulty, digits, fault, kind, op):
    report = compared(digits, faulty(fault))
    (row,) = report.rows
    assert not report.ok
    assert row.status == "differs"
    assert row.worst(kind).ratio > 20
    found = report.first_divergence
    assert found.found
    assert found.op == op
    assert found.local.ratio > 1
    assert found.confirmed
    assert f"{op}" in found.node
    assert "models.py" in found.origin or found.origin
    assert "the first node beyond its own bound" in str(report)


@pytest.mark.parametrize("kind", ["outputs", "gradients"])
def test_what_comes_before_the_fault_is_not_blamed(faulty, digits, kind):
    report = compared(digits, faulty(other_epsilon))
    assert report.rows[0].worst(kind).outcome == "same"


def test_the_finder_names_the_first_of_several(faulty, digits):
    def fault(node, rule):
        return half_products(node, rule) if at(node, ops.matmul, 10) else another_sign(node, rule)

    found = compared(digits, faulty(fault), what="inference").first_divergence
    assert "f32[N, 16] = matmul(" in found.node
    assert "x: f32[" in found.operands[0]


def test_a_fault_of_a_large_graph_is_found_in_a_few_programs(faulty):
    """120 nodes, more than one program gives values of; and a fault on a side branch, which meets the rest late."""
    from isograd.ir import Graph, TensorType
    from isograd.ir.model import Model
    from isograd.ir.types import float32

    graph = Graph("deep")
    x = graph.input("x", TensorType(float32, (4, 3)))
    side, main = ops.tanh(x), x
    for _ in range(60):
        main = ops.sin(main + 0.1)
    graph.output(main + ops.erf(side), "y")
    runs = []

    def fault(node, rule):
        return (lambda v: rule(v) * np.float32(1.001)) if node.op is ops.tanh else None

    class Counting(faulty):
        def compile(self, graph, **options):
            runs.append(graph)
            return super().compile(graph, **options)

    report = compare(Model("deep", lambda mode: graph, {}), backends=Counting(fault))
    assert report.first_divergence.op == "tanh"
    assert len(runs) < 12


def test_a_fault_that_only_shows_together_is_said_to_be_so(faulty, digits):
    """A node that is right alone: the fault is in what the backend makes of the whole."""

    def fault(node, rule):
        whole = len(node.outputs[0].graph.nodes) > 5
        return (lambda x, y: 1.01 * x + y) if whole and at(node, ops.add, 10) else None

    found = compared(digits, faulty(fault), what="inference").first_divergence
    assert found.op == "add"
    assert found.local.outcome == "same"
    assert "though each node alone is within its bound" in found.summary
    assert found.confirmed


def test_a_fault_that_hides_from_being_looked_at_is_not_confirmed(faulty, digits):
    def fault(node, rule):
        graph = node.outputs[0].graph
        watched = any(p.role == "metric" and "watched" in p.path for p in graph.outputs)
        return (lambda x, *, axis: rule(x, axis=0)) if node.op is ops.softmax and not watched else None

    found = compared(digits, faulty(fault), what="inference").first_divergence
    assert not found.found
    assert "looking inside changes how it is compiled" in found.summary


def test_a_faulty_row_of_a_real_backend(digits):
    """The printed program of NumPy, with one row of its table wrong for one shape."""

    def wrong(x, y):
        return (x.astype("float16") @ y.astype("float16")).astype("float32")

    numpy = type(runtime("numpy"))
    row = numpy.target.table[ops.matmul]
    rows = (When(lambda n: n.inputs[1].shape == (16, 10), wrong), *(row if isinstance(row, tuple) else (row,)))
    target = dataclasses.replace(numpy.target, table=dict(numpy.target.table) | {ops.matmul: rows})
    backend = type("Wrong", (numpy,), {"target": target})()
    found = compare(models.model(models.PERCEPTRON), data=digits, backends=backend, steps=2).first_divergence
    assert "f32[N, 10] = matmul(" in found.node
    assert found.confirmed


def test_without_find_nothing_is_looked_for(faulty, digits):
    report = compared(digits, faulty(swaps_an_axis), find=False)
    assert not report.ok
    assert report.first_divergence is None


# batch normalization: what users of converters meet most often


def other_normalization(node, rule):
    return (lambda *a, **k: rule(*a, **k | {"epsilon": 1e-5})) if node.op.name.startswith("batch_norm") else None


def unbiased_variance(node, rule):
    if node.op is not ops.batch_norm:
        return None

    def unbiased(x, *rest, **options):
        y, mean, variance = rule(x, *rest, **options)
        count = x.size // x.shape[-1]
        return y, mean, variance * np.float32(count / (count - 1))

    return unbiased


@pytest.mark.parametrize("fault", [other_normalization, unbiased_variance])
def test_faults_of_batch_normalization_are_caught(faulty, digits, fault):
    report = compared(digits, faulty(fault), models.CONVNET, steps=3)
    assert report.rows[0].status == "differs"
    assert report.first_divergence.op.startswith("batch_norm")
