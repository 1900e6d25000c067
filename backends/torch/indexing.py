"""PyTorch: looking up and adding at positions."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When


def _embedding(x: Any, indices: Any) -> Any:
    return F.embedding(indices, x)


def _take(x: Any, indices: Any, *, axis: Any) -> Any:
    """The slices of x at the indices along an axis."""
    axis %= x.ndim
    slices = x.index_select(axis, indices.flatten().long())
    return slices.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def _scatter_add(g: Any, indices: Any, *, axis: Any, size: Any) -> Any:
    """Add the slices of g at their indices along an axis of zeros."""
    axis %= g.ndim - indices.ndim + 1
    before, after = g.shape[:axis], g.shape[axis + indices.ndim :]
    zeros = g.new_zeros((*before, size, *after))
    return zeros.index_add_(axis, indices.flatten().long(), g.reshape(*before, indices.numel(), *after))


def _one_hot(labels: Any, *, depth: Any, dtype: Any) -> Any:
    """One where the class is the label's; F.one_hot raises on labels that are no class, here they have none."""
    classes = torch.arange(depth, device=labels.device)
    return (labels.unsqueeze(-1) == classes).to(dtype)


def _is_table(node: Node) -> bool:
    x, indices = node.inputs
    assert x is not None
    assert indices is not None
    return x.rank == 2 and node.attributes["axis"] in (0, -2) and indices.dtype.name in ("int32", "int64")


rows = {
    ops.take: (When(_is_table, _embedding), _take),
    ops.scatter_add: _scatter_add,
    ops.one_hot: _one_hot,
}
