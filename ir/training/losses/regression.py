"""Losses of numbers: distances, ratios, directions, counts."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...graph import Value
from .rule import EPSILON, LossRule, mean_last, same, sum_last


def squared(prediction: Value, target: Value) -> Value:
    return mean_last(ops.square(prediction - target))


def absolute(prediction: Value, target: Value) -> Value:
    return mean_last(ops.absolute(prediction - target))


def _percentage(prediction: Value, target: Value) -> Value:
    least = ops.maximum(ops.absolute(target), EPSILON)
    return 100.0 * mean_last(ops.absolute((target - prediction) / least))


def _logarithmic(prediction: Value, target: Value) -> Value:
    first, second = (ops.log(ops.maximum(x, EPSILON) + 1.0) for x in (prediction, target))
    return mean_last(ops.square(first - second))


def _log_cosh(prediction: Value, target: Value) -> Value:
    error = prediction - target
    return mean_last(error + ops.softplus(-2.0 * error) - math.log(2.0))


def _huber(prediction: Value, target: Value, *, delta: float) -> Value:
    size = ops.absolute(prediction - target)
    return mean_last(ops.where(size <= delta, 0.5 * ops.square(size), delta * size - 0.5 * delta**2))


def _smooth_l1(prediction: Value, target: Value, *, beta: float) -> Value:
    """Huber's over `beta`: the slope far away is one."""
    size = ops.absolute(prediction - target)
    if not beta:
        return mean_last(size)
    return mean_last(ops.where(size < beta, (0.5 / beta) * ops.square(size), size - 0.5 * beta))


def _poisson(prediction: Value, target: Value, *, log_input: bool, epsilon: float) -> Value:
    """The prediction is the expected count, or its logarithm."""
    if log_input:
        return mean_last(ops.exp(prediction) - target * prediction)
    return mean_last(prediction - target * ops.log(prediction + epsilon))


def _kl_divergence(prediction: Value, target: Value, *, log_input: bool, over_axis: str) -> Value:
    """Of the target from the prediction; where the target is 0 it adds nothing (PyTorch) or next to nothing (Keras)."""
    if log_input:
        some = target > 0.0
        terms = ops.where(some, target * (ops.log(ops.where(some, target, 1.0)) - prediction), 0.0)
    else:
        p, t = (ops.minimum(ops.maximum(x, EPSILON), 1.0) for x in (prediction, target))
        terms = t * ops.log(t / p)
    return sum_last(terms) if over_axis == "sum" else mean_last(terms)


def _unit(x: Value) -> Value:
    return x * ops.rsqrt(ops.maximum(sum_last(ops.square(x), keepdims=True), EPSILON**2))  # type: ignore[no-any-return]


def _cosine_similarity(prediction: Value, target: Value) -> Value:
    return -sum_last(_unit(target) * _unit(prediction))


def _tversky(prediction: Value, target: Value, *, alpha: float, beta: float) -> Value:
    """One number of the whole batch: `alpha` weighs what is there but missed, `beta` what is predicted but not there.

    So Keras computes it, though its documentation has the two the other way round.
    """
    both = ops.reduce_sum(prediction * target)
    extra = ops.reduce_sum(prediction * (1.0 - target))
    missed = ops.reduce_sum((1.0 - prediction) * target)
    share: Any = both / (both + missed * alpha + extra * beta + EPSILON)
    return 1.0 - share  # type: ignore[no-any-return]


def _dice(prediction: Value, target: Value) -> Value:
    both, all_ = ops.reduce_sum(prediction * target), ops.reduce_sum(prediction) + ops.reduce_sum(target)
    return 1.0 - 2.0 * both / (all_ + EPSILON)  # type: ignore[no-any-return]


LOSSES = {
    "mean_squared_error": LossRule(squared, same),
    "mean_absolute_error": LossRule(absolute, same),
    "mean_absolute_percentage_error": LossRule(_percentage, same),
    "mean_squared_logarithmic_error": LossRule(_logarithmic, same),
    "log_cosh": LossRule(_log_cosh, same),
    "huber": LossRule(_huber, same, {"delta": 1.0}),
    "smooth_l1": LossRule(_smooth_l1, same, {"beta": 1.0}),
    "poisson": LossRule(_poisson, same, {"log_input": False, "epsilon": EPSILON}),
    "kl_divergence": LossRule(_kl_divergence, same, {"log_input": False, "over_axis": "sum"}),
    "cosine_similarity": LossRule(_cosine_similarity, same),
    "tversky": LossRule(_tversky, same, {"alpha": 0.5, "beta": 0.5}),
    "dice": LossRule(_dice, same),
}
