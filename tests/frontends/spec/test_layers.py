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


def test_the_scale_of_rms_normalization_lies_along_its_axis(layer):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 7
    scale = np.array([1.0, 2.0, -1.0], np.float32)  # Keras multiplies the last axis, whatever the axis is
    found = layer({"rms_normalization": {"axis": 1}}, x, **{"y.scale": scale})
    wanted = x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-6) * scale[:, None]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_sparsemax_sums_to_one(layer):
    x = np.array([[1.0, 0.9, -2.0], [5.0, 0.0, 1.0]], np.float32)
    np.testing.assert_allclose(layer("sparsemax", x), [[0.55, 0.45, 0.0], [1.0, 0.0, 0.0]], rtol=1e-6)


def test_threshold(layer):
    use = {"threshold": {"threshold": 0.5, "default_value": -3.0}}
    np.testing.assert_array_equal(layer(use, X), np.where(X > 0.5, X, -3.0))
    np.testing.assert_array_equal(layer({"activation": {"activation": use}}, X), np.where(X > 0.5, X, -3.0))


def test_time_distributed(run):
    inner = {"conv1d": {"filters": 2, "kernel_size": 2}}
    model = from_spec({"input": "float32[N, T, 6, 3]", "layers": [{"time_distributed": {"layer": inner}}]})
    alone = from_spec({"input": "float32[N, 6, 3]", "layers": [inner]})
    assert list(model.parameters) == ["time_distributed.layer.kernel", "time_distributed.layer.bias"]
    x = np.random.default_rng(1).uniform(-1, 1, (2, 5, 6, 3)).astype(np.float32)
    kernel = {"conv1d.kernel": model.parameters["time_distributed.layer.kernel"]}
    wanted = [run(alone.with_arrays(kernel, {}), x[:, t]) for t in range(5)]
    np.testing.assert_allclose(run(model, x), np.stack(wanted, 1), rtol=1e-5, atol=1e-6)


def test_position_embedding(run):
    model = from_spec({"input": "float32[N, T, 4]", "layers": [{"position_embedding": 9}]})
    x = np.zeros((2, 5, 4), np.float32)
    table = model.parameters["position_embedding.embeddings"]
    assert table.shape == (9, 4)
    np.testing.assert_array_equal(run(model, x), np.broadcast_to(table[:5], x.shape))


def test_attention_to_oneself_and_the_beginning_of_its_kernels(run):
    options = {"num_heads": 2, "key_dim": 3, "use_bias": False}
    spec = {"input": "float32[N, T, 6]"}
    model = from_spec(spec | {"layers": [{"multi_head_attention": options}]})
    three = from_spec(spec | {"tensors": {"y": {"multi_head_attention": options, "of": ["x", "x", "x"]}}})
    x = np.random.default_rng(1).uniform(-1, 1, (2, 5, 6)).astype(np.float32)
    renamed = {path.replace("multi_head_attention", "y"): a for path, a in model.parameters.items()}
    np.testing.assert_array_equal(run(model, x), run(three.with_arrays(renamed, {}), x))
    kernel = model.parameters["multi_head_attention.query.kernel"]
    limit = np.sqrt(6 / (6 + 6))  # fans of features and of heads times their size
    assert kernel.shape == (6, 2, 3)
    assert 0.8 * limit < np.abs(kernel).max() <= limit


def test_attention_drops_weights_in_training(run_all):
    options = {"num_heads": 2, "key_dim": 3, "dropout": 0.5}
    model = from_spec({"input": "float32[N, T, 6]", "layers": [{"multi_head_attention": options}]})
    x = np.random.default_rng(1).uniform(-1, 1, (2, 5, 6)).astype(np.float32)
    trained = run_all(model, x, mode="training")
    assert trained["state", "random.counter"].tolist() == [2 * 2 * 5 * 5, 0]
    key = ("output", "multi_head_attention")
    assert not np.allclose(trained[key], run_all(model, x)[key])
    assert list(model.state) == ["multi_head_attention.dropout_key", "random.counter"]


NOISES = ["spatial_dropout1d", "gaussian_noise", "gaussian_dropout", "alpha_dropout"]


@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_for_training_alone(kind, run_all):
    model = from_spec({"input": "float32[N, 50, 20]", "layers": [{kind: 0.3}]})
    x = np.random.default_rng(1).normal(size=(4, 50, 20)).astype(np.float32)
    np.testing.assert_array_equal(run_all(model, x)["output", kind], x)
    found = run_all(model, x, mode="training")["output", kind]
    assert abs(found.mean() - x.mean()) < 0.1
    assert 0.9 < found.std() < 1.3
    ratio = found / x
    assert np.allclose(ratio, ratio[:, :1], rtol=1e-5) == (kind == "spatial_dropout1d")  # whole channels


@pytest.mark.parametrize(("kind", "shape", "axes"), [("spatial_dropout2d", (4, 5, 6, 30), (1, 2)),
                                                     ("spatial_dropout3d", (4, 2, 5, 6, 30), (1, 2, 3))])  # fmt: skip
def test_whole_channels_are_dropped(kind, shape, axes, run_all):
    x = np.ones(shape, np.float32)
    sizes = ", ".join(map(str, shape[1:]))
    found = run_all(from_spec({"input": f"float32[N, {sizes}]", "layers": [{kind: 0.5}]}), x, mode="training")
    y = found["output", kind]
    assert np.array_equal(y.min(axes), y.max(axes))
    assert set(np.unique(y)) == {0.0, 2.0}
