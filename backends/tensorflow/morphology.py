"""TensorFlow: dilation of images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When
from .convolution import are


def _dilation(x: Any, element: Any, *, strides: Any, dilations: Any) -> Any:
    return tf.nn.dilation2d(x, element, (1, *strides, 1), "VALID", "NHWC", (1, *dilations, 1))


def _is_unpadded_image(node: Node) -> bool:
    return node.outputs[0].rank == 4 and are(node.attributes["padding"], (0, 0))


rows = {ops.dilation: When(_is_unpadded_image, _dilation)}
