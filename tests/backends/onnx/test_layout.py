"""Channels first: the same numbers, and no more transposes than there must be."""

import numpy as np
import pytest

from isograd.backends.onnx.model import to_model
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import decompose, optimize
from isograd.ir.passes.layout import CHANNELS_FIRST, layout
from isograd.ir.types import float32
from isograd.ir.verify import verify

SAME = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilations": (1, 1)}
WINDOW = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}


def image(graph, name, *shape):
    return graph.input(name, TensorType(float32, shape))


def small_net(h, w, bias, scale):
    h = ops.relu(ops.conv(h, w, **SAME) + bias)
    h = ops.max_pool(h, **WINDOW)
    h = ops.where(h > 0.25, h * scale, -0.5)
    h = ops.batch_norm(h, scale, bias)[0]
    h = ops.pad(h, 0.0, low=(0, 1, 0, 0), high=(0, 0, 2, 0), interior=(0, 0, 1, 0))
    h = ops.concatenate(h, ops.softmax(h), axis=-1)
    h = ops.slice_(h, starts=(0, 1, 0, 2), stops=h.shape, steps=(1, 1, 1, 1))
    return ops.average_pool(ops.reverse(h, axes=(2,)), **WINDOW)


def net_with_gradients():
    graph = Graph()
    x, w, bias, scale = (
        image(graph, n, *s) for n, s in (("x", (2, 6, 8, 3)), ("w", (3, 3, 3, 4)), ("b", (4,)), ("s", (4,)))
    )
    h = small_net(x, w, bias, scale)
    means = graph.output(ops.reduce_mean(h, axes=(1, 2)), "means")
    graph.output(h, "h")
    loss = ops.reduce_sum(means * means)
    for v, g in zip((x, w, bias, scale), gradients(graph, loss, [x, w, bias, scale]), strict=True):
        graph.output(g, v.name, "gradient")
    return graph


def arrays_of(graph):
    generator = np.random.default_rng(1)
    return [generator.uniform(-1, 1, p.value.shape).astype(np.float32) for p in graph.inputs]


