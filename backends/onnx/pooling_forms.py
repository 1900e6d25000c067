"""ONNX: dilated max pools and norms of windows, channels first (the layout pass has seen to that)."""

from __future__ import annotations

from typing import Any

from ...ir import Dim, Node, ops
from ..rules import When
from .builder import Builder, Tensor
from .convolution import split_pads
from .lowering import by


def _dilated_max_pool(
    b: Builder, x: Tensor, *, window: Any, strides: Any, padding: Any, dilations: Any, layout: str
) -> Any:
    low, high = split_pads(padding)
    return b.MaxPool(x, kernel_shape=window, strides=strides, pads=(*low, *high), dilations=dilations)


def _lp_pool(b: Builder, x: Tensor, *, power: float, window: Any, strides: Any, padding: Any, layout: str) -> Any:
    low, high = split_pads(padding)
    return b.LpPool(x, kernel_shape=window, strides=strides, pads=(*low, *high), p=int(power))


def _is_fixed(node: Node) -> bool:
    a = node.attributes
    first = a["layout"][:2] == "NC"
    return first and not any(isinstance(p, Dim) for pair in a["padding"] for p in pair)


def _is_fixed_norm(node: Node) -> bool:
    return _is_fixed(node) and node.attributes["power"] == int(node.attributes["power"])


rows = {
    ops.dilated_max_pool: When(_is_fixed, by(_dilated_max_pool, "MaxPool")),
    ops.lp_pool: When(_is_fixed_norm, by(_lp_pool, "LpPool")),
}
