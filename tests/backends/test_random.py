"""Random numbers: the same bits on every Python backend, for any key and counter."""

from __future__ import annotations

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.ops.random import random_bits
from isograd.ir.types import float32, uint32

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow") if is_installed(b)]
KEYS = (0x548C9DEC_C8DED3B1, 0xC58EFD154CE32F6D, 2**64 - 1, 1, 2**63)
COUNTERS = (0, 2**32 - 5, 2**32, 2**33 + 7, 2**63 - 3, 2**64 - 9)
SHAPE = (3, 7)


def words(number: int) -> np.ndarray:
    return np.array([number & 0xFFFFFFFF, number >> 32], np.uint32)


def squares32(counter: int, key: int) -> int:
    """The published algorithm on Python's integers (Widynski, arXiv 2004.06278)."""
    mask = 2**64 - 1
    x = y = counter * key & mask
    z = (y + key) & mask
    for addend in (y, z, y):
        x = (x * x + addend) & mask
        x = (x >> 32) | (x << 32) & mask
    return ((x * x + z) & mask) >> 32


@pytest.mark.parametrize("key", KEYS, ids=hex)
def test_the_reference_is_the_published_algorithm(key: int) -> None:
    for counter in COUNTERS:
        expected = [squares32((counter + i) % 2**64, key) for i in range(21)]
        assert random_bits(words(key), words(counter), (21,)).tolist() == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_bits_are_the_same_everywhere(backend: str) -> None:
    graph, arrays = Graph("random"), []
    for k, (key, counter) in enumerate((key, counter) for key in KEYS for counter in COUNTERS):
        arrays += [words(key), words(counter)]
        given = [graph.input(f"{name}{k}", TensorType(uint32, (2,))) for name in ("key", "counter")]
        for rate in (0.0, 0.3, 1.0):
            graph.output(graph.apply(ops.random_mask, *given, shape=SHAPE, rate=rate), f"mask{k}_{rate}")
        graph.output(graph.apply(ops.random_uniform, *given, shape=SHAPE), f"uniform{k}")
        for amount in (0, 5, 2**32 + 1):
            graph.output(ops.advance_counter(given[1], amount=amount), f"counter{k}_{amount}")
    program = runtime(backend).compile(graph, device="cpu")
    for port, found, right in zip(graph.outputs, program(*arrays), run_reference(graph, arrays), strict=True):
        result = program.to_numpy(found)
        assert result.dtype == right.dtype
        np.testing.assert_array_equal(result, right, err_msg=port.path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_dropout_of_an_unknown_batch(backend: str) -> None:
    """The counter moves on by as many numbers as were drawn, which nobody knows when the code is printed."""
    graph = Graph("dropout")
    x = graph.input("x", TensorType(float32, (symbol("N"), 5)))
    key, counter = (graph.input(name, TensorType(uint32, (2,))) for name in ("key", "counter"))
    graph.output(ops.dropout(x, key, counter, rate=0.4), "y")
    graph.output(ops.advance_counter(counter, amount=symbol("N") * 5), "next")
    program = runtime(backend).compile(graph, device="cpu")
    for n in (4, 9):
        arrays = [np.ones((n, 5), np.float32), words(KEYS[0]), words(2**32 - 6)]
        for found, right in zip(program(*arrays), run_reference(graph, arrays), strict=True):
            np.testing.assert_allclose(program.to_numpy(found), right, rtol=1e-7)
