"""PyTorch: recurrent layers by its own.

It has no function for their gradients, but it keeps what they need where it is told that operands are differentiated:
so a layer whose gradient is in the graph runs on leaves, and its gradient asks PyTorch for theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ...ir import Node, ops
from ..rules import Condition, GradientOf, Undifferentiated, When, differentiated


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
    turned = [None if w is None else w.transpose(0, -1) for w in weights]
    parts = [None if w is None else dict(zip(gates, w.chunk(len(gates)), strict=True)) for w in turned]
    ordered = turned if gates == order else [None if p is None else torch.cat([p[g] for g in order]) for p in parts]
    biases = [*ordered[2:], None][:2]
    if biases == [None, None]:
        return ordered[:2]
    some = next(b for b in biases if b is not None)
    return ordered[:2] + [torch.zeros_like(some) if b is None else b for b in biases]


def on_leaves(layer: Any, *operands: Any, **options: Any) -> Any:
    """The layer with what its gradient needs: PyTorch keeps that on the way from these leaves."""
    leaves = [None if v is None else v.detach().requires_grad_() for v in operands]
    with torch.enable_grad():
        y, *states = layer(*leaves, **options)
    y.leaves = [v for v in leaves if v is not None]
    return y, *states


def _lstm_on_leaves(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any, *, reverse: Any, time_axis: Any, gates: Any
) -> Any:
    return on_leaves(_lstm, x, h, c, kernel, recurrent, bias, reverse=reverse, time_axis=time_axis, gates=gates)


def _gru_on_leaves(
    x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, recurrent_bias: Any, *, reverse: Any, time_axis: Any,
    gates: Any,
) -> Any:  # fmt: skip
    return on_leaves(
        _gru, x, h, kernel, recurrent, bias, recurrent_bias, reverse=reverse, time_axis=time_axis, gates=gates
    )


def _rnn_on_leaves(
    x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, *, activation: Any, reverse: Any, time_axis: Any
) -> Any:
    return on_leaves(_rnn, x, h, kernel, recurrent, bias, activation=activation, reverse=reverse, time_axis=time_axis)


def _rows_gradient(g: Any, y: Any) -> Any:
    return torch.autograd.grad(y, y.leaves, g, materialize_grads=True)


def _last_gradient(g: Any, y: Any, h: Any) -> Any:
    return torch.autograd.grad(h, y.leaves, g, materialize_grads=True)


def _both_gradient(g: Any, g_last: Any, y: Any, h: Any) -> Any:
    return torch.autograd.grad((y, h), y.leaves, (g, g_last), materialize_grads=True)


def _all_gradient(g: Any, g_last: Any, g_cell: Any, y: Any, h: Any, c: Any) -> Any:
    return torch.autograd.grad((y, h, c), y.leaves, (g, g_last, g_cell), materialize_grads=True)


# Which of the outputs (rows, last state, cell) have a gradient, and the rule for that.
_LSTM: Mapping[tuple[bool, ...], Any] = {
    (True, False, False): _rows_gradient, (False, True, False): _last_gradient,
    (True, True, False): _both_gradient, (True, True, True): _all_gradient,
}  # fmt: skip
_ONE_STATE: Mapping[tuple[bool, ...], Any] = {
    (True, False): _rows_gradient, (False, True): _last_gradient, (True, True): _both_gradient,
}  # fmt: skip


def _plain(node: Node) -> bool:
    a = node.attributes
    masked = node.inputs[node.op.signature.operands.index("mask")] is not None
    usual = a.get("recurrent_activation", "sigmoid") == "sigmoid" and a.get("reset_after", True)
    acts = ("tanh",) if node.op is not ops.simple_rnn else ("tanh", "relu")
    return not masked and usual and a["activation"] in acts


def _on_leaves(node: Node) -> bool:
    """Whether one gradient of a layer is in the graph, which PyTorch can give, and no gradient of that."""
    found = differentiated(node.outputs[0].graph)
    gradients = found.get(node, ())
    known = _LSTM if node.op is ops.lstm else _ONE_STATE
    return _plain(node) and len(gradients) == 1 and gradients[0].op.given in known and gradients[0] not in found


def _of_layer(given: tuple[bool, ...]) -> Condition:
    """Whether a gradient is that of a layer on leaves, for these outputs."""

    def condition(node: Node) -> bool:
        y = node.inputs[sum(node.op.given)]
        forward = y.node if y is not None else None
        own = forward is not None and forward.op is node.op.derivative_of
        return own and node.op.given == given and forward is not None and _on_leaves(forward)

    return condition


def _gradients(known: Mapping[tuple[bool, ...], Any]) -> tuple[When, ...]:
    return tuple(When(_of_layer(given), rule) for given, rule in known.items())


rows = {
    ops.lstm: (Undifferentiated(_plain, _lstm), When(_on_leaves, _lstm_on_leaves)),
    ops.gru: (Undifferentiated(_plain, _gru), When(_on_leaves, _gru_on_leaves)),
    ops.simple_rnn: (Undifferentiated(_plain, _rnn), When(_on_leaves, _rnn_on_leaves)),
    GradientOf(ops.lstm): _gradients(_LSTM),
    GradientOf(ops.gru): _gradients(_ONE_STATE),
    GradientOf(ops.simple_rnn): _gradients(_ONE_STATE),
}
