"""TensorFlow: convolutions and their gradients.

TensorFlow's kernels want channels last. On a CPU some have no gradient with groups or dilations: these are summed
over the taps of the filter, each a product of matrices.
"""

from __future__ import annotations

import itertools
from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When
from .shape import pad_between

_omitted: Any = None  # an argument that is its default is not written


def last(layout: str) -> tuple[int, ...]:
    """The axes of a layout in TensorFlow's order: batch, space, channels; space, inputs, outputs."""
    return tuple(sorted(range(len(layout)), key=lambda i: "N".find(layout[i]) * 8 + "CIO".find(layout[i]) + 1))


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


def on_all_axes(pairs: Any) -> Any:
    """Padding of the spatial axes as that of all axes, channels last."""
    return ((0, 0), *pairs, (0, 0))


def _conv2d(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
    return tf.nn.conv2d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "VALID" if are(padding, (0, 0)) else on_all_axes(padding),
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv2d_same(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
    return tf.nn.conv2d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "SAME",
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv1d(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
    return tf.nn.conv1d(
        x if are(padding, (0, 0)) else tf.pad(x, on_all_axes(padding)),
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "VALID",
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv1d_same(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
    return tf.nn.conv1d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        one_or_each(strides),
        "SAME",
        dilations=_omitted if are(dilations, 1) else one_or_each(dilations),
    )


def _conv3d(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
    return tf.nn.conv3d(
        x if are(padding, (0, 0)) else tf.pad(x, on_all_axes(padding)),
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        (1, *strides, 1),
        "VALID",
        dilations=_omitted if are(dilations, 1) else (1, *dilations, 1),
    )


def _conv3d_same(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
    return tf.nn.conv3d(
        x,
        w if is_in_order(filter_layout) else tf.transpose(w, last(filter_layout)),
        (1, *strides, 1),
        "SAME",
        dilations=_omitted if are(dilations, 1) else (1, *dilations, 1),
    )


def _conv2d_transposed(x: Any, w: Any, *, strides: Any, padding: Any, dilations: Any, groups: Any, layout: Any, filter_layout: Any) -> Any:
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
        input_sizes=(tf.shape(g)[0], *sizes, w.shape[2]), filter=w, out_backprop=g, strides=[1, *strides, 1],
        padding="EXPLICIT" if explicit else padding, explicit_paddings=explicit,
    )  # fmt: skip


def conv_filter_gradient(x: Any, g: Any, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient of a convolution over two axes to its filter, channels last; padding is SAME, VALID, or pairs."""
    explicit = [] if isinstance(padding, str) else [0, 0, *(n for pair in padding for n in pair), 0, 0]
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=(*sizes, x.shape[-1], g.shape[-1]), out_backprop=g, strides=[1, *strides, 1],
        padding="EXPLICIT" if explicit else padding, explicit_paddings=explicit,
    )  # fmt: skip


def depthwise_input_gradient(g: Any, w: Any, sizes: Any, strides: Any, padding: Any) -> Any:
    """The gradient to the input of a convolution in which each channel has its own filters, channels last."""
    channels = w.shape[2] * w.shape[3]
    w = tf.reshape(w, (w.shape[0], w.shape[1], channels_of(g, w), -1))
    return channels, w


