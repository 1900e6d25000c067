"""ONNX: pooling, channels first (`channels_first` has seen to that)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ir import Size, ops
from ...ir.dims import product
from .builder import Builder, Tensor
from .convolution import split_pads
from .lowering import by
from .shape import padded


def _window(window: Any, strides: Any, padding: Any) -> dict[str, Any]:
    low, high = split_pads(padding)
    return {"kernel_shape": window, "strides": strides, "pads": (*low, *high)}


def _max_pool(b: Builder, x: Tensor, *, window: Any, strides: Any, padding: Any, layout: str) -> Tensor:
    return b.MaxPool(x, **_window(window, strides, padding))  # type: ignore[no-any-return]


def _places(b: Builder, x: Tensor, window: Any, strides: Any, padding: Any) -> Tensor:
    """Where each window has its first largest element, counted through all of x.

    A pooling of its own: with positions it takes 15 times as long as without.
    """
    return b.MaxPool(x, outputs=2, **_window(window, strides, padding))[1]  # type: ignore[no-any-return]


def _max_pool_gradient(
    b: Builder, g: Tensor, x: Tensor, *, window: Any, strides: Any, padding: Any, layout: str
) -> Tensor:
    places = _places(b, x, window, strides, padding)
    size, count = product(x.shape), product(g.shape)
    zeros = b.Expand(b.constant(0, x.dtype), (size,))
    flat = b.ScatterElements(
        zeros, b.reshape(places, g.shape, (count,)), b.reshape(g, g.shape, (count,)), axis=0, reduction="add"
    )
    return b.reshape(flat, (size,), x.shape)


def _max_pool_select(
    b: Builder, t: Tensor, x: Tensor, *, window: Any, strides: Any, padding: Any, layout: str
) -> Tensor:
    places = _places(b, x, window, strides, padding)
    return b.Gather(b.reshape(t, t.shape, (product(t.shape),)), places, axis=0)  # type: ignore[no-any-return]


def _average_pool(
    b: Builder, x: Tensor, *, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str
) -> Tensor:
    return b.AveragePool(x, count_include_pad=int(count_padding), **_window(window, strides, padding))  # type: ignore[no-any-return]


def _average_pool_gradient(
    b: Builder, g: Tensor, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: bool, layout: str
) -> Any:
    """Each gradient is spread over its window: windows of windows where the stride is 1, else a transposed convolution."""
    low, high = split_pads(padding)
    count = math.prod(window)
    mean = g  # of a window's gradients, had each window all its elements
    if any((*low, *high)) and not count_padding:
        mean = b.Div(b.Mul(g, np.asarray(count, g.dtype.numpy)), _counts(b, g, sizes, window, strides, padding))
    if all(s == 1 for s in strides):
        pads = (
            *(k - 1 - p for k, p in zip(window, low, strict=True)),
            *(k - 1 - p for k, p in zip(window, high, strict=True)),
        )
        return b.AveragePool(mean, count_include_pad=1, kernel_shape=window, pads=pads)
    single = b.reshape(mean, g.shape, (product(g.shape[:2]), 1, *g.shape[2:]))
    full = [(m - 1) * s + k for m, s, k in zip(g.shape[2:], strides, window, strict=True)]
    spread = b.ConvTranspose(single, np.full((1, 1, *window), 1.0 / count, g.dtype.numpy), strides=strides)
    ends = [n + p - f for n, p, f in zip(sizes, low, full, strict=True)]
    inside = padded(b, spread, b.constant(0, g.dtype), (0, 0, *(-p for p in low)), (0, 0, *ends))
    return b.reshape(inside, (product(g.shape[:2]), 1, *sizes), (*g.shape[:2], *sizes))


def _counts(b: Builder, g: Tensor, sizes: tuple[Size, ...], window: Any, strides: Any, padding: Any) -> Any:
    """How many elements each window has."""
    ones = b.Expand(b.constant(1, g.dtype), (1, 1, *sizes))
    share = b.AveragePool(ones, count_include_pad=1, **_window(window, strides, padding))
    return b.Round(b.Mul(share, np.asarray(math.prod(window), g.dtype.numpy)))


rows = {
    ops.max_pool: by(_max_pool, "MaxPool"),
    ops.max_pool_gradient: by(_max_pool_gradient, "MaxPool", "ScatterElements"),
    ops.max_pool_select: by(_max_pool_select, "MaxPool"),
    ops.average_pool: by(_average_pool, "AveragePool"),
    ops.average_pool_gradient: by(_average_pool_gradient, "AveragePool", "ConvTranspose"),
}
