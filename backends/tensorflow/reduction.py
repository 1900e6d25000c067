"""TensorFlow: sums, means, extremes and their positions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import axis_or_axes
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _sum(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_sum(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _max(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_max(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _min(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_min(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _mean(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_mean(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _variance(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.math.reduce_variance(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _log_sum_exp(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_logsumexp(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _sum_of_all(x: Any, *, keepdims: Any) -> Any:
    return tf.reduce_sum(x, keepdims=keepdims if keepdims else _omitted)


def _max_of_all(x: Any, *, keepdims: Any) -> Any:
    return tf.reduce_max(x, keepdims=keepdims if keepdims else _omitted)


def _min_of_all(x: Any, *, keepdims: Any) -> Any:
    return tf.reduce_min(x, keepdims=keepdims if keepdims else _omitted)


def _mean_of_all(x: Any, *, keepdims: Any) -> Any:
    return tf.reduce_mean(x, keepdims=keepdims if keepdims else _omitted)


def _argmax(x: Any, *, axis: Any) -> Any:
    return tf.argmax(x, axis)


def _argmin(x: Any, *, axis: Any) -> Any:
    return tf.argmin(x, axis)


def _argmax_int32(x: Any, *, axis: Any) -> Any:
    return tf.argmax(x, axis, tf.int32)


def _argmin_int32(x: Any, *, axis: Any) -> Any:
    return tf.argmin(x, axis, tf.int32)


def _argmax_as(x: Any, *, axis: Any, dtype: Any) -> Any:
    return tf.cast(tf.argmax(x, axis), dtype)


def _argmin_as(x: Any, *, axis: Any, dtype: Any) -> Any:
    return tf.cast(tf.argmin(x, axis), dtype)


def _reduces_all(node: Node) -> bool:
    return node.attributes["axes"] is None


def _is_int64(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int64"


def _is_int32(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int32"


def _product(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_prod(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _any(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_any(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


def _all(x: Any, *, axes: Any, keepdims: Any) -> Any:
    return tf.reduce_all(x, axis_or_axes(axes), keepdims=keepdims if keepdims else _omitted)


rows = {
    ops.reduce_sum: (When(_reduces_all, _sum_of_all), _sum),
    ops.reduce_max: (When(_reduces_all, _max_of_all), _max),
    ops.reduce_min: (When(_reduces_all, _min_of_all), _min),
    ops.reduce_mean: (When(_reduces_all, _mean_of_all), _mean),
    ops.reduce_variance: _variance,
    ops.log_sum_exp: _log_sum_exp,
    ops.argmax: (When(_is_int64, _argmax), When(_is_int32, _argmax_int32), _argmax_as),
    ops.argmin: (When(_is_int64, _argmin), When(_is_int32, _argmin_int32), _argmin_as),
    ops.reduce_product: _product,
    ops.reduce_any: _any,
    ops.reduce_all: _all,
}
