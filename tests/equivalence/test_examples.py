"""The examples, 200 steps on every backend: within what perturbed float64 runs allow, and to one test image."""

from __future__ import annotations

from pathlib import Path

import pytest

import isograd
from isograd.backends import installed
from isograd.frontends.spec import read_spec, spec_data

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["logistic_regression", "digits", "convnet"])
def test_examples_train_to_the_same_numbers(name: str) -> None:
    spec = read_spec(EXAMPLES / f"{name}.yaml")
    settings = spec.training
    report = isograd.compare(
        isograd.from_spec(spec),
        data=spec_data(spec),
        steps=200,
        batch_size=settings["batch_size"],
        seed=settings["seed"],
        backends=installed(),
    )
    assert report.ok, report.table
    correct = [row.right for row in report.rows]
    assert max(correct) - min(correct) <= 1, report.table
