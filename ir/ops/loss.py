"""Losses, one number for each example: the mean over the batch is the recipe's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .activation import log_softmax, softmax
from .arithmetic import absolute, check_kind, exp, log1p, maximum, minimum, sigmoid, tanh
from .indexing import one_hot
from .reduction import reduce_sum
from .shape import expand_dims

_BOUND = Bound("parts", floor=1e-7)


def _dense_type(logits: TensorType, targets: TensorType) -> TensorType:
    check_kind("softmax_cross_entropy", ("float",), logits, targets)
    if logits != targets:
        raise TypeMismatchError(f"softmax_cross_entropy: logits {logits} and targets {targets} must have one type")
    return logits.with_shape(logits.shape[:-1])


def _dense_parts(logits: Value, targets: Value) -> Value:
    return -reduce_sum(targets * log_softmax(logits), axes=(-1,))  # type: ignore[no-any-return]


def _dense_gradient(g: Value, out: Value, logits: Value, targets: Value) -> tuple[Value, Value]:
    rows = expand_dims(g, -1)
    mass = reduce_sum(targets, axes=(-1,), keepdims=True)
    return (softmax(logits) * mass - targets) * rows, -rows * log_softmax(logits)


def _sparse_type(logits: TensorType, labels: TensorType) -> TensorType:
    check_kind("sparse_softmax_cross_entropy", ("float",), logits)
    if not labels.dtype.is_integer or labels.shape != logits.shape[:-1]:
        raise TypeMismatchError(
            f"sparse_softmax_cross_entropy: logits {logits} need integer labels of shape "
            f"{list(logits.shape[:-1])}, not {labels}"
        )
    return logits.with_shape(logits.shape[:-1])


def _sparse_parts(logits: Value, labels: Value) -> Value:
    return -reduce_sum(one_hot(labels, depth=logits.shape[-1], dtype=logits.dtype) * log_softmax(logits), axes=(-1,))  # type: ignore[no-any-return]


def _sparse_gradient(g: Value, out: Value, logits: Value, labels: Value) -> tuple[Value, None]:
    return (softmax(logits) - one_hot(labels, depth=logits.shape[-1], dtype=logits.dtype)) * expand_dims(g, -1), None


def _sigmoid_type(logits: TensorType, targets: TensorType) -> TensorType:
    check_kind("sigmoid_cross_entropy", ("float",), logits, targets)
    if logits != targets:
        raise TypeMismatchError(f"sigmoid_cross_entropy: logits {logits} and targets {targets} must have one type")
    return logits


def _sigmoid_parts(logits: Value, targets: Value) -> Value:
    return maximum(logits, 0.0) - logits * targets + log1p(exp(-absolute(logits)))  # type: ignore[no-any-return]


def _sigmoid_gradient(g: Value, out: Value, logits: Value, targets: Value) -> tuple[Any, Any]:
    return g * (sigmoid(logits) - targets), -g * logits


def _huber_type(prediction: TensorType, target: TensorType, *, delta: float = 1.0) -> TensorType:
    check_kind("huber", ("float",), prediction, target)
    if prediction != target:
        raise TypeMismatchError(f"huber: the prediction {prediction} and the target {target} must have one type")
    return prediction


def _huber_parts(prediction: Value, target: Value, *, delta: float) -> Value:
    """Half the square up to delta, from there on its tangent."""
    off = absolute(prediction - target)
    near = minimum(off, delta)
    return near * (off - 0.5 * near)  # type: ignore[no-any-return]


def _huber_gradient(g: Value, out: Value, prediction: Value, target: Value, *, delta: float) -> tuple[Value, Value]:
    slope = g * minimum(maximum(prediction - target, -delta), delta)
    return slope, -slope


def _log_cosh_type(x: TensorType) -> TensorType:
    check_kind("log_cosh", ("float",), x)
    return x


def _log_cosh_parts(x: Value) -> Value:
    """|x| + log((1 + exp(-2|x|)) / 2), which does not overflow."""
    off = absolute(x)
    return off + (log1p(exp(-2.0 * off)) - math.log(2.0))  # type: ignore[no-any-return]


_TARGETS = np.array([[0.25, 0.5, 0.25], [0.0, 1.0, 0.0]], np.float32)
softmax_cross_entropy = Op("softmax_cross_entropy", _dense_type, None, _dense_gradient, _dense_parts, bound=_BOUND,
                           smooth=True,
                           samples=(sample((2, 3), _TARGETS), sample((4, 2, 3), (4, 2, 3))))  # fmt: skip
sparse_softmax_cross_entropy = Op("sparse_softmax_cross_entropy", _sparse_type, None, _sparse_gradient, _sparse_parts,
                                  bound=_BOUND, smooth=True,
                                  samples=(sample((4, 3), np.array([2, 0, 1, 2], np.int32)),
                                           sample((2, 3, 5), np.array([[4, 0, 2], [1, 3, 3]], np.int64))))  # fmt: skip
sigmoid_cross_entropy = Op("sigmoid_cross_entropy", _sigmoid_type, None, _sigmoid_gradient, _sigmoid_parts,
                           bound=_BOUND, smooth=True,
                           samples=(sample((2, 3), _TARGETS), sample((3,), (3,), between=(-5.0, 5.0))))  # fmt: skip
huber = Op("huber", _huber_type, None, _huber_gradient, _huber_parts, bound=_BOUND,
           samples=(sample((2, 3), (2, 3)), sample((4, 3), (4, 3), delta=0.7), sample((), ())))  # fmt: skip
log_cosh = Op("log_cosh", _log_cosh_type, None, lambda g, out, x: (g * tanh(x),), _log_cosh_parts, bound=_BOUND,
              smooth=True, samples=(sample((2, 3)), sample((4,), between=(-30.0, 30.0))))  # fmt: skip
OPS = (
    softmax_cross_entropy, sparse_softmax_cross_entropy, sigmoid_cross_entropy, huber, log_cosh,
)  # fmt: skip
