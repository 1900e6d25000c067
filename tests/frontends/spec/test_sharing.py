"""Layers that are used twice with one set of arrays, arrays in formulas, and several results under names."""

import numpy as np
import pytest

from isograd.frontends.spec import from_spec

GENERATOR = np.random.default_rng(2)
X, Y = (GENERATOR.uniform(-1, 1, (3, 4)).astype(np.float32) for _ in range(2))
PAIR = {"x": "float32[N, 4]", "y": "float32[N, 4]"}


def test_a_shared_layer_has_one_set_of_parameters(run):
    tensors = {"a": {"dense": 5, "of": "x"}, "b": {"share": "a", "of": "y"}}
    model = from_spec({"input": PAIR, "tensors": tensors, "output": ["a", "b"]})
    assert list(model.parameters) == ["a.kernel", "a.bias"]
    a, b = run(model, X, Y)
    kernel = model.parameters["a.kernel"]
    np.testing.assert_allclose(a, X @ kernel, rtol=1e-6)
    np.testing.assert_allclose(b, Y @ kernel, rtol=1e-6)


def test_a_shared_block_and_one_that_shares_what_shares(run):
    blocks = {"tower": {"layers": [{"dense": 5}, "relu", {"dense": 4}]}}
    tensors = {
        "c": {"share": "b", "of": "b"},
        "a": {"tower": None, "of": "x"},
        "b": {"share": "a", "of": "a"},
    }
    model = from_spec({"input": {"x": PAIR["x"]}, "blocks": blocks, "tensors": tensors})
    assert list(model.parameters) == ["a.dense.kernel", "a.dense.bias", "a.dense_1.kernel", "a.dense_1.bias"]
    first, second = model.parameters["a.dense.kernel"], model.parameters["a.dense_1.kernel"]
    wanted = X
    for _ in range(3):
        wanted = np.maximum(wanted @ first, 0) @ second
    np.testing.assert_allclose(run(model, X), wanted, rtol=1e-5, atol=1e-6)


def test_a_layer_shared_in_a_chain_and_repeated(run):
    layers = [{"dense": 4}, {"share": "dense", "repeat": 2}, {"share": "dense"}]
    model = from_spec({"input": {"x": PAIR["x"]}, "layers": layers})
    assert list(model.parameters) == ["dense.kernel", "dense.bias"]
    wanted = X
    for _ in range(4):
        wanted = wanted @ model.parameters["dense.kernel"]
    np.testing.assert_allclose(run(model, X), wanted, rtol=1e-5, atol=1e-6)


def test_shared_averages_go_on_and_shared_penalties_count_once(run_all):
    layers = [{"batch_normalization": {"gamma_regularizer": "l2"}}, {"share": "batch_normalization"}]
    recipe = {"loss": "mse", "optimizer": "sgd"}
    model = from_spec({"input": {"x": PAIR["x"]}, "layers": layers} | recipe)
    assert len(model.recipe.regularizers) == 1
    found = run_all(model, X, mode="training")["state", "batch_normalization.moving_mean"]
    first = 0.01 * X.mean(0)  # the second batch has the mean 0
    np.testing.assert_allclose(found, 0.99 * first, rtol=1e-4, atol=1e-8)


def test_shared_dropout_draws_anew(run_all):
    tensors = {"a": {"dropout": 0.5, "of": "x"}, "b": {"share": "a", "of": "x"}}
    model = from_spec({"input": "float32[N, 64]", "tensors": tensors, "output": ["a", "b"]})
    found = run_all(model, np.ones((4, 64), np.float32), mode="training")
    assert not np.array_equal(found["output", "a"], found["output", "b"])
    assert list(model.state) == ["a.key", "random.counter"]


def test_a_layers_array_in_a_formula(run):
    tensors = {
        "vectors": {"embedding": {"input_dim": 7, "output_dim": 4}, "of": "words"},
        "logits": "vectors @ transpose(vectors.embeddings, axes=[1, 0])",
    }
    model = from_spec({"input": "int32[N, T]", "tensors": tensors} | {"input": {"words": "int32[N, T]"}})
    table = model.parameters["vectors.embeddings"]
    words = np.array([[1, 6, 2]], np.int32)
    np.testing.assert_allclose(run(model, words), table[words] @ table.T, rtol=1e-5, atol=1e-7)


def test_several_results_under_names(run):
    model = from_spec(
        {"input": "float32[N, 4]", "tensors": {"best, where": "top_k(x, k=2)"}, "output": ["where", "best"]}
    )
    where, best = run(model, X)
    np.testing.assert_array_equal(best, -np.sort(-X)[:, :2])
    np.testing.assert_array_equal(where, np.argsort(-X)[:, :2])
    model = from_spec({"input": "float32[N, 4]", "tensors": {"_, where": "top_k(x, k=2)"}})
    np.testing.assert_array_equal(run(model, X), where)


def test_a_block_of_several_results(run):
    blocks = {
        "halves": {
            "tensors": {"low": {"dense": 2, "of": "x"}, "high": {"dense": 3, "of": "x"}},
            "output": ["low", "high"],
        }
    }
    layers = [{"halves": None, "name": ["a", "b"]}, {"concatenate": {"of": ["b", "a"]}}]
    model = from_spec({"input": "float32[N, 4]", "blocks": blocks, "layers": layers})
    low, high = model.parameters["a.low.kernel"], model.parameters["a.high.kernel"]
    np.testing.assert_allclose(run(model, X), np.concatenate([X @ high, X @ low], -1), rtol=1e-6)


def test_a_loss_for_each_output_by_its_name():
    tensors = {"a": {"dense": 1, "of": "x"}, "b": {"dense": {"units": 1, "activation": "sigmoid"}, "of": ["y"]}}
    losses = {"a": "mse", "b": "binary_crossentropy"}
    recipe = {"output": ["a", "b"], "loss": losses, "loss_weights": {"b": 0.5}, "optimizer": "sgd"}
    model = from_spec({"input": PAIR, "tensors": tensors} | recipe)
    assert set(model.recipe.loss) == {"a", "b"}


MISTAKES = {
    "y: {share: h, of: x}": "spec:3: unknown layer 'h' to share; there is only y",
    "y: {share: y, of: x}": "spec:3: 'y' shares itself",
    "y: {share: [a], of: x}": 'spec:3: share takes the name of a layer, not ["a"]',
    "h: relu(x)\n  y: {share: h, of: x}": "spec:4: 'h' is a formula; share names a layer",
    "h: {dense: 3, of: x}\n  y: {share: h, of: h}": (
        "spec:4: dense 'y': the shared parameter h.kernel is f32[4, 3], and here it would be f32[3, 3]"
    ),
    "h: {dense: 3, of: x}\n  y: {share: h, of: [x, h]}": "spec:4: dense takes one tensor, but `of` names 2",
    "a, b: {dense: 3, of: x}\n  y: a + b": (
        "spec:3: dense gives 1 tensor here, and this names 2: give each a name, `_` where nothing needs it"
    ),
    "a, a: top_k(x, k=1)": "spec:3: the name 'a' is taken: spec:3",
    "h: {dense: 3, of: x}\n  y: h @ h.kernal": "spec:4: unknown parameter 'h.kernal'; did you mean 'h.kernel'?",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes(text, error):
    assert error(f"input: {{x: float32[N, 4]}}\ntensors:\n  {text}\n") == MISTAKES[text]
