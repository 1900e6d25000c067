"""TensorFlow: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import indexes_first
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


def indexed_first(rank: Any, axes: Any, count: Any) -> Any:
    """The order of axes that brings those that are indexed first, and that of the values there to match."""
    axes = [axis % rank for axis in axes]
    others = [axis for axis in range(rank) if axis not in axes]
    place = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
    inner = list(range(place, place + count))
    return [*axes, *others], [*inner, *[axis for axis in range(len(others) + count) if axis not in inner]]


def places_of(indices: Any) -> Any:
    """Indices, broadcast, as the last axis of one tensor."""
    shape = tf.shape(indices[0])
    for i in indices[1:]:
        shape = tf.broadcast_dynamic_shape(shape, tf.shape(i))
    return tf.stack([tf.broadcast_to(tf.cast(i, tf.int64), shape) for i in indices], -1)


def inverse(order: Any) -> Any:
    return [order.index(axis) for axis in range(len(order))]


def _index_first(x: Any, *indices: Any) -> Any:
    return tf.gather_nd(x, tf.stack(indices, -1))


def _index(x: Any, *indices: Any, axes: Any) -> Any:
    """The elements of x at indices along some axes."""
    places = places_of(indices)
    order, back = indexed_first(x.shape.rank, axes, places.shape.rank - 1)
    return tf.transpose(tf.gather_nd(tf.transpose(x, order), places), inverse(back))


def _index_put(x: Any, values: Any, *indices: Any, axes: Any, reduction: Any) -> Any:
    """x with values put, or combined, at indices along some axes."""
    places = places_of(indices)
    order, back = indexed_first(x.shape.rank, axes, places.shape.rank - 1)
    x, values = tf.transpose(x, order), tf.transpose(values, back)
    if reduction == "multiply":  # which no scatter of TensorFlow's does
        sizes = tf.shape(x, tf.int64)[: len(axes)]
        flat = tf.reduce_sum(places * tf.math.cumprod(sizes, exclusive=True, reverse=True), -1)
        factors = tf.math.unsorted_segment_prod(values, flat, tf.reduce_prod(sizes))
        return tf.transpose(x * tf.reshape(factors, tf.shape(x)), inverse(order))
    way = {
        "add": tf.tensor_scatter_nd_add,
        "minimum": tf.tensor_scatter_nd_min,
        "maximum": tf.tensor_scatter_nd_max,
    }
    return tf.transpose(way.get(reduction, tf.tensor_scatter_nd_update)(x, places, values), inverse(order))


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


def _takes_stack(node: Node) -> bool:
    """Whether the indices are of one shape and of a type that TensorFlow looks up by."""
    indices = {i.type for i in node.inputs[1:] if i is not None}
    return indexes_first(node) and len(indices) == 1 and indices.pop().dtype.name in ("int32", "int64")


rows = {
    ops.take: (When(_indices_fit, _gather), _gather_small),
    ops.scatter_add: (When(_adds_first, _scatter_add), _scatter_add_inside),
    ops.index: (When(_takes_stack, _index_first), _index),
    ops.index_put: _index_put,
    ops.one_hot: (When(_is_float32, _one_hot), _one_hot_as),
}
