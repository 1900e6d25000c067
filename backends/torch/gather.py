"""PyTorch: looking up along an axis."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import When


def _gather(x: Any, indices: Any, *, axis: Any) -> Any:
    return x.gather(axis, indices)


def _gather_by_others(x: Any, indices: Any, *, axis: Any) -> Any:
    return x.gather(axis, indices.long())


def _is_int64(node: Node) -> bool:
    indices = node.inputs[1]
    return indices is not None and indices.dtype.name == "int64"


rows = {ops.take_along_axis: (When(_is_int64, _gather), _gather_by_others)}
