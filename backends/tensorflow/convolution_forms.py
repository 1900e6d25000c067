"""TensorFlow: transposed convolutions, depthwise and separable ones, channels last."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ...ir.ops.windows import transposed_same, transposed_valid
from ..rules import When
from .convolution import are, is_in_order, on_all_axes, pads_same

_omitted: Any = None  # an argument that is its default is not written


def sizes_of(x: Any) -> Any:
    """The spatial sizes of x, channels last: numbers where they are known."""
    return [n or tf.shape(x)[i + 1] for i, n in enumerate(x.shape[1:-1])]


def _conv_transpose_same(x: Any, w: Any, *, strides: Any) -> Any:
    """A transposed convolution with `strides` elements for each of x."""
    sizes = [n * s for n, s in zip(sizes_of(x), strides, strict=True)]
    return tf.nn.conv_transpose(x, w, [tf.shape(x)[0], *sizes, w.shape[-2]], strides, "SAME")


def _conv_transpose_valid(x: Any, w: Any, *, strides: Any) -> Any:
    """A transposed convolution of which nothing is cut off."""
    sizes = [(n - 1) * s + max(s, k) for n, s, k in zip(sizes_of(x), strides, w.shape[:-2], strict=True)]
    return tf.nn.conv_transpose(x, w, [tf.shape(x)[0], *sizes, w.shape[-2]], strides, "VALID")


def _depthwise(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any) -> Any:
    return tf.nn.depthwise_conv2d(
        x,
        w,
        (1, *strides, 1),
        "VALID" if are(padding, (0, 0)) else on_all_axes(padding),
        dilations=_omitted if are(dilations, 1) else dilations,
    )


def _depthwise_same(x: Any, w: Any, *, strides: Any, dilations: Any) -> Any:
    return tf.nn.depthwise_conv2d(
        x, w, (1, *strides, 1), "SAME", dilations=_omitted if are(dilations, 1) else dilations
    )


def _separable(x: Any, depthwise: Any, pointwise: Any, *, strides: Any, dilations: Any) -> Any:
    return tf.nn.separable_conv2d(
        x, depthwise, pointwise, (1, *strides, 1), "VALID", dilations=_omitted if are(dilations, 1) else dilations
    )


def _separable_same(x: Any, depthwise: Any, pointwise: Any, *, strides: Any, dilations: Any) -> Any:
    return tf.nn.separable_conv2d(
        x, depthwise, pointwise, (1, *strides, 1), "SAME", dilations=_omitted if are(dilations, 1) else dilations
    )


# Which rule fits.


def _cuts(rule: Any) -> Any:
    """Whether TensorFlow has a kernel on a CPU, and what is cut off each axis is what a rule of its says."""

    def condition(node: Node) -> bool:
        a, (_, w) = node.attributes, node.inputs
        assert w is not None
        in_order = is_in_order(a["layout"]) and is_in_order(a["filter_layout"])
        axes = zip(w.shape, a["strides"], a["padding"], strict=False)
        dense = a["groups"] == 1 and are(a["dilations"], 1)
        return in_order and dense and all(rule(k, s) == pads for k, s, pads in axes)

    return condition


def _is_image(node: Node) -> bool:
    """Over two axes, channels last, by equal strides (what its kernels have), and not by strides and dilations both."""
    a = node.attributes
    equal = a["strides"][0] == a["strides"][-1] and (are(a["strides"], 1) or are(a["dilations"], 1))
    return len(a["strides"]) == 2 and is_in_order(a["layout"]) and equal


def _is_same(node: Node) -> bool:
    a, x, w = node.attributes, node.inputs[0], node.inputs[1]
    assert x is not None
    assert w is not None
    return _is_image(node) and pads_same(x.shape[1:-1], w.shape[:2], a["strides"], a["padding"], a["dilations"])


def _is_plain(node: Node) -> bool:
    return _is_image(node) and (are(node.attributes["dilations"], 1) or are(node.attributes["padding"], (0, 0)))


def _is_valid(node: Node) -> bool:
    return _is_image(node) and are(node.attributes["padding"], (0, 0))


rows = {
    ops.conv_transpose: (
        When(_cuts(transposed_same), _conv_transpose_same),
        When(_cuts(transposed_valid), _conv_transpose_valid),
    ),
    ops.depthwise_conv: (When(_is_same, _depthwise_same), When(_is_plain, _depthwise)),
    ops.separable_conv: (When(_is_same, _separable_same), When(_is_valid, _separable)),
}
