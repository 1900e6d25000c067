"""Gradients of gradients of whole small models, against differences in float64, on every backend that runs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import isograd
from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, control, ops
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import decompose, optimize
from isograd.ir.passes.widen import widen
from isograd.ir.types import float32, int32
from isograd.ir.verify import verify

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
WINDOW: dict[str, Any] = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
SAME: dict[str, Any] = {"strides": (1, 1), "padding": ((1, 1), (1, 0)), "dilations": (1, 1)}


def value(graph, name, *shape):
    return graph.input(name, TensorType(float32, shape), "parameter", name)


def convolutional(graph):
    x, w, scale, v = (
        value(graph, n, *s) for n, s in (("x", (2, 5, 6, 3)), ("w", (3, 2, 3, 4)), ("s", (4,)), ("v", (3, 3, 4, 2)))
    )
    h = ops.average_pool(ops.gelu(ops.batch_norm(ops.conv(x, w, **SAME), scale, scale)[0]), **WINDOW)
    h = ops.max_pool(ops.tanh(ops.conv(h, v, strides=(1, 1), padding=((1, 1), (1, 1)), dilations=(1, 1))), **WINDOW)
    return ops.reduce_sum(h * h), [x, w, scale, v]


def attention(graph):
    x, w, scale = value(graph, "x", 2, 3, 8), value(graph, "w", 8, 24), value(graph, "s", 8)
    heads = ops.reshape(ops.layer_norm(x, scale, scale, epsilon=1e-3) @ w, shape=(2, 3, 3, 2, 4))
    q, k, v = (ops.reshape(ops.slice_axis(heads, 2, i, i + 1), shape=(2, 3, 2, 4)) for i in range(3))
    attended = ops.dot_product_attention(q, k, v, causal=True, layout="NTHD")
    return ops.reduce_sum(ops.silu(x + ops.reshape(attended, shape=x.shape))), [x, w, scale]


def scanned(graph):
    x, h, u = value(graph, "x", 4, 2, 3), value(graph, "h", 2, 3), value(graph, "u", 3, 3)

    def step(h, x, u):
        new = ops.tanh(x + h @ u)
        return [new], [new * new]

    (last,), (rows,) = control.scan(step, [h], [x], [u])
    return ops.reduce_sum(last * last) + ops.reduce_sum(ops.sin(rows)), [x, h, u]


def repeated(graph):
    x, a = value(graph, "x", 3), value(graph, "a", 3)
    last = control.while_loop(
        lambda x, a: ops.reduce_sum(ops.absolute(x)) > 0.8, lambda x, a: [ops.tanh(x * a)], [x], [a], max_iterations=6
    )[0]
    return ops.reduce_sum(last * last * last), [x, a]


def chosen(graph):
    x, w = value(graph, "x", 2, 3), value(graph, "w", 3, 4)
    (y,) = control.cond(
        ops.reduce_sum(x) > 100.0, lambda x, w: [ops.tanh(x @ w)], lambda x, w: [ops.exp(ops.sin(x @ w))], [x, w]
    )
    return ops.reduce_mean(y * y), [x, w]


def classified(graph):
    x, w = value(graph, "x", 4, 3), value(graph, "w", 3, 5)
    labels = graph.constant(np.array([0, 3, 4, 1], np.int32), int32)
    loss = ops.sparse_softmax_cross_entropy(ops.softplus(x) @ w, labels)
    return ops.reduce_mean(loss) + ops.log_sum_exp(w * w, axes=(0, 1)), [x, w]


MODELS = (convolutional, attention, scanned, repeated, chosen, classified)


def inner_and_outer(make):
    """A graph of the number s = sum(c . gradient), and one of the gradients of s as well."""
    graphs = []
    for order in (1, 2):
        graph = Graph(f"{make.__name__}_{order}")
        loss, wrt = make(graph)
        generator = np.random.default_rng(8)
        first = gradients(graph, loss, wrt)
        graph._section = "backward"
        total = sum(
            (ops.reduce_sum(g * graph.constant(generator.normal(size=g.shape).astype(np.float32))) for g in first[1:]),
            ops.reduce_sum(first[0] * graph.constant(generator.normal(size=first[0].shape).astype(np.float32))),
        )
        graph.output(total, "s")
        if order == 2:
            for v, g in zip(wrt, gradients(graph, total, wrt), strict=True):
                graph.output(g, v.name, "gradient")
        verify(graph)
        graphs.append(optimize(graph))
    return graphs


def arrays_of(graph):
    generator = np.random.default_rng(4)
    return [generator.uniform(0.3, 1.2, p.value.shape) * generator.choice([-1, 1], p.value.shape) for p in graph.inputs]


@pytest.fixture(scope="module")
def expected():
    """Of each model: the arrays, and s with its gradients along a direction, by differences of s in float64."""
    found = {}
    for make in MODELS:
        inner, outer = inner_and_outer(make)
        wide = widen(inner)
        arrays = [a.astype(np.float32).astype(np.float64) for a in arrays_of(inner)]
        generator = np.random.default_rng(9)
        slopes = []
        for i, array in enumerate(arrays):
            direction = generator.normal(size=array.shape)
            low, high = (
                run_reference(wide, [*arrays[:i], array + e * direction, *arrays[i + 1 :]])[0] for e in (-1e-6, 1e-6)
            )
            slopes.append((direction, float(high - low) / 2e-6))
        found[make.__name__] = (outer, arrays, float(run_reference(wide, arrays)[0]), slopes)
    return found


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_the_second_gradient_is_the_slope_of_the_first(make, expected):
    outer, arrays, s, slopes = expected[make.__name__]
    results = run_reference(widen(outer), arrays)
    assert results[0] == pytest.approx(s, rel=1e-12)
    assert any(abs(slope) > 1e-3 for _, slope in slopes)
    for found, (direction, slope) in zip(results[1:], slopes, strict=True):
        assert float(np.sum(found * direction)) == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_backends_agree(make, backend, expected):
    outer, arrays, _, _ = expected[make.__name__]
    wanted = run_reference(widen(outer), arrays)
    program = runtime(backend).compile(outer, device="cpu")
    program.load({(p.role, p.path): a.astype(np.float32) for p, a in zip(outer.inputs, arrays, strict=True)})
    found = [program.to_numpy(r) for r in program()]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4 * max(1.0, float(np.abs(b).max())))


def test_grad_of_grad_is_a_model():
    """`grad` of a model that `grad` made: the second derivative of x sin(x) is 2 cos(x) - x sin(x)."""

    def capture(mode):
        graph = Graph("wave")
        x = graph.input("x", TensorType(float32, ()))
        graph.output(x * ops.sin(x), "y")
        return graph

    twice = isograd.grad(isograd.grad(isograd.Model("wave", capture, {}), wrt="x"), wrt="x")
    for x in (-1.0, 0.3, 2.0):
        assert float(twice.compile("numpy")(np.float32(x))) == pytest.approx(2 * np.cos(x) - x * np.sin(x), rel=1e-5)


@pytest.mark.parametrize("composite", [ops.hypot, ops.logaddexp], ids=lambda op: op.name)
def test_one_value_in_two_places_counts_once_in_each(composite):
    """A composite of x and x: its gradient is the sum of the two, whole and taken apart."""
    graph = Graph()
    x = value(graph, "x", 3)
    graph.output(gradients(graph, ops.reduce_sum(composite(x, x)), [x])[0], "x", "gradient")
    parts = decompose(graph, lambda node: False)
    verify(parts)
    slope = {"hypot": np.sqrt(2.0), "logaddexp": 1.0}[composite.name]
    for each in (graph, parts):
        found = run_reference(each, [np.array([0.5, 1.0, 2.0], np.float32)])[0]
        np.testing.assert_allclose(found, np.full(3, slope), rtol=1e-6)
