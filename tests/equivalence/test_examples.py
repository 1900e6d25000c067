"""The examples, trained on every backend: within what perturbed float64 runs allow."""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isograd
from isograd.backends import installed
from isograd.equivalence import Report
from isograd.equivalence.expected import RUNS, Expected, spread_of
from isograd.equivalence.judge import loss_curve
from isograd.equivalence.reference import Noise, Reference, Replica
from isograd.frontends.data import load_data
from isograd.frontends.spec import read_spec, spec_data
from isograd.ir.types import float32

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
STEPS = {"logistic_regression": 200, "digits": 200, "convnet": 200, "encoder": 2, "transformer": 5}  # else 10


def trained(name: str, steps: int) -> Report:
    spec = read_spec(EXAMPLES / f"{name}.yaml")
    settings = spec.training
    return isograd.compare(
        isograd.from_spec(spec),
        data=spec_data(spec),
        steps=steps,
        batch_size=settings["batch_size"],
        seed=settings["seed"],
        backends=installed(),
    )


def same(report: Report) -> None:
    assert report.ok, report
    correct = [row.right for row in report.rows if row.right is not None]
    assert max(correct, default=0) - min(correct, default=0) <= 1, report.table


@pytest.mark.parametrize("name", NAMES)
def test_examples_train_to_the_same_numbers(name: str) -> None:
    same(trained(name, STEPS.get(name, 10)))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if STEPS.get(name) != 200])
def test_examples_train_to_the_same_numbers_for_all_their_steps(name: str) -> None:
    steps = read_spec(EXAMPLES / f"{name}.yaml").training["steps"]
    report = trained(name, steps)
    same(report)
    assert report.curve.losses[-1] < report.curve.losses[0]


def test_sequences_of_several_lengths_train_to_the_same_numbers() -> None:
    """Rows cut off the digits, each batch of another length; tested on whole digits."""
    digits = load_data("digits")
    parts = [slice(i * 32, i * 32 + 32) for i in range(6)]
    cut = [(digits.x[part, : 8 - i % 3], digits.y[part]) for i, part in enumerate(parts)]
    report = isograd.compare(
        isograd.from_spec(EXAMPLES / "lstm.yaml"), data=cut, test_data=(digits.x_test, digits.y_test), steps=6,
        backends=installed(),
    )  # fmt: skip
    same(report)
    assert report.tested == 360


@pytest.mark.parametrize("bound", [None, 3])
def test_a_loop_that_ends_when_data_says(bound: int | None) -> None:
    """Where the loop ends at once, after an iteration, after many, or at its bound; and its gradient."""
    shrink = runpy.run_path(str(EXAMPLES / "while_loop.py"))["shrink"]
    model = isograd.grad(shrink(bound), of="total", wrt="x") if bound else shrink()
    for x in ([0.1, 0.2, -3.0], [0.5, 1.5, -0.3], [9.0, 9.0, 9.0]):
        report = isograd.compare(model, inputs=np.array(x, np.float32), backends=installed())
        assert report.ok, report


def test_the_gradient_of_a_loop_is_that_of_its_iterations() -> None:
    shrink = runpy.run_path(str(EXAMPLES / "while_loop.py"))["shrink"]
    slope = isograd.grad(shrink(20), of="total", wrt="x").compile("numpy")
    x = np.array([0.5, 1.5, -0.3], np.float32)
    expected, y = np.ones(3), x.astype(float)
    while y.sum() > 1:
        y = np.tanh(y)
        expected *= 1 - y**2
    np.testing.assert_allclose(slope(x), expected, rtol=1e-5)


PAIR_STEPS = 20


@cache
def pair() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / "adversarial.py"))


def replica(model: isograd.Model, noise: Noise | None) -> Any:
    """A player that is a float64 reference, perturbed where there is noise."""
    step = isograd.training_step(model)
    held = Replica(Reference(step.training), step.arrays(step.training), noise)

    def take(*inputs: np.ndarray) -> float:
        return float(held(*(np.asarray(a, np.float64) for a in inputs))[0])

    return take, lambda: [held.held["parameter", name] for name in model.parameters]


@cache
def expected_losses() -> Sequence[Expected]:
    """Of the pair in float64, and how far five perturbed pairs spread."""
    example, runs = pair(), []
    for seed in (None, *range(RUNS)):
        noises = [None if seed is None else Noise(seed * 2 + i) for i in range(2)]
        players = [replica(example[m], n) for m, n in zip(("GENERATOR", "DISCRIMINATOR"), noises, strict=True)]
        runs.append(np.array(example["play"](*players, PAIR_STEPS)))
    return [Expected(float32, losses[0], spread_of(losses[0], list(losses[1:]))) for losses in np.stack(runs, axis=1)]


@pytest.mark.parametrize("backend", installed())
def test_a_pair_of_recipes_trains_to_the_same_numbers(backend: str) -> None:
    example, expected = pair(), expected_losses()
    players = [example["player"](example[m], backend) for m in ("GENERATOR", "DISCRIMINATOR")]
    losses = example["play"](*players, PAIR_STEPS)
    verdict = loss_curve(losses, expected)
    assert verdict.outcome == "same", verdict
    assert len(set(losses)) == 2 * PAIR_STEPS


def test_a_pair_that_differs_is_caught() -> None:
    """One learning rate a thousandth larger."""
    example = pair()
    model = example["GENERATOR"]
    other = model.with_recipe(
        isograd.Recipe(model.recipe.loss, isograd.Optimizer("adam", {"learning_rate": 0.005005, "beta_1": 0.5}))
    )
    players = [replica(other, None), replica(example["DISCRIMINATOR"], None)]
    losses = example["play"](*players, PAIR_STEPS)
    verdict = loss_curve(losses, expected_losses())
    assert verdict.outcome == "differs"
