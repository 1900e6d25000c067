"""TensorFlow: optimizers, on variables in place."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node
from ...ir.training import optimizers
from ..fold import overwrites_stored
from ..rules import When


def _sgd(p: Any, g: Any, rate: Any) -> Any:
    return p.assign_sub(rate * g)


def _sgd_momentum(p: Any, g: Any, velocity: Any, rate: Any, *, momentum: Any, nesterov: Any) -> None:
    """Keras's momentum: the rate is in the velocity."""
    velocity.assign(momentum * velocity - rate * g)
    p.assign_add(momentum * velocity - rate * g if nesterov else velocity)


def _sgd_trace(p: Any, g: Any, velocity: Any, rate: Any, *, momentum: Any, nesterov: Any) -> None:
    """PyTorch's and Optax's momentum: the rate is outside the velocity."""
    velocity.assign(momentum * velocity + g)
    p.assign_sub(rate * (g + momentum * velocity if nesterov else velocity))


def _adam(p: Any, g: Any, m: Any, v: Any, rate: Any, *, beta_1: Any, beta_2: Any, epsilon: Any) -> None:
    """Keras's Adam: epsilon is added to the root of the uncorrected second moment."""
    m.assign_add((g - m) * (1.0 - beta_1))
    v.assign_add((tf.square(g) - v) * (1.0 - beta_2))
    p.assign_sub(rate * m / (tf.sqrt(v) + epsilon))


def _adam_torch(
    p: Any, g: Any, m: Any, v: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """PyTorch's Adam: epsilon is added to the root of the corrected second moment."""
    m.assign_add((g - m) * (1.0 - beta_1))
    v.assign_add((tf.square(g) - v) * (1.0 - beta_2))
    p.assign_sub(rate * m / (tf.sqrt(v) / scale + epsilon))


def _adam_optax(
    p: Any, g: Any, m: Any, v: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """Optax's Adam: both moments are corrected, then the root is taken."""
    m.assign_add((g - m) * (1.0 - beta_1))
    v.assign_add((tf.square(g) - v) * (1.0 - beta_2))
    p.assign_sub(rate * m / (tf.sqrt(v / scale) + epsilon))


def _is_keras(node: Node) -> bool:
    return overwrites_stored(node) and node.attributes["convention"] == "keras"


def _is_torch(node: Node) -> bool:
    return overwrites_stored(node) and node.attributes["convention"] == "torch"


rows = {
    optimizers.sgd: When(overwrites_stored, _sgd),
    optimizers.sgd_momentum: (When(_is_keras, _sgd_momentum), When(overwrites_stored, _sgd_trace)),
    optimizers.adam: (When(_is_keras, _adam), When(_is_torch, _adam_torch), When(overwrites_stored, _adam_optax)),
}
IN_PLACE = frozenset({_sgd, _sgd_momentum, _sgd_trace, _adam, _adam_torch, _adam_optax})
