"""ONNX: attention whole, from the opset that has it."""

from __future__ import annotations

from typing import Any

from ...ir import Node, ops
from ..rules import Alone
from .builder import Builder, Tensor
from .lowering import by


def _attention(
    b: Builder, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, kept: None, *,
    causal: bool, scale: float | None, soft_cap: float, layout: str, **_: Any,
) -> Any:  # fmt: skip
    order = tuple(layout.index(c) for c in "NHTD")
    t, s = b.node.inputs[0].shape[order[2]], b.node.inputs[1].shape[order[2]]  # type: ignore[union-attr]  # they are given
    if mask is not None and (mask.shape[-1] != s or mask.rank < 2 or mask.shape[-2] != t):
        mask = b.Expand(mask, (t, s))  # ONNX Runtime broadcasts a mask over batch and heads only
    out = b.Attention(
        *(b.swap(x, order) for x in (query, key, value)), mask,
        is_causal=int(causal) or None, scale=scale, softcap=soft_cap or None,
    )  # fmt: skip
    return b.swap(out, order)


def _fits(node: Node) -> bool:
    """Whether the first query lies beside the first key, and no weight is dropped."""
    weights, a = node.outputs[1], node.attributes
    aligned = a["align"] == "first" or weights.shape[2] == weights.shape[3]
    return node.inputs[4] is None and (aligned or not a["causal"])


rows = {ops.dot_product_attention: Alone(_fits, by(_attention, "Attention", since=23))}
