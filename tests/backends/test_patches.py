"""Patches and pixel shuffles beside the functions of PyTorch and TensorFlow that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.evaluate import run_reference
from isograd.ir.types import dtype_of

GENERATOR = np.random.default_rng(2)


def image(*shape: int) -> np.ndarray:
    return GENERATOR.uniform(-1, 1, shape).astype(np.float32)


def check(right: Any, function: Any, x: np.ndarray) -> None:
    graph = Graph()
    graph.output(function(graph.input("x", TensorType(dtype_of(x.dtype), x.shape))), "y")
    found = np.asarray(run_reference(graph, [x])[0])
    np.testing.assert_allclose(found.reshape(np.shape(right)), np.asarray(right), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("window", "stride", "pad", "dilation"), [(2, 1, 0, 1), (3, 2, 1, 1), (2, 3, 1, 2)])
def test_unfold_and_fold(window: int, stride: int, pad: int, dilation: int) -> None:
    torch = pytest.importorskip("torch")
    x = image(2, 3, 7, 8)
    a: Any = {
        "window": (window, window), "strides": (stride, stride), "padding": ((pad, pad),) * 2,
        "dilations": (dilation, dilation), "layout": "NCHW",
    }  # fmt: skip
    columns = torch.nn.functional.unfold(torch.tensor(x), window, dilation, pad, stride)
    check(columns, lambda x: ops.patches(x, **a), x)
    right = torch.nn.functional.fold(columns, (7, 8), window, dilation, pad, stride)
    rows, lines = ((n + 2 * pad - (window - 1) * dilation - 1) // stride + 1 for n in (7, 8))
    check(right, lambda g: ops.from_patches(g, sizes=(7, 8), **a), columns.numpy().reshape(2, -1, rows, lines))


def test_extract_patches() -> None:
    tf = pytest.importorskip("tensorflow")
    x = image(2, 7, 8, 3)
    right = tf.image.extract_patches(x, (1, 3, 2, 1), (1, 2, 1, 1), (1, 1, 2, 1), "VALID")
    a: Any = {"window": (3, 2), "strides": (2, 1), "padding": ((0, 0), (0, 0)), "dilations": (1, 2)}
    check(right, lambda x: ops.patches(x, **a), x)


def test_shuffles_of_pytorch() -> None:
    functional = pytest.importorskip("torch").nn.functional
    torch = pytest.importorskip("torch")
    x = image(2, 12, 4, 6)
    given = torch.tensor(x)
    check(functional.pixel_shuffle(given, 2), lambda x: ops.depth_to_space(x, block=2, layout="NCHW"), x)
    check(functional.pixel_unshuffle(given, 2), lambda x: ops.space_to_depth(x, block=2, layout="NCHW"), x)
    check(functional.channel_shuffle(given, 3), lambda x: ops.channel_shuffle(x, groups=3, axis=1), x)


def test_blocks_of_tensorflow() -> None:
    tf = pytest.importorskip("tensorflow")
    x = image(12, 4, 6, 8)
    check(tf.nn.depth_to_space(x, 2), lambda x: ops.depth_to_space(x, block=2, blocks_first=True), x)
    check(tf.nn.space_to_depth(x, 2), lambda x: ops.space_to_depth(x, block=2, blocks_first=True), x)
    crops, padding = ((1, 0), (0, 2)), ((1, 1), (0, 3))
    check(tf.batch_to_space(x, (2, 3), crops), lambda x: ops.batch_to_space(x, blocks=(2, 3), crops=crops), x)
    check(tf.space_to_batch(x, (2, 3), padding), lambda x: ops.space_to_batch(x, blocks=(2, 3), padding=padding), x)
