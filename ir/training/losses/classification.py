"""Losses of classes: cross-entropies, likelihoods, margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...errors import SpecError
from ...graph import Value
from .rule import EPSILON, LossRule, Weighted, labels, mean_last, same, sum_last


def _logits(prediction: Value, activation: Any, from_logits: bool) -> Value | None:
    """The logits, where the prediction is known to come from them."""
    if from_logits:
        return prediction
    node = prediction.node
    if node is not None and node.op is activation and node.attributes.get("axis", -1) in (-1, prediction.rank - 1):
        return node.inputs[0]
    return None


def _log(probabilities: Value, epsilon: float) -> Value:
    """The logarithm of what is kept off 0 and 1 (Keras); with no epsilon at least -100, as in PyTorch."""
    if not epsilon:
        return ops.maximum(ops.log(probabilities), -100.0)  # type: ignore[no-any-return]
    return ops.log(_clipped(probabilities, epsilon))  # type: ignore[no-any-return]


def _clipped(probabilities: Value, epsilon: float = EPSILON) -> Value:
    return ops.minimum(ops.maximum(probabilities, epsilon), 1.0 - epsilon)  # type: ignore[no-any-return]


def _shares(prediction: Value) -> Value:
    return prediction / sum_last(prediction, keepdims=True)


def _class_count(prediction: Value) -> int:
    size = prediction.shape[-1]
    if not isinstance(size, int):
        raise SpecError(f"the number of classes must be known, but the predictions are {prediction.type}")
    return size


def _smoothed(target: Value, prediction: Value, smoothing: float) -> Value:
    if not smoothing:
        return target
    return target * (1.0 - smoothing) + smoothing / _class_count(prediction)


def _class_weights(prediction: Value, weights: Sequence[float]) -> Value:
    count = _class_count(prediction)
    if len(weights) != count:
        raise SpecError(f"class_weights has {len(weights)} numbers for {count} classes")
    return prediction.graph.constant(np.asarray(weights, np.float64), prediction.dtype)


def _categorical(
    prediction: Value,
    target: Value,
    *,
    from_logits: bool,
    label_smoothing: float,
    class_weights: Sequence[float] | None,
    epsilon: float,
) -> Value:
    """Class weights stand inside the sum over the classes, as in PyTorch's loss of class probabilities."""
    target = _smoothed(target, prediction, label_smoothing)
    if class_weights is not None:
        target = target * _class_weights(prediction, class_weights)
    logits = _logits(prediction, ops.softmax, from_logits)
    if logits is not None:
        return ops.softmax_cross_entropy(logits, target)  # type: ignore[no-any-return]
    return -sum_last(target * _log(_shares(prediction), epsilon))


def _sparse_categorical(
    prediction: Value,
    target: Value,
    *,
    from_logits: bool,
    label_smoothing: float,
    class_weights: Sequence[float] | None,
    ignore_index: int | None,
    epsilon: float,
) -> Value | Weighted:
    logits = _logits(prediction, ops.softmax, from_logits)
    known = _log(prediction, epsilon) if logits is None else logits
    kept, valid = _kept(target, ignore_index, prediction)
    weights = None if class_weights is None else _class_weights(prediction, class_weights)
    values = ops.sparse_softmax_cross_entropy(known, kept)
    weight = None if weights is None else ops.take(weights, kept, axis=0)
    if label_smoothing:  # what all classes share comes in at their own weights, beside the label's at its weight
        logs = ops.log_softmax(known)
        spread = -mean_last(logs if weights is None else logs * weights)
        values = (1.0 - label_smoothing) * (values if weight is None else values * weight) + label_smoothing * spread
        if weight is not None:
            values = values / weight
    return _weighted(values, weight, valid)


def _kept(target: Value, ignore_index: int | None, prediction: Value) -> tuple[Value, Value | None]:
    """The labels, 0 where they are ignored, and 1.0 where they are not."""
    if ignore_index is None:
        return target, None
    keep = ops.not_equal(target, ignore_index)
    return ops.where(keep, target, 0), ops.cast(keep, dtype=prediction.dtype)


def _weighted(values: Value, weight: Value | None, valid: Value | None) -> Value | Weighted:
    if weight is None and valid is None:
        return values
    if weight is None or valid is None:
        both = valid if weight is None else weight
        assert both is not None
        return Weighted(values, both, valid)
    return Weighted(values, weight * valid, valid)


def _negative_log_likelihood(
    prediction: Value, target: Value, *, class_weights: Sequence[float] | None, ignore_index: int | None
) -> Value | Weighted:
    """Of log-probabilities."""
    kept, valid = _kept(target, ignore_index, prediction)
    chosen = ops.one_hot(kept, depth=_class_count(prediction), dtype=prediction.dtype)
    weight = None if class_weights is None else ops.take(_class_weights(prediction, class_weights), kept, axis=0)
    return _weighted(-sum_last(ops.where(chosen > 0.5, prediction, 0.0)), weight, valid)


