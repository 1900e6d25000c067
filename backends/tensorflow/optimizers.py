"""TensorFlow: optimizers, on variables in place."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node
from ...ir.training import clipping, optimizers
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


def _adamw(p: Any, g: Any, m: Any, v: Any, decay: Any, rate: Any, *, beta_1: Any, beta_2: Any, epsilon: Any) -> None:
    """Keras's AdamW: the weight decay first, epsilon as in its Adam."""
    m.assign_add((g - m) * (1.0 - beta_1))
    v.assign_add((tf.square(g) - v) * (1.0 - beta_2))
    p.assign(p - p * decay - rate * m / (tf.sqrt(v) + epsilon))


def _adamw_torch(
    p: Any, g: Any, m: Any, v: Any, decay: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """PyTorch's AdamW: the weight decay first, epsilon as in its Adam."""
    m.assign_add((g - m) * (1.0 - beta_1))
    v.assign(beta_2 * v + (1.0 - beta_2) * tf.square(g))
    p.assign(p * (1.0 - decay) - rate * m / (tf.sqrt(v) / scale + epsilon))


def _adamw_optax(
    p: Any, g: Any, m: Any, v: Any, decay: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """Optax's AdamW: both moments are corrected, then the root is taken."""
    m.assign_add((g - m) * (1.0 - beta_1))
    v.assign(beta_2 * v + (1.0 - beta_2) * tf.square(g))
    p.assign(p - p * decay - rate * m / (tf.sqrt(v / scale) + epsilon))


def _global_norm(*gradients: Any) -> Any:
    return tf.linalg.global_norm(gradients)


def _is_plain(node: Node) -> bool:
    """An update that is done in place: without the options that few use."""
    unused = node.op is optimizers.sgd_momentum and node.inputs[-1] is not None
    return overwrites_stored(node) and not unused and not node.attributes.get("epsilon_root")


def _is_keras(node: Node) -> bool:
    return _is_plain(node) and node.attributes["convention"] == "keras"


def _is_torch(node: Node) -> bool:
    return _is_plain(node) and node.attributes["convention"] == "torch"


rows = {
    clipping.global_norm: _global_norm,
    optimizers.sgd: When(overwrites_stored, _sgd),
    optimizers.sgd_momentum: (When(_is_keras, _sgd_momentum), When(_is_plain, _sgd_trace)),
    optimizers.adam: (When(_is_keras, _adam), When(_is_torch, _adam_torch), When(_is_plain, _adam_optax)),
    optimizers.adamw: (When(_is_keras, _adamw), When(_is_torch, _adamw_torch), When(_is_plain, _adamw_optax)),
}
IN_PLACE = frozenset({_sgd, _sgd_momentum, _sgd_trace, _adam, _adam_torch, _adam_optax, _adamw, _adamw_torch,
                      _adamw_optax})  # fmt: skip
