"""PyTorch: writing along an axis."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import When


def in_torch(reduction: Any) -> Any:
    """What PyTorch calls a reduction."""
    return {"add": "sum", "multiply": "prod", "mean": "mean", "minimum": "amin", "maximum": "amax"}[reduction]


def _scatter(x: Any, indices: Any, values: Any, *, axis: Any) -> Any:
    return x.scatter(axis, indices.long(), values)


def _scatter_add(x: Any, indices: Any, values: Any, *, axis: Any) -> Any:
    return x.scatter_add(axis, indices.long(), values)


def _scatter_reduce(x: Any, indices: Any, values: Any, *, axis: Any, reduction: Any) -> Any:
    return x.scatter_reduce(axis, indices.long(), values, in_torch(reduction))


def _scatter_reduce_others(x: Any, indices: Any, values: Any, *, axis: Any, reduction: Any, include_self: Any) -> Any:
    return x.scatter_reduce(axis, indices.long(), values, in_torch(reduction), include_self=include_self)


def _puts(node: Node) -> bool:
    return bool(node.attributes["reduction"] == "none")


def _adds(node: Node) -> bool:
    return bool(node.attributes["reduction"] == "add")


def _includes_self(node: Node) -> bool:
    return bool(node.attributes["include_self"])


rows = {
    ops.scatter_along_axis: (When(_puts, _scatter), When(_adds, _scatter_add), _scatter_reduce),
    ops.scatter_reduce: (When(_includes_self, _scatter_reduce), _scatter_reduce_others),
}
