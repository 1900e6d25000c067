"""PyTorch: activation functions, and the kernels that PyTorch has for their gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import GradientOf, When


def _softplus(x: Any) -> Any:
    return F.softplus(x)


def _softplus_exact(x: Any) -> Any:
    return F.softplus(x, threshold=40)


def _leaky_relu(x: Any, *, alpha: Any) -> Any:
    return F.leaky_relu(x) if alpha == 0.01 else F.leaky_relu(x, alpha)


def _elu(x: Any, *, alpha: Any) -> Any:
    return F.elu(x) if alpha == 1.0 else F.elu(x, alpha)


def _gelu(x: Any, *, approximate: Any) -> Any:
    return F.gelu(x, approximate="tanh") if approximate else F.gelu(x)


def _softmax(x: Any, *, axis: Any) -> Any:
    return F.softmax(x, axis)


def _log_softmax(x: Any, *, axis: Any) -> Any:
    return F.log_softmax(x, axis)


def _softmin(x: Any, *, axis: Any) -> Any:
    return F.softmin(x, axis)


def _glu(x: Any, *, axis: Any) -> Any:
    return F.glu(x, axis)


def _mish_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.mish_backward(g, x)


def _glu_gradient(g: Any, out: Any, x: Any, *, axis: Any) -> Any:
    return torch.ops.aten.glu_backward(g, x, axis)


def _relu_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.threshold_backward(g, out, 0)


def _relu6_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.hardtanh_backward(g, x, 0, 6)


def _hard_sigmoid_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.hardsigmoid_backward(g, x)


def _silu_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.silu_backward(g, x)


def _selu_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.elu_backward(g, 1.6732632423543772, 1.0507009873554805, 1, False, x)


def _leaky_relu_gradient(g: Any, out: Any, x: Any, *, alpha: Any) -> Any:
    return torch.ops.aten.leaky_relu_backward(g, x, alpha, False)


def _elu_gradient(g: Any, out: Any, x: Any, *, alpha: Any) -> Any:
    return torch.ops.aten.elu_backward(g, alpha, 1, 1, False, x)


def _gelu_gradient(g: Any, out: Any, x: Any, *, approximate: Any) -> Any:
    return torch.ops.aten.gelu_backward(g, x, approximate="tanh") if approximate else torch.ops.aten.gelu_backward(g, x)


def _softmax_gradient(g: Any, out: Any, x: Any, *, axis: Any) -> Any:
    return torch.ops.aten._softmax_backward_data(g, out, axis, out.dtype)


def _log_softmax_gradient(g: Any, out: Any, x: Any, *, axis: Any) -> Any:
    return torch.ops.aten._log_softmax_backward_data(g, out, axis, out.dtype)


def _is_double(node: Node) -> bool:
    """Whether softplus is linear from 20 on is seen in the result: in float64 only."""
    return node.outputs[0].dtype.name == "float64"


def _is_not_double(node: Node) -> bool:
    """PyTorch's gradient of hard_sigmoid divides by 6 in float32."""
    return not _is_double(node)


def _has_one_slope_at_zero(node: Node) -> bool:
    """PyTorch's gradient of elu at 0 is alpha, ours 1."""
    return bool(node.attributes["alpha"] == 1.0)


rows = {
    ops.relu: torch.relu,
    ops.relu6: F.relu6,
    ops.hard_sigmoid: F.hardsigmoid,
    ops.silu: F.silu,
    ops.softplus: (When(_is_double, _softplus_exact), _softplus),
    ops.log_sigmoid: F.logsigmoid,
    ops.softsign: F.softsign,
    ops.selu: F.selu,
    ops.leaky_relu: _leaky_relu,
    ops.elu: _elu,
    ops.gelu: _gelu,
    ops.softmax: _softmax,
    ops.log_softmax: _log_softmax,
    ops.softmin: _softmin,
    ops.mish: F.mish,
    ops.tanh_shrink: F.tanhshrink,
    ops.glu: _glu,
    GradientOf(ops.mish): _mish_gradient,
    GradientOf(ops.glu): _glu_gradient,
    GradientOf(ops.relu): _relu_gradient,
    GradientOf(ops.relu6): _relu6_gradient,
    GradientOf(ops.hard_sigmoid): When(_is_not_double, _hard_sigmoid_gradient),
    GradientOf(ops.silu): _silu_gradient,
    GradientOf(ops.selu): _selu_gradient,
    GradientOf(ops.leaky_relu): _leaky_relu_gradient,
    GradientOf(ops.elu): When(_has_one_slope_at_zero, _elu_gradient),
    GradientOf(ops.gelu): _gelu_gradient,
    GradientOf(ops.softmax): _softmax_gradient,
    GradientOf(ops.log_softmax): _log_softmax_gradient,
}
