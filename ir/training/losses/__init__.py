"""Losses and metrics by name: from predictions and targets to one number for each example, and to one of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ... import ops
from ...graph import Value
from ...types import int32
from ..names import find
from . import classification, regression
from .regression import absolute, squared
from .rule import REDUCTIONS, LossRule, mean_loss

LOSSES: dict[str, LossRule] = regression.LOSSES | classification.LOSSES
ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "nll": "negative_log_likelihood",
}


def loss_rule(name: str) -> LossRule:
    """The rule called `name`; raises `SpecError` with the nearest names."""
    return find("loss", ALIASES.get(name, name), LOSSES)


def complete_options(name: str, rule: LossRule, options: Mapping[str, Any]) -> dict[str, Any]:
    for option in options:
        find(f"option of the loss {name}", option, rule.options)
    return rule.options | dict(options)


def loss_value(name: str, options: Mapping[str, Any], prediction: Value, target: Value, weights: Value | None) -> Value:
    """One number: the loss of predictions, with weights of examples where they are given."""
    rule = loss_rule(name)
    complete = complete_options(name, rule, options)
    reduction = complete.pop("reduction")
    return mean_loss(rule.values(prediction, target, **complete), weights, reduction)


def _accuracy(prediction: Value, target: Value) -> Value:
    """The share of examples whose largest prediction is the target's (or whose one prediction rounds to it)."""
    f = prediction.dtype
    if target.dtype.is_integer and target.rank == prediction.rank - 1:
        hits = ops.equal(ops.argmax(prediction, axis=-1, dtype=target.dtype), target)
    elif isinstance(prediction.shape[-1], int) and prediction.shape[-1] > 1:
        hits = ops.equal(ops.argmax(prediction, axis=-1, dtype=int32), ops.argmax(target, axis=-1, dtype=int32))
    else:
        hits = ops.equal(prediction > 0.5, target > 0.5)
    return ops.reduce_mean(ops.cast(hits, dtype=f))  # type: ignore[no-any-return]


METRICS: dict[str, Callable[[Value, Value], Value]] = {
    "accuracy": _accuracy,
    "mean_squared_error": lambda p, t: ops.reduce_mean(squared(p, t)),
    "mean_absolute_error": lambda p, t: ops.reduce_mean(absolute(p, t)),
}

__all__ = ["ALIASES", "LOSSES", "METRICS", "REDUCTIONS", "LossRule", "complete_options", "loss_rule", "loss_value"]
