"""TensorFlow: losses, one number for each example."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import GradientOf, When


def _softmax_cross_entropy(logits: Any, targets: Any) -> Any:
    return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


def _sparse_softmax_cross_entropy(logits: Any, labels: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _sparse_softmax_cross_entropy_gradient(g: Any, loss: Any, logits: Any, labels: Any) -> Any:
    """The softmax of the logits, less one at the labels, times g; TensorFlow computes it beside the loss, once."""
    _, gradient = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=logits, labels=labels)
    return gradient * g[:, None]


def _sigmoid_cross_entropy(logits: Any, targets: Any) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)


def _is_labelled(node: Node) -> bool:
    """Whether labels are of a type that TensorFlow takes."""
    labels = node.inputs[-1]
    return labels is not None and labels.dtype.name in ("int32", "int64")


def _is_labelled_matrix(node: Node) -> bool:
    return _is_labelled(node) and node.outputs[0].rank == 2


rows = {
    ops.softmax_cross_entropy: _softmax_cross_entropy,
    ops.sparse_softmax_cross_entropy: When(_is_labelled, _sparse_softmax_cross_entropy),
    ops.sigmoid_cross_entropy: _sigmoid_cross_entropy,
    GradientOf(ops.sparse_softmax_cross_entropy): When(_is_labelled_matrix, _sparse_softmax_cross_entropy_gradient),
}
