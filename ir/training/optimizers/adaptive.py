"""Optimizers that scale by past gradients, without bias correction: RMSprop, Adagrad, Adadelta, Ftrl."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...graph import Value
from ...op import sample
from .rule import RATE, Hyper, OptimizerRule, Shape, Slot, like_parameter, update_op

_POSITIVE = np.array([[0.5, 1.0, 0.25], [2.0, 0.75, 1.5]], np.float32)


def _rmsprop_parts(
    p: Value,
    g: Value,
    v: Value,
    rate: Value,
    average: Value | None = None,
    buffer: Value | None = None,
    *,
    rho: float,
    momentum: float = 0.0,
    epsilon: float,
    epsilon_in_root: bool = True,
    nesterov: bool = False,
    convention: str = "keras",
) -> tuple[Value, ...]:
    """Keras and Optax accumulate the scaled step in the momentum; PyTorch scales what has accumulated."""
    v = (rho * v + (1.0 - rho) * ops.square(g)).named("v")
    spread = v
    if average is not None:
        average = (rho * average + (1.0 - rho) * g).named("average")
        spread = v - ops.square(average)
    root = ops.sqrt(spread + epsilon) if epsilon_in_root else ops.sqrt(spread) + epsilon
    slots = (v,) if average is None else (v, average)
    if buffer is None:
        return (p - rate * g / root, *slots)
    if convention == "torch":
        buffer = (momentum * buffer + g / root).named("buffer")
        return (p - rate * buffer, *slots, buffer)
    step = rate * g / root
    buffer = (momentum * buffer + step).named("buffer")
    return (p - (step + momentum * buffer if nesterov else buffer), *slots, buffer)


def _adagrad_parts(
    p: Value, g: Value, accumulator: Value, rate: Value, *, epsilon: float, convention: str = "keras"
) -> tuple[Value, Value]:
    accumulator = (accumulator + ops.square(g)).named("accumulator")
    if convention == "torch":
        return p - rate * g / (ops.sqrt(accumulator) + epsilon), accumulator
    step = rate * g / ops.sqrt(accumulator + epsilon)
    if convention == "optax":  # no step where all gradients were zero, whatever epsilon
        step = ops.where(accumulator > 0.0, step, 0.0)
    return p - step, accumulator


def _adadelta_parts(
    p: Value, g: Value, squares: Value, steps: Value, rate: Value, *, rho: float, epsilon: float
) -> tuple[Value, Value, Value]:
    squares = (rho * squares + (1.0 - rho) * ops.square(g)).named("squares")
    step = ops.sqrt(steps + epsilon) * g / ops.sqrt(squares + epsilon)
    return p - rate * step, squares, (rho * steps + (1.0 - rho) * ops.square(step)).named("steps")


def _ftrl_parts(
    p: Value,
    g: Value,
    accumulator: Value,
    linear: Value,
    rate: Value,
    *,
    learning_rate_power: float,
    l1: float,
    l2: float,
    l2_shrinkage: float,
    beta: float,
) -> tuple[Value, Value, Value]:
    new = (accumulator + ops.square(g)).named("accumulator")
    before, after = ops.power(accumulator, -learning_rate_power), ops.power(new, -learning_rate_power)
    shrunk = g + 2.0 * l2_shrinkage * p if l2_shrinkage else g
    linear = (linear + (shrunk - (after - before) / rate * p)).named("linear")
    quadratic = after / rate + 2.0 * (l2 + beta / (2.0 * rate) if beta else l2)
    return (ops.minimum(ops.maximum(linear, -l1), l1) - linear) / quadratic, new, linear


rmsprop = update_op(
    "rmsprop",
    _rmsprop_parts,
    ("v", "average", "buffer"),
    (
        sample((2, 3), (2, 3), _POSITIVE, RATE, rho=0.9, epsilon=1e-7),
        sample((2, 3), (2, 3), 9.0 * _POSITIVE, RATE, (2, 3), (2, 3), rho=0.9, epsilon=1e-7, momentum=0.9,
               epsilon_in_root=False, convention="torch"),
        sample((2, 3), (2, 3), 9.0 * _POSITIVE, RATE, None, (2, 3), rho=0.9, epsilon=1e-7, momentum=0.9,
               nesterov=True, convention="optax"),
    ),
)  # fmt: skip
adagrad = update_op(
    "adagrad",
    _adagrad_parts,
    ("accumulator",),
    tuple(sample((2, 3), (2, 3), _POSITIVE, RATE, epsilon=1e-7, convention=c) for c in ("keras", "torch", "optax")),
)
adadelta = update_op(
    "adadelta",
    _adadelta_parts,
    ("squares", "steps"),
    (sample((2, 3), (2, 3), _POSITIVE, _POSITIVE[::-1], RATE, rho=0.95, epsilon=1e-7),),
)
ftrl = update_op(
    "ftrl",
    _ftrl_parts,
    ("accumulator", "linear"),
    (
        sample((2, 3), (2, 3), _POSITIVE, (2, 3), RATE, learning_rate_power=-0.5, l1=0.1, l2=0.2, l2_shrinkage=0.3,
               beta=0.4),
        sample((2, 3), (2, 3), _POSITIVE, (2, 3), RATE, learning_rate_power=-0.5, l1=0.0, l2=0.0, l2_shrinkage=0.0,
               beta=0.0),
    ),
)  # fmt: skip

OPS = (rmsprop, adagrad, adadelta, ftrl)


def _rmsprop_slots(hyper: Hyper, shape: Shape, convention: str) -> tuple[Slot, ...]:
    slots = [Slot("v", shape, hyper.get("initial_scale", 0.0))]
    slots += [Slot("average", shape)] * bool(hyper["centered"])
    return (*slots, *[Slot("buffer", shape)] * bool(hyper["momentum"]))


def _accumulator(hyper: Hyper, shape: Shape, convention: str) -> tuple[Slot, ...]:
    return (Slot("accumulator", shape, hyper["initial_accumulator"]),)


def _adagrad_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    if hyper.get("learning_rate_decay"):
        rate = rate / (1.0 + (t - 1.0) * hyper["learning_rate_decay"])
    return {} if isinstance(rate, float) else {"rate": rate.named("rate")}


_RMSPROP = {"momentum": 0.0, "centered": False, "weight_decay": 0.0}
_IN, _OUT = {"epsilon_in_root": True}, {"epsilon_in_root": False}
_FTRL = {
    "learning_rate": 0.001, "learning_rate_power": -0.5, "initial_accumulator": 0.1, "l1": 0.0, "l2": 0.0,
    "l2_shrinkage": 0.0, "beta": 0.0, "weight_decay": 0.0,
}  # fmt: skip
RULES = {
    "rmsprop": OptimizerRule(
        {
            "keras": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7, **_RMSPROP, **_IN},
            "torch": {"learning_rate": 0.01, "rho": 0.99, "epsilon": 1e-8, **_RMSPROP, **_OUT},
            "optax": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-8, **_RMSPROP, **_IN, "nesterov": False,
                      "initial_scale": 0.0},
        },
        lambda hyper: rmsprop,
        _rmsprop_slots,
    ),
    "adagrad": OptimizerRule(
        {
            "keras": {"learning_rate": 0.001, "initial_accumulator": 0.1, "epsilon": 1e-7, "weight_decay": 0.0},
            "torch": {"learning_rate": 0.01, "initial_accumulator": 0.0, "epsilon": 1e-10, "weight_decay": 0.0,
                      "learning_rate_decay": 0.0},
            "optax": {"learning_rate": 0.001, "initial_accumulator": 0.1, "epsilon": 1e-7, "weight_decay": 0.0},
        },
        lambda hyper: adagrad,
        _accumulator,
        _adagrad_scalars,
        needs_count=lambda hyper: bool(hyper.get("learning_rate_decay")),
    ),
    "adadelta": OptimizerRule(
        {
            "keras": {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7, "weight_decay": 0.0},
            "torch": {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6, "weight_decay": 0.0},
            "optax": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-6, "weight_decay": 0.0},
        },
        lambda hyper: adadelta,
        like_parameter("squares", "steps"),
        decay=lambda hyper, convention: "parameter" if convention == "keras" else "gradient",
    ),
    "ftrl": OptimizerRule(
        {"keras": _FTRL},
        lambda hyper: ftrl,
        lambda hyper, shape, convention: (*_accumulator(hyper, shape, convention), Slot("linear", shape)),
    ),
}  # fmt: skip
