"""Recurrent layers: composites over a scan, which frameworks know whole.

Sequences are [N, T, D] (`time_axis` 1) or [T, N, D] (0). Kernels are [D, G * H] and [H, G * H] for G gates, which lie
one behind the other in the order that `gates` says: `ifgo` (Keras, PyTorch) or `iofg` (ONNX) of an LSTM, `zrn` (Keras,
ONNX) or `rzn` (PyTorch) of a GRU. Where `mask` [N, T] (or [T, N]) is false the state stays as it is, and the output is
the one before (zeros at the beginning), as in Keras, or zeros where `zero_output` is said, as in ONNX and for packed
sequences in PyTorch. With `reverse` time runs backwards; outputs lie where their inputs lie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dims import Size, divide_exact, require
from ..errors import TypeMismatchError
from ..graph import Graph, Value
from ..op import Bound, Op, Sample, sample
from ..types import TensorType, bool_
from .activation import elu, hard_sigmoid, leaky_relu, relu, softplus, softsign
from .arithmetic import add, multiply, sigmoid, subtract, tanh
from .comparison import where
from .contraction import matmul
from .control import scan
from .shape import broadcast_to, expand_dims, slice_axis, transpose

ACTIVATIONS: dict[str, Callable[[Value], Any]] = {
    "tanh": tanh, "sigmoid": sigmoid, "relu": relu, "hard_sigmoid": hard_sigmoid, "elu": elu, "softsign": softsign,
    "softplus": softplus, "leaky_relu": leaky_relu, "linear": lambda x: x,
}  # fmt: skip
Step = Callable[..., Sequence[Value]]


# types


def _check_layer(
    name: str, x: TensorType, states: Sequence[TensorType], kernels: Sequence[TensorType | None], gates: int,
    mask: TensorType | None, time_axis: int,
) -> Size:  # fmt: skip
    """Demand that everything fits; the size of the state."""
    if not x.dtype.is_float:
        raise TypeMismatchError(f"{name} works on float tensors, not on {x}; cast first")
    if x.rank != 3 or time_axis not in (0, 1):
        raise TypeMismatchError(f"{name}: a sequence has 3 axes and time_axis 0 or 1, not {x} and {time_axis}")
    kernel, recurrent, *biases = kernels
    assert recurrent is not None
    batch, size = x.shape[1 - time_axis], recurrent.shape[0]
    wanted = [(s, (batch, size)) for s in states] + [
        (kernel, (x.shape[2], size * gates)), (recurrent, (size, size * gates)),
        *((b, (size * gates,)) for b in biases),
    ]  # fmt: skip
    if mask is not None:
        if mask.dtype != bool_:
            raise TypeMismatchError(f"{name}: the mask is bool, not {mask}")
        wanted.append((mask, x.shape[:2]))
    for t, shape in wanted:
        if t is None:
            continue
        if t.rank != len(shape) or (t is not mask and t.dtype != x.dtype):
            raise TypeMismatchError(f"{name}: {t} should be {x.dtype.short}{list(shape)}")
        for a, b in zip(t.shape, shape, strict=True):
            require("==", a, b)
    return size


def _check_names(name: str, gates: str, orders: Sequence[str], activations: Sequence[str]) -> None:
    if gates not in orders:
        raise TypeMismatchError(f"{name}: gates={gates!r} is not one of {', '.join(orders)}")
    unknown = [a for a in activations if a not in ACTIVATIONS]
    if unknown:
        raise TypeMismatchError(f"{name}: no activation {unknown[0]!r}; there are {', '.join(ACTIVATIONS)}")


def _outputs(x: TensorType, size: Size) -> TensorType:
    return x.with_shape((*x.shape[:2], size))


def _lstm_type(
    x: TensorType, h: TensorType, c: TensorType, kernel: TensorType, recurrent: TensorType,
    bias: TensorType | None = None, mask: TensorType | None = None, *, activation: str = "tanh",
    recurrent_activation: str = "sigmoid", reverse: bool = False, zero_output: bool = False, time_axis: int = 1,
    gates: str = "ifgo",
) -> tuple[TensorType, TensorType, TensorType]:  # fmt: skip
    _check_names("lstm", gates, ("ifgo", "iofg"), (activation, recurrent_activation))
    size = _check_layer("lstm", x, (h, c), (kernel, recurrent, bias), 4, mask, time_axis)
    return _outputs(x, size), h, c


def _gru_type(
    x: TensorType, h: TensorType, kernel: TensorType, recurrent: TensorType, bias: TensorType | None = None,
    recurrent_bias: TensorType | None = None, mask: TensorType | None = None, *, activation: str = "tanh",
    recurrent_activation: str = "sigmoid", reset_after: bool = True, reverse: bool = False, zero_output: bool = False,
    time_axis: int = 1, gates: str = "zrn",
) -> tuple[TensorType, TensorType]:  # fmt: skip
    _check_names("gru", gates, ("zrn", "rzn"), (activation, recurrent_activation))
    size = _check_layer("gru", x, (h,), (kernel, recurrent, bias, recurrent_bias), 3, mask, time_axis)
    return _outputs(x, size), h


def _rnn_type(
    x: TensorType, h: TensorType, kernel: TensorType, recurrent: TensorType, bias: TensorType | None = None,
    mask: TensorType | None = None, *, activation: str = "tanh", reverse: bool = False, zero_output: bool = False,
    time_axis: int = 1,
) -> tuple[TensorType, TensorType]:  # fmt: skip
    _check_names("simple_rnn", "", ("",), (activation,))
    size = _check_layer("simple_rnn", x, (h,), (kernel, recurrent, bias), 1, mask, time_axis)
    return _outputs(x, size), h


# parts


def _lstm_parts(
    x: Value, h: Value, c: Value, kernel: Value, recurrent: Value, bias: Value | None, mask: Value | None, *,
    activation: str, recurrent_activation: str, reverse: bool, zero_output: bool, time_axis: int, gates: str,
) -> tuple[Value, ...]:  # fmt: skip
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""
    act, gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]

    def step(h: Value, c: Value, z: Value, recurrent: Value) -> Sequence[Value]:
        i, f, g, o = _gates(add(z, matmul(h, recurrent)), gates, "ifgo")
        c = add(multiply(gate(f), c), multiply(gate(i), act(g)))
        return multiply(gate(o), act(c)), c

    return _layer(step, _projected(x, kernel, bias, time_axis), (h, c), (recurrent,), mask, reverse, zero_output,
                  time_axis)  # fmt: skip


def _gru_parts(
    x: Value, h: Value, kernel: Value, recurrent: Value, bias: Value | None, recurrent_bias: Value | None,
    mask: Value | None, *, activation: str, recurrent_activation: str, reset_after: bool, reverse: bool,
    zero_output: bool, time_axis: int, gates: str,
) -> tuple[Value, ...]:  # fmt: skip
    """Cho et al. 2014; with `reset_after` the gate r acts on the product, as in cuDNN."""
    act, gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]

    def with_bias(product: Value, bias: Sequence[Value]) -> Value:
        return add(product, bias[0]) if bias else product

    def after(h: Value, z: Value, recurrent: Value, *bias: Value) -> Sequence[Value]:
        update, reset, new = _gates(z, gates, "zrn")
        update_h, reset_h, new_h = _gates(with_bias(matmul(h, recurrent), bias), gates, "zrn")
        return [_mixed(h, gate(add(update, update_h)), act(add(new, multiply(gate(add(reset, reset_h)), new_h))))]

    def before(h: Value, z: Value, recurrent: Value, *bias: Value) -> Sequence[Value]:
        update, reset, new = _gates(z, gates, "zrn")
        parts = dict(zip(gates, _gates(recurrent, gates, gates), strict=True))
        biases = dict(zip(gates, _gates(bias[0], gates, gates), strict=True)) if bias else {}

        def product(left: Value, which: str) -> Value:
            return with_bias(matmul(left, parts[which]), [biases[which]] if bias else [])

        update, reset = gate(add(update, product(h, "z"))), gate(add(reset, product(h, "r")))
        return [_mixed(h, update, act(add(new, product(multiply(reset, h), "n"))))]

    captured = (recurrent,) if recurrent_bias is None else (recurrent, recurrent_bias)
    return _layer(after if reset_after else before, _projected(x, kernel, bias, time_axis), (h,), captured, mask,
                  reverse, zero_output, time_axis)  # fmt: skip


def _rnn_parts(
    x: Value, h: Value, kernel: Value, recurrent: Value, bias: Value | None, mask: Value | None, *, activation: str,
    reverse: bool, zero_output: bool, time_axis: int,
) -> tuple[Value, ...]:  # fmt: skip
    """Elman 1990."""

    def step(h: Value, z: Value, recurrent: Value) -> Sequence[Value]:
        return [ACTIVATIONS[activation](add(z, matmul(h, recurrent)))]

    return _layer(step, _projected(x, kernel, bias, time_axis), (h,), (recurrent,), mask, reverse, zero_output,
                  time_axis)  # fmt: skip


def _projected(x: Value, kernel: Value, bias: Value | None, time_axis: int) -> Value:
    """What the gates get from the whole sequence, in one product, time first."""
    z = matmul(transpose(x, axes=(1, 0, 2)) if time_axis else x, kernel)
    return z if bias is None else add(z, bias)  # type: ignore[no-any-return]


def _gates(z: Value, order: str, wanted: str) -> list[Value]:
    size = divide_exact(z.shape[-1], len(order))
    return [slice_axis(z, -1, order.index(g) * size, (order.index(g) + 1) * size) for g in wanted]


def _mixed(h: Value, update: Value, new: Value) -> Value:
    """`update` of the old state and the rest of the new one."""
    return add(multiply(update, h), multiply(subtract(1.0, update), new))  # type: ignore[no-any-return]


def _layer(
    step: Step, z: Value, states: Sequence[Value], captured: Sequence[Value], mask: Value | None, reverse: bool,
    zero_output: bool, time_axis: int,
) -> tuple[Value, ...]:  # fmt: skip
    """Scan the step over time; its first result is the output."""
    if mask is None:
        xs, init, masked = [z], list(states), step
    else:
        valid = expand_dims(transpose(mask, axes=(1, 0)) if time_axis else mask, -1)
        masked = _masked(step, len(states), zero_output)
        first = [] if zero_output else [_zeros(states[0])]
        xs, init = [z, valid], [*first, *states]
    names = ["output"] * (len(init) - len(states)) + ["h", "c"][: len(states)]
    body = Graph("step")
    carries = [body.input(n, v.type) for n, v in zip(names, init, strict=True)]
    elements = [body.input(n, v.type.with_shape(v.shape[1:])) for n, v in zip(("z", "valid"), xs, strict=False)]
    fixed = [body.input(n, v.type) for n, v in zip(("recurrent", "bias"), captured, strict=False)]
    results = masked(*carries, *elements, *fixed)
    output = results[0] if mask is None or not zero_output else results[-1]
    for i, value in enumerate((*results[: len(init)], output)):
        body.output(value, str(i))
    found = z.graph.apply(scan, *init, *xs, *captured, body=body, carries=len(init), xs=len(xs), reverse=reverse)
    outputs = transpose(found[-1], axes=(1, 0, 2)) if time_axis else found[-1]
    return (outputs, *found[len(init) - len(states) : len(init)])


def _masked(step: Step, count: int, zero_output: bool) -> Step:
    """The step where the mask is true; else the states as they are, and the output before or zeros."""

    def masked(*values: Value) -> Sequence[Value]:
        output, rest = (None, values) if zero_output else (values[0], values[1:])
        states, z, valid, *captured = *(rest[:count],), *rest[count:]
        new = step(*states, z, *captured)
        kept = [where(valid, n, s) for n, s in zip(new, states, strict=True)]
        if zero_output:
            return [*kept, where(valid, new[0], 0.0)]
        return [where(valid, new[0], output), *kept]

    return masked


def _zeros(v: Value) -> Value:
    return broadcast_to(v.graph.constant(0.0, v.dtype), shape=v.shape)  # type: ignore[no-any-return]


# samples

_MASK = np.array([[True, False, True, True], [False, True, True, False]])
_SMALL = (-0.7, 0.7)  # where no gate is shut


def _lstm_samples() -> tuple[Sample, ...]:
    state = ((2, 5), (2, 5), (3, 20), (5, 20))
    return (
        sample((2, 4, 3), *state, (20,), between=_SMALL),
        sample((2, 4, 3), *state, (20,), _MASK, reverse=True, activation="relu", between=_SMALL),
        sample((4, 2, 3), *state, None, _MASK.T, time_axis=0, gates="iofg", zero_output=True,
               recurrent_activation="hard_sigmoid", between=_SMALL),
    )  # fmt: skip


def _gru_samples() -> tuple[Sample, ...]:
    state = ((2, 5), (3, 15), (5, 15))
    return (
        sample((2, 4, 3), *state, (15,), (15,), between=_SMALL),
        sample((2, 4, 3), *state, (15,), None, _MASK, reset_after=False, reverse=True, activation="softsign",
               between=_SMALL),
        sample((4, 2, 3), *state, None, (15,), _MASK.T, time_axis=0, gates="rzn", zero_output=True,
               recurrent_activation="hard_sigmoid", between=_SMALL),
        sample((4, 2, 3), *state, (15,), (15,), reset_after=False, time_axis=0, between=_SMALL),
    )  # fmt: skip


def _rnn_samples() -> tuple[Sample, ...]:
    state = ((2, 5), (3, 5), (5, 5))
    return (
        sample((2, 4, 3), *state, (5,), between=_SMALL),
        sample((2, 4, 3), *state, None, _MASK, reverse=True, activation="relu", between=_SMALL),
        sample((4, 2, 3), *state, (5,), _MASK.T, time_axis=0, zero_output=True, between=_SMALL),
    )


lstm = Op("lstm", _lstm_type, None, None, _lstm_parts, samples=_lstm_samples(), bound=Bound("parts"), smooth=True,
          output_names=("", "h", "c"))  # fmt: skip
gru = Op("gru", _gru_type, None, None, _gru_parts, samples=_gru_samples(), bound=Bound("parts"), smooth=True,
         output_names=("", "h"))  # fmt: skip
simple_rnn = Op("simple_rnn", _rnn_type, None, None, _rnn_parts, samples=_rnn_samples(), bound=Bound("parts"),
                smooth=True, output_names=("", "h"))  # fmt: skip

OPS = (lstm, gru, simple_rnn)
