"""PyTorch: optimizers, in place."""

from __future__ import annotations

from typing import Any

from ...ir import Node
from ...ir.ops import constant
from ...ir.training import optimizers
from ..fold import overwrites_stored
from ..rules import When


def _sgd(p: Any, g: Any, rate: Any) -> Any:
    return p.sub_(g, alpha=rate)


def _sgd_scheduled(p: Any, g: Any, rate: Any) -> Any:
    return p.sub_(rate * g)


def _sgd_momentum(p: Any, g: Any, velocity: Any, rate: Any, *, momentum: Any, nesterov: Any) -> None:
    """Keras's momentum: the rate is in the velocity."""
    velocity.mul_(momentum).sub_(g * rate)
    p.add_(velocity if not nesterov else velocity * momentum - g * rate)


def _sgd_trace(p: Any, g: Any, velocity: Any, rate: Any, *, momentum: Any, nesterov: Any) -> None:
    """PyTorch's and Optax's momentum: the rate is outside the velocity."""
    velocity.mul_(momentum).add_(g)
    p.sub_(rate * (velocity if not nesterov else g + velocity * momentum))


def _adam(p: Any, g: Any, m: Any, v: Any, rate: Any, *, beta_1: Any, beta_2: Any, epsilon: Any) -> None:
    """Keras's Adam: epsilon is added to the root of the uncorrected second moment."""
    m.lerp_(g, 1.0 - beta_1)
    v.lerp_(g.square(), 1.0 - beta_2)
    p.addcdiv_(m, v.sqrt().add_(epsilon).div_(-rate))


def _adam_torch(
    p: Any, g: Any, m: Any, v: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """PyTorch's Adam: epsilon is added to the root of the corrected second moment."""
    m.lerp_(g, 1.0 - beta_1)
    v.lerp_(g.square(), 1.0 - beta_2)
    p.addcdiv_(m, v.sqrt().div_(scale).add_(epsilon).div_(-rate))


def _adam_optax(
    p: Any, g: Any, m: Any, v: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """Optax's Adam: both moments are corrected, then the root is taken."""
    m.lerp_(g, 1.0 - beta_1)
    v.lerp_(g.square(), 1.0 - beta_2)
    p.addcdiv_(m, (v / scale).sqrt_().add_(epsilon).div_(-rate))


def _has_number_rate(node: Node) -> bool:
    rate = node.inputs[2]
    return overwrites_stored(node) and rate is not None and rate.node is not None and rate.node.op is constant


def _is_keras(node: Node) -> bool:
    return overwrites_stored(node) and node.attributes["convention"] == "keras"


def _is_torch(node: Node) -> bool:
    return overwrites_stored(node) and node.attributes["convention"] == "torch"


rows = {
    optimizers.sgd: (When(_has_number_rate, _sgd), When(overwrites_stored, _sgd_scheduled)),
    optimizers.sgd_momentum: (When(_is_keras, _sgd_momentum), When(overwrites_stored, _sgd_trace)),
    optimizers.adam: (When(_is_keras, _adam), When(_is_torch, _adam_torch), When(overwrites_stored, _adam_optax)),
}
IN_PLACE = frozenset({_sgd, _sgd_scheduled, _sgd_momentum, _sgd_trace, _adam, _adam_torch, _adam_optax})
