"""Schedules against those of Keras, PyTorch and Optax; clipping against theirs; averages and accumulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isograd.backends import is_installed
from isograd.ir import Graph, TensorType
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Schedule
from isograd.ir.training.averaging import average_rule
from isograd.ir.training.clipping import clip_factor
from isograd.ir.training.schedules import SCHEDULES, as_schedule, scheduled_rate
from isograd.ir.types import float32

COUNTS = range(40)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


def ours(name: str, options: dict[str, Any], rate: float = 0.1) -> list[float]:
    graph = Graph("schedule")
    count = graph.input("count", TensorType(float32, ()))
    graph.output(scheduled_rate(Schedule(name, options), count, rate), "rate")
    return [float(run_reference(graph, [np.float32(c)])[0]) for c in COUNTS]


KERAS = [
    ("exponential", {"decay_steps": 7, "decay_rate": 0.5}, "ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("exponential", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}, "ExponentialDecay",
     {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("inverse_time", {"decay_steps": 7, "decay_rate": 0.5}, "InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("inverse_time", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}, "InverseTimeDecay",
     {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("polynomial", {"decay_steps": 20, "end": 0.01, "power": 2.0}, "PolynomialDecay",
     {"decay_steps": 20, "end_learning_rate": 0.01, "power": 2.0}),
    ("polynomial", {"decay_steps": 8, "end": 0.01, "cycle": True}, "PolynomialDecay",
     {"decay_steps": 8, "end_learning_rate": 0.01, "cycle": True}),
    ("cosine", {"decay_steps": 30, "end": 0.02}, "CosineDecay", {"decay_steps": 30, "alpha": 0.2}),
    ("cosine_restarts", {"first_decay_steps": 5}, "CosineDecayRestarts", {"first_decay_steps": 5}),
    ("cosine_restarts", {"first_decay_steps": 6, "t_mul": 1.0, "m_mul": 0.5, "end": 0.01}, "CosineDecayRestarts",
     {"first_decay_steps": 6, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}),
]  # fmt: skip


@pytest.mark.skipif(not is_installed("tensorflow"), reason="Keras comes with TensorFlow")
@pytest.mark.parametrize("known", KERAS, ids=lambda c: f"{c[2]}({c[3]})")
def test_keras(known: Any) -> None:
    import keras

    name, options, theirs, arguments = known
    schedule = getattr(keras.optimizers.schedules, theirs)(0.1, **arguments)
    np.testing.assert_allclose(ours(name, options), [float(schedule(c)) for c in COUNTS], rtol=2e-5, atol=1e-8)


@pytest.mark.skipif(not is_installed("tensorflow"), reason="Keras comes with TensorFlow")
def test_keras_of_several_pieces() -> None:
    import keras

    schedules = keras.optimizers.schedules
    pieces = schedules.PiecewiseConstantDecay([5, 12], [0.1, 0.05, 0.01])
    found = ours("piecewise", {"boundaries": [5, 12], "values": [0.05, 0.01]})
    np.testing.assert_allclose(found, [float(pieces(c)) for c in COUNTS], rtol=1e-6)
    warm = schedules.CosineDecay(0.02, 20, alpha=0.1, warmup_target=0.1, warmup_steps=6)
    then = {"cosine": {"decay_steps": 20, "end": 0.01}}
    found = ours("warmup", {"steps": 6, "start": 0.02, "then": then})
    np.testing.assert_allclose(found, [float(warm(c)) for c in COUNTS], rtol=2e-6, atol=1e-8)


TORCH = [
    ("exponential", {"decay_steps": 1, "decay_rate": 0.9}, "ExponentialLR", {"gamma": 0.9}),
    ("step", {"step_size": 7, "gamma": 0.5}, "StepLR", {"step_size": 7, "gamma": 0.5}),
    ("multi_step", {"milestones": [5, 12], "gamma": 0.5}, "MultiStepLR", {"milestones": [5, 12], "gamma": 0.5}),
    ("polynomial", {"decay_steps": 20, "end": 0.0, "power": 2.0}, "PolynomialLR", {"total_iters": 20, "power": 2.0}),
    ("cosine", {"decay_steps": 12, "end": 0.01, "repeats": True}, "CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
    ("cosine_restarts", {"first_decay_steps": 5, "t_mul": 2.0, "end": 0.01}, "CosineAnnealingWarmRestarts",
     {"T_0": 5, "T_mult": 2, "eta_min": 0.01}),
    ("warmup", {"steps": 8, "start": 0.02}, "LinearLR", {"start_factor": 0.2, "total_iters": 8}),
    ("one_cycle", {"total_steps": 40}, "OneCycleLR", {"max_lr": 0.1, "total_steps": 40}),
    ("one_cycle", {"total_steps": 40, "anneal": "linear", "three_phase": True, "pct_start": 0.25}, "OneCycleLR",
     {"max_lr": 0.1, "total_steps": 40, "anneal_strategy": "linear", "three_phase": True, "pct_start": 0.25}),
]  # fmt: skip


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("known", TORCH, ids=lambda c: f"{c[2]}({c[3]})")
def test_torch(known: Any) -> None:
    import torch

    name, options, theirs, arguments = known
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, theirs)(optimizer, **arguments)
    expected = []
    for _ in COUNTS:
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < len(COUNTS):
            scheduler.step()
    np.testing.assert_allclose(ours(name, options), expected, rtol=2e-5, atol=2e-8)


OPTAX = [
    ("exponential", {"decay_steps": 7, "decay_rate": 0.5}, "exponential_decay", (0.1, 7, 0.5)),
    ("polynomial", {"decay_steps": 20, "end": 0.01, "power": 2.0}, "polynomial_schedule", (0.1, 0.01, 2.0, 20)),
    ("cosine", {"decay_steps": 30, "end": 0.02, "exponent": 1.0}, "cosine_decay_schedule", (0.1, 30, 0.2)),
    ("piecewise", {"boundaries": [5, 12], "values": [0.05, 0.005], "inclusive": False}, "piecewise_constant_schedule",
     (0.1, {5: 0.5, 12: 0.1})),
    ("warmup", {"steps": 6, "start": 0.02, "then": {"cosine": {"decay_steps": 20, "end": 0.01}}},
     "warmup_cosine_decay_schedule", (0.02, 0.1, 6, 26, 0.01)),
    ("one_cycle", {"total_steps": 30, "inclusive": True}, "cosine_onecycle_schedule", (30, 0.1)),
]  # fmt: skip


@pytest.mark.skipif(not is_installed("jax"), reason="Optax stands on JAX")
@pytest.mark.parametrize("known", OPTAX, ids=lambda c: f"{c[2]}{c[3]}")
def test_optax(known: Any) -> None:
    import optax

    name, options, theirs, arguments = known
    schedule = getattr(optax, theirs)(*arguments)
    np.testing.assert_allclose(ours(name, options), [float(schedule(c)) for c in COUNTS], rtol=2e-5, atol=2e-8)


def test_every_schedule_is_held_to_a_library() -> None:
    assert {n for n, *_ in [*KERAS, *TORCH, *OPTAX]} == SCHEDULES.keys() - {"constant", "adjustable"}
    assert ours("constant", {}) == [pytest.approx(0.1)] * len(COUNTS)
    assert as_schedule({"step": {"step_size": 3}}) == Schedule("step", {"step_size": 3})


def factor(convention: str, gradient: Any, bound: float) -> float:
    graph = Graph("clip")
    g = graph.input("g", TensorType(float32, np.shape(gradient)))
    graph.output(clip_factor([g], bound, convention), "factor")
    return float(run_reference(graph, [np.float32(gradient)])[0])


def test_clipping_by_convention() -> None:
    """N23: above, at and below the bound; of nothing; PyTorch shrinks what is at the bound."""
    for convention in ("keras", "torch", "optax"):
        assert factor(convention, [3.0, 4.0], 1.0) == pytest.approx(0.2, rel=1e-6)
        assert factor(convention, [3.0, 4.0], 10.0) == 1.0
        assert factor(convention, [0.0, 0.0], 1.0) == 1.0
        assert np.isnan(factor(convention, [np.nan, 1.0], 1.0))
    assert factor("keras", [3.0, 4.0], 5.0) == factor("optax", [3.0, 4.0], 5.0) == 1.0
    assert factor("torch", [3.0, 4.0], 5.0) < 1.0
    assert np.isnan(factor("keras", [np.inf, 1.0], 1.0))
    assert factor("torch", [np.inf, 1.0], 1.0) == 0.0


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_averages_are_pytorchs(kind: str) -> None:
    import torch
    from torch.optim import swa_utils

    rule = average_rule({kind: {"momentum": 0.9} if kind == "ema" else {}})
    assert rule is not None
    graph = Graph("average")
    p, average, t = (graph.input(n, TensorType(float32, s)) for n, s in (("p", (3,)), ("average", (3,)), ("t", ())))
    graph.output(rule(p, average, t, None, "torch")[1], "average")
    module = torch.nn.Linear(3, 1, bias=False)
    own = swa_utils.get_ema_avg_fn(0.9) if kind == "ema" else None
    theirs = swa_utils.AveragedModel(module, avg_fn=own)
    mine = np.zeros(3, np.float32)
    for step, values in enumerate(np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)):
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(values)[None])
        theirs.update_parameters(module)
        mine = run_reference(graph, [values, mine, np.float32(step + 1)])[0]
        np.testing.assert_allclose(mine, theirs.module.weight.detach().numpy()[0], rtol=1e-6)
