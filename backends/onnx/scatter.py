"""ONNX: writing along an axis."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import When
from .builder import Builder, Tensor
from .indexing import as_indices, in_onnx
from .lowering import by


def _scatter(b: Builder, x: Tensor, indices: Tensor, values: Tensor, *, axis: int, reduction: str) -> Any:
    return b.ScatterElements(x, as_indices(b, indices), values, axis=axis, reduction=in_onnx(reduction))


def _puts(node: Node) -> bool:
    return bool(node.attributes["reduction"] == "none")


rows = {ops.scatter_along_axis: (When(_puts, by(_scatter)), by(_scatter, "ScatterElements"))}
