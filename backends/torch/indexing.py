"""PyTorch: looking up and adding at positions."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ..fold import indexes_first
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


def between(indices: Any, axes: Any, rank: Any) -> Any:
    """What stands between brackets for indices along some axes."""
    places = dict(zip([axis % rank for axis in axes], indices, strict=True))
    return tuple(places[axis].long() if axis in places else slice(None) for axis in range(rank))


def _index_first(x: Any, *indices: Any) -> Any:
    return x[indices]


def _index(x: Any, *indices: Any, axes: Any) -> Any:
    """The elements of x at indices along some axes."""
    return x[between(indices, axes, x.ndim)]


def _put_first(x: Any, values: Any, *indices: Any) -> Any:
    return x.index_put(indices, values)


def _add_first(x: Any, values: Any, *indices: Any) -> Any:
    return x.index_put(indices, values, accumulate=True)


def _put(x: Any, values: Any, *indices: Any, axes: Any, reduction: Any) -> Any:
    """x with values put, or added, at indices along some axes."""
    places = [None if isinstance(place, slice) else place for place in between(indices, axes, x.ndim)]
    return torch.ops.aten.index_put(x, places, values, reduction == "add")


def _combine(x: Any, values: Any, *indices: Any, axes: Any, reduction: Any) -> Any:
    """x with values multiplied to, or the extreme of both, at indices along some axes."""
    axes = [axis % x.ndim for axis in axes]
    others = [axis for axis in range(x.ndim) if axis not in axes]
    place = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
    count = max(i.ndim for i in indices)
    flat = indices[0].long()
    for axis, i in zip(axes[1:], indices[1:], strict=True):
        flat = flat * x.shape[axis] + i
    rows = x.permute(*axes, *others)
    given = values.movedim(tuple(range(place, place + count)), tuple(range(count)))
    table = rows.flatten(0, len(axes) - 1).reshape(-1, math.prod(rows.shape[len(axes) :]))
    given = given.reshape(-1, table.shape[1])
    way = {"multiply": "prod", "minimum": "amin", "maximum": "amax"}[reduction]
    table = table.scatter_reduce(0, flat.reshape(-1, 1).expand_as(given), given, way)
    return table.reshape(rows.shape).permute(*[[*axes, *others].index(axis) for axis in range(x.ndim)])


def _one_hot(labels: Any, *, depth: Any, dtype: Any) -> Any:
    """One where the class is the label's; F.one_hot raises on labels that are no class, here they have none."""
    classes = torch.arange(depth, device=labels.device)
    return (labels.unsqueeze(-1) == classes).to(dtype)


def _is_table(node: Node) -> bool:
    x, indices = node.inputs
    assert x is not None
    assert indices is not None
    return x.rank == 2 and node.attributes["axis"] in (0, -2) and indices.dtype.name in ("int32", "int64")


def _takes_brackets(node: Node) -> bool:
    places = node.inputs[1 if node.op is ops.index else 2 :]
    return indexes_first(node) and all(i is not None and i.dtype.name in ("int32", "int64") for i in places)


def _puts_first(node: Node) -> bool:
    return _takes_brackets(node) and bool(node.attributes["reduction"] == "none")


def _adds_first(node: Node) -> bool:
    return _takes_brackets(node) and bool(node.attributes["reduction"] == "add")


def _puts(node: Node) -> bool:
    return bool(node.attributes["reduction"] in ("none", "add"))


rows = {
    ops.take: (When(_is_table, _embedding), _take),
    ops.scatter_add: _scatter_add,
    ops.one_hot: _one_hot,
    ops.index: (When(_takes_brackets, _index_first), _index),
    ops.index_put: (When(_puts_first, _put_first), When(_adds_first, _add_first), When(_puts, _put), _combine),
}
