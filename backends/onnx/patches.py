"""ONNX: depth and space, channels first."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ...ir.types import float32
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by


def _depth_to_space(b: Builder, x: Tensor, *, block: int, blocks_first: bool, layout: str) -> Any:
    return b.DepthToSpace(x, blocksize=block, mode="DCR" if blocks_first else "CRD")


def _space_to_depth(b: Builder, x: Tensor, *, block: int, blocks_first: bool, layout: str) -> Any:
    return b.SpaceToDepth(x, blocksize=block)


def _is_image(node: Node) -> bool:
    return node.attributes["layout"] == "NCHW" and node.outputs[0].dtype == float32


def _is_blocked_image(node: Node) -> bool:
    return _is_image(node) and bool(node.attributes["blocks_first"])


rows = {
    ops.depth_to_space: When(_is_image, by(_depth_to_space, "DepthToSpace")),
    ops.space_to_depth: When(_is_blocked_image, by(_space_to_depth, "SpaceToDepth")),
}
