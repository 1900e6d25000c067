"""PyTorch: sampling where a grid says."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import ops


def _grid_sample(x: Any, grid: Any, *, mode: Any, padding: Any, align_corners: Any) -> Any:
    return F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=align_corners)


def _affine_grid(theta: Any, *, sizes: Any, align_corners: Any) -> Any:
    return F.affine_grid(theta, [theta.shape[0], 1, *sizes], align_corners=align_corners)


rows = {ops.grid_sample: _grid_sample, ops.affine_grid: _affine_grid}
