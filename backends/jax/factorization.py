"""JAX: factorizations of matrices."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ...ir import Node, ops
from ..rules import Undifferentiated, When


def _qr(x: Any) -> Any:
    """Q and R, no number on R's diagonal negative."""
    q, r = jnp.linalg.qr(x)
    signs = jnp.where(jnp.diagonal(r, axis1=-2, axis2=-1) < 0, -1, 1).astype(x.dtype)
    return q * signs[..., None, :], r * signs[..., None]


def _svd(x: Any) -> Any:
    """U, S and VH; the largest number in each column of U is positive."""
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    largest = jnp.take_along_axis(u, jnp.expand_dims(lax.argmax(jnp.abs(u), u.ndim - 2, jnp.int32), -2), -2)
    signs = jnp.where(largest < 0, -1, 1).astype(x.dtype)
    return u * signs, s, vh * signs.mT


def _eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors; the largest number in each of these is positive."""
    w, v = jnp.linalg.eigh(x)
    largest = jnp.take_along_axis(v, jnp.expand_dims(lax.argmax(jnp.abs(v), v.ndim - 2, jnp.int32), -2), -2)
    return w, v * jnp.where(largest < 0, -1, 1).astype(x.dtype)


def _singular_values(x: Any) -> Any:
    return jnp.linalg.svdvals(x)


def _nuclear_norm(x: Any) -> Any:
    return jnp.linalg.matrix_norm(x, ord="nuc")


def _pinv(x: Any, *, rtol: Any) -> Any:
    return jnp.linalg.pinv(x, rtol=rtol)


def _has_tolerance(node: Node) -> bool:
    return node.attributes["rtol"] is not None  # by default JAX has ten times NumPy's


def _always(node: Node) -> bool:
    return True


rows = {
    ops.qr: _qr,
    ops.svd: _svd,
    ops.eigh: _eigh,
    ops.singular_values: (Undifferentiated(_always, _singular_values),),
    ops.nuclear_norm: (Undifferentiated(_always, _nuclear_norm),),
    ops.pinv: (When(_has_tolerance, _pinv),),
}
