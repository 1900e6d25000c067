"""Grids beside PyTorch's functions, which they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.evaluate import run_reference
from isograd.ir.types import float32


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_it_samples_as_pytorch_does(mode: str, padding: str, aligned: bool) -> None:
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(4)
    x = generator.uniform(-1, 1, (2, 3, 5, 6)).astype(np.float32)
    theta = generator.uniform(-1.5, 1.5, (2, 2, 3)).astype(np.float32)
    places = torch.nn.functional.affine_grid(torch.tensor(theta), (2, 3, 7, 4), align_corners=aligned)
    right = torch.nn.functional.grid_sample(torch.tensor(x), places, mode, padding, aligned)
    graph = Graph()
    image, maps = (graph.input(n, TensorType(float32, a.shape)) for n, a in (("x", x), ("theta", theta)))
    grid = ops.affine_grid(maps, sizes=(7, 4), align_corners=aligned)
    graph.output(grid, "grid")
    graph.output(ops.grid_sample(image, grid, mode=mode, padding=padding, align_corners=aligned), "y")
    found_grid, found = run_reference(graph, [x, theta])
    np.testing.assert_allclose(found_grid, places.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found, right.numpy(), rtol=1e-4, atol=1e-5)
