"""TensorFlow: activation functions, and the kernels that TensorFlow has for their gradients."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import GradientOf, When


def _hard_sigmoid(x: Any) -> Any:
    return tf.nn.relu6(x + 3.0) / 6.0


def _leaky_relu(x: Any, *, alpha: Any) -> Any:
    return tf.nn.leaky_relu(x, alpha)


def _elu(x: Any) -> Any:
    return tf.nn.elu(x)


def _gelu(x: Any, *, approximate: Any) -> Any:
    return tf.nn.gelu(x, approximate=True) if approximate else tf.nn.gelu(x)


def _softmax(x: Any, *, axis: Any) -> Any:
    return tf.nn.softmax(x) if axis == -1 else tf.nn.softmax(x, axis)


def _log_softmax(x: Any, *, axis: Any) -> Any:
    return tf.nn.log_softmax(x) if axis == -1 else tf.nn.log_softmax(x, axis)


def _relu_gradient(g: Any, out: Any, x: Any) -> Any:
    return tf.raw_ops.ReluGrad(gradients=g, features=out)


def _relu6_gradient(g: Any, out: Any, x: Any) -> Any:
    return tf.raw_ops.Relu6Grad(gradients=g, features=x)


def _leaky_relu_gradient(g: Any, out: Any, x: Any, *, alpha: Any) -> Any:
    return tf.raw_ops.LeakyReluGrad(gradients=g, features=x, alpha=alpha)


def _elu_gradient(g: Any, out: Any, x: Any) -> Any:
    return tf.raw_ops.EluGrad(gradients=g, outputs=out)


def _softplus_gradient(g: Any, out: Any, x: Any) -> Any:
    return tf.raw_ops.SoftplusGrad(gradients=g, features=x)


def _is_not_double(node: Node) -> bool:
    """Whether it does not matter that TensorFlow rounds the constants of a formula to float32."""
    return node.outputs[0].dtype.name != "float64"


def _is_plain_elu(node: Node) -> bool:
    return bool(node.attributes["alpha"] == 1.0)


rows = {
    ops.relu: tf.nn.relu,
    ops.relu6: tf.nn.relu6,
    ops.hard_sigmoid: _hard_sigmoid,
    ops.silu: tf.nn.silu,
    ops.softplus: tf.nn.softplus,
    ops.log_sigmoid: tf.math.log_sigmoid,
    ops.softsign: tf.nn.softsign,
    ops.selu: tf.nn.selu,
    ops.leaky_relu: When(_is_not_double, _leaky_relu),
    ops.elu: When(_is_plain_elu, _elu),
    ops.gelu: When(_is_not_double, _gelu),
    ops.softmax: _softmax,
    ops.log_softmax: _log_softmax,
    GradientOf(ops.relu): _relu_gradient,
    GradientOf(ops.relu6): _relu6_gradient,
    GradientOf(ops.leaky_relu): When(_is_not_double, _leaky_relu_gradient),
    GradientOf(ops.elu): When(_is_plain_elu, _elu_gradient),
    GradientOf(ops.softplus): _softplus_gradient,
}
