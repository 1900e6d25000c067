"""PyTorch: ops whose results are as large as their data says."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When, is_used


def _nonzero(x: Any, *, size: Any) -> Any:
    return torch.nonzero(x)


def _arange_to(stop: Any, *, size: Any) -> Any:
    return torch.arange(stop.clamp(0), dtype=stop.dtype, device=stop.device)


def _repeat_each(x: Any, counts: Any, *, axis: Any, size: Any) -> Any:
    return x.repeat_interleave(counts, axis)


def _has_no_first(node: Node) -> bool:
    """PyTorch's unique gives no first places, and takes each NaN for another value."""
    return node.inputs[0] is not None and node.inputs[0].dtype.is_integer and not is_used(node.outputs[1])


def _unique(x: Any, *, size: Any) -> Any:
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    return values, None, inverse, counts


rows = {
    ops.nonzero: _nonzero,
    ops.arange_to: _arange_to,
    ops.repeat_each: _repeat_each,
    ops.unique: When(_has_no_first, _unique),
}
