"""PyTorch: counting."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import When


def _count(*, size: Any) -> Any:
    return torch.arange(size)


def _arange(*, size: Any, dtype: Any) -> Any:
    return torch.arange(size, dtype=dtype)


def _is_int64(node: Node) -> bool:
    return node.outputs[0].dtype.name == "int64"


rows = {ops.arange: (When(_is_int64, _count), _arange)}
