"""PyTorch: products that sum over named axes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import ops


def _einsum(*xs: Any, equation: Any) -> Any:
    return torch.einsum(equation, *xs)


def _tensordot(x: Any, y: Any, *, axes: Any) -> Any:
    return torch.tensordot(x, y, dims=axes)


rows = {
    ops.einsum: _einsum,
    ops.tensordot: _tensordot,
    ops.bilinear: F.bilinear,
    ops.outer: torch.outer,
    ops.kron: torch.kron,
}
