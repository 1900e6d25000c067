"""PyTorch: sorting, and places among boundaries."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _argsort(x: Any, *, axis: Any, descending: Any) -> Any:
    return x.argsort(stable=True, dim=axis, descending=descending if descending else _omitted)


def _argsort_others(x: Any, *, axis: Any, descending: Any, dtype: Any) -> Any:
    return x.argsort(stable=True, dim=axis, descending=descending).to(dtype)


def _sort(x: Any, *, axis: Any) -> Any:
    return x.sort(axis)[0]


def _sort_descending(x: Any, *, axis: Any) -> Any:
    return x.sort(axis, descending=True)[0]


def _bucketize(x: Any, boundaries: Any, *, side: Any, dtype: Any) -> Any:
    return torch.searchsorted(boundaries, x, side=side).to(dtype)


def _ascends(node: Node) -> bool:
    return not node.attributes["descending"]


def _is_int64(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int64"


rows = {
    ops.argsort: (When(_is_int64, _argsort), _argsort_others),
    ops.sort: (When(_ascends, _sort), _sort_descending),
    ops.bucketize: _bucketize,
}
