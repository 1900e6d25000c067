"""PyTorch: pooling by windows, channels first (the layout pass has seen to that)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When
from .convolution import are, around, before, empty_like, is_even, one_or_each

_omitted: Any = None  # an argument that is its default is not written


def _max_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return (F.max_pool1d if len(window) == 1 else F.max_pool2d if len(window) == 2 else F.max_pool3d)(
        x if fits(window, padding) else F.pad(x, around(padding), value=float("-inf")),
        one_or_each(window),
        stride=_omitted if strides == window else one_or_each(strides),
        padding=_omitted if not fits(window, padding) or are(before(padding), 0) else one_or_each(before(padding)),
    )


def fits(window: Any, padding: Any) -> bool:
    """Whether PyTorch's pooling can pad so itself: alike on both sides, by half a window at most."""
    return is_even(padding) and all(2 * a <= k for k, (a, _) in zip(window, padding, strict=True))


def max_pool_gradient(g: Any, x: Any, window: Any, strides: Any, padding: Any) -> Any:
    """The gradient goes to the first largest element of each window; channels first."""
    _, indices = F.max_pool2d(x, window, strides, padding, return_indices=True)
    return torch.ops.aten.max_pool2d_with_indices_backward(g, x, window, strides, padding, [1, 1], False, indices)


def _max_pool_gradient(g: Any, x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return max_pool_gradient(g, x, window, strides, before(padding))


def largest(x: Any, window: Any, strides: Any, padding: Any) -> Any:
    """x padded, and where in it the largest element of each window is; channels first, two or three axes."""
    x = F.pad(x, [n for pair in reversed(padding) for n in pair], value=float("-inf"))
    pool = F.max_pool3d if x.ndim == 5 else F.max_pool2d
    return x, pool(x, window, strides, return_indices=True)[1]


def _max_pool_gradient_padded(g: Any, x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    """The gradient goes to the first largest element of each window."""
    is_line = x.ndim == 3
    if is_line:  # two axes, of which one has size 1
        g, x, window, strides, padding = g.unsqueeze(2), x.unsqueeze(2), (1, *window), (1, *strides), ((0, 0), *padding)
    padded, indices = largest(x, window, strides, padding)
    zeros, ones = [0] * len(window), [1] * len(window)
    scatter = (
        torch.ops.aten.max_pool3d_with_indices_backward
        if x.ndim == 5
        else torch.ops.aten.max_pool2d_with_indices_backward
    )
    d_x = scatter(g, padded, window, strides, zeros, ones, False, indices)
    d_x = d_x[(..., *(slice(a, a + n) for n, (a, _) in zip(x.shape[2:], padding, strict=True)))]
    return d_x.squeeze(2) if is_line else d_x


def _max_pool_select(t: Any, x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    """The elements of t at the places of the first largest elements of x's windows."""
    is_line = x.ndim == 3
    if is_line:  # two axes, of which one has size 1
        t, x, window, strides, padding = t.unsqueeze(2), x.unsqueeze(2), (1, *window), (1, *strides), ((0, 0), *padding)
    _, indices = largest(x, window, strides, padding)
    t = F.pad(t, [n for pair in reversed(padding) for n in pair])
    chosen = t.flatten(2).gather(2, indices.flatten(2)).reshape(indices.shape)
    return chosen.squeeze(2) if is_line else chosen


def _average_pool(x: Any, *, window: Any, strides: Any, padding: Any, count_padding: Any) -> Any:
    return (F.avg_pool1d if len(window) == 1 else F.avg_pool2d if len(window) == 2 else F.avg_pool3d)(
        x,
        one_or_each(window),
        stride=_omitted if strides == window else one_or_each(strides),
        padding=_omitted if are(before(padding), 0) else one_or_each(before(padding)),
        count_include_pad=_omitted if count_padding or are(before(padding), 0) else False,
    )


def _average_pool_uneven(x: Any, *, window: Any, strides: Any, padding: Any, count_padding: Any) -> Any:
    """The mean of each window; padding counts only where `count_padding` says so."""
    pads = [n for pair in reversed(padding) for n in pair]
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(window) - 1]
    mean = pool(F.pad(x, pads), window, strides)
    if not count_padding:
        mean = mean / pool(F.pad(x.new_ones((1, 1, *x.shape[2:])), pads), window, strides)
    return mean


def average_pool_gradient(g: Any, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: Any) -> Any:
    """Each window's gradient is shared by its elements; channels first."""
    x = empty_like(g, g.shape[1], sizes)
    return torch.ops.aten.avg_pool2d_backward(g, x, window, strides, padding, False, count_padding, None)


def _average_pool_gradient(g: Any, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: Any) -> Any:
    return average_pool_gradient(g, sizes, window, strides, before(padding), count_padding)


def _average_pool_gradient_padded(
    g: Any, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: Any
) -> Any:
    """Each window's gradient is shared by its elements."""
    is_line = g.ndim == 3
    if is_line:  # two axes, of which one has size 1
        g, sizes, window, strides, padding = (
            g.unsqueeze(2),
            (1, *sizes),
            (1, *window),
            (1, *strides),
            ((0, 0), *padding),
        )
    pool, share = F.avg_pool2d, torch.ops.aten.avg_pool2d_backward
    if g.ndim == 5:
        pool, share = F.avg_pool3d, torch.ops.aten.avg_pool3d_backward
    if not count_padding:
        g = g / pool(
            F.pad(g.new_ones((1, 1, *sizes)), [n for pair in reversed(padding) for n in pair]), window, strides
        )
    padded = [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    d_x = share(g, g.new_empty((*g.shape[:2], *padded)), window, strides, [0] * len(sizes), False, True, None)
    d_x = d_x[(..., *(slice(a, a + n) for n, (a, _) in zip(sizes, padding, strict=True)))]
    return d_x.squeeze(2) if is_line else d_x


def _fits(node: Node) -> bool:
    return fits(node.attributes["window"], node.attributes["padding"])


def _fits_image(node: Node) -> bool:
    return len(node.attributes["window"]) == 2 and _fits(node)


rows = {
    ops.max_pool: _max_pool,
    ops.max_pool_gradient: (When(_fits_image, _max_pool_gradient), _max_pool_gradient_padded),
    ops.max_pool_select: _max_pool_select,
    ops.average_pool: (When(_fits, _average_pool), _average_pool_uneven),
    ops.average_pool_gradient: (When(_fits_image, _average_pool_gradient), _average_pool_gradient_padded),
}
