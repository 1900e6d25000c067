"""TensorFlow: pooling by windows, channels last."""

from __future__ import annotations

import itertools
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When
from .convolution import are, back, is_in_order, last, on_all_axes, one_or_each, pads_same


def _max_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return (tf.nn.max_pool1d if len(window) == 1 else tf.nn.max_pool2d if len(window) == 2 else tf.nn.max_pool3d)(
        x if are(padding, (0, 0)) else tf.pad(x, on_all_axes(padding), constant_values=float("-inf")),
        one_or_each(window),
        one_or_each(strides),
        "VALID",
    )


def _max_pool_same(x: Any, *, window: Any, strides: Any) -> Any:
    return (tf.nn.max_pool1d if len(window) == 1 else tf.nn.max_pool2d if len(window) == 2 else tf.nn.max_pool3d)(
        x, one_or_each(window), one_or_each(strides), "SAME"
    )


def _max_pool_transposed(x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    return tf.transpose(
        (tf.nn.max_pool1d if len(window) == 1 else tf.nn.max_pool2d if len(window) == 2 else tf.nn.max_pool3d)(
            tf.transpose(x, last(layout))
            if are(padding, (0, 0))
            else tf.pad(tf.transpose(x, last(layout)), on_all_axes(padding), constant_values=float("-inf")),
            one_or_each(window),
            one_or_each(strides),
            "VALID",
        ),
        back(layout),
    )


def max_pool_gradient(g: Any, x: Any, window: Any, strides: Any, padding: Any) -> Any:
    """The gradient goes to the first largest element of each window; padding is SAME or VALID."""
    return tf.raw_ops.MaxPoolGrad(
        orig_input=x,
        orig_output=tf.nn.max_pool2d(x, window, strides, padding),
        grad=g,
        ksize=[1, *window, 1],
        strides=[1, *strides, 1],
        padding=padding,
    )


def _max_pool_gradient(g: Any, x: Any, *, window: Any, strides: Any) -> Any:
    return max_pool_gradient(g, x, window, strides, "VALID")


def _max_pool_gradient_same(g: Any, x: Any, *, window: Any, strides: Any) -> Any:
    return max_pool_gradient(g, x, window, strides, "SAME")


def _max_pool_gradient_padded(g: Any, x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    """The gradient goes to the first largest element of each window; any layout, over one to three axes."""
    order = sorted(range(len(layout)), key=lambda i: (layout[i] != "N", layout[i] == "C"))
    g, x = tf.transpose(g, order), tf.transpose(x, order)
    sizes = tf.shape(x)[1:-1]
    x = tf.pad(x, [(0, 0), *padding, (0, 0)], constant_values=float("-inf"))
    if len(window) == 3:
        top = tf.nn.max_pool3d(x, window, strides, "VALID")
        d_x = tf.raw_ops.MaxPool3DGrad(
            orig_input=x, orig_output=top, grad=g, ksize=[1, *window, 1], strides=[1, *strides, 1], padding="VALID"
        )
    elif len(window) == 1:  # two axes, of which one has size 1
        g, x = tf.expand_dims(g, 1), tf.expand_dims(x, 1)
        d_x = tf.squeeze(max_pool_gradient(g, x, (1, *window), (1, *strides), "VALID"), 1)
    else:
        d_x = max_pool_gradient(g, x, window, strides, "VALID")
    inside = [slice(a, a + sizes[i]) for i, (a, _) in enumerate(padding)]
    return tf.transpose(d_x[(slice(None), *inside)], [order.index(i) for i in range(len(order))])


def windows(x: Any, window: Any, strides: Any, padding: Any, layout: Any, fill: Any) -> Any:
    """All windows of x, their elements along a new last axis, row-major."""
    pairs, parts = iter(padding), []
    x = tf.pad(x, [(0, 0) if c in "NC" else next(pairs) for c in layout], constant_values=fill)
    for place in itertools.product(*map(range, window)):
        ranges = iter([slice(i, i - k + 1 or None, s) for i, k, s in zip(place, window, strides, strict=True)])
        parts.append(x[tuple(slice(None) if c in "NC" else next(ranges) for c in layout)])
    return tf.stack(parts, -1)


def _max_pool_select(t: Any, x: Any, *, window: Any, strides: Any, padding: Any, layout: Any) -> Any:
    """The elements of t at the places of the first largest elements of x's windows."""
    places = tf.argmax(windows(x, window, strides, padding, layout, float("-inf")), -1)
    return tf.gather(windows(t, window, strides, padding, layout, 0), places, batch_dims=x.shape.rank)


def _average_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return (tf.nn.avg_pool1d if len(window) == 1 else tf.nn.avg_pool2d if len(window) == 2 else tf.nn.avg_pool3d)(
        x if are(padding, (0, 0)) else tf.pad(x, on_all_axes(padding)),
        one_or_each(window),
        one_or_each(strides),
        "VALID",
    )


def _average_pool_same(x: Any, *, window: Any, strides: Any) -> Any:
    return (tf.nn.avg_pool1d if len(window) == 1 else tf.nn.avg_pool2d if len(window) == 2 else tf.nn.avg_pool3d)(
        x, one_or_each(window), one_or_each(strides), "SAME"
    )


def _average_pool_padded(x: Any, *, window: Any, strides: Any, padding: Any, count_padding: Any, layout: Any) -> Any:
    """The mean of each window; padding counts only where `count_padding` says so."""
    order = sorted(range(len(layout)), key=lambda i: (layout[i] != "N", layout[i] == "C"))
    x, pads = tf.transpose(x, order), [(0, 0), *padding, (0, 0)]
    pool = (tf.nn.avg_pool1d, tf.nn.avg_pool2d, tf.nn.avg_pool3d)[len(window) - 1]
    mean = pool(tf.pad(x, pads), window, strides, "VALID")
    if not count_padding:
        mean /= pool(tf.pad(tf.ones_like(x[:, ..., :1]), pads), window, strides, "VALID")
    return tf.transpose(mean, [order.index(i) for i in range(len(order))])


def average_pool_gradient(g: Any, sizes: Any, window: Any, strides: Any, padding: Any) -> Any:
    """Each window's gradient is shared by its elements; padding is SAME or VALID."""
    shape = (tf.shape(g)[0], *sizes, tf.shape(g)[-1])
    return tf.raw_ops.AvgPoolGrad(
        orig_input_shape=shape, grad=g, ksize=[1, *window, 1], strides=[1, *strides, 1], padding=padding
    )


def _average_pool_gradient(g: Any, *, sizes: Any, window: Any, strides: Any) -> Any:
    return average_pool_gradient(g, sizes, window, strides, "VALID")


def _average_pool_gradient_same(g: Any, *, sizes: Any, window: Any, strides: Any) -> Any:
    return average_pool_gradient(g, sizes, window, strides, "SAME")


def _average_pool_gradient_padded(
    g: Any, *, sizes: Any, window: Any, strides: Any, padding: Any, count_padding: Any, layout: Any
) -> Any:
    """Each window's gradient is shared by its elements; any layout, over one to three axes."""
    order = sorted(range(len(layout)), key=lambda i: (layout[i] != "N", layout[i] == "C"))
    g, pads = tf.transpose(g, order), [(0, 0), *padding, (0, 0)]
    pool = (tf.nn.avg_pool1d, tf.nn.avg_pool2d, tf.nn.avg_pool3d)[len(window) - 1]
    if not count_padding:
        g /= pool(tf.pad(tf.ones((1, *sizes, 1), g.dtype), pads), window, strides, "VALID")
    padded = [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    if len(window) == 3:
        shape = (tf.shape(g)[0], *padded, tf.shape(g)[-1])
        d_x = tf.raw_ops.AvgPool3DGrad(
            orig_input_shape=shape, grad=g, ksize=[1, *window, 1], strides=[1, *strides, 1], padding="VALID"
        )
    elif len(window) == 1:  # two axes, of which one has size 1
        d_x = tf.squeeze(
            average_pool_gradient(tf.expand_dims(g, 1), (1, *padded), (1, *window), (1, *strides), "VALID"), 1
        )
    else:
        d_x = average_pool_gradient(g, padded, window, strides, "VALID")
    inside = [slice(a, a + n) for n, (a, _) in zip(sizes, padding, strict=True)]
    return tf.transpose(d_x[(slice(None), *inside)], [order.index(i) for i in range(len(order))])


# Which rule fits.


def _is_in_order(node: Node) -> bool:
    return is_in_order(node.attributes["layout"])


def _is_same(node: Node) -> bool:
    """Whether the padding is TensorFlow's SAME, which is known where the sizes are."""
    a = node.attributes
    x = node.inputs[1] if node.op is ops.max_pool_gradient else node.inputs[0]
    assert x is not None
    image = a["sizes"] if "sizes" in a else tuple(n for n, c in zip(x.shape, a["layout"], strict=True) if c not in "NC")
    counts = a.get("count_padding", False)  # TensorFlow's mean does not
    return (
        _is_in_order(node)
        and not counts
        and pads_same(image, a["window"], a["strides"], a["padding"], (1,) * len(a["window"]))
    )


def _is_same_image(node: Node) -> bool:
    return _is_same(node) and len(node.attributes["window"]) == 2


def _is_valid_image(node: Node) -> bool:
    a = node.attributes
    return _is_in_order(node) and are(a["padding"], (0, 0)) and len(a["window"]) == 2


def _counts_all(node: Node) -> bool:
    a = node.attributes
    return _is_in_order(node) and (a["count_padding"] or are(a["padding"], (0, 0)))


rows = {
    ops.max_pool: (When(_is_same, _max_pool_same), When(_is_in_order, _max_pool), _max_pool_transposed),
    ops.max_pool_gradient: (
        When(_is_same_image, _max_pool_gradient_same),
        When(_is_valid_image, _max_pool_gradient),
        _max_pool_gradient_padded,
    ),
    ops.max_pool_select: _max_pool_select,
    ops.average_pool: (When(_is_same, _average_pool_same), When(_counts_all, _average_pool), _average_pool_padded),
    ops.average_pool_gradient: (
        When(_is_same_image, _average_pool_gradient_same),
        When(_is_valid_image, _average_pool_gradient),
        _average_pool_gradient_padded,
    ),
}
