"""PyTorch: activation functions in pieces, and the kernels that PyTorch has for their gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import ops
from ..rules import GradientOf


def _hard_tanh(x: Any, *, low: Any, high: Any) -> Any:
    return F.hardtanh(x) if (low, high) == (-1.0, 1.0) else F.hardtanh(x, low, high)


def _threshold(x: Any, *, threshold: Any, value: Any) -> Any:
    return F.threshold(x, threshold, value)


def _soft_shrink(x: Any, *, limit: Any) -> Any:
    return F.softshrink(x) if limit == 0.5 else F.softshrink(x, limit)


def _hard_shrink(x: Any, *, limit: Any) -> Any:
    return F.hardshrink(x) if limit == 0.5 else F.hardshrink(x, limit)


def _celu(x: Any, *, alpha: Any) -> Any:
    return F.celu(x) if alpha == 1.0 else F.celu(x, alpha)


def _hard_swish_gradient(g: Any, out: Any, x: Any) -> Any:
    return torch.ops.aten.hardswish_backward(g, x)


def _hard_tanh_gradient(g: Any, out: Any, x: Any, *, low: Any, high: Any) -> Any:
    return torch.ops.aten.hardtanh_backward(g, x, low, high)


def _threshold_gradient(g: Any, out: Any, x: Any, *, threshold: Any) -> Any:
    return torch.ops.aten.threshold_backward(g, x, threshold)


rows = {
    ops.hard_swish: F.hardswish,
    ops.hard_tanh: _hard_tanh,
    ops.threshold: _threshold,
    ops.soft_shrink: _soft_shrink,
    ops.hard_shrink: _hard_shrink,
    ops.celu: _celu,
    GradientOf(ops.hard_swish): _hard_swish_gradient,
    GradientOf(ops.hard_tanh): _hard_tanh_gradient,
    GradientOf(ops.threshold): _threshold_gradient,
}
