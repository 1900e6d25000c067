"""Padding by what lies at the border, and by less than nothing (P7-P9 of `NUMERICS.md`), on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.errors import TypeMismatchError
from isograd.ir.types import float32

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
X = np.arange(1, 13, dtype=np.float32).reshape(1, 2, 6)
MODES = ("reflect", "symmetric", "edge", "wrap")


def padded(backend: str, function: Any, shape: Any = X.shape) -> np.ndarray:
    graph = Graph()
    graph.output(function(graph.input("x", TensorType(float32, shape))), "y")
    program = runtime(backend).compile(graph, device="cpu")
    return np.asarray(program.to_numpy(program(X)[0]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_p9_modes(backend: str, mode: Any) -> None:
    right = np.pad(X, ((0, 0), (0, 0), (2, 3)), mode)
    for shape in (X.shape, (1, symbol("C"), symbol("T"))):
        found = padded(backend, lambda x: ops.pad_border(x, low=(0, 0, 2), high=(0, 0, 3), mode=mode), shape)
        np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("backend", BACKENDS)
def test_p8_negative_padding_cuts(backend: str) -> None:
    found = padded(backend, lambda x: ops.pad_or_crop(x, 0.5, (0, 1, -2), (0, -1, 1)))
    assert found.tolist() == [[[0.5] * 5, [3, 4, 5, 6, 0.5]]]


@pytest.mark.parametrize(("mode", "most"), [("reflect", 5), ("symmetric", 6), ("wrap", 6)])
def test_p7_what_is_not_there_cannot_be_repeated(mode: str, most: int) -> None:
    x = Graph().input("x", TensorType(float32, (6,)))
    assert ops.pad_border(x, low=(most,), high=(0,), mode=mode).shape == (6 + most,)
    with pytest.raises(TypeMismatchError):
        ops.pad_border(x, low=(most + 1,), high=(0,), mode=mode)
