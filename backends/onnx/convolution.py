"""ONNX: convolutions and their gradients, channels first (the layout pass has seen to that)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ir import Dim, Size, ops
from ...ir.dims import divide_exact, product
from .builder import Builder, Tensor
from .lowering import by
from .shape import padded


def split_pads(padding: Any) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
    """Padding before, and after, each spatial axis."""
    return tuple(a for a, _ in padding), tuple(b for _, b in padding)


def _conv(
    b: Builder,
    x: Tensor,
    w: Tensor,
    *,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: int,
    layout: str,
    filter_layout: str,
) -> Any:
    low, high = split_pads(padding)
    return _convolved(b, x, w, low, high, strides=strides, dilations=dilations, group=groups)


def _convolved(b: Builder, x: Tensor, w: Tensor, low: Any, high: Any, **common: Any) -> Any:
    if any(isinstance(p, Dim) for p in (*low, *high)):
        return b.Conv(_spatially_padded(b, x, low, high), w, **common)
    return b.Conv(x, w, pads=(*low, *high), **common)


def _spatially_padded(b: Builder, x: Any, low: Any, high: Any) -> Any:
    return padded(b, x, b.constant(0, b.node.outputs[0].dtype), (0, 0, *low), (0, 0, *high))


def _conv_input_gradient(
    b: Builder,
    g: Tensor,
    w: Tensor,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: int,
    layout: str,
    filter_layout: str,
) -> Any:
    low, high = split_pads(padding)
    spread = [
        (m - 1) * s + (k - 1) * d + 1 for m, k, s, d in zip(g.shape[2:], w.shape[2:], strides, dilations, strict=True)
    ]
    rest = [n + p + q - full for n, p, q, full in zip(sizes, low, high, spread, strict=True)]
    common = {"strides": strides, "dilations": dilations, "group": groups}
    fits = all(isinstance(r, int) and 0 <= r < s for r, s in zip(rest, strides, strict=True))
    if fits and not any(isinstance(p, Dim) for p in (*low, *high)):
        return b.ConvTranspose(g, w, pads=(*low, *high), output_padding=tuple(rest), **common)
    cut = [r - q for r, q in zip(rest, high, strict=True)]  # what is beyond the windows gets nothing
    return _spatially_padded(b, b.ConvTranspose(g, w, **common), [-p for p in low], cut)


def _conv_filter_gradient(
    b: Builder,
    x: Tensor,
    g: Tensor,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: int,
    layout: str,
    filter_layout: str,
) -> Any:
    """The elements that each element of a filter meets, times the gradients there; summed over the batch last.

    (Tried: a convolution of the exchanged axes takes 3 to 7 times as long, slices of x side by side 1.3 to 3 times.)
    """
    batch, places, rows = x.shape[0], product(g.shape[2:]), product(sizes)
    inputs, outputs = divide_exact(x.shape[1], groups), divide_exact(g.shape[1], groups)
    met = _elements_met(b, x, sizes, strides, padding, dilations)
    lead = (groups,) if groups > 1 else ()
    at = len(lead)
    left = b.reshape(met, (batch, x.shape[1] * rows, *g.shape[2:]), (batch, *lead, inputs * rows, places))
    right = b.swap(b.reshape(g, g.shape, (batch, *lead, outputs, places)), (*range(1 + at), 2 + at, 1 + at))
    total = b.ReduceSum(b.MatMul(left, right), (0,), keepdims=0)
    apart = b.reshape(total, (*lead, inputs * rows, outputs), (*lead, inputs, *sizes, outputs))
    last = at + 1 + len(sizes)
    made = b.swap(apart, (*range(at), last, *range(at, last)))
    return b.reshape(made, (*lead, outputs, inputs, *sizes), (groups * outputs, inputs, *sizes)) if lead else made


def _elements_met(b: Builder, x: Tensor, sizes: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """x at each offset of the filter as a channel of its own: a convolution with filters that have a single 1."""
    count, channels = math.prod(sizes), int(x.shape[1])
    single = np.tile(np.eye(count, dtype=x.dtype.numpy), (channels, 1)).reshape(-1, 1, *sizes)
    low, high = split_pads(padding)
    return _convolved(b, x, b.constant(single), low, high, strides=strides, dilations=dilations, group=channels)


rows = {
    ops.conv: by(_conv, "Conv"),
    ops.conv_input_gradient: by(_conv_input_gradient, "ConvTranspose"),
    ops.conv_filter_gradient: by(_conv_filter_gradient, "MatMul", "Conv"),
}
