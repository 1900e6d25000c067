"""PyTorch: special functions."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When


def _polygamma(x: Any, *, order: Any) -> Any:
    return torch.polygamma(order, x)


def _is_not_double(node: Node) -> bool:
    """PyTorch's polygamma is good to nine digits."""
    return node.outputs[0].dtype.name != "float64"


rows = {
    ops.erfc: torch.erfc,
    ops.erfinv: torch.erfinv,
    ops.log_gamma: torch.lgamma,
    ops.digamma: torch.digamma,
    ops.polygamma: When(_is_not_double, _polygamma),
}
