"""PyTorch: lengths of vectors, distances, and what is scaled by them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ...ir import Node, ops
from ...ir.ops import normalize_axis
from ..fold import axis_or_axes
from ..rules import When

_omitted: Any = None  # an argument that is its default is not written


def _vector_norm(x: Any, *, order: Any, axes: Any, keepdims: Any) -> Any:
    return torch.linalg.vector_norm(
        x,
        ord=_omitted if order == 2.0 else order,
        dim=_omitted if axes is None else axis_or_axes(axes),
        keepdim=True if keepdims else _omitted,
    )


def _normalize(x: Any, *, axes: Any, epsilon: Any) -> Any:
    return F.normalize(x, dim=axis_or_axes(axes), eps=_omitted if epsilon == 1e-12 else epsilon)


def _local_response_norm(x: Any, *, window: Any, alpha: Any, beta: Any, bias: Any) -> Any:
    return F.local_response_norm(x, sum(window) + 1, alpha=alpha * (sum(window) + 1), beta=beta, k=bias)


def _cosine_similarity(x: Any, y: Any, *, axis: Any, epsilon: Any) -> Any:
    return F.cosine_similarity(x, y, dim=axis, eps=_omitted if epsilon == 1e-8 else epsilon)


def _distances(x: Any, y: Any, *, order: Any) -> Any:
    return torch.cdist(x, y, p=_omitted if order == 2.0 else order, compute_mode="donot_use_mm_for_euclid_dist")


def _has_axes(node: Node) -> bool:
    """Whether there are axes: none at all PyTorch takes for all."""
    return bool(node.attributes["axes"] != ())


def _bounds_the_norm(node: Node) -> bool:
    return bool(node.attributes["bounded"] == "norm")


def _fits_local(node: Node) -> bool:
    """Whether the channels are the second axis, and an even window reaches further back."""
    x = node.inputs[0]
    assert x is not None
    before, after = node.attributes["window"]
    return bool(x.rank > 2 and normalize_axis(node.attributes["axis"], x.rank) == 1 and before - after in (0, 1))


rows = {
    ops.vector_norm: When(_has_axes, _vector_norm),
    ops.l2_normalize: When(_bounds_the_norm, _normalize),
    ops.local_response_norm: When(_fits_local, _local_response_norm),
    ops.cosine_similarity: _cosine_similarity,
    ops.pairwise_distance: _distances,
}
