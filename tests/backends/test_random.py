"""Random numbers: published known answers, and the same bits on every backend for any generator, key and counter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isograd.backends import is_installed, runtime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.ops.generators import GENERATORS, philox, squares, threefry, threefry2x32
from isograd.ir.passes import widen
from isograd.ir.types import dtype_of, float32, uint32

BACKENDS = [b for b in ("numpy", "jax", "torch", "tensorflow", "onnxruntime") if is_installed(b)]
KEYS = (0x548C9DEC_C8DED3B1, 2**64 - 1, 1)
COUNTERS = (0, 2**32 - 5, 2**33 + 7, 2**63 - 3, 2**64 - 9)
SHAPE = (3, 7)
Array = np.ndarray


def words(number: int, count: int = 2) -> Array:
    return np.array([number >> 32 * i & 0xFFFFFFFF for i in range(count)], np.uint32)


def counter_words(counter: int, generator: str) -> Array:
    """Philox counts blocks of four on 128 bits: the same start, also below a carry into the high half."""
    return words(counter | (2**64 - 1) << 64, 4) if generator == "philox" else words(counter)


def hexadecimal(text: str) -> Array:
    return np.array([int(w, 16) for w in text.split()], np.uint32)


# Known answers


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
def test_squares_is_the_published_algorithm(key: int) -> None:
    for counter in COUNTERS:
        expected = [squares32((counter + i) % 2**64, key) for i in range(21)]
        assert squares(words(key), words(counter), 21).tolist() == expected


# the first numbers of the paper's example key, as independent implementations publish them
SQUARES = "36d88366 944716e0 c8a8f4e0 35cc666a 7094eab1 a2a1b6f5 d884957d e61f37b9 e4d45c47 b0dbd071"


def test_squares_gives_its_known_answers() -> None:
    np.testing.assert_array_equal(squares(words(0x548C9DECBCE65297), words(0), 10), hexadecimal(SQUARES))


# Random123, examples/kat_vectors (philox4x32 10 and threefry2x32 20), as Boost and others quote it: counter, key,
# result
PHILOX = (
    ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
)
THREEFRY = (
    ("0 0", "0 0", "6b200159 99ba4efe"),
    ("ffffffff ffffffff", "ffffffff ffffffff", "1cb996fc bb002be7"),
    ("243f6a88 85a308d3", "13198a2e 03707344", "c4923a9c 483df7a0"),
)


@pytest.mark.parametrize(("counter", "key", "result"), PHILOX)
def test_philox_gives_its_known_answers(counter: str, key: str, result: str) -> None:
    np.testing.assert_array_equal(philox(hexadecimal(key), hexadecimal(counter), 4), hexadecimal(result))


@pytest.mark.parametrize(("counter", "key", "result"), THREEFRY)
def test_threefry_gives_its_known_answers(counter: str, key: str, result: str) -> None:
    found = threefry2x32(hexadecimal(key), *hexadecimal(counter))
    np.testing.assert_array_equal(found, hexadecimal(result))


def test_philox_counts_over_128_bits() -> None:
    key, last = words(KEYS[0]), 2**128 - 1
    expected = np.concatenate([philox(key, words(c % 2**128, 4), 4) for c in (last - 1, last, last + 1)])
    np.testing.assert_array_equal(philox(key, words(last - 1, 4), 11), expected[:11])


# The libraries' own numbers

SEEDS = ((0, 0), (3, 5), (-7, 2**31 - 1), (2**31 - 1, -(2**31)))


@pytest.mark.skipif(not is_installed("tensorflow"), reason="TensorFlow is not installed")
@pytest.mark.parametrize("seed", SEEDS)
def test_philox_draws_what_tensorflow_draws(seed: tuple[int, int]) -> None:
    import tensorflow as tf

    graph = Graph("philox")
    seeded = ops.philox_source(graph.input("seed", TensorType(dtype_of("int32"), (2,))))
    graph.output(ops.random_bits(*seeded, shape=(5, 3), generator="philox"), "bits")
    graph.output(ops.random_uniform(*seeded, shape=(5, 3), generator="philox"), "uniform")
    graph.output(ops.random_mask(*seeded, shape=(5, 3), rate=0.3, generator="philox"), "mask")
    graph.output(ops.random_integers(*seeded, shape=(5, 3), low=-3, high=9, generator="philox"), "integers")
    bits, uniform, mask, integers = run_reference(graph, [np.array(seed, np.int32)])
    full = tf.random.stateless_uniform((5, 3), seed, minval=None, maxval=None, dtype=tf.uint32)
    np.testing.assert_array_equal(bits, full.numpy())
    np.testing.assert_array_equal(uniform, tf.random.stateless_uniform((5, 3), seed).numpy())
    whole = tf.random.stateless_uniform((5, 3), seed, minval=-3, maxval=9, dtype=tf.int32)
    np.testing.assert_array_equal(integers, whole.numpy())
    dropped = tf.nn.experimental.stateless_dropout(tf.ones((5, 3)), rate=0.3, seed=seed).numpy()
    np.testing.assert_array_equal(mask, dropped != 0)


@pytest.mark.skipif(not is_installed("jax"), reason="JAX is not installed")
@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1])
def test_threefry_draws_what_jax_draws(seed: int) -> None:
    import jax

    key = jax.random.key(seed)
    data, zero = np.asarray(jax.random.key_data(key)), np.zeros(2, np.uint32)
    np.testing.assert_array_equal(threefry(data, zero, 15).reshape(5, 3), jax.random.bits(key, (5, 3)))
    graph = Graph("threefry")
    source = [graph.input(name, TensorType(uint32, (2,))) for name in ("key", "counter")]
    graph.output(ops.random_uniform(*source, shape=(5, 3), generator="threefry"), "uniform")
    graph.output(ops.random_mask(*source, shape=(5, 3), rate=0.3, generator="threefry"), "mask")
    graph.output(ops.random_normal(*source, shape=(5, 3), generator="threefry"), "normal")
    graph.output(ops.random_split(source[0], count=3), "split")
    graph.output(ops.fold_in(source[0], graph.constant(11, uint32)), "folded")
    uniform, mask, normal, split, folded = run_reference(graph, [data, zero])
    np.testing.assert_array_equal(uniform, jax.random.uniform(key, (5, 3)))
    np.testing.assert_array_equal(mask, jax.random.bernoulli(key, 0.7, (5, 3)))
    np.testing.assert_allclose(normal, jax.random.normal(key, (5, 3)), rtol=1e-6)
    np.testing.assert_array_equal(split, jax.random.key_data(jax.random.split(key, 3)))
    np.testing.assert_array_equal(folded, jax.random.key_data(jax.random.fold_in(key, 11)))


# Every backend


def inverse_normals(key: Array, counter: Array) -> Array:
    """What float64 makes of threefry's uniforms, by the inverse error function."""
    graph = Graph("uniforms")
    source = [graph.input(n, TensorType(uint32, (2,))) for n in ("key", "counter")]
    uniform = ops.cast(ops.random_uniform(*source, shape=(100, 1000), generator="threefry"), dtype=dtype_of("float64"))
    x = uniform * 2.0 - float(1.0 - 2.0**-24)
    graph.output(ops.erfinv(x) * math.sqrt(2.0), "normals")
    return np.asarray(run_reference(graph, [key, counter])[0])


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_normals_agree_to_ulps(backend: str, generator: str) -> None:
    """Within 4 ulps of what float64 makes of the same bits; and they are normal.

    Threefry's are the inverse error function of one uniform, as JAX's are: of them float64's own is the truth.
    """
    graph, start = Graph("normals"), counter_words(2**32 - 5000, generator)
    source = [graph.input(n, TensorType(uint32, (s,))) for n, s in (("key", 2), ("counter", len(start)))]
    graph.output(ops.random_normal(*source, shape=(100, 1000), generator=generator), "normals")
    program = runtime(backend).compile(graph, device="cpu")
    arrays = [words(KEYS[0]), start]
    (found,) = program(*arrays)
    right = inverse_normals(*arrays) if generator == "threefry" else run_reference(widen(graph), arrays)[0]
    result = program.to_numpy(found).astype(np.float64)
    assert np.max(np.abs(result - right) / np.spacing(np.abs(right).astype(np.float32))) <= 4.0
    assert abs(right.mean()) < 0.02
    assert abs(right.std() - 1.0) < 0.02
    assert abs((right**4).mean() - 3.0) < 0.1


