"""Composites are taken apart, each in a scope of its own; what is kept stays whole."""

import numpy as np

from isograd.ir import Graph, TensorType, ops
from isograd.ir.passes import decompose
from isograd.ir.types import float32
from isograd.ir.verify import verify


def test_all_but_what_is_kept(case):
    for graph, _ in case.graphs("float32")[:2]:
        kept = decompose(graph, keep=lambda node: node.op.name == "softmax")
        verify(kept)
        assert {n.op.name for n in kept.nodes if n.op.is_composite} <= {"softmax"}


def test_the_parts_are_in_a_scope_with_the_operands_as_arguments():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2, 3)))
    with graph.at("layers/1"), graph.scope("layer", "Layer"):
        y = ops.batch_norm(x, None, np.ones(3, np.float32) * graph.constant(1.0))[0]
    graph.output(y, "y")
    parts = decompose(graph, keep=lambda node: False)
    scopes = {s for n in parts.nodes if n.scope and n.op is not ops.constant for s in n.scope.ancestry}
    assert {s.path for s in scopes} == {("layer",)}
    outer = next(s for s in scopes if s.kind == "batch_norm")
    assert [name for name, _ in outer.arguments] == ["x", "offset"]
    assert {s.ancestry[2].kind for s in scopes if len(s.ancestry) > 2} == {
        "reduce_mean",
        "reduce_variance",
        "batch_norm_inference",
    }
    assert {n.origin for n in parts.nodes if n.scope} == {"layers/1"}
