"""TensorFlow: resizing of images, channels last, by `tf.image.resize` where it means the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ...ir import Node, ops
from ...ir.ops.resize import Sampling
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def method_of(method: str) -> str:
    return {"linear": "bilinear", "cubic": "bicubic"}.get(method, method)


def _resize(x: Any, *, sizes: Any, method: Any, antialias: Any) -> Any:
    return tf.image.resize(
        x,
        sizes,
        method=_omitted if method == "linear" else method_of(method),
        antialias=_omitted if not antialias else True,
    )


def _means_the_same(node: Node) -> bool:
    """TensorFlow has half-pixel centers; its area and its lanczos are those of the IR, its cubic nearly is."""
    a, x = node.attributes, node.inputs[0]
    assert x is not None
    if x.rank != 4 or a["axes"] != (1, 2) or a["scales"] or x.dtype.name != "float32":
        return False
    axes = [(x.shape[i], m) for i, m in zip(a["axes"], a["sizes"], strict=True)]
    if a["method"] == "area":
        return True
    if a["coordinates"] != "half_pixel":
        return False
    if a["method"] == "nearest":
        return all(_picks_the_same(a["rounding"], n, m) for n, m in axes)
    if a["method"] == "cubic" and not (a["cubic_coefficient"] == -0.5 and a["exclude_outside"]):
        return False
    return a["method"] != "cubic" or a["antialias"] or all(_is_in_table(n, m) for n, m in axes)


def _picks_the_same(rounding: str, n: Any, m: Any) -> bool:
    """Whether TensorFlow's float32 places, rounded down, are the elements that are meant."""
    if not isinstance(n, int) or not isinstance(m, int):
        return rounding == "round_prefer_ceil"
    places = np.floor((np.arange(m, dtype=np.float32) + np.float32(0.5)) * (np.float32(n) / np.float32(m)))
    how = Sampling("nearest", "half_pixel", rounding, 0.0, False, False)
    return bool(np.array_equal(np.minimum(places, n - 1), how.nearest(n, m, None)))


def _is_in_table(n: Any, m: Any) -> bool:
    """Whether TensorFlow's table of the cubic's weights, for each 1024th, has all that are needed."""
    if not isinstance(n, int) or not isinstance(m, int):
        return False
    places = Sampling("cubic", "half_pixel", "floor", -0.5, True, False).places(n, m, None) * 1024
    return bool(np.array_equal(places, np.round(places)))


rows = {ops.resize: When(_means_the_same, _resize)}
