"""Initial values: the same bits everywhere, each from the seed, the path and the index alone."""

import hashlib
import math

import numpy as np
import pytest

from isograd.frontends.spec import from_spec
from isograd.frontends.spec.initializers import CHUNK, INITIALIZERS, fans
from isograd.frontends.spec.stream import Stream, _cos_turn, _log, key_words, squares_key
from isograd.ir.evaluate import reference_of
from isograd.ir.ops import random_uniform
from isograd.ir.types import dtype_of, float32

INDEX = np.arange(200_000, dtype=np.uint64)


def draw(initializer, shape=(50, 40), seed=0, dtype=float32, path="dense.kernel"):
    return INITIALIZERS.read(initializer).draw(shape, dtype, Stream(seed, path))


# The first number, and a digest of 50 x 40 of them: whoever changes these changes every model that a spec declares.
GOLDEN = {
    "glorot_uniform": ("-0x1.4edaec0000000p-3", "d34e710d8b42eed0"),
    "he_normal": ("-0x1.229eee0000000p-2", "9e9c0703541a5358"),
    "random_normal": ("-0x1.ff466a0000000p-5", "29ab035765788d74"),
    "orthogonal": ("-0x1.29cb5c0000000p-3", "6d544626e9430138"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_bits_are_these(name):
    numbers = draw(name)
    assert (numbers[0, 0].item().hex(), hashlib.sha256(numbers.tobytes()).hexdigest()[:16]) == GOLDEN[name]


def test_uniforms_are_those_of_the_graph():
    ours = Stream(3, "a.b").uniform(np.arange(12, dtype=np.uint64))
    theirs = reference_of(random_uniform)(key_words(3, "a.b"), np.zeros(2, np.uint32), shape=(12,), generator="squares")
    assert np.array_equal(ours.astype(np.float32), theirs)


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal"])
def test_an_element_depends_on_its_index_alone(name):
    initializer = {"uniform": "random_uniform", "normal": "random_normal", "truncated_normal": "truncated_normal"}[name]
    options = {"minval": 0.0, "maxval": 1.0} if name == "uniform" else {"stddev": 1.0}
    whole = draw({initializer: options}, (2, CHUNK + 3)).ravel()
    some = np.array([0, 5, CHUNK, 2 * CHUNK + 5], np.uint64)
    alone = getattr(Stream(0, "dense.kernel"), name)(some)
    assert np.array_equal(whole[some], alone.astype(np.float32))


def test_another_layer_changes_no_other():
    head = {"input": "float32[N, 4]", "seed": 7}
    one = from_spec(head | {"layers": [{"dense": 3}, {"dense": {"units": 2, "name": "last"}}]})
    two = from_spec(
        head
        | {
            "layers": [
                {"dense": 3},
                "relu",
                {"dense": {"units": 3, "name": "new"}},
                {"dense": {"units": 2, "name": "last"}},
            ]
        }
    )
    for path in ("dense.kernel", "last.kernel"):
        assert np.array_equal(one.parameters[path], two.parameters[path])
        expected = draw("glorot_uniform", one.parameters[path].shape, 7, path=path)
        assert np.array_equal(one.parameters[path], expected)
    other = from_spec(head | {"seed": 8, "layers": [{"dense": 3}]})
    assert not np.array_equal(one.parameters["dense.kernel"], other.parameters["dense.kernel"])


def test_the_key_suits_squares():
    for seed in range(500):
        digits = f"{squares_key(seed, 'x'):016x}"
        high, low = digits[:8], digits[8:]
        assert "0" not in digits
        assert len(set(high)) == len(set(low)) == 8
        assert int(low[-1], 16) % 2 == 1
        assert high[-1] != low[0]
    assert len({squares_key(seed, path) for seed in range(200) for path in ("a", "b", "a.b")}) == 600


def test_logarithm_and_cosine_without_a_library():
    x = (np.random.default_rng(0).integers(0, 2**32, 100_000) + 1.0) * 2.0**-32
    np.testing.assert_allclose(_log(x), np.log(x), rtol=1e-15, atol=1e-17)
    np.testing.assert_allclose(_cos_turn(x), np.cos(2 * np.pi * x), rtol=0, atol=2e-15)
    assert [*_cos_turn(np.array([0.0, 0.25, 0.5, 0.75]))] == [1.0, 0.0, -1.0, 0.0]


def test_distributions():
    stream = Stream(0, "a")
    normal, cut, uniform = stream.normal(INDEX), stream.truncated_normal(INDEX), stream.uniform(INDEX)
    moments = [np.mean(normal**k) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.05)
    assert np.abs(cut).max() <= 2.0
    assert abs(cut.std() - 0.87962566) < 0.005
    assert 0.0 <= uniform.min() < 1e-4 < 1 - 1e-4 < uniform.max() < 1.0
    assert abs(np.corrcoef(normal[:-1], normal[1:])[0, 1]) < 0.01
    counts = np.histogram(uniform, 64)[0]
    assert ((counts - counts.mean()) ** 2).sum() / counts.mean() < 130  # chi squared, 63 degrees of freedom


@pytest.mark.parametrize(
    ("name", "scale", "fan"),
    [("glorot", 1.0, 45.0), ("he", 2.0, 50.0), ("lecun", 1.0, 50.0)],
)
def test_scaled_families(name, scale, fan):
    uniform, normal = draw(f"{name}_uniform"), draw(f"{name}_normal")
    limit = math.sqrt(3 * scale / fan)
    assert 0.99 * limit < np.abs(uniform).max() <= limit
    assert abs(normal.std() / math.sqrt(scale / fan) - 1) < 0.06
    assert np.abs(normal).max() <= 2 * math.sqrt(scale / fan) / 0.8796


def test_variance_scaling_options():
    wide = draw({"variance_scaling": {"mode": "fan_out", "distribution": "untruncated_normal", "scale": 4.0}})
    assert abs(wide.std() / math.sqrt(4.0 / 40) - 1) < 0.06
    assert np.abs(wide).max() > 2 * math.sqrt(4.0 / 40)


def test_plain_initializers():
    assert np.array_equal(draw("zeros", (2, 3)), np.zeros((2, 3), np.float32))
    assert np.array_equal(draw("ones", (2, 3)), np.ones((2, 3), np.float32))
    assert np.array_equal(draw({"constant": 0.25}, (2,)), np.full(2, 0.25, np.float32))
    assert np.array_equal(draw({"identity": 2.0}, (2, 3)), 2 * np.eye(2, 3, dtype=np.float32))
    shifted = draw({"random_uniform": {"minval": 2.0, "maxval": 3.0}})
    assert (shifted.min() >= 2.0) & (shifted.max() <= 3.0)
    assert abs(draw({"random_normal": {"mean": 5.0, "stddev": 0.1}}).mean() - 5.0) < 0.01


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 5)])
def test_orthogonal(shape):
    matrix = draw({"orthogonal": {"gain": 2.0}}, shape).reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4.0 * np.eye(min(matrix.shape)), atol=1e-6)


def test_fans():
    assert [fans(s) for s in ((), (7,), (3, 5), (3, 3, 16, 32))] == [(1, 1), (7, 7), (3, 5), (144, 288)]


def test_the_element_type_is_rounded_to_once():
    wide, narrow = (draw("random_normal", dtype=dtype_of(d)) for d in ("float64", "float16"))
    assert (wide.dtype, narrow.dtype) == (np.float64, np.float16)
    assert np.array_equal(wide.astype(np.float16), narrow)
    assert np.array_equal(wide.astype(np.float32), draw("random_normal"))
