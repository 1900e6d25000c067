"""TensorFlow: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _gather(x: Any, indices: Any, *, axis: Any) -> Any:
    return tf.gather(x, indices) if axis == 0 else tf.gather(x, indices, axis=axis)


def _gather_small(x: Any, indices: Any, *, axis: Any) -> Any:
    return tf.gather(x, tf.cast(indices, tf.int64), axis=axis)


def _scatter_add(g: Any, indices: Any, *, size: Any) -> Any:
    return tf.math.unsorted_segment_sum(g, indices, size)


def _scatter_add_inside(g: Any, indices: Any, *, axis: Any, size: Any) -> Any:
    """Add the slices of g at their indices along an axis of zeros."""
    before, count = axis % (g.shape.rank - indices.shape.rank + 1), indices.shape.rank
    places = list(range(before, before + count))
    others = [i for i in range(g.shape.rank) if i not in places]
    total = tf.math.unsorted_segment_sum(tf.transpose(g, [*places, *others]), tf.cast(indices, tf.int64), size)
    return tf.transpose(total, [*range(1, before + 1), 0, *range(before + 1, len(others) + 1)])


def _one_hot(labels: Any, *, depth: Any) -> Any:
    return tf.one_hot(labels, depth)


def _one_hot_as(labels: Any, *, depth: Any, dtype: Any) -> Any:
    return tf.one_hot(labels, depth, dtype=dtype)


def _indices_fit(node: Node) -> bool:
    indices = node.inputs[1]
    return indices is not None and indices.dtype.name in ("int32", "int64")


def _adds_first(node: Node) -> bool:
    g, indices = node.inputs
    assert g is not None
    assert indices is not None
    return node.attributes["axis"] in (0, indices.rank - g.rank - 1) and indices.rank > 0 and _indices_fit(node)


def _is_float32(node: Node) -> bool:
    return node.outputs[0].dtype.name == "float32"


rows = {
    ops.take: (When(_indices_fit, _gather), _gather_small),
    ops.scatter_add: (When(_adds_first, _scatter_add), _scatter_add_inside),
    ops.one_hot: (When(_is_float32, _one_hot), _one_hot_as),
}
