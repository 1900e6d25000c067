"""Gradient descent, with momentum; Lion."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...graph import Value
from ...op import sample
from .rule import RATE, Hyper, OptimizerRule, Shape, Slot, like_parameter, update_op

CONVENTIONS = ("keras", "torch", "optax")


def _momentum_parts(
    p: Value,
    g: Value,
    velocity: Value,
    rate: Value,
    share: Value | None = None,
    *,
    momentum: float,
    nesterov: bool = False,
    convention: str = "keras",
) -> tuple[Value, Value]:
    """`share` is what dampening leaves of the gradient."""
    if convention == "keras":
        velocity = (momentum * velocity - rate * g).named("velocity")
        return p + (momentum * velocity - rate * g if nesterov else velocity), velocity
    velocity = (momentum * velocity + (g if share is None else share * g)).named("velocity")
    return p - rate * (g + momentum * velocity if nesterov else velocity), velocity


def _lion_parts(p: Value, g: Value, m: Value, rate: Value, *, beta_1: float, beta_2: float) -> tuple[Value, Value]:
    direction = ops.sign(beta_1 * m + (1.0 - beta_1) * g)
    return p - rate * direction, (beta_2 * m + (1.0 - beta_2) * g).named("m")


sgd = update_op("sgd", lambda p, g, rate: p - rate * g, (), (sample((2, 3), (2, 3), RATE),))
sgd_momentum = update_op(
    "sgd_momentum",
    _momentum_parts,
    ("velocity",),
    (
        *(
            sample((2, 3), (2, 3), (2, 3), RATE, momentum=0.9, nesterov=n, convention=c)
            for n in (False, True)
            for c in CONVENTIONS
        ),
        sample((2, 3), (2, 3), (2, 3), RATE, np.float32(0.75), momentum=0.9, convention="torch"),
    ),
)
lion = update_op("lion", _lion_parts, ("m",), (sample((2, 3), (2, 3), (2, 3), RATE, beta_1=0.9, beta_2=0.99),))

OPS = (sgd, sgd_momentum, lion)


def _sgd_slots(hyper: Hyper, shape: Shape, convention: str) -> tuple[Slot, ...]:
    return (Slot("velocity", shape),) if hyper["momentum"] else ()


def _sgd_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    """PyTorch's first velocity is the whole gradient, whatever the dampening."""
    scalars = {} if isinstance(rate, float) else {"rate": rate}
    if hyper.get("dampening") and hyper["momentum"]:
        share = ops.where(ops.equal(t, 1.0), t.graph.constant(1.0, t.dtype), 1.0 - hyper["dampening"])
        scalars["share"] = share.named("share")
    return scalars


_SGD = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
RULES = {
    "sgd": OptimizerRule(
        {
            "keras": {"learning_rate": 0.01, **_SGD},
            "torch": {"learning_rate": 0.001, **_SGD, "dampening": 0.0},
            "optax": {"learning_rate": 0.01, **_SGD},
        },
        lambda hyper: sgd_momentum if hyper["momentum"] else sgd,
        _sgd_slots,
        _sgd_scalars,
        needs_count=lambda hyper: bool(hyper.get("dampening") and hyper["momentum"]),
    ),
    "lion": OptimizerRule(
        {
            "keras": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99, "weight_decay": 0.0},
            "optax": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99, "weight_decay": 0.001},
        },
        lambda hyper: lion,
        like_parameter("m"),
    ),
}
