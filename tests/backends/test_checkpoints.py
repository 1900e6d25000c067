"""Going on from a checkpoint, also on another backend; callbacks; averages; validation."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import CONVNET, PERCEPTRON, images, model

import isograd
from isograd.backends import installed, is_installed
from isograd.backends.checkpoint import write_whole
from isograd.ir.training.step import as_optimizer

BUSY = {
    "adam": {
        "learning_rate": 0.01,
        "weight_decay": 0.01,
        "clip": {"global_norm": 1.0},
        "ema": {"momentum": 0.9},
        "accumulate": 2,
        "schedule": {"warmup": {"steps": 2, "then": {"cosine": {"decay_steps": 20}}}},
        "groups": {"*.bias": {"weight_decay": 0.0}},
    }
}


def straight(spec: dict, optimizer: Any = None, steps: int = 10, **more: Any) -> isograd.History:
    return isograd.train(
        model(spec), images(), optimizer=optimizer, steps=steps, batch_size=16, **{"backend": "numpy", "seed": 3} | more
    )


@pytest.mark.parametrize("backend", installed())
def test_a_busy_step_is_the_same_everywhere(backend: str) -> None:
    expected, found = straight(PERCEPTRON, BUSY), straight(PERCEPTRON, BUSY, backend=backend)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=2e-4)
    for name, array in expected.averaged.parameters.items():
        np.testing.assert_allclose(found.averaged.parameters[name], array, atol=1e-3)


@pytest.mark.parametrize("spec", [PERCEPTRON, CONVNET], ids=lambda s: s["name"])
def test_half_and_half_is_the_whole_to_the_bit(spec: dict, tmp_path: Path) -> None:
    """Ten steps are over four epochs of three batches: the halves meet within an epoch."""
    whole, half = straight(spec, BUSY), straight(spec, BUSY, steps=5)
    isograd.save_checkpoint(half, tmp_path / "half.safetensors")
    for source in (half, half.checkpoint, tmp_path / "half.safetensors", str(tmp_path / "half.safetensors")):
        again = straight(spec, BUSY, resume=source, seed=99, shuffle=False)  # the order is the checkpoint's
        np.testing.assert_array_equal(again.losses, whole.losses)
        assert again.checkpoint.arrays.keys() == whole.checkpoint.arrays.keys()
        for key, array in whole.checkpoint.arrays.items():
            np.testing.assert_array_equal(again.checkpoint.arrays[key], array, err_msg=str(key))


@pytest.mark.skipif(not (is_installed("jax") and is_installed("onnxruntime")), reason="needs both")
def test_half_on_jax_half_on_onnx_runtime(tmp_path: Path) -> None:
    whole = straight(CONVNET, BUSY, backend="jax")
    isograd.save_checkpoint(straight(CONVNET, BUSY, steps=5, backend="jax"), tmp_path / "half")
    again = straight(CONVNET, BUSY, resume=tmp_path / "half", backend="onnxruntime")
    np.testing.assert_array_equal(again.losses[:5], whole.losses[:5])
    np.testing.assert_allclose(again.losses, whole.losses, rtol=2e-4)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run"
    isograd.save_checkpoint(straight(PERCEPTRON, steps=2), path)
    before = path.read_bytes()

    def fails(*given: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="full"):
        isograd.save_checkpoint(straight(PERCEPTRON, steps=3), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_what_is_no_checkpoint_or_of_another_model(tmp_path: Path) -> None:
    write_whole(tmp_path / "other", b"something else")
    with pytest.raises(isograd.SpecError, match="not a checkpoint"):
        isograd.load_checkpoint(tmp_path / "other")
    half = straight(PERCEPTRON, steps=2)
    with pytest.raises(isograd.SpecError, match="resume with the model"):
        straight(PERCEPTRON, {"adam": {}}, resume=half)
    with pytest.raises(isograd.SpecError, match="should be"):
        straight(CONVNET, resume=half)


def test_a_model_is_a_checkpoint_of_its_arrays(tmp_path: Path) -> None:
    made = model(CONVNET)
    isograd.save_checkpoint(made, tmp_path / "model")
    found = isograd.load_checkpoint(tmp_path / "model")
    assert {k for _, k in found.arrays} == {*made.parameters, *made.state}
    assert found.step == 0


def test_validation_is_loss_and_metrics_of_inference() -> None:
    history = straight(PERCEPTRON, steps=3, validation_data=images())
    x, y = images()
    p = history.model.compile("numpy")(x)
    assert history.metrics[-1]["validation_loss"] == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), rel=1e-5)
    assert history.metrics[-1]["validation_accuracy"] == np.mean(p.argmax(-1) == y)


def test_early_stopping_restores_the_best() -> None:
    stop = isograd.EarlyStopping(patience=1, restore_best=True)
    history = straight(PERCEPTRON, {"sgd": {"learning_rate": 3.0}}, None, epochs=30, validation_data=images(),
                       callbacks=[stop])  # fmt: skip
    values = [m["validation_loss"] for m in history.metrics]
    assert len(values) < 30
    assert stop.best == min(values)
    assert len(values) == stop.best_epoch + 3
    x, y = images()
    p = history.model.compile("numpy")(x)
    assert -np.log(np.maximum(p[np.arange(len(y)), y], 1e-7)).mean() == pytest.approx(stop.best, rel=1e-3)


def test_callbacks_hear_of_steps_and_epochs(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    table, kept = isograd.CSVLogger(tmp_path / "run.csv"), isograd.ModelCheckpoint(tmp_path / "step{step}", 4)
    best = isograd.ModelCheckpoint(tmp_path / "best", monitor="loss")
    straight(PERCEPTRON, steps=9, callbacks=[lambda p: heard.append((p.epoch, p.step)), table, kept, best])
    assert heard == [(i // 3, i + 1) for i in range(9)]
    rows = list(csv.DictReader((tmp_path / "run.csv").read_text().splitlines()))
    assert [r["epoch"] for r in rows] == ["0", "1", "2"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best", "run.csv", "step4", "step8"]
    assert isograd.load_checkpoint(tmp_path / "step4").batch == 1


def test_a_callback_may_stop_the_run_and_set_the_rate() -> None:
    def stop(progress: Any) -> None:
        if progress.step == 4:
            raise isograd.StopTraining

    assert len(straight(PERCEPTRON, callbacks=[stop]).losses) == 4
    still = straight(PERCEPTRON, {"sgd": {"schedule": "adjustable"}}, callbacks=[lambda p: p.set_learning_rate(0.0)])
    moved = straight(PERCEPTRON, {"sgd": {}}, steps=1)
    for name, array in moved.model.parameters.items():
        np.testing.assert_array_equal(still.model.parameters[name], array)  # the first step alone
    with pytest.raises(isograd.SpecError, match="adjustable"):
        straight(PERCEPTRON, callbacks=[lambda p: p.set_learning_rate(0.0)])
    slower = isograd.ReduceOnPlateau(0.0, patience=1, monitor="loss", least_rate=0.5)
    slower.best = 0.0
    straight(PERCEPTRON, {"sgd": {"schedule": "adjustable"}}, callbacks=[slower])
    assert slower.learning_rate == 0.5
    with pytest.raises(isograd.SpecError, match="validation_data"):
        straight(PERCEPTRON, callbacks=[isograd.EarlyStopping()])


def test_no_average_is_said() -> None:
    with pytest.raises(isograd.SpecError, match="ema"):
        _ = straight(PERCEPTRON, steps=1).averaged


def test_a_recipe_with_all_its_parts_is_saved(tmp_path: Path) -> None:
    recipe = isograd.Recipe(isograd.Loss("sparse_categorical_crossentropy"), as_optimizer(BUSY))
    model(PERCEPTRON).with_recipe(recipe).save(tmp_path / "saved")
    assert isograd.load(tmp_path / "saved").recipe == recipe
