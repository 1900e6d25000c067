"""Dropout: a key for each layer, one counter for all, and nothing at all in inference."""

import numpy as np

from isograd.frontends.spec import from_spec
from isograd.frontends.spec.stream import key_words
from isograd.ir.ops.generators import squares

X = np.random.default_rng(0).uniform(0.5, 1.0, (3, 4)).astype(np.float32)
SPEC = {
    "seed": 5,
    "input": "float32[N, 4]",
    "layers": [{"dropout": 0.25}, {"dense": 6}, {"Dropout": {"rate": 0.5, "name": "second"}}],
}


def kept(key, counter, shape, rate):
    return squares(key, np.array([counter, 0], np.uint32), int(np.prod(shape))).reshape(shape) >= np.uint64(
        round(rate * 2**32)
    )


def test_training_drops_by_the_key_and_the_counter(run_all):
    model = from_spec(SPEC)
    results = run_all(model.with_arrays({}, {"random.counter": np.array([100, 0], np.uint32)}), X, mode="training")
    first = np.where(kept(key_words(5, "dropout.key"), 100, (3, 4), 0.25), X / 0.75, 0)
    hidden = first @ model.parameters["dense.kernel"]
    second = np.where(kept(key_words(5, "second.key"), 100 + 12, (3, 6), 0.5), hidden / 0.5, 0)
    np.testing.assert_allclose(results["output", "second"], second, rtol=1e-5, atol=1e-6)
    assert 0 < (results["output", "second"] == 0).sum() < 18
    assert results["state", "random.counter"].tolist() == [100 + 12 + 18, 0]
    assert [path for role, path in results if role == "state"] == ["random.counter"]


def test_the_state():
    model = from_spec(SPEC)
    assert {k: (v.dtype.name, v.tolist()) for k, v in model.state.items()} == {
        "dropout.key": ("uint32", key_words(5, "dropout.key").tolist()),
        "random.counter": ("uint32", [0, 0]),
        "second.key": ("uint32", key_words(5, "second.key").tolist()),
    }
    assert model.state["dropout.key"].tolist() != model.state["second.key"].tolist()
    assert from_spec(SPEC | {"seed": 6}).state["dropout.key"].tolist() != model.state["dropout.key"].tolist()
    ports = [(p.path, str(p.value.type)) for p in model.training.ports("state")]
    assert ports == [("dropout.key", "u32[2]"), ("random.counter", "u32[2]"), ("second.key", "u32[2]")]


def test_inference_drops_nothing(run):
    model = from_spec(SPEC)
    assert model.inference.ports("state") == []
    np.testing.assert_allclose(run(model, X), X @ model.parameters["dense.kernel"], rtol=1e-5)


def test_rates_at_the_ends(run_all):
    for rate, expected in ((0.0, X), (1.0, 0 * X)):
        model = from_spec({"input": "float32[N, 4]", "layers": [{"dropout": rate}]})
        results = run_all(model, X, mode="training")
        assert np.array_equal(results["output", "dropout"], expected)
    assert from_spec({"input": "float32[N, 4]", "layers": [{"dropout": 0}]}).state == {}
