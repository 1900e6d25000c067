"""TensorFlow: looking up along an axis, by tuples, and where a slice begins that is data."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import looks_along_whole_axes
from ..rules import When


def _take_along_last(x: Any, indices: Any) -> Any:
    return tf.gather(x, indices, batch_dims=-1)


def _gather_nd(x: Any, indices: Any, *, batch_dims: Any) -> Any:
    return tf.gather_nd(x, indices, batch_dims) if batch_dims else tf.gather_nd(x, indices)


def _dynamic_slice(x: Any, *starts: Any, sizes: Any) -> Any:
    """The slice of these sizes that begins at starts, moved inside."""
    starts = tf.stack([tf.cast(start, tf.int32) for start in starts])
    return tf.slice(x, tf.clip_by_value(starts, 0, tf.shape(x) - sizes), sizes)


def _indices_fit(node: Node) -> bool:
    indices = node.inputs[1]
    return indices is not None and indices.dtype.name in ("int32", "int64")


def _looks_along_last(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return node.attributes["axis"] % x.rank == x.rank - 1 and looks_along_whole_axes(node) and _indices_fit(node)


rows = {
    ops.take_along_axis: When(_looks_along_last, _take_along_last),
    ops.gather_nd: When(_indices_fit, _gather_nd),
    ops.dynamic_slice: _dynamic_slice,
}
