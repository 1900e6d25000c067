"""PyTorch: convolutions and their gradients, channels first (the layout pass has seen to that)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import ops

_omitted: Any = None  # an argument that is its default is not written


def is_in_order(layout: str) -> bool:
    """Whether a layout is PyTorch's: channels first."""
    return layout[:2] == "NC"


def one_or_each(values: Any) -> Any:
    """One number where all are equal."""
    return values[0] if all(v == values[0] for v in values) else values


def are(values: Any, number: int) -> bool:
    return all(v == number for v in values)


def is_even(padding: Any) -> bool:
    """Whether each axis is padded alike on both sides."""
    return all(before == after for before, after in padding)


def before(padding: Any) -> Any:
    return tuple(pair[0] for pair in padding)


def around(padding: Any) -> Any:
    """Padding as F.pad wants it, from the last axis to the first."""
    return tuple(n for pair in reversed(padding) for n in pair)


def _conv(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    return (F.conv1d if len(strides) == 1 else F.conv2d if len(strides) == 2 else F.conv3d)(
        x if is_even(padding) else F.pad(x, around(padding)),
        w,
        stride=_omitted if are(strides, 1) else one_or_each(strides),
        padding=_omitted if not is_even(padding) or are(before(padding), 0) else one_or_each(before(padding)),
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
        groups=_omitted if groups == 1 else groups,
    )


def empty_like(g: Any, channels: Any, sizes: Any) -> Any:
    """A tensor to be filled, channels first, with g's batch; channels lie last in memory where those of g do."""
    if g.stride(1) == 1:
        return g.new_empty((g.shape[0], *sizes, channels)).movedim(-1, 1)
    return g.new_empty((g.shape[0], channels, *sizes))


def conv_input_gradient(g: Any, w: Any, sizes: Any, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    """The gradient of a convolution to its input, channels first."""
    even = all(a == b for a, b in padding)  # otherwise the gradient to the padded input, cropped
    padded = [n if even else n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    pads, zeros = [a if even else 0 for a, _ in padding], [0] * len(sizes)
    x = empty_like(g, w.shape[1] * groups, padded)
    x, _, _ = torch.ops.aten.convolution_backward(
        g, x, w, None, strides, pads, dilations, False, zeros, groups, [True, False, False]
    )
    return x if even else x[(..., *(slice(a, a + n) for n, (a, _) in zip(sizes, padding, strict=True)))]


def conv_filter_gradient(x: Any, g: Any, sizes: Any, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    """The gradient of a convolution to its filter, channels first."""
    even = all(a == b for a, b in padding)
    x = x if even else F.pad(x, [n for pair in reversed(padding) for n in pair])
    w = x.new_empty((g.shape[1], x.shape[1] // groups, *sizes))
    pads, zeros = [a if even else 0 for a, _ in padding], [0] * len(sizes)
    _, w, _ = torch.ops.aten.convolution_backward(
        g, x, w, None, strides, pads, dilations, False, zeros, groups, [False, True, False]
    )
    return w


def _conv_input_gradient(g: Any, w: Any, *, sizes: Any, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    return conv_input_gradient(
        g,
        w,
        sizes,
        strides,
        padding,
        dilations,
        groups,
    )


def _conv_filter_gradient(
    x: Any, g: Any, *, sizes: Any, strides: Any, padding: Any, dilations: Any, groups: Any
) -> Any:
    return conv_filter_gradient(
        x,
        g,
        sizes,
        strides,
        padding,
        dilations,
        groups,
    )


rows = {
    ops.conv: _conv,
    ops.conv_input_gradient: _conv_input_gradient,
    ops.conv_filter_gradient: _conv_filter_gradient,
}
