"""PyTorch: padding with what lies at the border, of the last axes."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When
from .shape import last_axis_first


def mode_name(mode: str) -> str:
    return {"edge": "replicate", "wrap": "circular"}.get(mode, mode)


def _pad_border(x: Any, *, low: Any, high: Any, mode: Any) -> Any:
    return F.pad(x, last_axis_first(low, high), mode_name(mode))


def _fits(node: Node) -> bool:
    """Whether PyTorch has it: the last one to three axes, behind one or two that are left as they are."""
    a, x = node.attributes, node.outputs[0]
    last = len(last_axis_first(a["low"], a["high"])) // 2
    return a["mode"] != "symmetric" and x.dtype.is_float and 1 <= last <= 3 and x.rank - last in (1, 2)


rows = {ops.pad_border: When(_fits, _pad_border)}
