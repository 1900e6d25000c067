"""PyTorch: patches, pixel and channel shuffles, channels first."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When
from .convolution import before, is_even, is_in_order


def _pixel_shuffle(x: Any, *, block: Any) -> Any:
    return F.pixel_shuffle(x, block)


def _pixel_unshuffle(x: Any, *, block: Any) -> Any:
    return F.pixel_unshuffle(x, block)


def _channel_shuffle(x: Any, *, groups: Any) -> Any:
    return F.channel_shuffle(x, groups)


def _patches(x: Any, *, window: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """F.unfold with its positions in two axes."""
    (high, _), (wide, _) = padding
    rows = (x.shape[2] + 2 * high - dilations[0] * (window[0] - 1) - 1) // strides[0] + 1
    found = F.unfold(x, window, dilation=dilations, padding=(high, wide), stride=strides)
    return found.reshape(x.shape[0], found.shape[1], rows, -1)


def _from_patches(g: Any, *, sizes: Any, window: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    return F.fold(g.flatten(2), sizes, window, dilation=dilations, padding=before(padding), stride=strides)


def _unfolds(node: Node) -> bool:
    a = node.attributes
    return bool(node.outputs[0].dtype.is_float and a["layout"] == "NCHW" and is_even(a["padding"]))


def _is_image(node: Node) -> bool:
    a = node.attributes
    return len(a["layout"]) == 4 and is_in_order(a["layout"]) and not a["blocks_first"]


def _is_second_axis(node: Node) -> bool:
    rank = node.outputs[0].rank
    return bool(rank >= 3 and node.attributes["axis"] % rank == 1)


rows = {
    ops.depth_to_space: When(_is_image, _pixel_shuffle),
    ops.space_to_depth: When(_is_image, _pixel_unshuffle),
    ops.channel_shuffle: When(_is_second_axis, _channel_shuffle),
    ops.patches: When(_unfolds, _patches),
    ops.from_patches: When(_unfolds, _from_patches),
}
