"""What PyTorch does in one call: fused where it may be, and with the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import backward
from isograd.ir.evaluate import run_reference
from isograd.ir.types import float32

pytestmark = pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
PLAIN = {"strides": (1, 1), "padding": ((0, 0), (1, 1)), "dilations": (1, 1)}
FIRST = {"layout": "NCHW", "filter_layout": "OIHW"}
POOL = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}


def given(graph: Graph, *shapes: tuple[int, ...]) -> list[Any]:
    return [graph.input(f"x{i}", TensorType(float32, s)) for i, s in enumerate(shapes)]


def source(graph: Graph) -> str:
    """The text that computes a graph, whose results are the reference's."""
    program = runtime("torch").compile(graph, device="cpu")
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=p.value.shape).astype(np.float32) for p in graph.inputs]
    for found, right in zip(program(*arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(program.to_numpy(found), right, rtol=1e-4, atol=1e-5)
    return program.source


@pytest.mark.parametrize("swapped", [False, True])
def test_a_bias_goes_into_its_convolution(swapped: bool) -> None:
    graph = Graph()
    x, w, b = given(graph, (2, 5, 6, 3), (3, 2, 3, 4), (4,))
    y = ops.conv(x, w, **PLAIN)
    graph.output(ops.relu(b + y if swapped else y + b), "y")
    assert "F.conv2d(x0.permute(0, 3, 1, 2), x1.permute(3, 2, 0, 1), x2, padding=(0, 1))" in source(graph)


def test_so_does_one_that_is_reshaped_for_channels_first() -> None:
    graph = Graph()
    x, w, b = given(graph, (2, 3, 5, 6), (4, 3, 3, 2), (4,))
    graph.output(ops.conv(x, w, **PLAIN, **FIRST) + ops.reshape(b, shape=(4, 1, 1)), "y")
    assert "F.conv2d(x0, x1, x2, padding=(0, 1))" in source(graph)


@pytest.mark.parametrize("shape", [(6,), (3, 6), (1, 1, 6), (4, 1, 6), (1,), ()])
def test_what_is_no_bias_stays(shape: tuple[int, ...]) -> None:
    graph = Graph()
    x, w, b = given(graph, (2, 3, 5, 5), (4, 3, 3, 2), shape)
    graph.output(ops.conv(x, w, **PLAIN, **FIRST) + b, "y")
    assert "x2, padding" not in source(graph)


def test_a_convolution_that_is_used_without_its_bias_stays() -> None:
    graph = Graph()
    x, w, b = given(graph, (2, 5, 6, 3), (3, 2, 3, 4), (4,))
    y = ops.conv(x, w, **PLAIN)
    graph.output(y + b, "y")
    graph.output(y, "plain")
    assert "x2, padding" not in source(graph)


def pooled(graph: Graph, shape: tuple[int, ...], **attributes: Any) -> Graph:
    (x,) = given(graph, shape)
    y = ops.max_pool(x, **attributes)
    graph.output(y, "y")
    (gradient,) = backward([y], [y * 2.0], [x])
    assert gradient is not None
    graph.output(gradient, "gradient")
    return graph


@pytest.mark.parametrize(
    "attributes", [POOL, {**POOL, "layout": "NCHW"}, {**POOL, "window": (3, 2), "padding": ((1, 1), (0, 0))}]
)
def test_a_pool_keeps_its_places_for_its_gradient(attributes: dict[str, Any]) -> None:
    text = source(pooled(Graph(), (2, 4, 6, 8), **attributes))
    assert text.count("max_pool2d(") == 1
    assert "return_indices=True" in text


def test_a_pool_that_pytorch_cannot_pad_does_not() -> None:
    assert text_of_uneven().count("F.max_pool2d(") == 1


def text_of_uneven() -> str:
    main = source(pooled(Graph(), (2, 4, 6, 8), **{**POOL, "padding": ((0, 1), (0, 0))}))
    return main[main.index("class Model") :]


def test_a_pool_without_gradient_does_not() -> None:
    graph = Graph()
    (x,) = given(graph, (2, 4, 6, 8))
    graph.output(ops.max_pool(x, **POOL), "y")
    assert "return_indices" not in source(graph)