def _binary(prediction: Value, target: Value, *, from_logits: bool, label_smoothing: float, epsilon: float) -> Value:
    target = target * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else target
    logits = _logits(prediction, ops.sigmoid, from_logits)
    if logits is not None:
        return mean_last(ops.sigmoid_cross_entropy(logits, target))
    return mean_last(_binary_terms(prediction, target, epsilon))


def _binary_terms(prediction: Value, target: Value, epsilon: float) -> Value:
    if not epsilon:
        return -(target * _log(prediction, 0.0) + (1.0 - target) * _log(1.0 - prediction, 0.0))
    p = _clipped(prediction, epsilon)
    return -(target * ops.log(p) + (1.0 - target) * ops.log(1.0 - p))  # type: ignore[no-any-return]


def _binary_focal(
    prediction: Value,
    target: Value,
    *,
    gamma: float,
    alpha: float | None,
    from_logits: bool,
    label_smoothing: float,
) -> Value:
    """What is predicted well counts little; `alpha` is the weight of the ones, 1 - alpha that of the zeros."""
    target = target * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else target
    logits = _logits(prediction, ops.sigmoid, from_logits)
    p = prediction if logits is None else ops.sigmoid(logits)
    entropy = _binary_terms(p, target, EPSILON) if logits is None else ops.sigmoid_cross_entropy(logits, target)
    hit = target * p + (1.0 - target) * (1.0 - p)
    loss = ops.power(1.0 - hit, gamma) * entropy
    return mean_last(loss if alpha is None else loss * (target * alpha + (1.0 - target) * (1.0 - alpha)))


def _categorical_focal(
    prediction: Value, target: Value, *, gamma: float, alpha: float, from_logits: bool, label_smoothing: float
) -> Value:
    target = _smoothed(target, prediction, label_smoothing)
    p = _clipped(_shares(ops.softmax(prediction) if from_logits else prediction))
    return sum_last(alpha * ops.power(1.0 - p, gamma) * -target * ops.log(p))


def _signed(target: Value) -> Value:
    """Targets of 0 and 1 as -1 and 1; others as they are."""
    binary = ops.logical_or(ops.equal(target, 0.0), ops.equal(target, 1.0))
    every = ops.reduce_min(ops.cast(binary, dtype=target.dtype))
    return ops.where(every > 0.5, 2.0 * target - 1.0, target)  # type: ignore[no-any-return]


def _hinge(prediction: Value, target: Value) -> Value:
    return mean_last(ops.maximum(1.0 - _signed(target) * prediction, 0.0))


def _squared_hinge(prediction: Value, target: Value) -> Value:
    return mean_last(ops.square(ops.maximum(1.0 - _signed(target) * prediction, 0.0)))


def _categorical_hinge(prediction: Value, target: Value) -> Value:
    right = sum_last(target * prediction)
    wrong = ops.reduce_max((1.0 - target) * prediction, axes=(-1,))
    return ops.maximum(wrong - right + 1.0, 0.0)  # type: ignore[no-any-return]


def _soft_margin(prediction: Value, target: Value) -> Value:
    return mean_last(ops.softplus(-target * prediction))


_ENTROPY: dict[str, Any] = {"from_logits": False, "label_smoothing": 0.0}
_CLASSES: dict[str, Any] = {"class_weights": None, "epsilon": EPSILON}
LOSSES = {
    "categorical_crossentropy": LossRule(_categorical, same, _ENTROPY | _CLASSES),
    "sparse_categorical_crossentropy": LossRule(
        _sparse_categorical, labels, _ENTROPY | _CLASSES | {"ignore_index": None}
    ),
    "binary_crossentropy": LossRule(_binary, same, _ENTROPY | {"epsilon": EPSILON}),
    "binary_focal_crossentropy": LossRule(_binary_focal, same, {"gamma": 2.0, "alpha": None} | _ENTROPY),
    "categorical_focal_crossentropy": LossRule(_categorical_focal, same, {"gamma": 2.0, "alpha": 0.25} | _ENTROPY),
    "negative_log_likelihood": LossRule(
        _negative_log_likelihood, labels, {"class_weights": None, "ignore_index": None}
    ),
    "hinge": LossRule(_hinge, same),
    "squared_hinge": LossRule(_squared_hinge, same),
    "categorical_hinge": LossRule(_categorical_hinge, same),
    "soft_margin": LossRule(_soft_margin, same),
}
