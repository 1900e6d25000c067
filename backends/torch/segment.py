"""PyTorch: bags of embeddings."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import When


def _embedding_bag(table: Any, indices: Any, offsets: Any, *, mode: Any) -> Any:
    return F.embedding_bag(indices, table, offsets, mode=mode)


def _weighted_bag(table: Any, indices: Any, offsets: Any, weights: Any) -> Any:
    return F.embedding_bag(indices, table, offsets, mode="sum", per_sample_weights=weights)


def _has_no_weights(node: Node) -> bool:
    return node.inputs[3] is None


rows = {ops.embedding_bag: (When(_has_no_weights, _embedding_bag), _weighted_bag)}
