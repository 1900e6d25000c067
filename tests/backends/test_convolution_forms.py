"""Transposed convolutions as frameworks pad them (P5, P6 of `NUMERICS.md`), on every Python backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.ops.windows import ceil_padding, transposed_same, transposed_valid
from isograd.ir.types import dtype_of

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
GENERATOR = np.random.default_rng(5)


def computed(backend: str, function: Any, *arrays: np.ndarray) -> np.ndarray:
    graph = Graph()
    values = [graph.input(f"x{i}", TensorType(dtype_of(a.dtype), a.shape)) for i, a in enumerate(arrays)]
    graph.output(function(*values), "y")
    program = runtime(backend).compile(graph, device="cpu")
    return np.asarray(program.to_numpy(program(*arrays)[0]))


def random(*shape: int) -> np.ndarray:
    return GENERATOR.uniform(-1, 1, shape).astype(np.float32)


LINE = {"strides": (2,), "dilations": (1,), "layout": "NWC", "filter_layout": "WIO"}


@pytest.mark.parametrize(
    ("cut", "right"),
    [
        (transposed_same(3, 2), [1, 10, 102, 20, 203, 30]),
        (transposed_same(3, 2, upper=False), [10, 102, 20, 203, 30, 300]),
        (transposed_valid(3, 2), [1, 10, 102, 20, 203, 30, 300]),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_p5_what_is_cut(backend: str, cut: tuple[int, int], right: list[float]) -> None:
    x, w = np.array([1, 2, 3], np.float32).reshape(1, 3, 1), np.array([1, 10, 100], np.float32).reshape(3, 1, 1)
    found = computed(backend, lambda x, w: ops.conv_transpose(x, w, padding=(cut,), **LINE), x, w)
    assert found.ravel().tolist() == right


@pytest.mark.parametrize("backend", BACKENDS)
def test_p6_the_channels_of_a_depthwise_convolution_keep_their_outputs_together(backend: str) -> None:
    x, w = random(1, 1, 1, 3), random(1, 1, 3, 2)
    windows = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilations": (1, 1)}
    found = computed(backend, lambda x, w: ops.depthwise_conv(x, w, **windows), x, w)
    np.testing.assert_allclose(found.ravel(), (x.reshape(3, 1) * w.reshape(3, 2)).ravel(), rtol=1e-6)


CASES = [(k, s, d, p, extra) for k in (2, 3, 5) for s, d in ((1, 1), (2, 1), (3, 1), (1, 2)) for p in (0, 1)
         for extra in (0, 1) if extra < max(s, d) and (k - 1) * d >= 2 * p]  # fmt: skip


def test_pytorch_cuts_as_its_padding_says() -> None:
    torch = pytest.importorskip("torch")
    for kernel, stride, dilation, padding, extra in CASES:
        x, w = random(1, 2, 4), random(2, 3, kernel)
        right = torch.nn.functional.conv_transpose1d(
            torch.tensor(x), torch.tensor(w), None, stride, padding, extra, 1, dilation
        )
        a: Any = {"strides": (stride,), "dilations": (dilation,), "layout": "NCW", "filter_layout": "OIW"}
        cut = ((padding, padding - extra),)
        found = computed("numpy", lambda x, w, cut=cut, a=a: ops.conv_transpose(x, w, padding=cut, **a), x, w)
        np.testing.assert_allclose(found, right.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", [transposed_same, transposed_valid])
def test_keras_cuts_as_its_padding_says(rule: Any) -> None:
    nn = pytest.importorskip("keras.src.backend.jax.nn")  # TensorFlow has no kernel for some
    padding = "same" if rule is transposed_same else "valid"
    for kernel, stride, dilation, _, extra in CASES:
        if stride > 1 and extra >= stride:
            continue
        given = None if extra == 0 else extra
        x, w = random(1, 4, 2), random(kernel, 3, 2)
        right = nn.conv_transpose(x, w, stride, padding, given, None, dilation)
        a: Any = {"strides": (stride,), "dilations": (dilation,), "layout": "NWC", "filter_layout": "WIO"}
        cut = (rule(kernel, stride, dilation, given),)
        found = computed("numpy", lambda x, w, cut=cut, a=a: ops.conv_transpose(x, w, padding=cut, **a), x, w)
        np.testing.assert_allclose(
            found, np.asarray(right), rtol=1e-4, atol=1e-6, err_msg=str((kernel, stride, dilation, extra))
        )


def test_p4_a_window_that_begins_in_the_padding_behind_is_dropped() -> None:
    torch = pytest.importorskip("torch")
    for size in range(3, 12):
        for kernel in (2, 3):
            for stride in (1, 2, 3):
                for padding in (0, 1):
                    pool = torch.nn.functional.max_pool1d(
                        torch.zeros(1, 1, size), kernel, stride, padding, ceil_mode=True
                    )
                    more = ceil_padding(size, kernel, stride, (padding, padding))
                    count = (size + 2 * padding + more - kernel) // stride + 1
                    assert count == pool.shape[-1], (size, kernel, stride, padding)
