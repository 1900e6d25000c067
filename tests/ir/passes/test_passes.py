"""Every pass over every sample: the graph stays good, keeps its ports and scopes, and computes the same bits."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import decompose, fold_constants, merge_common, optimize, remove_dead, simplify
from isograd.ir.types import float32
from isograd.ir.verify import verify

EXACT = [fold_constants, merge_common, optimize, remove_dead, simplify]


def bits(graph, arrays):
    """Every bit, but for the sign of zeros: a sum of what lies side by side is a concatenation (`simplify`)."""
    found = [np.asarray(a) for a in run_reference(graph, arrays)]
    signless = [np.where(a == 0, np.zeros_like(a), a) if a.dtype.kind in "fc" else a for a in found]
    return [(a.dtype, a.shape, s.tobytes()) for a, s in zip(found, signless, strict=True)]


def ports(graph):
    return [[(p.role, p.path, p.value.type) for p in side] for side in (graph.inputs, graph.outputs)]


@pytest.mark.parametrize("apply", EXACT, ids=lambda f: f.__name__)
def test_a_pass_keeps_every_bit(case, apply):
    for graph, arrays in case.graphs():
        after = apply(graph)
        verify(after)
        assert ports(after) == ports(graph)
        assert bits(after, arrays) == bits(graph, arrays)


@pytest.mark.parametrize("apply", EXACT, ids=lambda f: f.__name__)
def test_a_pass_twice_is_the_pass(case, apply):
    for graph, _ in case.graphs():
        once = apply(graph)
        assert apply(once) is once, "what finds nothing gives back the graph itself"


def network(layers):
    graph = Graph()
    x = graph.input("x", TensorType(float32, (4, 8)))
    kernels = [graph.input(f"k{i}", TensorType(float32, (8, 8)), "parameter") for i in range(layers)]
    for i, kernel in enumerate(kernels):
        with graph.at(f"layers/{i}"), graph.scope(f"layer{i}", "Dense", {"x": x, "kernel": kernel}):
            x = ops.gelu(x @ kernel).named("hidden")
    graph.output(ops.reduce_sum(x).named("loss"), "loss", "loss")
    for kernel, g in zip(kernels, gradients(graph, graph.outputs[0].value, kernels), strict=True):
        graph.output(g, kernel.name, "gradient")
    return graph


def signature(graph, number):
    """The nodes of one layer, as far as another layer's should be the same."""
    nodes = [n for n in graph.nodes if n.scope and n.scope.path == (f"layer{number}",)]
    return [(n.op.name, n.section, [str(v.type) for v in n.outputs], n.scope.kind) for n in nodes]


@pytest.mark.parametrize(
    "apply",
    [*EXACT, lambda g: decompose(g, keep=lambda n: False), lambda g: optimize(decompose(g, keep=lambda n: False))],
)
def test_equal_scopes_are_treated_equally(apply):
    after = apply(network(5))
    middle = [signature(after, i) for i in (1, 2, 3)]
    assert middle[0]
    assert middle[0] == middle[1] == middle[2]
    assert all(n.origin.startswith("layers/") for n in after.nodes if n.scope)
    names = {v.name for n in after.nodes for v in n.outputs}
    assert {"hidden", "loss", "d_k0"} <= names
    scope = next(n.scope.ancestry[0] for n in after.nodes if n.scope)
    assert [name for name, _ in scope.arguments] == ["x", "kernel"]
    assert all(v.graph is after for _, v in scope.arguments)
