"""PyTorch: transposed convolutions."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When
from .convolution import are, around, before, one_or_each

_omitted: Any = None  # an argument that is its default is not written


def output_padding(padding: Any) -> Any:
    """What is less cut after than before."""
    return tuple(a - b for a, b in padding)


def is_line(strides: Any) -> bool:
    return len(strides) == 1


def is_image(strides: Any) -> bool:
    return len(strides) == 2


def negative(padding: Any) -> Any:
    return tuple((-a, -b) for a, b in padding)


def _conv_transpose(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    return (
        F.conv_transpose1d if len(strides) == 1 else F.conv_transpose2d if len(strides) == 2 else F.conv_transpose3d
    )(
        x,
        w,
        stride=_omitted if are(strides, 1) else one_or_each(strides),
        padding=_omitted if are(before(padding), 0) else one_or_each(before(padding)),
        output_padding=_omitted if are(output_padding(padding), 0) else one_or_each(output_padding(padding)),
        groups=_omitted if groups == 1 else groups,
        dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv_transpose_cut(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any) -> Any:
    return F.pad(
        (F.conv_transpose1d if is_line(strides) else F.conv_transpose2d if is_image(strides) else F.conv_transpose3d)(
            x,
            w,
            stride=_omitted if are(strides, 1) else one_or_each(strides),
            groups=_omitted if groups == 1 else groups,
            dilation=_omitted if are(dilations, 1) else one_or_each(dilations),
        ),
        around(negative(padding)),
    )


def _fits(node: Node) -> bool:
    """Whether PyTorch can cut so itself: alike on both sides, but for less than a stride or a dilation after."""
    a = node.attributes
    return all(
        low >= 0 and 0 <= low - high < max(s, d)
        for (low, high), s, d in zip(a["padding"], a["strides"], a["dilations"], strict=True)
    )


rows = {
    ops.conv_transpose: (
        When(_fits, _conv_transpose),
        _conv_transpose_cut,
    ),
}
