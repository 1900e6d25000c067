"""PyTorch: pixel and channel shuffles, channels first."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When
from .convolution import is_in_order


def _pixel_shuffle(x: Any, *, block: Any) -> Any:
    return F.pixel_shuffle(x, block)


def _pixel_unshuffle(x: Any, *, block: Any) -> Any:
    return F.pixel_unshuffle(x, block)


def _channel_shuffle(x: Any, *, groups: Any) -> Any:
    return F.channel_shuffle(x, groups)


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
}
