"""Layers by hand, where Keras has none or a formula says more; `test_keras.py` compares the rest with Keras."""

import numpy as np
import pytest

from isograd.frontends.spec import from_spec
from isograd.frontends.spec.layers import FAMILIES, LAYERS
from isograd.ir.dims import floor_div, symbol
from isograd.ir.ops.windows import same_padding

X = np.array([[1.0, -2.0, 0.5, 4.0], [-0.5, 3.0, 0.0, -1.0]], np.float32)


def test_maxout(run):
    model = from_spec({"input": "float32[N, 4]", "layers": [{"maxout": {"units": 3, "pieces": 2}}]})
    kernel, bias = model.parameters["maxout.kernel"], np.arange(6, dtype=np.float32)
    assert kernel.shape == (4, 6)
    pieces = (X @ kernel + bias).reshape(2, 3, 2)  # unit u owns columns 2 u and 2 u + 1
    np.testing.assert_allclose(run(model.with_arrays({"maxout.bias": bias}, {}), X), pieces.max(-1), rtol=1e-6)


def test_activations_that_keras_lacks(layer):
    np.testing.assert_allclose(layer("arctan", X), np.arctan(X), rtol=1e-6)
    assert np.array_equal(layer("step", X), (X > 0).astype(np.float32))


SLOPED = [
    {"leaky_relu": 0.1},
    {"LeakyReLU": {"negative_slope": 0.1}},
    {"activation": {"activation": {"leaky_relu": 0.1}}},
    {"relu": {"negative_slope": 0.1}},
]


@pytest.mark.parametrize("use", SLOPED)
def test_one_activation_in_several_words(use, layer):
    np.testing.assert_allclose(layer(use, X), np.where(X > 0, X, 0.1 * X), rtol=1e-6)


def test_batch_normalization_by_hand(run_all):
    model = from_spec({"input": "float32[N, 4]", "layers": [{"batch_normalization": {"momentum": 0.9}}]})
    state = {"batch_normalization.moving_mean": X[0], "batch_normalization.moving_variance": np.abs(X[1]) + 1}
    results = run_all(model.with_arrays({}, state), X, mode="training")
    mean, variance = X.mean(0), X.var(0)
    y = results["output", "batch_normalization"]
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-5)
    for name, new in (("moving_mean", mean), ("moving_variance", variance)):
        path = f"batch_normalization.{name}"
        np.testing.assert_allclose(results["state", path], 0.9 * state[path] + 0.1 * new, rtol=1e-5)
    inference = run_all(model.with_arrays({}, state), X)
    expected = (X - X[0]) / np.sqrt(np.abs(X[1]) + 1 + 1e-3)
    np.testing.assert_allclose(inference["output", "batch_normalization"], expected, rtol=1e-5)
    assert list(inference) == [("output", "batch_normalization")]
    assert model.state["batch_normalization.moving_variance"].tolist() == [1.0] * 4


def test_the_padding_of_same_is_that_of_tensorflow():
    for size in range(1, 12):
        for span in range(1, 6):
            for stride in range(1, 6):
                out = -(-size // stride)
                total = max((out - 1) * stride + span - size, 0)
                assert same_padding(size, span, stride) == (total // 2, total - total // 2)


def test_the_padding_of_same_with_a_free_size():
    n = symbol("N")
    before, after = same_padding(n, 3, 2)
    assert before == floor_div(2 * floor_div(n + 1, 2) + 1 - n, 2)
    assert same_padding(n, 3, 1) == (1, 1)
    assert same_padding(n, 1, 4) == (0, 0)
    assert str(before + after) == str(2 * floor_div(n + 1, 2) + 1 - n)


def test_every_layer_has_a_snake_case_name_and_the_one_of_keras():
    rows = LAYERS.rows
    assert len({row.kind for row in rows}) == len(rows)
    assert sum(len(family.LAYERS) for family in FAMILIES) == len(rows)
    names = [name for row in rows for name in (row.kind, *row.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", LAYERS.rows, ids=lambda row: row.kind)
def test_a_main_option_is_an_option(row):
    assert row.main is None or row.main in row.model_fields
