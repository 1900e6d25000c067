"""ONNX: pooling, channels first (the layout pass has seen to that)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ir import Dim, ops
from ...ir.dims import product
from .builder import Builder, Tensor
from .convolution import split_pads
from .lowering import by
from .shape import padded


def _is_fixed(padding: Any) -> bool:
    return not any(isinstance(p, Dim) for pair in padding for p in pair)


def _around(b: Builder, x: Tensor, padding: Any, value: float) -> Any:
    """`x` with `value` around it."""
    low, high = split_pads(padding)
    return padded(b, x, b.constant(value, b.node.outputs[0].dtype), (0, 0, *low), (0, 0, *high))


def _windows(
    b: Builder, x: Tensor, value: float, window: Any, strides: Any, padding: Any
) -> tuple[Any, dict[str, Any]]:
    """The operand and the attributes of a pooling; padding that is not known yet is put around x, as `value`."""
    low, high = split_pads(padding)
    fixed = _is_fixed(padding)
    pads = {"pads": (*low, *high)} if fixed else {}
    return x if fixed else _around(b, x, padding, value), {"kernel_shape": window, "strides": strides, **pads}


def _max_pool(b: Builder, x: Tensor, *, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    image, attributes = _windows(b, x, -np.inf, window, strides, padding)
    return b.MaxPool(image, **attributes)


def _places(b: Builder, x: Tensor, window: Any, strides: Any, padding: Any) -> Any:
    """Where each window has its first largest element, counted through all of x and any padding that is not fixed.

    A pooling of its own: with positions it takes 15 times as long as without.
    """
    image, attributes = _windows(b, x, -np.inf, window, strides, padding)
    return b.MaxPool(image, outputs=2, **attributes)[1]


def _max_pool_gradient(
    b: Builder, g: Tensor, x: Tensor, *, window: Any, strides: Any, padding: Any, layout: str
) -> Any:
    places = _places(b, x, window, strides, padding)
    around = ((0, 0),) * len(window) if _is_fixed(padding) else padding
    whole = (*x.shape[:2], *(n + p + q for n, (p, q) in zip(x.shape[2:], around, strict=True)))
    size, count = product(whole), product(g.shape)
    zeros = b.Expand(b.constant(0, x.dtype), (size,))
    flat = (b.reshape(t, g.shape, (count,)) for t in (places, g))
    spread = b.reshape(b.ScatterElements(zeros, *flat, axis=0, reduction="add"), (size,), whole)
    return _around(b, spread, [(-p, -q) for p, q in around], 0.0)


def _max_pool_select(b: Builder, t: Tensor, x: Tensor, *, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    places = _places(b, x, window, strides, padding)
    image = t if _is_fixed(padding) else _around(b, t, padding, 0.0)
    return b.Gather(b.Reshape(image, (-1,)), places, axis=0)


def _average_pool(
    b: Builder, x: Tensor, *, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str
) -> Any:
    image, attributes = _windows(b, x, 0.0, window, strides, padding)
    mean = b.AveragePool(image, count_include_pad=int(count_padding), **attributes)
    if count_padding or _is_fixed(padding):
        return mean
    return _corrected(b, mean, x.shape[2:], window, strides, padding)


def _average_pool_gradient(
    b: Builder, g: Tensor, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str
) -> Any:
    """Each gradient is spread over its window: by a pooling where the stride is 1, else a transposed convolution."""
    low, high = split_pads(padding)
    count = math.prod(window)
    mean = g  # of a window's gradients, had each window all its elements
    if any(p != 0 for p in (*low, *high)) and not count_padding:
        mean = _corrected(b, g, sizes, window, strides, padding)
    if all(s == 1 for s in strides) and _is_fixed(padding):
        pads = (
            *(k - 1 - p for k, p in zip(window, low, strict=True)),
            *(k - 1 - p for k, p in zip(window, high, strict=True)),
        )
        return b.AveragePool(mean, count_include_pad=1, kernel_shape=window, pads=pads)
    single = b.reshape(mean, g.shape, (product(g.shape[:2]), 1, *g.shape[2:]))
    full = [(m - 1) * s + k for m, s, k in zip(g.shape[2:], strides, window, strict=True)]
    spread = b.ConvTranspose(single, np.full((1, 1, *window), 1.0 / count, g.dtype.numpy), strides=strides)
    ends = [n + p - f for n, p, f in zip(sizes, low, full, strict=True)]
    inside = _around(b, spread, [(-p, end) for p, end in zip(low, ends, strict=True)], 0.0)
    return b.reshape(inside, (product(g.shape[:2]), 1, *sizes), (*g.shape[:2], *sizes))


def _corrected(b: Builder, x: Tensor, sizes: Any, window: Any, strides: Any, padding: Any) -> Any:
    """`x`, one number for a window, times the size of the window over how many of its elements are not padding."""
    dtype = b.node.outputs[0].dtype
    around = _around(b, b.Expand(b.constant(1, dtype), (1, 1, *sizes)), padding, 0.0)
    size = b.constant(math.prod(window), dtype)
    counts = b.Round(b.Mul(b.AveragePool(around, kernel_shape=window, strides=strides), size))
    return b.Div(b.Mul(x, size), counts)


rows = {
    ops.max_pool: by(_max_pool, "MaxPool"),
    ops.max_pool_gradient: by(_max_pool_gradient, "MaxPool", "ScatterElements"),
    ops.max_pool_select: by(_max_pool_select, "MaxPool"),
    ops.average_pool: by(_average_pool, "AveragePool"),
    ops.average_pool_gradient: by(_average_pool_gradient, "AveragePool", "ConvTranspose"),
}
