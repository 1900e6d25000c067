"""ONNX: activation functions."""

from __future__ import annotations

from ...ir import ops
from .arithmetic import number
from .builder import Builder, Tensor
from .lowering import by, op


def _relu6(b: Builder, x: Tensor) -> Tensor:
    return b.Clip(x, number(b, 0.0), number(b, 6.0))  # type: ignore[no-any-return]


def _log_sigmoid(b: Builder, x: Tensor) -> Tensor:
    return b.Neg(b.Softplus(b.Neg(x)))  # type: ignore[no-any-return]


def _gelu(b: Builder, x: Tensor, *, approximate: bool) -> Tensor:
    return b.Gelu(x, approximate="tanh" if approximate else None)  # type: ignore[no-any-return]


def _mish(b: Builder, x: Tensor) -> Tensor:
    return b.Mish(x)  # type: ignore[no-any-return]


rows = {
    ops.relu: op("Relu"),
    ops.relu6: by(_relu6, "Clip"),
    ops.hard_sigmoid: op("HardSigmoid", alpha=1.0 / 6.0, beta=0.5),
    ops.softplus: op("Softplus"),
    ops.log_sigmoid: by(_log_sigmoid, "Softplus", "Neg"),
    ops.softsign: op("Softsign"),
    ops.selu: op("Selu"),
    ops.leaky_relu: op("LeakyRelu"),
    ops.elu: op("Elu"),
    ops.gelu: by(_gelu, "Gelu", since=20),
    ops.mish: by(_mish, "Softplus", since=18),
    ops.softmax: op("Softmax"),
    ops.log_softmax: op("LogSoftmax"),
}
