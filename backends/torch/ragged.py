"""PyTorch: products of groups of rows. Its own grouped_mm takes rows of a multiple of 16 bytes only."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import ops


def _grouped_matmul(x: Any, w: Any, sizes: Any) -> Any:
    """The rows of x, group after group, times their group's matrix; rows after the last group give zero."""
    counts = sizes.tolist()
    groups = x[: sum(counts)].split(counts)
    y = torch.cat([rows @ matrix for rows, matrix in zip(groups, w, strict=True)])
    return torch.cat([y, y.new_zeros(len(x) - len(y), y.shape[1])])


def _grouped_outer(x: Any, y: Any, sizes: Any) -> Any:
    """For each group the transpose of its rows of x times its rows of y."""
    counts = sizes.tolist()
    groups = zip(x[: sum(counts)].split(counts), y[: sum(counts)].split(counts), strict=True)
    return torch.stack([a.T @ b for a, b in groups])


rows = {ops.grouped_matmul: _grouped_matmul, ops.grouped_outer: _grouped_outer}
