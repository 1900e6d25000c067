"""PyTorch: recurrent layers by its own, where no gradient wants their steps."""

from __future__ import annotations

from typing import Any

import torch

from ...ir import Node, ops
from ..rules import Undifferentiated


def _lstm(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any, *, reverse: Any, time_axis: Any, gates: Any
) -> Any:
    """A layer of torch.lstm, whose kernels lie the other way round, with two biases."""
    weights = by_gate((kernel, recurrent, bias), gates, "ifgo")
    x = x.flip(time_axis) if reverse else x
    x, h, c = torch.lstm(x, (h[None], c[None]), weights, bias is not None, 1, 0.0, False, False, time_axis == 1)
    return x.flip(time_axis) if reverse else x, h[0], c[0]


def _gru(
    x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, recurrent_bias: Any, *, reverse: Any, time_axis: Any,
    gates: Any,
) -> Any:  # fmt: skip
    """A layer of torch.gru, whose kernels lie the other way round."""
    weights = by_gate((kernel, recurrent, bias, recurrent_bias), gates, "rzn")
    x = x.flip(time_axis) if reverse else x
    x, h = torch.gru(x, h[None], weights, len(weights) > 2, 1, 0.0, False, False, time_axis == 1)
    return x.flip(time_axis) if reverse else x, h[0]


def _rnn(
    x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, *, activation: Any, reverse: Any, time_axis: Any
) -> Any:
    """A layer of torch.rnn_tanh or rnn_relu, whose kernels lie the other way round, with two biases."""
    layer = torch.rnn_tanh if activation == "tanh" else torch.rnn_relu
    weights = by_gate((kernel, recurrent, bias), "n", "n")
    x = x.flip(time_axis) if reverse else x
    x, h = layer(x, h[None], weights, bias is not None, 1, 0.0, False, False, time_axis == 1)
    return x.flip(time_axis) if reverse else x, h[0]


def by_gate(weights: Any, gates: Any, order: Any) -> Any:
    """Kernels and biases with their gates in another order, transposed; both biases, or none."""
    parts = [
        None if w is None else dict(zip(gates, w.transpose(0, -1).chunk(len(gates)), strict=True)) for w in weights
    ]
    ordered = [None if p is None else torch.cat([p[g] for g in order]) for p in parts]
    biases = [*ordered[2:], None][:2]
    if biases == [None, None]:
        return ordered[:2]
    some = next(b for b in biases if b is not None)
    return ordered[:2] + [torch.zeros_like(some) if b is None else b for b in biases]


def _plain(node: Node) -> bool:
    a = node.attributes
    masked = node.inputs[node.op.signature.operands.index("mask")] is not None
    usual = a.get("recurrent_activation", "sigmoid") == "sigmoid" and a.get("reset_after", True)
    acts = ("tanh",) if node.op is not ops.simple_rnn else ("tanh", "relu")
    return not masked and usual and a["activation"] in acts


rows = {
    ops.lstm: Undifferentiated(_plain, _lstm),
    ops.gru: Undifferentiated(_plain, _gru),
    ops.simple_rnn: Undifferentiated(_plain, _rnn),
}
