"""The layout pass: what its tables say of each op is true, and views are part of a graph's text."""

import numpy as np
import pytest

import isograd
from isograd.ir import Graph, TensorType, ops
from isograd.ir.errors import VerificationError
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Optimizer
from isograd.ir.parse import parse
from isograd.ir.passes import decompose, optimize
from isograd.ir.passes.axes import CHANGES, ELEMENTWISE
from isograd.ir.passes.layout import CHANNELS_FIRST, CHANNELS_LAST, layout
from isograd.ir.types import dtype_of, float32
from isograd.ir.verify import verify

SPEC = {
    "name": "small",
    "input": {"image": "float32[N, 7, 8, 3]"},
    "layers": [
        {"conv2d": {"filters": 5, "kernel_size": 2, "activation": "relu"}},
        "batch_normalization",
        {"conv2d": {"filters": 4, "kernel_size": 3}},
        "global_average_pooling2d",
        {"dense": 3},
    ],
    "loss": {"sparse_categorical_crossentropy": {"from_logits": True}},
    "optimizer": {"adam": {"learning_rate": 0.01}},
}


def computed(op, operands, attributes):
    graph = Graph()
    values = [
        None if a is None else graph.input(f"x{i}", TensorType(dtype_of(a.dtype), a.shape))
        for i, a in enumerate(operands)
    ]
    results = graph.apply(op, *values, **attributes)
    for i, value in enumerate(results if isinstance(results, tuple) else (results,)):
        graph.output(value, str(i))
    return run_reference(graph, [a for a in operands if a is not None]), graph.nodes[-1].attributes


def with_axes(op):
    """Samples of some rank."""
    for sample in op.samples:
        operands = [None if a is None else np.asarray(a) for a in sample.operands]
        rank = max(a.ndim for a in operands if a is not None)
        if op in ELEMENTWISE:  # axes of size 1 stand before those of operands of lower rank
            operands = [
                a if a is None or a.ndim == 0 else a.reshape((1,) * (rank - a.ndim) + a.shape) for a in operands
            ]
        if rank >= 2:
            yield operands, dict(sample.attributes), rank


@pytest.mark.parametrize("listed", [*sorted({*ELEMENTWISE, *CHANGES}, key=lambda op: op.name)], ids=lambda op: op.name)
def test_an_op_follows_its_axes_as_the_table_says(listed):
    op = listed
    tried = 0
    for operands, attributes, rank in with_axes(op):
        order = (*range(1, rank), 0)
        expected, complete = computed(op, operands, attributes)
        moved = [a.transpose(order) if a is not None and a.ndim == rank else a for a in operands]
        changed = CHANGES[op](complete, order) if op in CHANGES else complete
        for a, b in zip(expected, computed(op, moved, changed)[0], strict=True):
            if a.ndim == rank:
                np.testing.assert_allclose(a.transpose(order), b, rtol=1e-5, atol=1e-6)
            elif complete.get("axes") is None or _stay_in_order(complete, order):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
            tried += 1
    assert tried or all(np.ndim(a) < 2 for s in op.samples for a in s.operands if a is not None)


def _stay_in_order(attributes, order):
    gone = ops.normalize_axes(attributes["axes"], len(order))
    left = [i for i in order if i not in gone]
    return left == sorted(left)


def step_graph(optimizer="adam"):
    """The parts of a training step."""
    step = isograd.training_step(isograd.from_spec(SPEC), optimizer=Optimizer(optimizer))
    return optimize(decompose(step.training, lambda node: node.op is ops.batch_norm))


def transposes(graph):
    return [n for n in optimize(graph).nodes if n.op is ops.transpose and n.outputs[0].rank == 4]


def test_filters_and_their_slots_are_views():
    moved = layout(step_graph(), CHANNELS_FIRST)
    verify(moved)
    views = {p.path: p.view for p in moved.inputs if p.view is not None}
    assert set(views.values()) == {(3, 2, 0, 1)}
    assert views.keys() == {f"{slot}{conv}.kernel" for slot in ("", "m.", "v.") for conv in ("conv2d", "conv2d_1")}
    shapes = {p.path: p.value.shape for p in moved.inputs}
    assert shapes["conv2d.kernel"] == shapes["m.conv2d.kernel"] == (5, 3, 2, 2)
    results = {(p.role, p.path): p.value.shape for p in moved.outputs}
    assert results["parameter", "conv2d.kernel"] == (5, 3, 2, 2)
    assert len(transposes(moved)) == 1  # of the image


def test_without_views_the_update_stays_in_the_sources_order():
    moved = layout(step_graph(), CHANNELS_FIRST, views=False)
    assert all(p.view is None for p in moved.inputs)
    assert {n.outputs[0].shape for n in moved.nodes if n.section == "update" and n.outputs[0].rank == 4} == {
        (2, 2, 3, 5), (3, 3, 5, 4),
    }  # fmt: skip


def test_views_are_not_made_where_they_cost_more():
    """Adafactor's slots are means over axes: they do not follow."""
    graph = step_graph("adafactor")
    assert len(transposes(layout(graph, CHANNELS_FIRST))) <= len(transposes(layout(graph, CHANNELS_FIRST, views=False)))


def test_a_model_in_its_targets_layout_stays_as_it_is():
    graph = isograd.from_spec(SPEC).inference
    assert str(layout(graph, CHANNELS_LAST)) == str(graph)


def test_there_and_back():
    """From channels last to first and back the graph computes the same, and stores the same."""
    graph = optimize(isograd.training_step(isograd.from_spec(SPEC)).training)
    back = layout(layout(graph, CHANNELS_FIRST), CHANNELS_LAST)
    verify(back)
    assert {p.view for p in back.inputs if p.view is not None} == {(0, 1, 2, 3)}
    assert [p.value.type for p in back.inputs] == [p.value.type for p in graph.inputs]
    assert len(transposes(back)) == 0


def test_views_are_in_the_text():
    graph = layout(step_graph(), CHANNELS_FIRST)
    text = str(graph)
    assert 'parameter("conv2d.kernel", (3, 2, 0, 1))' in text
    again = parse(text)
    assert str(again) == text
    assert [p.view for p in again.inputs] == [p.view for p in graph.inputs]


@pytest.mark.parametrize(("role", "view"), [("input", (1, 0)), ("parameter", (0,)), ("state", (0, 0))])
def test_a_view_has_each_axis_once(role, view):
    graph = Graph()
    graph.output(ops.tanh(graph.input("w", TensorType(float32, (2, 3)), role, "w", view)), "y")
    with pytest.raises(VerificationError, match="is no view of"):
        verify(graph)
