"""Losses by name: from predictions and targets to one number for each example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import ops
from ..dims import product
from ..errors import SpecError, TypeMismatchError
from ..graph import Value
from ..types import TensorType, int32

_CLIP = 1e-7  # how near to 0 and 1 a probability may come before its logarithm is taken (Keras's `epsilon()`)


@dataclass(frozen=True)
class LossRule:
    """`values(prediction, target, **options)` gives one number an example; `target` the type of the targets."""

    values: Callable[..., Value]
    target: Callable[[TensorType], TensorType]
    options: Mapping[str, Any] = field(default_factory=dict)


def _same(prediction: TensorType) -> TensorType:
    return prediction


def _labels(prediction: TensorType) -> TensorType:
    return TensorType(int32, prediction.shape[:-1])


def _mean_last(x: Value) -> Value:
    return ops.reduce_mean(x, axes=(-1,)) if x.rank > 1 else x


def _squared(prediction: Value, target: Value) -> Value:
    return _mean_last(ops.square(prediction - target))


def _absolute(prediction: Value, target: Value) -> Value:
    return _mean_last(ops.absolute(prediction - target))


def _logits(prediction: Value, activation: Any, from_logits: bool) -> Value | None:
    """The logits, where the prediction is known to come from them."""
    if from_logits:
        return prediction
    node = prediction.node
    if node is not None and node.op is activation and node.attributes.get("axis", -1) in (-1, prediction.rank - 1):
        return node.inputs[0]
    return None


def _clipped(probabilities: Value) -> Value:
    return ops.minimum(ops.maximum(probabilities, _CLIP), 1.0 - _CLIP)  # type: ignore[no-any-return]


def _categorical(prediction: Value, target: Value, *, from_logits: bool) -> Value:
    logits = _logits(prediction, ops.softmax, from_logits)
    if logits is not None:
        return ops.softmax_cross_entropy(logits, target)  # type: ignore[no-any-return]
    shares = prediction / ops.reduce_sum(prediction, axes=(-1,), keepdims=True)
    return -ops.reduce_sum(target * ops.log(_clipped(shares)), axes=(-1,))  # type: ignore[no-any-return]


def _sparse_categorical(prediction: Value, target: Value, *, from_logits: bool) -> Value:
    logits = _logits(prediction, ops.softmax, from_logits)
    return ops.sparse_softmax_cross_entropy(ops.log(_clipped(prediction)) if logits is None else logits, target)  # type: ignore[no-any-return]


def _binary(prediction: Value, target: Value, *, from_logits: bool) -> Value:
    logits = _logits(prediction, ops.sigmoid, from_logits)
    if logits is not None:
        return _mean_last(ops.sigmoid_cross_entropy(logits, target))
    p = _clipped(prediction)
    return _mean_last(-(target * ops.log(p) + (1.0 - target) * ops.log(1.0 - p)))


LOSSES = {
    "mean_squared_error": LossRule(_squared, _same),
    "mean_absolute_error": LossRule(_absolute, _same),
    "categorical_crossentropy": LossRule(_categorical, _same, {"from_logits": False}),
    "sparse_categorical_crossentropy": LossRule(_sparse_categorical, _labels, {"from_logits": False}),
    "binary_crossentropy": LossRule(_binary, _same, {"from_logits": False}),
}
ALIASES = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}


def loss_rule(name: str) -> LossRule:
    """The rule called `name`; raises `SpecError` with the nearest names."""
    import difflib

    key = ALIASES.get(name, name)
    if key not in LOSSES:
        near = difflib.get_close_matches(name, [*LOSSES, *ALIASES], 1)
        raise SpecError(
            f"there is no loss {name!r}{f'; did you mean {near[0]!r}?' if near else ''} There are: {', '.join(LOSSES)}"
        )
    return LOSSES[key]


def complete_options(name: str, rule: LossRule, options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = options.keys() - rule.options.keys()
    if unknown:
        raise SpecError(
            f"the loss {name!r} has no option {', '.join(sorted(unknown))}; it has {', '.join(rule.options) or 'none'}"
        )
    return dict(rule.options) | dict(options)


def mean_loss(values: Value, weights: Value | None) -> Value:
    """The sum of all values (times weights) over their number, as Keras's `sum_over_batch_size`."""
    if weights is not None:
        if weights.rank != 1:
            raise TypeMismatchError(f"sample weights are one number an example, not {weights.type}")
        values = values * ops.reshape(weights, shape=(*weights.shape, *(1,) * (values.rank - 1)))
    if weights is None:
        return ops.reduce_mean(values)  # type: ignore[no-any-return]
    return ops.reduce_sum(values) / product(values.shape)  # type: ignore[no-any-return]


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
    "mean_squared_error": lambda p, t: ops.reduce_mean(_squared(p, t)),
    "mean_absolute_error": lambda p, t: ops.reduce_mean(_absolute(p, t)),
}
