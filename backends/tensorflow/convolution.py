"""TensorFlow: convolutions and their gradients.

TensorFlow's kernels want channels last. On a CPU some have no gradient with groups or dilations: these are summed
over the taps of the filter, each a product of matrices.
"""

from __future__ import annotations

import itertools
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ...ir.ops.windows import same_padding
from ..rules import When
from .shape import pad_between

_omitted: Any = None  # an argument that is its default is not written


def last(layout: str) -> tuple[int, ...]:
    """The axes of a layout in TensorFlow's order: batch, space, channels; space, inputs, outputs."""
    return tuple(sorted(range(len(layout)), key=lambda i: (layout[i] != "N", "CIO".find(layout[i]))))


def back(layout: str) -> tuple[int, ...]:
    """The order that brings the axes back from TensorFlow's to those of a layout."""
    axes = last(layout)
    return tuple(axes.index(i) for i in range(len(axes)))


def is_in_order(layout: str) -> bool:
    return last(layout) == tuple(range(len(layout)))


def one_or_each(values: Any) -> Any:
    """One number where all are equal."""
    return values[0] if all(v == values[0] for v in values) else values


def are(values: Any, number: Any) -> bool:
    return all(v == number for v in values)


def are_known(pairs: Any) -> bool:
    """Whether padding is made of numbers: a kernel that pads by itself takes no other."""
    return all(isinstance(n, int) for pair in pairs for n in pair)


def on_all_axes(pairs: Any) -> Any:
    """Padding of the spatial axes as that of all axes, channels last."""
    return ((0, 0), *pairs, (0, 0))


def _conv2d(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, filter_layout: Any) -> Any:
    return tf.nn.conv2d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "VALID" if are(padding, (0, 0)) else on_all_axes(padding),
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv2d_same(x: Any, w: Any, *, strides: Any, dilations: Any, filter_layout: Any) -> Any:
    return tf.nn.conv2d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "SAME",
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv1d(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, filter_layout: Any) -> Any:
    return tf.nn.conv1d(
        x if are(padding, (0, 0)) else tf.pad(x, on_all_axes(padding)),
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "VALID",
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv1d_same(x: Any, w: Any, *, strides: Any, dilations: Any, filter_layout: Any) -> Any:
    return tf.nn.conv1d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "SAME",
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv3d(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, filter_layout: Any) -> Any:
    return tf.nn.conv3d(
        x if are(padding, (0, 0)) else tf.pad(x, on_all_axes(padding)),
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        (1, *strides, 1),
        "VALID",
        dilations=_omitted if are(dilations, 1) else (1, *dilations, 1),
    )


def _conv3d_same(x: Any, w: Any, *, strides: Any, dilations: Any, filter_layout: Any) -> Any:
    return tf.nn.conv3d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        (1, *strides, 1),
        "SAME",
        dilations=_omitted if are(dilations, 1) else (1, *dilations, 1),
    )


def _conv2d_transposed(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, layout: Any, filter_layout: Any
) -> Any:
    return tf.transpose(
        tf.nn.conv2d(
            tf.transpose(x, last(layout)),
            w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
            one_or_each(strides),
            "VALID" if are(padding, (0, 0)) else on_all_axes(padding),
            dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
        ),
        back(layout),
    )


def conv_input_gradient(g: Any, w: Any, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient of a convolution over two axes to its input, channels last; padding is SAME, VALID, or pairs."""
    explicit = [] if isinstance(padding, str) else [0, 0, *(n for pair in padding for n in pair), 0, 0]
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=(tf.shape(g)[0], *sizes, w.shape[2]),
        filter=w,
        out_backprop=g,
        strides=[1, *strides, 1],
        padding="EXPLICIT" if explicit else padding,
        explicit_paddings=explicit,
    )


def conv_filter_gradient(x: Any, g: Any, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient of a convolution over two axes to its filter, channels last; padding is SAME, VALID, or pairs."""
    explicit = [] if isinstance(padding, str) else [0, 0, *(n for pair in padding for n in pair), 0, 0]
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x,
        filter_sizes=(*sizes, x.shape[-1], g.shape[-1]),
        out_backprop=g,
        strides=[1, *strides, 1],
        padding="EXPLICIT" if explicit else padding,
        explicit_paddings=explicit,
    )


