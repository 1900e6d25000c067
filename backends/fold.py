"""What templates compute when they are printed: functions of literals, and conditions on nodes."""

from __future__ import annotations

from typing import Any

from ..ir import Node
from ..ir.op import used_outputs


def axis_or_axes(axes: Any) -> Any:
    """`0` for `(0,)`: how a person writes one axis."""
    return axes[0] if axes is not None and len(axes) == 1 else axes


def padding_config(low: Any, high: Any, interior: Any) -> Any:
    return tuple(zip(low, high, interior, strict=True))


def spatial_axes(layout: str) -> tuple[int, ...]:
    """The positions of the axes that are neither batch nor channels, in order."""
    return tuple(i for i, c in enumerate(layout) if c not in "NC")


def is_matrix_transpose(node: Node) -> bool:
    """Whether a transpose swaps the last two axes and leaves the others."""
    axes = tuple(a % len(node.attributes["axes"]) for a in node.attributes["axes"])
    rank = len(axes)
    return rank >= 2 and axes == (*range(rank - 2), rank - 1, rank - 2)


def is_interior_free(node: Node) -> bool:
    return not any(node.attributes["interior"])


__all__ = ["axis_or_axes", "is_interior_free", "is_matrix_transpose", "padding_config", "spatial_axes", "used_outputs"]
