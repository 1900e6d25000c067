"""TensorFlow: boxes of images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ...ir.types import float32, int32
from ..rules import When


def _crop_and_resize(x: Any, boxes: Any, indices: Any, *, sizes: Any, method: Any, outside: Any) -> Any:
    return tf.image.crop_and_resize(x, boxes, indices, sizes, method=method, extrapolation_value=outside)


def _has_kernel(node: Node) -> bool:
    x, _, indices = node.inputs
    return bool(x is not None and indices is not None and x.dtype == float32 and indices.dtype == int32)


rows = {ops.crop_and_resize: When(_has_kernel, _crop_and_resize)}
