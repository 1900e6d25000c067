"""NumPy: sorting, and places among boundaries."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import Node, ops
from ..rules import When


def _argsort(x: Any, *, axis: Any, dtype: Any) -> Any:
    return np.argsort(x, axis, kind="stable").astype(dtype)


def _argsort_descending(x: Any, *, axis: Any, dtype: Any) -> Any:
    """The order of descending elements along an axis; equals stay in the order of their places."""
    order = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    return (x.shape[axis] - 1 - order).astype(dtype)


def _sort(x: Any, *, axis: Any) -> Any:
    return np.sort(x, axis, kind="stable")


def _bucketize(x: Any, boundaries: Any, *, side: Any, dtype: Any) -> Any:
    return np.searchsorted(boundaries, x, side).astype(dtype)


def _ascends(node: Node) -> bool:
    return not node.attributes["descending"]


rows = {
    ops.argsort: (When(_ascends, _argsort), _argsort_descending),
    ops.sort: When(_ascends, _sort),
    ops.bucketize: _bucketize,
}
