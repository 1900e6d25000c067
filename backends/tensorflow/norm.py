"""TensorFlow: lengths of vectors, and what is scaled by them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ...ir.ops import normalize_axis
from ..fold import axis_or_axes
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _norm(x: Any, *, order: Any, axes: Any, keepdims: Any) -> Any:
    return tf.norm(
        x,
        ord=_omitted if order == 2.0 else order,
        axis=_omitted if axes is None else axes[0],
        keepdims=True if keepdims else _omitted,
    )


def _l2_normalize(x: Any, *, axes: Any, epsilon: Any) -> Any:
    return tf.nn.l2_normalize(x, axis_or_axes(axes), epsilon=_omitted if epsilon == 1e-12 else epsilon)


def _local_response_norm(x: Any, *, window: Any, alpha: Any, beta: Any, bias: Any) -> Any:
    return tf.nn.local_response_normalization(x, depth_radius=window[0], bias=bias, alpha=alpha, beta=beta)


def _is_vectors(node: Node) -> bool:
    """Whether it is over one axis, or all: over two TensorFlow takes the norm of matrices."""
    axes, order = node.attributes["axes"], node.attributes["order"]
    return bool(order > 0.0) and (axes is None or len(axes) == 1)


def _bounds_the_square(node: Node) -> bool:
    return bool(node.attributes["bounded"] == "square")


def _is_image(node: Node) -> bool:
    """Whether the kernel fits: images with channels last, a window to both sides alike, no float64."""
    x = node.inputs[0]
    assert x is not None
    before, after = node.attributes["window"]
    last = normalize_axis(node.attributes["axis"], x.rank) == x.rank - 1
    return bool(x.rank == 4 and last and before == after and x.dtype.bits <= 32)


rows = {
    ops.vector_norm: When(_is_vectors, _norm),
    ops.l2_normalize: When(_bounds_the_square, _l2_normalize),
    ops.local_response_norm: When(_is_image, _local_response_norm),
}
