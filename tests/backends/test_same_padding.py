"""Padding `same` on axes of unknown size: what TensorFlow pads, for every window, stride and dilation, everywhere."""

import itertools

import numpy as np
import pytest

from isograd.backends import BACKENDS, is_installed, runtime
from isograd.frontends.spec.layers.windows import pairs
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.types import float32

tf = pytest.importorskip("tensorflow")
CASES = [
    (k, s, d) for k, s, d in itertools.product((1, 2, 3, 4), (1, 2, 3), (1, 2)) if s == 1 or d == 1
]  # TensorFlow takes no stride beside a dilation
SIZES = range(1, 9)


def graph():
    made = Graph("same")
    x = made.input("x", TensorType(float32, (symbol("N"), symbol("L"), 2)))
    for i, (k, s, d) in enumerate(CASES):
        w = made.input(f"w{i}", TensorType(float32, (k, 2, 3)))
        padding = pairs("same", [x.shape[1]], (k,), (s,), (d,))
        attributes = {"strides": (s,), "padding": padding, "dilations": (d,), "layout": "NWC", "filter_layout": "WIO"}
        made.output(ops.conv(x, w, **attributes), f"conv{i}")
        if d == 1:
            pooling = {"window": (k,), "strides": (s,), "padding": padding, "layout": "NWC"}
            made.output(ops.max_pool(x, **pooling), f"max{i}")
            made.output(ops.average_pool(x, **pooling), f"mean{i}")
    return made


def expected(x, filters):
    found = []
    for (k, s, d), w in zip(CASES, filters, strict=True):
        found.append(tf.nn.conv1d(x, w, s, "SAME", dilations=d))
        if d == 1:
            found += [pool(x, k, s, "SAME") for pool in (tf.nn.max_pool1d, tf.nn.avg_pool1d)]
    return [f.numpy() for f in found]


def test_one_guard_remains():
    assert [str(g) for g in graph().guards] == ["L >= 1"]


@pytest.mark.parametrize("backend", [b for b in BACKENDS if is_installed(b)])
def test_it_is_tensorflows(backend):
    generator = np.random.default_rng(3)
    filters = [generator.normal(size=(k, 2, 3)).astype(np.float32) for k, _, _ in CASES]
    program = runtime(backend).compile(graph())
    program.load({})
    for size in (6, 7) if backend == "jax" else SIZES:  # JAX compiles anew for each size
        x = generator.normal(size=(2, size, 2)).astype(np.float32)
        results = [program.to_numpy(r) for r in program(x, *filters)]
        for place, (found, wanted) in enumerate(zip(results, expected(x, filters), strict=True)):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6, err_msg=f"{place} at {size}")
