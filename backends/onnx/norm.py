"""ONNX: lengths of vectors, and what is scaled by them."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by


def _euclidean(b: Builder, x: Tensor, *, order: float, axes: Any, keepdims: bool) -> Any:
    return b.reduce("ReduceL2" if order == 2.0 else "ReduceL1", x, axes, keepdims)


def _local_response_norm(
    b: Builder, x: Tensor, *, window: tuple[int, int], axis: int, alpha: float, beta: float, bias: float
) -> Any:
    size = sum(window) + 1
    return b.LRN(x, size=size, alpha=alpha * size, beta=beta, bias=bias)


def _is_sum(node: Node) -> bool:
    x = node.inputs[0]
    assert x is not None
    return node.attributes["order"] in (1.0, 2.0) and bool(ops.normalize_axes(node.attributes["axes"], x.rank))


def _fits_local(node: Node) -> bool:
    """Whether the channels are the second axis, and an even window reaches further ahead."""
    x = node.inputs[0]
    assert x is not None
    before, after = node.attributes["window"]
    return x.rank == 4 and node.attributes["axis"] % x.rank == 1 and after - before in (0, 1)


rows = {
    ops.vector_norm: When(_is_sum, by(_euclidean, "ReduceL2", "ReduceL1")),
    ops.local_response_norm: When(_fits_local, by(_local_response_norm, "LRN")),
}
