"""Steps that read or add up the gradients of all parameters: one line each, and the numbers of the reference."""

from __future__ import annotations

import numpy as np
import pytest
from encoder import Encoder
from forms import FORMS, form
from models import PERCEPTRON, images, model

import isograd
from isograd.backends import is_installed, runtime
from isograd.backends.export import PYTHON_TARGETS, source
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Optimizer

TARGETS = [t for t in PYTHON_TARGETS if is_installed(t)]
OPTIONS = {"clip": {"clip": {"global_norm": 0.1}}, "accumulate": {"accumulate": 3}}
UNUSED = {"one_layer_again_and_again", "part_of_a_list"}  # some parameters have no gradient: no line adds up all alike
LINE = 'gradients = {name: state[f"accumulated.{name}"] + g / 3.0 for name, g in gradients.items()}'


def made(name: str) -> tuple[isograd.Model, tuple[np.ndarray, ...]]:
    if name == "encoder":
        return Encoder(layers=2).model(), Encoder(layers=2).batch()
    if name == "perceptron":
        return model(PERCEPTRON), images(5)
    return form(name), tuple(np.random.default_rng(1).normal(size=(2, 5, 4)).astype(np.float32))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["encoder", "perceptron", *FORMS])
def test_a_clipped_sum_of_several_batches(name: str, target: str) -> None:
    """In the batch in which the update is due, with something kept of those before."""
    optimizer = Optimizer("adam", {"learning_rate": 0.01}, **OPTIONS["clip"], **OPTIONS["accumulate"])
    base, batch = made(name)
    step = isograd.training_step(base, optimizer=optimizer)
    generator = np.random.default_rng(2)
    kept = {k: generator.normal(size=a.shape) for k, a in step.state.items() if k.startswith("accumulated.")}
    arrays = {**step.arrays(step.training), **{("state", k): a.astype(np.float32) for k, a in kept.items()}}
    arrays["state", "optimizer.micro_step"] = np.asarray(2, np.int32)
    program = runtime(target).compile(step.training)
    program.load(arrays)
    program(*batch)
    found, given = program.arrays(), iter(batch)
    inputs = [next(given) if p.role == "input" else arrays[p.role, p.path] for p in step.training.inputs]
    for port, array in zip(step.training.outputs, run_reference(step.training, inputs), strict=True):
        if port.role in ("parameter", "state"):
            scale = float(np.abs(array).max(initial=0.0))
            np.testing.assert_allclose(
                found[port.role, port.path], array, rtol=0, atol=1e-3 * scale + 1e-8, err_msg=port.path
            )
    text = source(step, target, step.training)
    assert text.count(LINE) == (name not in UNUSED)
    assert text.count("gradients.values())") == 1


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("options", [OPTIONS["clip"], OPTIONS["accumulate"]], ids=list(OPTIONS))
def test_the_steps_of_twelve_blocks_stay_short(options: dict, target: str) -> None:
    step = isograd.training_step(Encoder().model(Optimizer("adam", {"learning_rate": 0.001}, **options)))
    assert len(source(step, target, step.training).splitlines()) <= 260
