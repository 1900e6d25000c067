"""ONNX: padding with what lies at the border."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import When
from .builder import Builder, Tensor
from .lowering import by


def _pad_border(b: Builder, x: Tensor, *, low: Any, high: Any, mode: str) -> Any:
    return b.Pad(x, (*low, *high), mode=mode)


def _is(*modes: str) -> Any:
    def condition(node: Node) -> bool:
        return node.attributes["mode"] in modes

    return condition


rows = {
    ops.pad_border: (
        When(_is("reflect", "edge"), by(_pad_border, "Pad")),
        When(_is("wrap"), by(_pad_border, "Pad", since=19)),
    ),
}
