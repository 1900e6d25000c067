"""ONNX: losses."""

from __future__ import annotations

from ...ir import ops
from .builder import Builder, Tensor
from .lowering import by


def _sigmoid_cross_entropy(b: Builder, logits: Tensor, targets: Tensor) -> Tensor:
    return b.Sub(b.Softplus(logits), b.Mul(logits, targets))  # type: ignore[no-any-return]


rows = {ops.sigmoid_cross_entropy: by(_sigmoid_cross_entropy, "Softplus")}
