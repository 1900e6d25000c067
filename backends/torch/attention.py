"""PyTorch: attention, by its fused kernels where no gradient wants the weights."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from ...ir import Node, ops
from ..rules import Alone

_omitted: Any = None  # an argument that is its default is not written


def _attention(query: Any, key: Any, value: Any, mask: Any, *, causal: Any, scale: Any) -> Any:
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=_omitted if mask is None else mask,
        is_causal=True if causal else _omitted,
        scale=_omitted if scale is None else scale,
    )


def _grouped_attention(query: Any, key: Any, value: Any, mask: Any, *, causal: Any, scale: Any) -> Any:
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=_omitted if mask is None else mask,
        is_causal=True if causal else _omitted,
        scale=_omitted if scale is None else scale,
        enable_gqa=True,
    )


def _attention_later_heads(query: Any, key: Any, value: Any, mask: Any, *, causal: Any, scale: Any) -> Any:
    return F.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        attn_mask=_omitted if mask is None else mask,
        is_causal=True if causal else _omitted,
        scale=_omitted if scale is None else scale,
    ).transpose(1, 2)


def _grouped_attention_later_heads(query: Any, key: Any, value: Any, mask: Any, *, causal: Any, scale: Any) -> Any:
    return F.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        attn_mask=_omitted if mask is None else mask,
        is_causal=True if causal else _omitted,
        scale=_omitted if scale is None else scale,
        enable_gqa=True,
    ).transpose(1, 2)


def _fits(node: Node) -> bool:
    """Whether the kernels can do it: no cap, one mask at most, the first query beside the first key.

    Where the gradient wants the weights, parts are faster on the CPU than the fused backward up to 128 places, and
    within 25 % of it at 512.
    """
    _, key, _, mask, kept = node.inputs
    weights, a = node.outputs[1], node.attributes
    assert key is not None
    aligned = a["align"] == "first" or weights.shape[2] == weights.shape[3]
    if kept is not None or a["soft_cap"] or (mask is not None and mask.rank < 2):
        return False
    return not a["causal"] or (mask is None and aligned)


def _has(layout: str, *, grouped: bool) -> Any:
    axis = layout.index("H")

    def condition(node: Node) -> bool:
        query, key = node.inputs[:2]
        assert query is not None
        assert key is not None
        shares = query.shape[axis] != key.shape[axis]
        return node.attributes["layout"] == layout and shares == grouped and _fits(node)

    return condition


rows = {
    ops.dot_product_attention: (
        Alone(_has("NHTD", grouped=False), _attention),
        Alone(_has("NHTD", grouped=True), _grouped_attention),
        Alone(_has("NTHD", grouped=False), _attention_later_heads),
        Alone(_has("NTHD", grouped=True), _grouped_attention_later_heads),
    )
}
