"""Loss, optimizer, metrics, penalties, data and training settings."""

import numpy as np
import pytest

from isograd.frontends.spec import from_spec, read_spec, spec_data
from isograd.frontends.spec.optimizer import read_optimizer
from isograd.frontends.spec.options import OptionError
from isograd.frontends.spec.recipe import read_loss, read_metrics
from isograd.ir.model import Loss, Optimizer, Recipe, Regularizer, Schedule
from isograd.ir.training.losses import LOSSES, METRICS
from isograd.ir.training.optimizers import OPTIMIZERS

HEAD = {
    "input": "float32[N, 4]",
    "layers": [{"dense": {"units": 2, "kernel_regularizer": {"l2": 1e-4}, "bias_regularizer": "l1"}}],
}


def test_a_recipe():
    model = from_spec(HEAD | {
        "loss": {"binary_crossentropy": {"from_logits": True}}, "metrics": ["accuracy", "mse"],
        "optimizer": {"adam": {"learning_rate": 0.01, "convention": "torch"}}, "loss_weights": {"dense": 2},
    })  # fmt: skip
    assert model.recipe == Recipe(
        Loss("binary_crossentropy", {"from_logits": True}), Optimizer("adam", {"learning_rate": 0.01}, "torch"),
        ("accuracy", "mean_squared_error"), {"dense": 2.0},
        (Regularizer("dense.kernel", 0.0, 1e-4), Regularizer("dense.bias", 0.01, 0.0)),
    )  # fmt: skip


def test_a_loss_for_each_output():
    spec = {
        "input": "float32[N, 4]",
        "tensors": {"a": {"dense": 2, "of": "x"}, "b": {"dense": 3, "of": "x"}},
        "outputs": ["a", "b"],
        "loss": {"a": "mse", "b": {"sparse_categorical_crossentropy": {"from_logits": True}}},
        "optimizer": "sgd",
    }
    recipe = from_spec(spec).recipe
    assert recipe.loss == {
        "a": Loss("mean_squared_error"), "b": Loss("sparse_categorical_crossentropy", {"from_logits": True}),
    }  # fmt: skip


def test_a_penalty_on_a_free_parameter():
    model = from_spec({
        "input": "float32[N, 4]", "parameters": {"w": {"shape": [4, 1], "regularizer": {"l1": 0.5, "l2": 0.25}}},
        "tensors": {"y": "x @ w"}, "loss": "mae", "optimizer": "sgd",
    })  # fmt: skip
    assert model.recipe.regularizers == (Regularizer("w", 0.5, 0.25),)


def test_a_penalty_of_nothing_is_none():
    layer = {"dense": {"units": 1, "kernel_regularizer": {"l2": 0}}}
    model = from_spec({"input": "float32[N, 4]", "layers": [layer], "loss": "mse", "optimizer": "sgd"})
    assert model.recipe.regularizers == ()


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_of_the_library_can_be_named(name):
    assert read_loss({name: dict(LOSSES[name].options)}) == Loss(name, dict(LOSSES[name].options))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_of_the_library_can_be_named(name):
    for convention, defaults in OPTIMIZERS[name].defaults.items():
        found = read_optimizer({name: {**defaults, "convention": convention}})
        assert found == Optimizer(name, dict(defaults), convention)


def test_every_metric_of_the_library_can_be_named():
    assert read_metrics(list(METRICS)) == tuple(METRICS)
    assert read_metrics("accuracy") == ("accuracy",)


