"""TensorFlow: reshape, transpose, slices, padding, casts."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import cuts_off, is_interior_free, is_matrix_transpose, is_number, pairs, slices
from ..rules import When


def _reshape(x: Any, *, shape: Any) -> Any:
    return tf.reshape(x, shape)


def _scalar(x: Any) -> Any:
    return tf.reshape(x, [])


def _matrix_transpose(x: Any) -> Any:
    return tf.transpose(x)


def _transpose(x: Any, *, axes: Any) -> Any:
    return tf.transpose(x, axes)


def positive(axes: Any) -> Any:
    """Axes counted from the front."""
    return tuple(a % len(axes) for a in axes)


def _transpose_from_back(x: Any, *, axes: Any) -> Any:
    return tf.transpose(x, positive(axes))


def _broadcast_to(x: Any, *, shape: Any) -> Any:
    return tf.broadcast_to(x, shape)


def _concatenate(*xs: Any, axis: Any) -> Any:
    return tf.concat(xs, axis)


def _slice(x: Any, *, starts: Any, stops: Any, steps: Any) -> Any:
    return x[slices(starts, stops, steps)]


def _pad(x: Any, value: Any, *, low: Any, high: Any) -> Any:
    return tf.pad(x, pairs(low, high), constant_values=value)


def _pad_zeros(x: Any, value: Any, *, low: Any, high: Any) -> Any:
    return tf.pad(x, pairs(low, high))


def pad_between(x: Any, value: Any, low: Any, high: Any, interior: Any) -> Any:
    """Pad before, after, and between the elements of each axis."""
    for axis, between in enumerate(interior):
        if between:  # an axis of its own for what follows each element, but the last
            shape = tf.shape(x)
            none = [(0, 0)] * (axis + 1)
            x = tf.pad(
                tf.expand_dims(x, axis + 1),
                [*none, (0, between), *[(0, 0)] * (len(interior) - axis - 1)],
                constant_values=value,
            )
            x = tf.reshape(x, tf.concat([shape[:axis], [-1], shape[axis + 1 :]], 0))
            x = x[(*[slice(None)] * axis, slice(None, tf.maximum(shape[axis] * (between + 1) - between, 0)))]
    return tf.pad(x, list(zip(low, high, strict=True)), constant_values=value)


def _pad_between(x: Any, value: Any, *, low: Any, high: Any, interior: Any) -> Any:
    return pad_between(x, value, low, high, interior)


def _is_padded_with_zeros(node: Node) -> bool:
    value = node.inputs[1]
    return is_interior_free(node) and is_number(value) and value.node.attributes["value"] == 0  # type: ignore[union-attr]  # a number has a node


def _reverse(x: Any, *, axes: Any) -> Any:
    return tf.reverse(x, axes)


def _cast(x: Any, *, dtype: Any) -> Any:
    return tf.cast(x, dtype)


def cut_off(x: Any, dtype: Any) -> Any:
    """Floats as integers, without their fractions: beyond the limits the limits, and 0 for NaN."""
    wide = tf.cast(x, tf.float64)
    below, above = wide <= float(dtype.min), wide >= float(dtype.max)
    inside = tf.cast(tf.where(below | above | tf.math.is_nan(wide), tf.zeros_like(wide), wide), dtype)
    low, high = (tf.constant(n, dtype) for n in (dtype.min, dtype.max))
    return tf.where(above, high, tf.where(below, low, inside))


def _cast_to_integers(x: Any, *, dtype: Any) -> Any:
    return cut_off(x, dtype)


def _cast_to_real(x: Any, *, dtype: Any) -> Any:
    return tf.cast(tf.math.real(x), dtype)


def _loses_imaginary_part(node: Node) -> bool:
    x = node.inputs[0]
    return x is not None and x.dtype.kind == "complex" and node.outputs[0].dtype.kind not in ("complex", "bool")


def _is_matrix(node: Node) -> bool:
    return is_matrix_transpose(node) and node.outputs[0].rank == 2


def _counts_from_back(node: Node) -> bool:
    return any(a < 0 for a in node.attributes["axes"])


def _is_scalar(node: Node) -> bool:
    return node.outputs[0].rank == 0


rows = {
    ops.reshape: (When(_is_scalar, _scalar), _reshape),
    ops.transpose: (When(_is_matrix, _matrix_transpose), When(_counts_from_back, _transpose_from_back), _transpose),
    ops.broadcast_to: _broadcast_to,
    ops.concatenate: _concatenate,
    ops.slice_: _slice,
    ops.pad: (When(_is_padded_with_zeros, _pad_zeros), When(is_interior_free, _pad), _pad_between),
    ops.reverse: _reverse,
    ops.cast: (When(cuts_off, _cast_to_integers), When(_loses_imaginary_part, _cast_to_real), _cast),
    ops.stop_gradient: tf.stop_gradient,
}
NUMBERS = (_pad,)  # it takes a Python number as it is
