"""TensorFlow: factorizations of matrices."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..rules import Undifferentiated, When


def _qr(x: Any) -> Any:
    """Q and R, no number on R's diagonal negative."""
    q, r = tf.linalg.qr(x)
    signs = tf.where(tf.linalg.diag_part(r) < 0, tf.constant(-1, x.dtype), tf.constant(1, x.dtype))
    return q * signs[..., None, :], r * signs[..., None]


def _svd(x: Any) -> Any:
    """U, S and VH; the largest number in each column of U is positive."""
    s, u, v = tf.linalg.svd(x)
    rows = tf.linalg.matrix_transpose(u)
    largest = tf.gather(rows, tf.argmax(tf.abs(rows), -1), axis=-1, batch_dims=rows.shape.rank - 1)
    signs = tf.where(largest < 0, tf.constant(-1, x.dtype), tf.constant(1, x.dtype))
    return u * signs[..., None, :], s, tf.linalg.matrix_transpose(v) * signs[..., None]


def _eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors; the largest number in each of these is positive."""
    w, v = tf.linalg.eigh((x + tf.linalg.matrix_transpose(x)) / 2)
    rows = tf.linalg.matrix_transpose(v)
    largest = tf.gather(rows, tf.argmax(tf.abs(rows), -1), axis=-1, batch_dims=rows.shape.rank - 1)
    signs = tf.where(largest < 0, tf.constant(-1, x.dtype), tf.constant(1, x.dtype))
    return w, v * signs[..., None, :]


def _singular_values(x: Any) -> Any:
    return tf.linalg.svd(x, compute_uv=False)


def _pinv(x: Any, *, rtol: Any) -> Any:
    return tf.linalg.pinv(x, rcond=rtol)


def _has_tolerance(node: Node) -> bool:
    return node.attributes["rtol"] is not None  # by default TensorFlow has ten times NumPy's


def _always(node: Node) -> bool:
    return True


rows = {
    ops.qr: _qr,
    ops.svd: _svd,
    ops.eigh: _eigh,
    ops.singular_values: (Undifferentiated(_always, _singular_values),),
    ops.pinv: (When(_has_tolerance, _pinv),),
}
