"""Training on every backend: the same numbers, the data in its forms, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models import CONVNET, PERCEPTRON, images, model

import isograd
from isograd.backends import installed

BACKENDS = installed()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spec", [PERCEPTRON, CONVNET], ids=lambda s: s["name"])
def test_losses_follow_numpy(spec: dict, backend: str) -> None:
    made = model(spec)
    expected = isograd.train(made, images(), backend="numpy", epochs=3, batch_size=16)
    found = isograd.train(made, images(), backend=backend, epochs=3, batch_size=16)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=2e-4)
    assert found.losses.shape == (9,)
    assert [m["steps"] for m in found.metrics] == [3, 3, 3]  # the short last batch is kept
    for name, array in expected.model.parameters.items():
        np.testing.assert_allclose(found.model.parameters[name], array, atol=2e-3, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": n, "options": o, "convention": c}
        for n, o in (
            ("sgd", {"learning_rate": 0.1}),
            ("sgd", {"learning_rate": 0.1, "momentum": 0.9}),
            ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
            ("sgd", {"learning_rate": 0.1, "weight_decay": 0.01}),
            ("adam", {"learning_rate": 0.01}),
        )
        for c in ("keras", "torch", "optax")
    ],
    ids=str,
)
def test_optimizers_in_each_convention(optimizer: dict, backend: str) -> None:
    given = isograd.Optimizer(**optimizer)
    expected = isograd.train(model(PERCEPTRON), images(), optimizer=given, backend="numpy", batch_size=8)
    found = isograd.train(model(PERCEPTRON), images(), optimizer=given, backend=backend, batch_size=8)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-4)


def test_training_lowers_the_loss_and_leaves_the_model_alone() -> None:
    made = model(PERCEPTRON)
    before = {k: v.copy() for k, v in made.parameters.items()}
    history = isograd.train(made, images(), backend="numpy", epochs=30)
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert all(np.array_equal(before[k], made.parameters[k]) for k in before)


def test_the_seed_orders_the_batches() -> None:
    runs = [isograd.train(model(PERCEPTRON), images(), backend="numpy", seed=s).losses for s in (0, 0, 1)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_data_by_name_as_batches_and_weighted() -> None:
    made, (x, y) = model(PERCEPTRON), images()
    plain = isograd.train(made, (x, y), backend="numpy", shuffle=False, batch_size=20).losses
    named = isograd.train(made, ({"image": x}, {"label": y}), backend="numpy", shuffle=False, batch_size=20).losses
    listed = isograd.train(made, [(x[:20], y[:20]), (x[20:], y[20:])], backend="numpy").losses
    weighted = isograd.train(made, (x, y, np.ones(40)), backend="numpy", shuffle=False, batch_size=20).losses
    assert np.array_equal(plain, named)
    assert np.array_equal(plain, listed)
    np.testing.assert_allclose(weighted, plain, rtol=1e-6)


def test_validation_data_is_scored_after_each_epoch() -> None:
    history = isograd.train(model(PERCEPTRON), images(), backend="numpy", epochs=2, validation_data=images())
    assert all(0 <= m["validation_accuracy"] <= 1 for m in history.metrics)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda x, y: (x[:5], y), "examples"),
        (lambda x, y: (x, y.astype(float)), "labels"),
        (lambda x, y: (x[:, :4], y), "axis 1"),
        (lambda x, y: ({"imaeg": x}, y), "image"),
        (lambda x, y: (x[:0], y[:0]), "no examples"),
    ],
)
def test_wrong_data_is_one_clear_error(data, words: str) -> None:
    with pytest.raises(isograd.IsogradError, match=words):
        isograd.train(model(PERCEPTRON), data(*images()), backend="numpy")


def test_a_model_without_recipe_says_what_is_missing() -> None:
    bare = isograd.from_spec({k: v for k, v in PERCEPTRON.items() if k not in ("loss", "optimizer", "metrics")})
    with pytest.raises(isograd.SpecError, match="loss"):
        isograd.train(bare, images(), backend="numpy")


def test_saving_and_loading(tmp_path: Path) -> None:
    history = isograd.train(model(CONVNET), images(), backend="numpy", epochs=1)
    history.model.save(tmp_path / "saved")
    loaded = isograd.load(tmp_path / "saved")
    assert str(loaded.inference) == str(history.model.inference)
    assert loaded.recipe == history.model.recipe
    np.testing.assert_array_equal(loaded.compile("numpy")(images()[0]), history.model.compile("numpy")(images()[0]))
    again = isograd.train(loaded, images(), backend="numpy", epochs=1).losses
    np.testing.assert_array_equal(again, isograd.train(history.model, images(), backend="numpy", epochs=1).losses)


def test_a_folder_of_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(isograd.SpecError, match="other files"):
        model(PERCEPTRON).save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