def depthwise_input_gradient(g: Any, w: Any, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient to the input of a convolution in which each channel has its own filters, channels last."""
    explicit = [] if isinstance(padding, str) else [0, 0, *(n for pair in padding for n in pair), 0, 0]
    return tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
        input_sizes=(tf.shape(g)[0], *sizes, w.shape[2]),
        filter=w,
        out_backprop=g,
        strides=[1, *strides, 1],
        padding="EXPLICIT" if explicit else padding,
        explicit_paddings=explicit,
    )


def depthwise_filter_gradient(x: Any, g: Any, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient to the filter of a convolution in which each channel has its own filters, channels last."""
    explicit = [] if isinstance(padding, str) else [0, 0, *(n for pair in padding for n in pair), 0, 0]
    return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
        input=x,
        filter_sizes=(*sizes, x.shape[-1], g.shape[-1] // x.shape[-1]),
        out_backprop=g,
        strides=[1, *strides, 1],
        padding="EXPLICIT" if explicit else padding,
        explicit_paddings=explicit,
    )


def taps(x: Any, kernel: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """For each element of a filter its place, and the part of x that it meets; channels last."""
    x = tf.pad(x, [(0, 0), *padding, (0, 0)])
    for place in itertools.product(*map(range, kernel)):
        starts = [i * d for i, d in zip(place, dilations, strict=True)]
        stops = [(i - k + 1) * d or None for i, k, d in zip(place, kernel, dilations, strict=True)]
        yield place, x[(slice(None), *map(slice, starts, stops, strides))]


def conv_by_taps(x: Any, w: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """A convolution as a sum of products of matrices, one for each element of the filter; channels last."""
    parts = taps(x, w.shape[:-2], strides, padding, dilations)
    return tf.add_n([tf.tensordot(part, w[place], 1) for place, part in parts])


def input_gradient_by_taps(g: Any, w: Any, sizes: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """The gradient of a convolution to its input: what each element of the filter gives, where it lay."""
    padded = [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    spans = [(tf.shape(g)[i + 1] - 1) * s + 1 for i, s in enumerate(strides)]
    parts = []
    for place in itertools.product(*map(range, w.shape[:-2])):
        low = [i * d for i, d in zip(place, dilations, strict=True)]
        high = [n - a - m for n, a, m in zip(padded, low, spans, strict=True)]
        part = tf.tensordot(g, w[place], [[-1], [-1]])
        parts.append(pad_between(part, 0, [0, *low, 0], [0, *high, 0], [0, *(s - 1 for s in strides), 0]))
    return tf.add_n(parts)[(slice(None), *(slice(a, a + n) for n, (a, _) in zip(sizes, padding, strict=True)))]


def filter_gradient_by_taps(x: Any, g: Any, sizes: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """The gradient of a convolution to its filter: for each of its elements, what it met, times g."""
    channels, filters = tf.shape(x)[-1], tf.shape(g)[-1]
    rows = tf.reshape(g, (-1, filters))
    parts = taps(x, sizes, strides, padding, dilations)
    found = [tf.matmul(tf.reshape(part, (-1, channels)), rows, transpose_a=True) for _, part in parts]
    return tf.reshape(tf.stack(found), (*sizes, channels, filters))


def _conv_by_groups(
    x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any
) -> Any:
    """A convolution that TensorFlow does not have on a CPU, group by group, as products of matrices."""
    space = [c for c in layout if c not in "NC"]
    x, w = move(x, layout, ["N", *space, "C"]), move(w, filter_layout, [*space, "I", "O"])
    parts = zip(tf.split(x, groups, -1), tf.split(w, groups, -1), strict=True)
    y = tf.concat([conv_by_taps(a, b, strides, padding, dilations) for a, b in parts], -1)
    return move(y, ["N", *space, "C"], layout)


def _conv_input_gradient_by_groups(
    g: Any,
    w: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: Any,
    layout: Any,
    filter_layout: Any,
) -> Any:
    """The gradient of a convolution to its input, where TensorFlow does not have it on a CPU, group by group."""
    space = [c for c in layout if c not in "NC"]
    g, w = move(g, layout, ["N", *space, "C"]), move(w, filter_layout, [*space, "I", "O"])
    parts = zip(tf.split(g, groups, -1), tf.split(w, groups, -1), strict=True)
    if len(space) == 2 and max(dilations) == 1 and are_known(padding):
        found = [conv_input_gradient(a, b, sizes, strides, padding) for a, b in parts]
    else:
        found = [input_gradient_by_taps(a, b, sizes, strides, padding, dilations) for a, b in parts]
    return move(tf.concat(found, -1), ["N", *space, "C"], layout)


def _conv_filter_gradient_by_groups(
    x: Any,
    g: Any,
    *,
    sizes: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: Any,
    layout: Any,
    filter_layout: Any,
) -> Any:
    """The gradient of a convolution to its filter, where TensorFlow does not have it on a CPU, group by group."""
    space = [c for c in layout if c not in "NC"]
    x, g = (move(v, layout, ["N", *space, "C"]) for v in (x, g))
    parts = zip(tf.split(x, groups, -1), tf.split(g, groups, -1), strict=True)
    if len(space) == 2 and max(dilations) == 1 and are_known(padding):
        found = [conv_filter_gradient(a, b, sizes, strides, padding) for a, b in parts]
    else:
        found = [filter_gradient_by_taps(a, b, sizes, strides, padding, dilations) for a, b in parts]
    return move(tf.concat(found, -1), [*space, "I", "O"], filter_layout)


def move(x: Any, source: Any, target: Any) -> Any:
    """x with its axes in another order, each named by a letter."""
    return tf.transpose(x, [list(source).index(c) for c in target])


def _conv_input_gradient(g: Any, w: Any, *, sizes: Any, strides: Any, padding: Any, filter_layout: Any) -> Any:
    return conv_input_gradient(
        g,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        sizes,
        strides,
        "VALID" if are(padding, (0, 0)) else padding,
    )


def _conv_input_gradient_same(g: Any, w: Any, *, sizes: Any, strides: Any, filter_layout: Any) -> Any:
    return conv_input_gradient(
        g, w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)), sizes, strides, "SAME"
    )


def _conv_filter_gradient(x: Any, g: Any, *, sizes: Any, strides: Any, padding: Any) -> Any:
    return conv_filter_gradient(x, g, sizes, strides, "VALID" if are(padding, (0, 0)) else padding)


def _conv_filter_gradient_same(x: Any, g: Any, *, sizes: Any, strides: Any) -> Any:
    return conv_filter_gradient(x, g, sizes, strides, "SAME")


def _conv1d_input_gradient(g: Any, w: Any, *, sizes: Any, strides: Any, padding: Any, filter_layout: Any) -> Any:
    return tf.squeeze(
        conv_input_gradient(
            tf.expand_dims(g, 1),
            tf.expand_dims(w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)), 0),
            (1, *sizes),
            (1, *strides),
            ((0, 0), *padding),
        ),
        1,
    )


def _conv1d_filter_gradient(x: Any, g: Any, *, sizes: Any, strides: Any, padding: Any) -> Any:
    return tf.squeeze(
        conv_filter_gradient(
            tf.expand_dims(x, 1), tf.expand_dims(g, 1), (1, *sizes), (1, *strides), ((0, 0), *padding)
        ),
        0,
    )


def _depthwise_input_gradient(g: Any, w: Any, *, sizes: Any, strides: Any, padding: Any, groups: Any) -> Any:
    return depthwise_input_gradient(
        g, by_channel(w, groups), sizes, strides, "VALID" if are(padding, (0, 0)) else padding
    )


def _depthwise_filter_gradient(x: Any, g: Any, *, sizes: Any, strides: Any, padding: Any) -> Any:
    return tf.reshape(
        depthwise_filter_gradient(x, g, sizes, strides, "VALID" if are(padding, (0, 0)) else padding), (*sizes, 1, -1)
    )


def by_channel(w: Any, groups: Any) -> Any:
    """A filter with one input for each group as a depthwise one: all inputs, and the outputs of each."""
    return tf.reshape(w, (*w.shape[:2], groups, -1))


def _conv3d_input_gradient(g: Any, w: Any, *, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient of a convolution over three axes to its input."""
    padded = [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    x = tf.raw_ops.Conv3DBackpropInputV2(
        input_sizes=(tf.shape(g)[0], *padded, w.shape[3]),
        filter=w,
        out_backprop=g,
        strides=[1, *strides, 1],
        padding="VALID",
    )
    return x[(slice(None), *(slice(a, a + n) for n, (a, _) in zip(sizes, padding, strict=True)))]


def _conv3d_filter_gradient(x: Any, g: Any, *, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient of a convolution over three axes to its filter."""
    x = tf.pad(x, [(0, 0), *padding, (0, 0)])
    return tf.raw_ops.Conv3DBackpropFilterV2(
        input=x,
        filter_sizes=(*sizes, x.shape[4], g.shape[4]),
        out_backprop=g,
        strides=[1, *strides, 1],
        padding="VALID",
    )


def _conv_of_nothing(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any) -> Any:
    """TensorFlow's float32 convolution of an empty batch has a wrong shape; its float64 one has not."""
    y = tf.nn.conv2d(
        tf.cast(x, tf.float64), tf.cast(w, tf.float64), strides, [(0, 0), *padding, (0, 0)], dilations=dilations
    )
    return tf.cast(y, x.dtype)


# Which rule fits.


def _over(axes: int, node: Node) -> bool:
    """Whether a convolution is over so many axes, channels last."""
    a = node.attributes
    return len(a["strides"]) == axes and is_in_order(a["layout"]) and (axes != 2 or are_known(a["padding"]))


def _is_dense(node: Node) -> bool:
    """Without groups and dilations: what TensorFlow has gradients for on a CPU."""
    return node.attributes["groups"] == 1 and are(node.attributes["dilations"], 1)


def _is_line(node: Node) -> bool:
    return _over(1, node)


def _is_image(node: Node) -> bool:
    return _over(2, node)


def _is_any_image(node: Node) -> bool:
    return len(node.attributes["strides"]) == 2 and are_known(node.attributes["padding"])


def _is_empty_image(node: Node) -> bool:
    return _over(2, node) and is_in_order(node.attributes["filter_layout"]) and node.outputs[0].shape[0] == 0


def _is_solid(node: Node) -> bool:
    return _over(3, node) and _is_dense(node)


def _is_dense_line(node: Node) -> bool:
    return _over(1, node) and _is_dense(node)


def _is_dense_image(node: Node) -> bool:
    return _over(2, node) and _is_dense(node)


def _gives_filter(condition: Any) -> Any:
    """A gradient to the filter comes out in TensorFlow's order."""
    return lambda node: condition(node) and is_in_order(node.attributes["filter_layout"])


def _is_depthwise(node: Node) -> bool:
    a, axes = node.attributes, node.attributes["filter_layout"]
    w = node.outputs[0] if node.op is ops.conv_filter_gradient else node.inputs[1]
    assert w is not None
    equal = a["strides"][0] == a["strides"][-1] and are(a["dilations"], 1)
    return _over(2, node) and is_in_order(axes) and w.shape[axes.index("I")] == 1 and equal


def _sizes(node: Node) -> tuple[Any, Any]:
    """The spatial sizes of a convolution's input and filter, of a convolution or of either of its gradients."""
    a, (first, second) = node.attributes, node.inputs
    assert first is not None
    assert second is not None
    image = tuple(n for n, c in zip(first.shape, a["layout"], strict=True) if c not in "NC")
    kernel = tuple(n for n, c in zip(second.shape, a["filter_layout"], strict=True) if c not in "IO")
    if node.op is ops.conv_input_gradient:
        return a["sizes"], kernel
    return image, a["sizes"] if node.op is ops.conv_filter_gradient else kernel


def pads_same(image: Any, kernel: Any, strides: Any, padding: Any, dilations: Any) -> bool:
    """Whether the padding is TensorFlow's SAME: a window for each stride begun, the odd element after, not before."""
    if not all(isinstance(k, int) for k in kernel):
        return False
    axes = zip(image, kernel, strides, padding, dilations, strict=True)
    if any(pair != same_padding(n, (k - 1) * d + 1, s) for n, k, s, pair, d in axes):
        return False
    return any(pair != (0, 0) for pair in padding)


def _is_same(node: Node) -> bool:
    a = node.attributes
    return pads_same(*_sizes(node), a["strides"], a["padding"], a["dilations"])


def _same(axes: int, condition: Any = lambda node: True) -> Any:
    """Channels last, over so many axes, padded as TensorFlow does it."""
    return lambda node: (
        len(node.attributes["strides"]) == axes
        and is_in_order(node.attributes["layout"])
        and condition(node)
        and _is_same(node)
    )


rows = {
    ops.conv: (
        When(_is_empty_image, _conv_of_nothing),
        When(_same(2), _conv2d_same),
        When(_is_image, _conv2d),
        When(_is_any_image, _conv2d_transposed),
        When(_same(1), _conv1d_same),
        When(_is_line, _conv1d),
        When(_same(3, _is_dense), _conv3d_same),
        When(_is_solid, _conv3d),
        _conv_by_groups,
    ),
    ops.conv_input_gradient: (
        When(_same(2, _is_dense), _conv_input_gradient_same),
        When(_is_dense_image, _conv_input_gradient),
        When(_is_depthwise, _depthwise_input_gradient),
        When(_is_dense_line, _conv1d_input_gradient),
        When(_gives_filter(_is_solid), _conv3d_input_gradient),
        _conv_input_gradient_by_groups,
    ),
    ops.conv_filter_gradient: (
        When(_same(2, _gives_filter(_is_dense)), _conv_filter_gradient_same),
        When(_gives_filter(_is_dense_image), _conv_filter_gradient),
        When(_is_depthwise, _depthwise_filter_gradient),
        When(_gives_filter(_is_dense_line), _conv1d_filter_gradient),
        When(_gives_filter(_is_solid), _conv3d_filter_gradient),
        _conv_filter_gradient_by_groups,
    ),
}