def test_the_pass_changes_no_number():
    graph = decompose(net_with_gradients(), keep=lambda n: n.op is ops.softmax)
    moved = layout(graph, CHANNELS_FIRST)
    verify(moved)
    arrays = arrays_of(graph)
    for a, b in zip(run_reference(graph, arrays), run_reference(moved, arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    layouts = {n.attributes["layout"] for n in moved.nodes if "layout" in n.attributes}
    assert layouts == {"NCHW"}


def test_the_model_computes_the_same(run):
    graph = net_with_gradients()
    arrays = arrays_of(graph)
    for a, b in zip(run_reference(graph, arrays), run(graph, arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


def transposes(model):
    return [tuple(n.attribute[0].ints) for n in model.graph.node if n.op_type == "Transpose"]


def test_a_chain_has_transposes_at_its_ends_only():
    graph = Graph()
    x, w1, w2, bias = (
        image(graph, n, *s) for n, s in (("x", (2, 8, 8, 3)), ("w1", (3, 3, 3, 5)), ("w2", (3, 3, 5, 5)), ("b", (5,)))
    )
    h = ops.max_pool(ops.relu(ops.conv(x, w1, **SAME) + bias), **WINDOW)
    graph.output(ops.max_pool(ops.relu(ops.conv(h, w2, **SAME) + bias), **WINDOW), "y")
    model = to_model(graph)
    assert transposes(model) == [(0, 3, 1, 2), (3, 2, 0, 1), (3, 2, 0, 1), (0, 2, 3, 1)]
    assert [n.op_type for n in model.graph.node if n.op_type not in ("Transpose", "Relu", "MaxPool")] == [
        "Conv",
        "Conv",
    ]
    kernels = {("input", n): np.ones(s, np.float32) for n, s in (("w1", (3, 3, 3, 5)), ("w2", (3, 3, 5, 5)))}
    held = to_model(graph, initializers=kernels)
    assert transposes(held) == [(0, 3, 1, 2), (0, 2, 3, 1)]
    assert [i.name for i in held.graph.initializer if len(i.dims) == 4] == ["w1.transposed", "w2.transposed"]


def test_an_average_over_all_places_needs_no_transpose():
    graph = Graph()
    x, w = image(graph, "x", 2, 8, 8, 1), image(graph, "w", 3, 3, 1, 5)
    graph.output(ops.reduce_mean(ops.conv(x, w, **SAME), axes=(1, 2)), "y")
    assert transposes(to_model(graph, initializers={("input", "w"): np.ones((3, 3, 1, 5), np.float32)})) == []


@pytest.mark.parametrize("channels", [1, 4])
def test_a_bias_is_an_operand_only_where_it_fits(channels, run):
    graph = Graph()
    x, w, bias = image(graph, "x", 2, 5, 6, 3), image(graph, "w", 3, 3, 3, channels), image(graph, "b", 4)
    graph.output(ops.conv(x, w, **SAME) + bias, "y")
    arrays = arrays_of(graph)
    kinds = [n.op_type for n in to_model(graph).graph.node]
    assert ("Add" in kinds) == (channels == 1)
    np.testing.assert_allclose(run(graph, arrays)[0], run_reference(graph, arrays)[0], rtol=1e-5, atol=1e-5)


def test_other_layouts_and_uses_in_the_sources_order(run):
    graph = Graph()
    x, w = image(graph, "x", 3, 2, 7), image(graph, "w", 5, 3, 3)
    attributes = {"strides": (2,), "padding": ((1, 2),), "dilations": (1,), "layout": "CNW", "filter_layout": "OIW"}
    y = ops.conv(x, w, **attributes)
    graph.output(y, "y")
    graph.output(ops.reshape(ops.tanh(y), shape=(-1,)), "flat")
    graph.output(ops.reduce_sum(y, axes=(1,)), "sums")
    graph.output(ops.reduce_sum(y, axes=(2,)), "of another order")
    graph.output(ops.transpose(y, axes=(1, 0, 2)), "first")
    arrays = arrays_of(graph)
    for a, b in zip(run(graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert len(optimize(layout(graph, CHANNELS_FIRST)).nodes) < 14


@pytest.mark.parametrize("filter_layout", ["HWIO", "OIHW", "IHWO"])
def test_a_filters_gradient_is_transposed_at_most_once(filter_layout, run):
    graph = Graph()
    shape = {"H": 3, "W": 3, "I": 2, "O": 4}
    x, w = image(graph, "x", 2, 2, 5, 6), image(graph, "w", *(shape[c] for c in filter_layout))
    y = ops.conv(x, w, layout="NCHW", filter_layout=filter_layout, **SAME)
    (g,) = gradients(graph, ops.reduce_sum(y * y), [w])
    with graph.section("update"):
        graph.output(w - g * 2.0, "w", "parameter")
    after_sum = [n.op_type for n in to_model(graph).graph.node]
    after_sum = after_sum[after_sum.index("ReduceSum") :]
    assert after_sum.count("Transpose") == (filter_layout != "IHWO")
    assert "Identity" not in after_sum
    arrays = arrays_of(graph)
    np.testing.assert_allclose(run(graph, arrays)[0], run_reference(graph, arrays)[0], rtol=1e-4, atol=1e-4)


def test_a_batch_norm_between_convolutions_is_one_node(run):
    graph = Graph()
    x, w, bias, scale = (
        image(graph, n, *s) for n, s in (("x", (2, 5, 6, 4)), ("w", (3, 3, 4, 4)), ("b", (4,)), ("s", (4,)))
    )
    for name in ("y", "z"):
        x = ops.batch_norm_inference(ops.conv(x, w, **SAME), scale, bias, bias, ops.square(scale), epsilon=0.1)
        graph.output(ops.tanh(x), name)
    graph.output(ops.batch_norm_inference(ops.square(graph.inputs[0].value), scale, bias, bias, scale * scale), "alone")
    kinds = [n.op_type for n in to_model(graph).graph.node]
    assert kinds.count("BatchNormalization") == kinds.count("Conv") == 2
    arrays = arrays_of(graph)
    for a, b in zip(run(graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_slots_are_not_transposed():
    graph = Graph()
    x, w, m = (image(graph, n, *s) for n, s in (("x", (2, 5, 6, 2)), ("w", (3, 3, 2, 4)), ("m", (3, 3, 2, 4))))
    y = ops.conv(x, w, **SAME)
    (g,) = gradients(graph, ops.reduce_sum(y * y), [w])
    with graph.section("update"):
        m_new = graph.output(0.9 * m + g, "m", "state")
        graph.output(w - m_new, "w", "parameter")
    assert len(transposes(to_model(graph))) == 4  # of x, of w, of what is summed, of the gradient


def test_a_convolution_that_is_used_twice_runs_once():
    graph = Graph()
    x, w, bias = image(graph, "x", 2, 5, 6, 3), image(graph, "w", 3, 3, 3, 4), image(graph, "b", 4)
    y = ops.conv(x, w, **SAME)
    graph.output(y + bias, "y")
    graph.output(ops.tanh(y), "z")
    assert [n.op_type for n in to_model(graph).graph.node].count("Conv") == 1
