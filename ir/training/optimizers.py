"""Optimizers as ops: each update is a composite, so a backend may claim it whole.

Conventions differ in more than defaults (`NUMERICS.md` 3.6 O1-O9): Keras scales the step into the momentum, PyTorch
and Optax do not; Keras's Adam adds epsilon to the root of the uncorrected second moment, the others to the corrected.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import ops
from ..errors import SpecError
from ..graph import Graph, Value
from ..model import Optimizer
from ..op import NO_GRADIENT, Bound, Op, sample
from ..types import TensorType, float32, int32

Hyper = Mapping[str, Any]
_BOUND = Bound("parts")
_RATE = np.float32(0.1)


def _sgd_type(p: TensorType, g: TensorType, rate: TensorType) -> TensorType:
    return p


def _momentum_type(
    p: TensorType,
    g: TensorType,
    velocity: TensorType,
    rate: TensorType,
    *,
    momentum: float,
    nesterov: bool = False,
    convention: str = "keras",
) -> tuple[TensorType, TensorType]:
    return p, velocity


def _momentum_parts(
    p: Value, g: Value, velocity: Value, rate: Value, *, momentum: float, nesterov: bool, convention: str
) -> tuple[Value, Value]:
    if convention == "keras":
        velocity = (momentum * velocity - rate * g).named("velocity")
        return p + (momentum * velocity - rate * g if nesterov else velocity), velocity
    velocity = (momentum * velocity + g).named("velocity")
    return p - rate * (g + momentum * velocity if nesterov else velocity), velocity


def _adam_type(
    p: TensorType,
    g: TensorType,
    m: TensorType,
    v: TensorType,
    rate: TensorType,
    scale: TensorType | None = None,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    convention: str = "keras",
) -> tuple[TensorType, ...]:
    return p, m, v


def _adam_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    rate: Value,
    scale: Value | None,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    convention: str,
) -> tuple[Value, Value, Value]:
    """`rate` and `scale` carry the corrections of the step (see `_adam_scalars`)."""
    m = (m + (g - m) * (1.0 - beta_1)).named("m")
    v = (v + (ops.square(g) - v) * (1.0 - beta_2)).named("v")
    if convention == "keras":
        root = ops.sqrt(v)
    elif convention == "torch":
        root = ops.sqrt(v) / scale  # given by the scalars of this convention
    else:
        root = ops.sqrt(v / scale)  # type: ignore[operator]
    return p - rate * m / (root + epsilon), m, v


sgd = Op(
    "sgd",
    _sgd_type,
    None,
    NO_GRADIENT,
    lambda p, g, rate: p - rate * g,
    samples=(sample((2, 3), (2, 3), _RATE),),
    bound=_BOUND,
)
sgd_momentum = Op(
    "sgd_momentum",
    _momentum_type,
    None,
    NO_GRADIENT,
    _momentum_parts,
    bound=_BOUND,
    samples=tuple(
        sample((2, 3), (2, 3), (2, 3), _RATE, momentum=0.9, nesterov=n, convention=c)
        for n in (False, True)
        for c in ("keras", "torch", "optax")
    ),
)
adam = Op(
    "adam",
    _adam_type,
    None,
    NO_GRADIENT,
    _adam_parts,
    bound=_BOUND,
    samples=tuple(
        sample(
            (2, 3),
            (2, 3),
            (2, 3),
            np.full((2, 3), 0.5, np.float32),
            _RATE,
            None if c == "keras" else np.float32(0.2),
            beta_1=0.9,
            beta_2=0.999,
            epsilon=1e-7,
            convention=c,
        )
        for c in ("keras", "torch", "optax")
    ),
)

OPS = (sgd, sgd_momentum, adam)


@dataclass(frozen=True)
class OptimizerRule:
    """What an optimizer's update needs.

    `defaults[convention]` are its hyperparameters; `slots(hyper)` names one array for each parameter;
    `scalars(step, rate, hyper, convention)` are computed once a step from the number of the step, counted from 1;
    `update(p, g, slots, scalars, hyper, convention)` gives the new parameter and the new slots. Where there are no
    scalars, the update is given the rate.
    """

    defaults: Mapping[str, Hyper]
    slots: Callable[[Hyper], Sequence[str]]
    update: Callable[..., tuple[Value, ...]]
    scalars: Callable[[Value, float, Hyper, str], tuple[Value, ...]] | None = None


def _sgd_update(
    p: Value, g: Value, slots: Sequence[Value], scalars: Sequence[Value], hyper: Hyper, convention: str
) -> tuple[Value, ...]:
    if not slots:
        return (sgd(p, g, *scalars),)
    options = {"momentum": hyper["momentum"], "nesterov": hyper["nesterov"], "convention": convention}
    return sgd_momentum(p, g, *slots, *scalars, **options)  # type: ignore[no-any-return]


def _adam_scalars(step: Value, rate: float, hyper: Hyper, convention: str) -> tuple[Value, ...]:
    """The rate with its corrections, and what scales the second moment: sqrt(1 - beta_2^t), or its square for Optax."""
    f = step.graph.constant
    first, second = (1.0 - ops.power(f(hyper[b], step.dtype), step) for b in ("beta_1", "beta_2"))
    if convention == "keras":
        return ((rate * ops.sqrt(second) / first).named("rate"),)
    return (rate / first).named("rate"), (ops.sqrt(second) if convention == "torch" else second).named("scale")


def _adam_update(
    p: Value, g: Value, slots: Sequence[Value], scalars: Sequence[Value], hyper: Hyper, convention: str
) -> tuple[Value, ...]:
    options = {k: hyper[k] for k in ("beta_1", "beta_2", "epsilon")}
    return adam(p, g, *slots, *scalars, **options, convention=convention)  # type: ignore[no-any-return]


_SGD = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
_ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "weight_decay": 0.0}
OPTIMIZERS = {
    "sgd": OptimizerRule(
        {
            "keras": {"learning_rate": 0.01, **_SGD},
            "torch": {"learning_rate": 0.001, **_SGD},
            "optax": {"learning_rate": 0.01, **_SGD},
        },
        lambda hyper: ("velocity",) if hyper["momentum"] else (),
        _sgd_update,
    ),
    "adam": OptimizerRule(
        {"keras": {**_ADAM, "epsilon": 1e-7}, "torch": {**_ADAM, "epsilon": 1e-8}, "optax": {**_ADAM, "epsilon": 1e-8}},
        lambda hyper: ("m", "v"),
        _adam_update,
        _adam_scalars,
    ),
}


def optimizer_rule(optimizer: Optimizer) -> tuple[OptimizerRule, dict[str, Any]]:
    """The rule of an optimizer and its complete hyperparameters; raises `SpecError` with the nearest names."""
    rule = OPTIMIZERS.get(optimizer.name)
    if rule is None:
        near = difflib.get_close_matches(optimizer.name, OPTIMIZERS, 1)
        raise SpecError(
            f"there is no optimizer {optimizer.name!r}{f'; did you mean {near[0]!r}?' if near else ';'} "
            f"There are: {', '.join(OPTIMIZERS)}"
        )
    if optimizer.convention not in rule.defaults:
        raise SpecError(
            f"there is no convention {optimizer.convention!r} of {optimizer.name}; there are {', '.join(rule.defaults)}"
        )
    defaults = rule.defaults[optimizer.convention]
    unknown = optimizer.options.keys() - defaults.keys()
    if unknown:
        near = difflib.get_close_matches(min(unknown), defaults, 1)
        raise SpecError(
            f"the optimizer {optimizer.name!r} has no {min(unknown)!r}"
            f"{f'; did you mean {near[0]!r}?' if near else ';'} "
            f"It has: {', '.join(defaults)}"
        )
    return rule, dict(defaults) | dict(optimizer.options)


def count_step(graph: Graph) -> tuple[Value, Value]:
    """The number of this step, from 1, as int32 and as float32; its state is `optimizer.step`."""
    before = graph.input("step", TensorType(int32, ()), "state", STEP)
    step = (before + 1).named("step")
    return step, ops.cast(step, dtype=float32).named("t")


STEP = "optimizer.step"
