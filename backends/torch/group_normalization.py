"""PyTorch: normalization by groups of channels, by its fused kernels in both directions."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ...ir.ops import normalize_axis
from ..rules import Alone, GradientOf, When

_omitted: Any = None  # an argument that is its default is not written


def _group_norm(x: Any, scale: Any, offset: Any, *, groups: Any, epsilon: Any) -> Any:
    return F.group_norm(
        x,
        groups,
        weight=_omitted if scale is None else scale,
        bias=_omitted if offset is None else offset,
        eps=_omitted if epsilon == 1e-5 else epsilon,
    )


def _group_norm_last(x: Any, scale: Any, offset: Any, *, groups: Any, epsilon: Any) -> Any:
    return F.group_norm(
        x.movedim(-1, 1),
        groups,
        weight=_omitted if scale is None else scale,
        bias=_omitted if offset is None else offset,
        eps=_omitted if epsilon == 1e-5 else epsilon,
    ).movedim(1, -1)


def _instance_norm(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return F.instance_norm(
        x,
        weight=_omitted if scale is None else scale,
        bias=_omitted if offset is None else offset,
        eps=_omitted if epsilon == 1e-5 else epsilon,
    )


def _instance_norm_last(x: Any, scale: Any, offset: Any, *, epsilon: Any) -> Any:
    return F.instance_norm(
        x.movedim(-1, 1),
        weight=_omitted if scale is None else scale,
        bias=_omitted if offset is None else offset,
        eps=_omitted if epsilon == 1e-5 else epsilon,
    ).movedim(1, -1)


def _group_norm_saving(x: Any, scale: Any, offset: Any, *, groups: Any, axis: Any, epsilon: Any) -> Any:
    """x normalized by groups of channels, each group's mean, and its reciprocal deviation."""
    first = x.movedim(axis, 1).contiguous()
    n, c = first.shape[:2]
    y, mean, deviation = torch.native_group_norm(first, scale, offset, n, c, first[:1, :1].numel(), groups, epsilon)
    return y.movedim(1, axis), mean, deviation


def group_norm_gradient(g: Any, mean: Any, deviation: Any, x: Any, scale: Any, axis: Any) -> Any:
    """The gradients of group_norm to x, scale and offset."""
    g, first = g.movedim(axis, 1).contiguous(), x.movedim(axis, 1).contiguous()
    n, c = first.shape[:2]
    size = first[:1, :1].numel()
    scale = x.new_ones(c) if scale is None else scale  # the kernel wants one where it gives the last two
    d_x, d_scale, d_offset = torch.ops.aten.native_group_norm_backward(
        g, first, mean, deviation, scale, n, c, size, mean.shape[1], [True, True, True]
    )
    return d_x.movedim(1, axis), d_scale, d_offset


def _gradient(g: Any, y: Any, mean: Any, deviation: Any, x: Any, scale: Any, offset: Any, *, axis: Any) -> Any:
    return group_norm_gradient(g, mean, deviation, x, scale, axis)


def _gradient_scale(g: Any, y: Any, mean: Any, deviation: Any, x: Any, scale: Any, *, axis: Any) -> Any:
    return group_norm_gradient(g, mean, deviation, x, scale, axis)[:2]


def _gradient_offset(g: Any, y: Any, mean: Any, deviation: Any, x: Any, offset: Any, *, axis: Any) -> Any:
    return group_norm_gradient(g, mean, deviation, x, None, axis)[::2]


def _gradient_plain(g: Any, y: Any, mean: Any, deviation: Any, x: Any, *, axis: Any) -> Any:
    return group_norm_gradient(g, mean, deviation, x, None, axis)[0]


def _channels_at(axis: int) -> Any:
    def condition(node: Node) -> bool:
        x = node.inputs[0]
        assert x is not None
        return x.rank > 2 and normalize_axis(node.attributes["axis"], x.rank) == axis % x.rank

    return condition


def _with(*names: str) -> Any:
    """Whether these of scale and offset are there, and no other, and only y has a gradient."""

    def condition(node: Node) -> bool:
        given = {n for n in ("scale", "offset") if n in node.op.signature.operands}
        return node.op.given == (True, False, False) and given == set(names)

    return condition


_GRADIENT = (
    When(_with("scale", "offset"), _gradient),
    When(_with("scale"), _gradient_scale),
    When(_with("offset"), _gradient_offset),
    When(_with(), _gradient_plain),
)
rows = {
    ops.group_norm: (
        Alone(_channels_at(1), _group_norm),
        Alone(_channels_at(-1), _group_norm_last),
        _group_norm_saving,
    ),
    ops.instance_norm: (Alone(_channels_at(1), _instance_norm), Alone(_channels_at(-1), _instance_norm_last)),
    GradientOf(ops.group_norm): _GRADIENT,
    GradientOf(ops.instance_norm): _GRADIENT,
}
