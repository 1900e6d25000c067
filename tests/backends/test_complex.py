"""Complex numbers on each backend: values and gradients of a formula, and G26 of the semantics table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from draws import drawn

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.autodiff import gradients
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import widen
from isograd.ir.types import dtype_of

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow") if is_installed(b)]


def differentiated(build: Any, arrays: list[np.ndarray]) -> Graph:
    graph = Graph("formula")
    values = [graph.input(f"x{i}", TensorType(dtype_of(a.dtype), a.shape)) for i, a in enumerate(arrays)]
    loss = build(*values)
    graph.output(loss, "loss")
    for i, slope in enumerate(gradients(graph, loss, values)):
        graph.output(slope, f"slope{i}")
    return graph


def run(backend: str, graph: Graph, arrays: list[np.ndarray]) -> list[np.ndarray]:
    compiled = runtime(backend).compile(graph, device=None if backend == "numpy" else "cpu")
    return [np.asarray(compiled.to_numpy(r)) for r in compiled(*arrays)]


def rotated(z: Value, w: Value, x: Value) -> Value:
    """A layer with a filter over frequencies, as spectral networks have it, and what its numbers measure."""
    mixed = ops.exp(0.1 * (z @ w)) / (2.0 + ops.square(ops.conjugate(z @ w)))
    filtered = ops.irfft(ops.rfft(x) * ops.reduce_sum(mixed, axes=(0,)), size=8, norm="backward")
    turned = ops.fft(mixed, axes=(1, 0), norm="ortho") - ops.reduce_mean(mixed)
    return ops.reduce_sum(ops.square(filtered)) + ops.reduce_sum(ops.complex_absolute(turned) * ops.angle(1j + turned))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_formula_and_its_gradients(backend: str) -> None:
    generator = np.random.default_rng(5)
    shapes: Any = (((3, 4), np.complex64), ((4, 5), np.complex64), ((2, 8), np.float32))
    arrays = [drawn(generator, shape, dtype) for shape, dtype in shapes]
    graph = differentiated(rotated, arrays)
    right = run_reference(widen(graph), arrays)
    for port, found, truth in zip(graph.outputs, run(backend, graph, arrays), right, strict=True):
        assert found.dtype == port.value.dtype.numpy, port.path
        largest = np.max(np.abs(truth))
        assert largest > 0.1
        np.testing.assert_allclose(found, truth, rtol=0, atol=3e-6 * largest, err_msg=port.path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_G26_the_square_of_a_length(backend: str) -> None:
    """JAX's own gradient is the conjugate, 2-4j; what isograd prints for JAX has the gradient of all backends."""
    arrays = [np.asarray([1 + 2j, -3j], np.complex64)]
    graph = differentiated(lambda z: ops.reduce_sum(ops.square(ops.complex_absolute(z))), arrays)
    np.testing.assert_allclose(run(backend, graph, arrays)[1], [2 + 4j, -6j], rtol=1e-6)
