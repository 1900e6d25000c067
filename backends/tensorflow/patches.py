"""TensorFlow: depth, space and batch, channels last."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When
from .convolution import are, is_in_order


def _depth_to_space(x: Any, *, block: Any) -> Any:
    return tf.nn.depth_to_space(x, block)


def _space_to_depth(x: Any, *, block: Any) -> Any:
    return tf.nn.space_to_depth(x, block)


def _batch_to_space(x: Any, *, blocks: Any, crops: Any) -> Any:
    return tf.batch_to_space(x, blocks, crops)


def _space_to_batch(x: Any, *, blocks: Any, padding: Any) -> Any:
    return tf.space_to_batch(x, blocks, padding)


def _patches(x: Any, *, window: Any, strides: Any, dilations: Any) -> Any:
    return tf.image.extract_patches(x, (1, *window, 1), (1, *strides, 1), (1, *dilations, 1), "VALID")


def _is_image(node: Node) -> bool:
    a = node.attributes
    return len(a["layout"]) == 4 and is_in_order(a["layout"]) and a["blocks_first"]


def _is_unpadded_image(node: Node) -> bool:
    a = node.attributes
    return len(a["layout"]) == 4 and is_in_order(a["layout"]) and are(a["padding"], (0, 0))


rows = {
    ops.depth_to_space: When(_is_image, _depth_to_space),
    ops.space_to_depth: When(_is_image, _space_to_depth),
    ops.batch_to_space: _batch_to_space,
    ops.space_to_batch: _space_to_batch,
    ops.patches: When(_is_unpadded_image, _patches),
}
