"""ONNX: recurrent layers whole, where no gradient wants their steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...ir import Node, ops
from ..rules import Undifferentiated
from .builder import Builder, Tensor
from .lowering import Lowering, by

_NAMES = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}


def _layer(
    b: Builder, op_type: str, order: str, x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor | None],
    *, gates: str, activations: Sequence[str], reverse: bool, time_axis: int, **more: Any,
) -> Any:  # fmt: skip
    """The layer for one direction: an axis for directions goes in and comes out."""
    kernel, recurrent, *biases = (None if w is None else _ordered(b, w, gates, order) for w in weights)
    size = states[0].shape[-1]
    bias = _both_biases(b, biases, next(w for w in weights if w is not None)) if any(biases) else None
    found = b.append(
        op_type, b.swap(x, (1, 0, 2)) if time_axis else x, *(b.Unsqueeze(w, (0,)) for w in (kernel, recurrent)), bias,
        None, *(b.Unsqueeze(s, (0,)) for s in states), outputs=1 + len(states), hidden_size=size,
        direction="reverse" if reverse else "forward", activations=[_NAMES[a] for a in activations], **more,
    )  # fmt: skip
    outputs = b.Squeeze(found[0], (1,))
    return (b.swap(outputs, (1, 0, 2)) if time_axis else outputs, *(b.Squeeze(s, (0,)) for s in found[1:]))


def _ordered(b: Builder, weight: Tensor, gates: str, order: str) -> Any:
    """[.., G * H] as [G * H, ..], the gates in ONNX's order."""
    rows = b.swap(weight, (1, 0)) if weight.rank == 2 else weight
    if gates == order:
        return rows
    size = weight.shape[-1] // len(gates)
    parts = dict(zip(gates, b.Split(rows, (size,) * len(gates), axis=0, outputs=len(gates)), strict=True))
    return b.Concat(*(parts[g] for g in order), axis=0)


def _both_biases(b: Builder, biases: Sequence[Any], kernel: Tensor) -> Any:
    zeros = b.constant(np.zeros(kernel.shape[-1], kernel.dtype.numpy))
    given = [zeros if bias is None else bias for bias in (*biases, None)[:2]]
    return b.Unsqueeze(b.Concat(*given, axis=0), (0,))


def _lstm(
    b: Builder, x: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor | None, mask: None, *,
    activation: str, recurrent_activation: str, reverse: bool, zero_output: bool, time_axis: int, gates: str,
) -> Any:  # fmt: skip
    return _layer(b, "LSTM", "iofg", x, (h, c), (kernel, recurrent, bias), gates=gates, reverse=reverse,
                  time_axis=time_axis, activations=(recurrent_activation, activation, activation))  # fmt: skip


def _gru(
    b: Builder, x: Tensor, h: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor | None,
    recurrent_bias: Tensor | None, mask: None, *, activation: str, recurrent_activation: str, reset_after: bool,
    reverse: bool, zero_output: bool, time_axis: int, gates: str,
) -> Any:  # fmt: skip
    return _layer(b, "GRU", "zrn", x, (h,), (kernel, recurrent, bias, recurrent_bias), gates=gates, reverse=reverse,
                  time_axis=time_axis, activations=(recurrent_activation, activation),
                  linear_before_reset=int(reset_after))  # fmt: skip


def _rnn(
    b: Builder, x: Tensor, h: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor | None, mask: None, *,
    activation: str, reverse: bool, zero_output: bool, time_axis: int,
) -> Any:  # fmt: skip
    return _layer(b, "RNN", "n", x, (h,), (kernel, recurrent, bias), gates="n", reverse=reverse, time_axis=time_axis,
                  activations=(activation,))  # fmt: skip


def _plain(node: Node) -> bool:
    """Without a mask, of activations that ONNX has, and of a known size."""
    a = node.attributes
    masked = node.inputs[node.op.signature.operands.index("mask")] is not None
    known = all(a.get(k, "tanh") in _NAMES for k in ("activation", "recurrent_activation"))
    assert node.inputs[1] is not None
    return not masked and known and isinstance(node.inputs[1].shape[-1], int)


def _row(lowering: Lowering) -> Undifferentiated:
    return Undifferentiated(_plain, lowering)


rows = {
    ops.lstm: _row(by(_lstm, "LSTM")), ops.gru: _row(by(_gru, "GRU")), ops.simple_rnn: _row(by(_rnn, "RNN")),
}  # fmt: skip