@pytest.mark.skipif(not is_installed("tensorflow"), reason="TensorFlow is not installed")
@pytest.mark.parametrize("shape", [(5, 3), (8,), ()])
def test_philox_normals_are_tensorflows(shape: tuple[int, ...]) -> None:
    import tensorflow as tf

    graph = Graph("normals")
    seeded = ops.philox_source(graph.input("seed", TensorType(dtype_of("int32"), (2,))))
    graph.output(ops.random_normal(*seeded, shape=shape, generator="philox"), "normals")
    (found,) = run_reference(graph, [np.array((3, 5), np.int32)])
    np.testing.assert_allclose(found, tf.random.stateless_normal(shape, (3, 5)).numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_drawn_of_a_free_size(backend: str) -> None:
    graph, n = Graph("noise"), symbol("N")
    x = graph.input("x", TensorType(float32, (n, 3)))
    source = [graph.input(name, TensorType(uint32, (2,))) for name in ("key", "counter")]
    graph.output(ops.random_normal(*source, shape=(n, 3)), "normals")
    graph.output(ops.random_categorical(x, *source), "chosen")
    graph.output(ops.random_permutation(*source, size=n), "order")
    graph.output(ops.alpha_dropout(x, *source, rate=0.25), "dropped")
    program = runtime(backend).compile(graph, device="cpu")
    for size in (4, 7):
        arrays = [np.linspace(-1, 1, size * 3, dtype=np.float32).reshape(size, 3), words(KEYS[0]), words(2**32 - 3)]
        for found, right in zip(program(*arrays), run_reference(graph, arrays), strict=True):
            np.testing.assert_allclose(program.to_numpy(found), right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_bits_are_the_same_everywhere(backend: str, generator: str) -> None:
    graph, arrays = Graph("random"), []
    for k, (key, counter) in enumerate((key, counter) for key in KEYS for counter in COUNTERS):
        given = [words(key), counter_words(counter, generator)]
        values = [
            graph.input(f"{n}{k}", TensorType(uint32, a.shape)) for n, a in zip(("key", "counter"), given, strict=True)
        ]
        arrays += given
        for rate in (0.0, 0.3, 0.9, 1.0):
            drawn = ops.random_mask(*values, shape=SHAPE, rate=rate, generator=generator)
            graph.output(drawn, f"mask{k}_{rate}")
        graph.output(ops.random_uniform(*values, shape=SHAPE, generator=generator), f"uniform{k}")
        graph.output(ops.random_bits(*values, shape=SHAPE, generator=generator), f"bits{k}")
    same_everywhere(backend, graph, arrays)


@pytest.mark.parametrize("backend", BACKENDS)
def test_counters_advance_alike(backend: str) -> None:
    graph = Graph("counters")
    for k, _ in enumerate(COUNTERS):
        counter = graph.input(f"counter{k}", TensorType(uint32, (2,)))
        for amount in (0, 5, 2**32 + 1):
            graph.output(ops.advance_counter(counter, amount=amount), f"counter{k}_{amount}")
    same_everywhere(backend, graph, [words(c) for c in COUNTERS])


def same_everywhere(backend: str, graph: Graph, arrays: list[Array]) -> None:
    program = runtime(backend).compile(graph, device="cpu")
    for port, found, right in zip(graph.outputs, program(*arrays), run_reference(graph, arrays), strict=True):
        result = program.to_numpy(found)
        assert result.dtype == right.dtype
        np.testing.assert_array_equal(result, right, err_msg=port.path)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_dropout_of_an_unknown_batch(backend: str, generator: str) -> None:
    """The counter moves on by as many numbers as were drawn, which nobody knows when the code is printed."""
    graph = Graph("dropout")
    x = graph.input("x", TensorType(float32, (symbol("N"), 5)))
    start = counter_words(2**32 - 6, generator)
    key, counter = (graph.input(n, TensorType(uint32, (s,))) for n, s in (("key", 2), ("counter", len(start))))
    graph.output(ops.dropout(x, key, counter, rate=0.4, generator=generator), "y")
    if generator != "philox":
        graph.output(ops.advance_counter(counter, amount=symbol("N") * 5), "next")
    program = runtime(backend).compile(graph, device="cpu")
    for n in (4, 9):
        arrays = [np.ones((n, 5), np.float32), words(KEYS[0]), start]
        for found, right in zip(program(*arrays), run_reference(graph, arrays), strict=True):
            np.testing.assert_allclose(program.to_numpy(found), right, rtol=1e-7)
