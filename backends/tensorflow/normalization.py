"""TensorFlow: batch normalization, by its fused kernels in both directions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ...ir.ops import normalize_axis
from ..rules import GradientOf, When


def fused_batch_norm(x: Any, scale: Any, offset: Any, epsilon: Any) -> Any:
    """x as images, the scale, and what the kernel gives: y, mean, unbiased variance, what its gradient needs."""
    images = x if x.shape.rank == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))
    scale = tf.ones(x.shape[-1:]) if scale is None else scale
    offset = tf.zeros(x.shape[-1:]) if offset is None else offset
    return (
        images,
        scale,
        tf.raw_ops.FusedBatchNormV3(x=images, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon),
    )


def _batch_norm(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    """x with its last axis normalized, and the channels' mean and biased variance."""
    images, _, (y, mean, variance, *_) = fused_batch_norm(x, scale, offset, epsilon)
    count = tf.cast(tf.reduce_prod(tf.shape(images)[:-1]), tf.float32)
    return tf.reshape(y, tf.shape(x)), mean, variance * ((count - 1.0) / count)


def batch_norm_gradient(g: Any, x: Any, scale: Any, offset: Any, epsilon: Any) -> Any:
    """The gradients to x, scale and offset; TensorFlow merges the first call here with that of the forward pass."""
    images, scale, (_, _, _, *saved) = fused_batch_norm(x, scale, offset, epsilon)
    d_x, d_scale, d_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=tf.reshape(g, tf.shape(images)),
        x=images,
        scale=scale,
        reserve_space_1=saved[0],
        reserve_space_2=saved[1],
        reserve_space_3=saved[2],
        epsilon=epsilon,
    )
    return tf.reshape(d_x, tf.shape(x)), d_scale, d_offset


def _batch_norm_gradient(
    g: Any, y: Any, mean: Any, variance: Any, x: Any, scale: Any, offset: Any, *, epsilon: Any
) -> Any:
    return batch_norm_gradient(g, x, scale, offset, epsilon)


def _batch_norm_gradient_scale(g: Any, y: Any, mean: Any, variance: Any, x: Any, scale: Any, *, epsilon: Any) -> Any:
    return batch_norm_gradient(g, x, scale, None, epsilon)[:2]


def _batch_norm_gradient_offset(g: Any, y: Any, mean: Any, variance: Any, x: Any, offset: Any, *, epsilon: Any) -> Any:
    return batch_norm_gradient(g, x, None, offset, epsilon)[::2]


def _batch_norm_gradient_plain(g: Any, y: Any, mean: Any, variance: Any, x: Any, *, epsilon: Any) -> Any:
    return batch_norm_gradient(g, x, None, None, epsilon)[0]


def _batch_norm_inference(x: Any, scale: Any, offset: Any, mean: Any, variance: Any, *, epsilon: Any) -> Any:
    """x with its last axis normalized by a given mean and variance."""
    images = x if x.shape.rank == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))
    scale = tf.ones_like(mean) if scale is None else scale
    offset = tf.zeros_like(mean) if offset is None else offset
    y, *_ = tf.raw_ops.FusedBatchNormV3(
        x=images, scale=scale, offset=offset, mean=mean, variance=variance, epsilon=epsilon, is_training=False
    )
    return tf.reshape(y, tf.shape(x))


def _fits(node: Node) -> bool:
    """Whether the kernels can do it: channels last, and float32."""
    names = node.op.signature.operands
    x = node.inputs[names.index("x")]
    assert x is not None
    return x.rank > 1 and x.dtype.name == "float32" and normalize_axis(node.attributes["axis"], x.rank) == x.rank - 1


def _with(*names: str) -> Any:
    """Whether these of scale and offset are there, and no other, and only y has a gradient."""

    def condition(node: Node) -> bool:
        given = {n for n in ("scale", "offset") if n in node.op.signature.operands}
        return node.op.given == (True, False, False) and given == set(names) and _fits(node)

    return condition


rows = {
    ops.batch_norm: When(_fits, _batch_norm),
    ops.batch_norm_inference: When(_fits, _batch_norm_inference),
    GradientOf(ops.batch_norm): (
        When(_with("scale", "offset"), _batch_norm_gradient),
        When(_with("scale"), _batch_norm_gradient_scale),
        When(_with("offset"), _batch_norm_gradient_offset),
        When(_with(), _batch_norm_gradient_plain),
    ),
}
