"""TensorFlow: Fourier transforms, of the last axis: those over many (`fftnd`) have no kernel on the CPU."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import When


def _along(transform: Any, x: Any, axis: Any, *given: Any) -> Any:
    """A transform of the last axis over another one."""
    order = list(range(x.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return tf.transpose(transform(tf.transpose(x, order), *given), order)


def _points(x: Any, axes: Any, norm: Any, dtype: Any) -> Any:
    """How many points a transform over the axes is of; of norm "ortho" the root of it."""
    count = tf.cast(tf.reduce_prod([tf.shape(x)[axis] for axis in axes]), dtype)
    return tf.sqrt(count) if norm == "ortho" else count


def _fft_last(x: Any, *, axes: Any, norm: Any) -> Any:
    return tf.signal.fft(x)


def _fft(x: Any, *, axes: Any, norm: Any) -> Any:
    """The transform over each axis in turn."""
    turned = x
    for axis in axes:
        turned = _along(tf.signal.fft, turned, axis)
    return turned if norm == "backward" else turned / _points(x, axes, norm, turned.dtype)


def _ifft_last(x: Any, *, axes: Any, norm: Any) -> Any:
    return tf.signal.ifft(x)


def _ifft(x: Any, *, axes: Any, norm: Any) -> Any:
    """The transform over each axis in turn."""
    turned = x
    for axis in axes:
        turned = _along(tf.signal.ifft, turned, axis)
    return turned if norm == "backward" else turned * _points(x, axes, norm, turned.dtype)


def _rfft_last(x: Any, *, axes: Any, norm: Any) -> Any:
    return tf.signal.rfft(x)


def _rfft(x: Any, *, axes: Any, norm: Any) -> Any:
    """The real transform over the last of the axes, then the complex one over each of the others."""
    turned = _along(tf.signal.rfft, x, axes[-1])
    for axis in axes[:-1]:
        turned = _along(tf.signal.fft, turned, axis)
    return turned if norm == "backward" else turned / _points(x, axes, norm, turned.dtype)


def _irfft_last(x: Any, *, size: Any, axes: Any, norm: Any) -> Any:
    return tf.signal.irfft(x, None if size is None else [size])


def _irfft(x: Any, *, size: Any, axes: Any, norm: Any) -> Any:
    """The complex transform over each axis but the last of the axes, then the real one over that."""
    turned = x
    for axis in axes[:-1]:
        turned = _along(tf.signal.ifft, turned, axis)
    turned = _along(tf.signal.irfft, turned, axes[-1], None if size is None else [size])
    return turned if norm == "backward" else turned * _points(turned, axes, norm, turned.dtype)


def _is_plain(node: Node) -> bool:
    return node.attributes["axes"] in ((-1,), (node.outputs[0].rank - 1,)) and node.attributes["norm"] == "backward"


rows = {
    ops.fft: (When(_is_plain, _fft_last), _fft),
    ops.ifft: (When(_is_plain, _ifft_last), _ifft),
    ops.rfft: (When(_is_plain, _rfft_last), _rfft),
    ops.irfft: (When(_is_plain, _irfft_last), _irfft),
}
