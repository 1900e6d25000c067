"""PyTorch: losses, one number for each example."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import GradientOf, When


def _cross_entropy(logits: Any, targets: Any) -> Any:
    return F.cross_entropy(logits, targets, reduction="none")


def _cross_entropy_to_long(logits: Any, labels: Any) -> Any:
    return F.cross_entropy(logits, labels.long(), reduction="none")


def _cross_entropy_of_stack(logits: Any, targets: Any) -> Any:
    return F.cross_entropy(logits.movedim(-1, 1), targets.movedim(-1, 1), reduction="none")


def _sparse_cross_entropy_of_stack(logits: Any, labels: Any) -> Any:
    """Cross entropy of logits whose classes are the last axis, with labels for each position."""
    losses = F.cross_entropy(logits.flatten(0, -2), labels.flatten().long(), reduction="none")
    return losses.reshape(labels.shape)


def _sparse_cross_entropy_gradient(g: Any, loss: Any, logits: Any, labels: Any) -> Any:
    """The softmax of the logits, less one at the labels, times g."""
    gradient = F.softmax(logits, -1)
    gradient.scatter_add_(-1, labels.long().unsqueeze(-1), gradient.new_full((*labels.shape, 1), -1.0))
    return gradient.mul_(g.unsqueeze(-1))


def _binary_cross_entropy(logits: Any, targets: Any) -> Any:
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def _huber(prediction: Any, target: Any, *, delta: Any) -> Any:
    return F.huber_loss(prediction, target, reduction="none", delta=delta)


def _is_matrix(node: Node) -> bool:
    return node.outputs[0].rank == 1


def _is_long_matrix(node: Node) -> bool:
    labels = node.inputs[1]
    return labels is not None and labels.dtype.name == "int64" and _is_matrix(node)


rows = {
    ops.softmax_cross_entropy: (When(_is_matrix, _cross_entropy), _cross_entropy_of_stack),
    ops.sparse_softmax_cross_entropy: (
        When(_is_long_matrix, _cross_entropy),
        When(_is_matrix, _cross_entropy_to_long),
        _sparse_cross_entropy_of_stack,
    ),
    ops.sigmoid_cross_entropy: _binary_cross_entropy,
    ops.huber: _huber,
    GradientOf(ops.sparse_softmax_cross_entropy): _sparse_cross_entropy_gradient,
}
