"""PyTorch: convolutions and their gradients.

PyTorch's own layout is channels first, where a view of channels-last data is as good: it is what its kernels want.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def first(layout: str) -> tuple[int, ...]:
    """The axes of a layout in PyTorch's order: batch and channels, or outputs and inputs, then space."""
    return tuple(sorted(range(len(layout)), key=lambda i: "NOCI".find(layout[i]) % 8))


def last(layout: str) -> tuple[int, ...]:
    """The order that brings the axes back from PyTorch's to those of a layout."""
    axes = first(layout)
    return tuple(axes.index(i) for i in range(len(axes)))


def is_in_order(layout: str) -> bool:
    return first(layout) == tuple(range(len(layout)))


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


def _conv_first(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, filter_layout: Any) -> Any:
    return (F.conv1d if len(strides) == 1 else F.conv2d if len(strides) == 2 else F.conv3d)(
        x if is_even(padding) else F.pad(x, around(padding)),
        w if is_in_order(filter_layout) else w.permute(*first(filter_layout)),
        stride=_omitted if are(strides, 1) else one_or_each(strides),
        padding=_omitted if not is_even(padding) or are(before(padding), 0) else one_or_each(before(padding)),
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
        groups=_omitted if groups == 1 else groups,
    )


def _conv(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any
) -> Any:
    return (F.conv1d if len(strides) == 1 else F.conv2d if len(strides) == 2 else F.conv3d)(
        x.permute(*first(layout)) if is_even(padding) else F.pad(x.permute(*first(layout)), around(padding)),
        w if is_in_order(filter_layout) else w.permute(*first(filter_layout)),
        stride=_omitted if are(strides, 1) else one_or_each(strides),
        padding=_omitted if not is_even(padding) or are(before(padding), 0) else one_or_each(before(padding)),
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
        groups=_omitted if groups == 1 else groups,
    ).permute(*last(layout))


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


def _conv_input_gradient_first(
    g: Any, w: Any, *, sizes: Any, strides: Any, padding: Any, dilations: Any, groups: Any, filter_layout: Any
) -> Any:
    return conv_input_gradient(
        g,
        w if is_in_order(filter_layout) else w.permute(*first(filter_layout)),
        sizes,
        strides,
        padding,
        dilations,
        groups,
    )


def _conv_input_gradient(
    g: Any,
    w: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: Any,
    layout: Any,
    filter_layout: Any,
) -> Any:
    return conv_input_gradient(
        g.permute(*first(layout)),
        w if is_in_order(filter_layout) else w.permute(*first(filter_layout)),
        sizes,
        strides,
        padding,
        dilations,
        groups,
    ).permute(*last(layout))


def _conv_filter_gradient_first(
    x: Any, g: Any, *, sizes: Any, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any
) -> Any:
    return conv_filter_gradient(
        x if is_in_order(layout) else x.permute(*first(layout)),
        g if is_in_order(layout) else g.permute(*first(layout)),
        sizes,
        strides,
        padding,
        dilations,
        groups,
    )


def _conv_filter_gradient(
    x: Any,
    g: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: Any,
    layout: Any,
    filter_layout: Any,
) -> Any:
    return conv_filter_gradient(
        x if is_in_order(layout) else x.permute(*first(layout)),
        g if is_in_order(layout) else g.permute(*first(layout)),
        sizes,
        strides,
        padding,
        dilations,
        groups,
    ).permute(*last(filter_layout))


def _layout_in_order(node: Node) -> bool:
    return is_in_order(node.attributes["layout"])


def _filter_in_order(node: Node) -> bool:
    return is_in_order(node.attributes["filter_layout"])


rows = {
    ops.conv: (When(_layout_in_order, _conv_first), _conv),
    ops.conv_input_gradient: (When(_layout_in_order, _conv_input_gradient_first), _conv_input_gradient),
    ops.conv_filter_gradient: (When(_filter_in_order, _conv_filter_gradient_first), _conv_filter_gradient),
}
