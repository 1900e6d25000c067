"""PyTorch: reshape, transpose, slices, padding, casts."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ..fold import axis_or_axes, cuts_off, is_interior_free, is_matrix_transpose, is_number, slices
from ..rules import When


def _scalar(x: Any) -> Any:
    return x.reshape(())


def _reshape(x: Any, *, shape: Any) -> Any:
    return x.reshape(*shape)


def _matrix_transpose(x: Any) -> Any:
    return x.T


def _stack_transpose(x: Any) -> Any:
    return x.mT


def _transpose(x: Any, *, axes: Any) -> Any:
    return x.permute(*axes)


def _broadcast_to(x: Any, *, shape: Any) -> Any:
    return x.expand(*shape)


def _concatenate(*xs: Any, axis: Any) -> Any:
    return torch.cat(xs, axis)


def _slice(x: Any, *, starts: Any, stops: Any, steps: Any) -> Any:
    return x[slices(starts, stops, steps)]


def last_axis_first(low: Any, high: Any) -> Any:
    """Padding as F.pad wants it: a pair for each axis from the last to the first that has any."""
    pairs = list(zip(low, high, strict=True))
    while len(pairs) > 1 and pairs[0] == (0, 0):
        pairs = pairs[1:]
    return tuple(n for pair in reversed(pairs) for n in pair)


def _pad_zeros(x: Any, value: Any, *, low: Any, high: Any) -> Any:
    return F.pad(x, last_axis_first(low, high))


def _pad(x: Any, value: Any, *, low: Any, high: Any) -> Any:
    return F.pad(x, last_axis_first(low, high), value=value)


def _pad_between(x: Any, value: Any, *, low: Any, high: Any, interior: Any) -> Any:
    """Pad before, after, and between the elements of each axis."""
    sizes = [n + max(n - 1, 0) * i for n, i in zip(x.shape, interior)]  # noqa: B905
    shape = [a + n + b for a, n, b in zip(low, sizes, high)]  # noqa: B905
    padded = value.to(x.device).expand(shape).clone()
    padded[tuple(slice(a, a + n, i + 1) for a, n, i in zip(low, sizes, interior))] = x  # noqa: B905
    return padded


def _is_padded_with_number(node: Node) -> bool:
    return is_interior_free(node) and is_number(node.inputs[1]) and node.outputs[0].rank > 0


def _is_padded_with_zeros(node: Node) -> bool:
    value = node.inputs[1]
    assert value is not None
    return _is_padded_with_number(node) and value.node is not None and value.node.attributes["value"] == 0


def _reverse(x: Any, *, axes: Any) -> Any:
    return x.flip(axis_or_axes(axes))


def _cast(x: Any, *, dtype: Any) -> Any:
    return x.to(dtype)


def cut_off(x: Any, dtype: Any) -> Any:
    """Floats as integers, without their fractions: beyond the limits the limits, and 0 for NaN."""
    wide, limits = x.double(), torch.iinfo(dtype)
    below, above = wide <= limits.min, wide >= limits.max
    inside = torch.where(below | above | wide.isnan(), 0.0, wide).to(dtype)
    low, high = (torch.tensor(n, dtype=dtype) for n in (limits.min, limits.max))
    return torch.where(above, high, torch.where(below, low, inside))


def _cast_to_integers(x: Any, *, dtype: Any) -> Any:
    return cut_off(x, dtype)


def _cast_to_real(x: Any, *, dtype: Any) -> Any:
    return x.real.to(dtype)


def _loses_imaginary_part(node: Node) -> bool:
    x = node.inputs[0]
    return x is not None and x.dtype.kind == "complex" and node.outputs[0].dtype.kind not in ("complex", "bool")


def _stop_gradient(x: Any) -> Any:
    return x.detach()


def _is_stack(node: Node) -> bool:
    return is_matrix_transpose(node) and node.outputs[0].rank > 2


def _is_matrix(node: Node) -> bool:
    return is_matrix_transpose(node) and node.outputs[0].rank == 2


def _is_scalar(node: Node) -> bool:
    return node.outputs[0].rank == 0


rows = {
    ops.reshape: (When(_is_scalar, _scalar), _reshape),
    ops.transpose: (When(_is_matrix, _matrix_transpose), When(_is_stack, _stack_transpose), _transpose),
    ops.broadcast_to: _broadcast_to,
    ops.concatenate: _concatenate,
    ops.slice_: _slice,
    ops.pad: (When(_is_padded_with_zeros, _pad_zeros), When(_is_padded_with_number, _pad), _pad_between),
    ops.reverse: _reverse,
    ops.cast: (When(cuts_off, _cast_to_integers), When(_loses_imaginary_part, _cast_to_real), _cast),
    ops.stop_gradient: _stop_gradient,
}
NUMBERS = (_pad,)  # they take a Python number as it is
