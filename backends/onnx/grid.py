"""ONNX: sampling where a grid says."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by

_MODES = {"bilinear": "linear", "nearest": "nearest", "bicubic": "cubic"}


def _grid_sample(b: Builder, x: Tensor, grid: Tensor, *, mode: str, padding: str, align_corners: bool) -> Any:
    return b.GridSample(x, grid, mode=_MODES[mode], padding_mode=padding, align_corners=int(align_corners))


def _is_image(node: Node) -> bool:
    return node.outputs[0].rank == 4


rows = {ops.grid_sample: When(_is_image, by(_grid_sample, "GridSample", since=20))}