def test_data_and_settings(tmp_path):
    path = tmp_path / "model.yaml"
    train = "train: {epochs: 2, batch_size: 8}\n"
    path.write_text("seed: 3\ninput: float32[N, 2]\nlayers: [relu]\ndata: {name: npz, path: a.npz}\n" + train)
    arrays = {"x_train": np.ones((3, 2)), "y_train": np.ones(3), "x_test": np.ones((1, 2)), "y_test": np.ones(1)}
    np.savez(tmp_path / "a.npz", **arrays)
    spec = read_spec(path)
    assert spec.training == {"seed": 3, "epochs": 2, "batch_size": 8, "shuffle": True}
    assert (spec.train.epochs, spec.train.steps, spec.data.path) == (2, None, "a.npz")
    data = spec_data(spec)
    assert np.array_equal(data.x, arrays["x_train"])
    other = read_spec(
        {"input": "float32[N, 2]", "layers": ["relu"], "data": "digits", "train": {"steps": 5, "seed": 9}}
    )
    assert other.training == {"seed": 9, "steps": 5, "batch_size": 32, "shuffle": True}
    assert spec_data(other).name == "digits"
    assert spec_data(read_spec({"input": "float32[N, 2]", "layers": ["relu"]})) is None
    moved = read_spec(path.read_text(), base=tmp_path)
    assert np.array_equal(spec_data(moved).x, arrays["x_train"])


def test_an_optimizer_with_all_its_parts():
    found = read_optimizer({"adamw": {
        "learning_rate": 1, "convention": "torch", "amsgrad": True, "accumulate": 4, "clip": {"global_norm": 1},
        "schedule": {"warmup": {"steps": 5, "then": {"piecewise": {"boundaries": [3, 6], "values": [0.1, 0.01]}}}},
        "swa": {"start": 10}, "groups": {"*.bias": {"weight_decay": 0}},
    }})  # fmt: skip
    assert found == Optimizer(
        "adamw", {"learning_rate": 1.0, "amsgrad": True}, "torch",
        Schedule("warmup", {"steps": 5.0, "then": {"piecewise": {"boundaries": [3.0, 6.0], "values": [0.1, 0.01]}}}),
        {"global_norm": 1.0}, {"swa": {"start": 10}}, 4, {"*.bias": {"weight_decay": 0.0}},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ({"adam": {"accumulate": 0}}, ("adam", "accumulate"), "positive whole number"),
        ({"adam": {"clip": {"norms": 1}}}, ("adam", "clip", "norms"), "there are value, norm, global_norm"),
        ({"adam": {"clip": {"norm": 0}}}, ("adam", "clip", "norm"), "positive number"),
        ({"adam": {"schedule": "cosin"}}, ("adam", "schedule"), "did you mean 'cosine'"),
        ({"adam": {"schedule": {"cosine": {}}}}, ("adam", "schedule", "cosine"), "needs the option 'decay_steps'"),
        ({"adam": {"schedule": {"warmup": {"steps": 3, "then": "stpe"}}}}, ("adam", "schedule", "warmup", "then"),
         "did you mean 'step'"),
        ({"adam": {"schedule": {"one_cycle": {"total_steps": 3, "anneal": "cosine"}}}},
         ("adam", "schedule", "one_cycle", "anneal"), "'cos' or 'linear'"),
        ({"adam": {"ema": {"momentun": 1}}}, ("adam", "ema", "momentun"), "did you mean 'momentum'"),
        ({"adam": {"ema": {}, "swa": {}}}, ("adam", "swa"), "one average"),
        ({"adam": {"groups": {"*": {"beta1": 1}}}}, ("adam", "groups", "*", "beta1"), "did you mean 'beta_1'"),
        ({"radam": {"convention": "keras"}}, ("radam", "convention"), "'torch' or 'optax'"),
        ({"adam": {"shedule": {}}}, ("adam", "shedule"), "did you mean 'schedule'"),
    ],
    ids=str,
)  # fmt: skip
def test_errors_say_where(value, place, words):
    with pytest.raises(OptionError, match=words) as caught:
        read_optimizer(value)
    assert caught.value.place == place


@pytest.mark.parametrize("reduction", ["mean", "sum", "weighted_mean"])
def test_options_of_losses(reduction):
    options = {"reduction": reduction, "ignore_index": -1, "class_weights": [1, 2], "label_smoothing": 0.1}
    loss = read_loss({"sparse_categorical_crossentropy": options})
    assert loss.options == options
    with pytest.raises(OptionError, match="'mean' or 'weighted_mean' or 'sum'"):
        read_loss({"mse": {"reduction": "average"}})
    with pytest.raises(OptionError, match="a list of numbers"):
        read_loss({"categorical_crossentropy": {"class_weights": 2}})
