"""PyTorch: optimizers, in place."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node
from ...ir.ops import constant
from ...ir.training import clipping, optimizers
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
    v.mul_(beta_2).addcmul_(g, g, value=1.0 - beta_2)
    p.addcdiv_(m, v.sqrt().div_(scale).add_(epsilon).div_(-rate))


def _adam_optax(
    p: Any, g: Any, m: Any, v: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """Optax's Adam: both moments are corrected, then the root is taken."""
    m.lerp_(g, 1.0 - beta_1)
    v.mul_(beta_2).addcmul_(g, g, value=1.0 - beta_2)
    p.addcdiv_(m, (v / scale).sqrt_().add_(epsilon).div_(-rate))


def _adamw(p: Any, g: Any, m: Any, v: Any, decay: Any, rate: Any, *, beta_1: Any, beta_2: Any, epsilon: Any) -> None:
    """Keras's AdamW: the weight decay first, epsilon as in its Adam."""
    m.lerp_(g, 1.0 - beta_1)
    v.lerp_(g.square(), 1.0 - beta_2)
    p.sub_(p * decay).addcdiv_(m, v.sqrt().add_(epsilon).div_(-rate))


def _adamw_torch(
    p: Any, g: Any, m: Any, v: Any, decay: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """PyTorch's AdamW: the weight decay first, epsilon as in its Adam."""
    m.lerp_(g, 1.0 - beta_1)
    v.mul_(beta_2).addcmul_(g, g, value=1.0 - beta_2)
    p.mul_(1.0 - decay).addcdiv_(m, v.sqrt().div_(scale).add_(epsilon).div_(-rate))


def _adamw_optax(
    p: Any, g: Any, m: Any, v: Any, decay: Any, rate: Any, scale: Any, *, beta_1: Any, beta_2: Any, epsilon: Any
) -> None:
    """Optax's AdamW: both moments are corrected, then the root is taken."""
    m.lerp_(g, 1.0 - beta_1)
    v.mul_(beta_2).addcmul_(g, g, value=1.0 - beta_2)
    p.sub_(p * decay).addcdiv_(m, (v / scale).sqrt_().add_(epsilon).div_(-rate))


def _global_norm(*gradients: Any) -> Any:
    """The norm of all gradients together."""
    return torch.nn.utils.get_total_norm(gradients)


def _has_number_rate(node: Node) -> bool:
    rate = node.inputs[2]
    return overwrites_stored(node) and rate is not None and rate.node is not None and rate.node.op is constant


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
    optimizers.sgd: (When(_has_number_rate, _sgd), When(overwrites_stored, _sgd_scheduled)),
    optimizers.sgd_momentum: (When(_is_keras, _sgd_momentum), When(_is_plain, _sgd_trace)),
    optimizers.adam: (When(_is_keras, _adam), When(_is_torch, _adam_torch), When(_is_plain, _adam_optax)),
    optimizers.adamw: (When(_is_keras, _adamw), When(_is_torch, _adamw_torch), When(_is_plain, _adamw_optax)),
}
IN_PLACE = frozenset({_sgd, _sgd_scheduled, _sgd_momentum, _sgd_trace, _adam, _adam_torch, _adam_optax, _adamw,
                      _adamw_torch, _adamw_optax})  # fmt: skip
