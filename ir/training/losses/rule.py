"""What a loss is: numbers for examples, weights of its own, and how they become one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ... import ops
from ...dims import product
from ...errors import SpecError, TypeMismatchError
from ...graph import Value
from ...types import TensorType, int32

REDUCTIONS = ("mean", "weighted_mean", "sum")
EPSILON = 1e-7  # Keras's `epsilon()`: how near to 0 and 1 a probability may come before its logarithm is taken


@dataclass(frozen=True)
class Weighted:
    """Numbers with weights of the loss's own: of classes, 0 where an element is ignored. `valid`: which count."""

    values: Value
    weights: Value
    valid: Value | None = None


@dataclass(frozen=True)
class LossRule:
    """`values(prediction, target, **options)` gives numbers (`Weighted` where it weighs them), one an example or more.

    `target` is the type of the targets by that of the prediction. Every loss has the option `reduction` besides.
    """

    values: Callable[..., Value | Weighted]
    target: Callable[[TensorType], TensorType]
    own_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        return {**self.own_options, "reduction": "mean"}


def same(prediction: TensorType) -> TensorType:
    """Targets like the predictions."""
    return prediction


def labels(prediction: TensorType) -> TensorType:
    """Targets that are the numbers of classes, along the last axis of the predictions."""
    return TensorType(int32, prediction.shape[:-1])


def mean_last(x: Value) -> Value:
    return ops.reduce_mean(x, axes=(-1,)) if x.rank > 1 else x


def sum_last(x: Value, keepdims: bool = False) -> Value:
    return ops.reduce_sum(x, axes=(-1,), keepdims=keepdims)  # type: ignore[no-any-return]


def mean_loss(found: Value | Weighted, weights: Value | None, reduction: str = "mean") -> Value:
    """One number of many: `mean` divides the weighted sum by how many there are, `weighted_mean` by their weights.

    The first is Keras's (`sum_over_batch_size`; nothing counted gives 0), the second PyTorch's (nothing counted: NaN).
    """
    if reduction not in REDUCTIONS:
        raise SpecError(f"reduction is one of {', '.join(REDUCTIONS)}, not {reduction!r}")
    values = found.values if isinstance(found, Weighted) else found
    valid = found.valid if isinstance(found, Weighted) else None
    weight = found.weights if isinstance(found, Weighted) else None
    if weights is not None:
        own = _per_example(weights, values)
        weight = own if weight is None else weight * own
    if weight is None:
        return ops.reduce_sum(values) if reduction == "sum" else ops.reduce_mean(values)  # type: ignore[no-any-return]
    total = ops.reduce_sum(values * weight)
    if reduction == "sum":
        return total  # type: ignore[no-any-return]
    if reduction == "weighted_mean":
        return total / ops.reduce_sum(ops.broadcast_to(weight, shape=values.shape))  # type: ignore[no-any-return]
    return total / (product(values.shape) if valid is None else ops.maximum(ops.reduce_sum(valid), 1.0))  # type: ignore[no-any-return]


def _per_example(weights: Value, values: Value) -> Value:
    if weights.rank != 1:
        raise TypeMismatchError(f"sample weights are one number an example, not {weights.type}")
    if not values.rank:
        raise TypeMismatchError("this loss is one number of the whole batch: it takes no sample weights")
    shaped = ops.reshape(weights, shape=(*weights.shape, *(1,) * (values.rank - 1)))
    return shaped if shaped.dtype == values.dtype else ops.cast(shaped, dtype=values.dtype)  # type: ignore[no-any-return]
