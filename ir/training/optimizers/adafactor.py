"""Adafactor: a second moment kept as the means of its rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...graph import Value
from ...op import sample
from .rule import RATE, Hyper, OptimizerRule, Shape, Slot, update_op


def factored_axes(shape: Shape, hyper: Hyper, convention: str) -> tuple[int, int] | None:
    """The axes that are averaged for the columns and for the rows: the last two, or the largest two for Optax."""
    if len(shape) < 2:
        return None
    if convention != "optax":
        return len(shape) - 2, len(shape) - 1
    column, row = (int(a) for a in np.argsort(shape)[-2:])
    return (column, row) if shape[column] >= hyper["least_factored_size"] else None


def _mean_square(x: Value) -> Value:
    return ops.sqrt(ops.reduce_mean(ops.square(x)))  # type: ignore[no-any-return]


def _adafactor_parts(
    p: Value,
    g: Value,
    v: Value | None,
    row: Value | None,
    column: Value | None,
    rate: Value,
    share: Value,
    kept: Value | None = None,
    *,
    epsilon_1: float,
    epsilon_2: float,
    clip_threshold: float,
    weight_decay: float = 0.0,
    convention: str = "keras",
) -> tuple[Value, ...]:
    """`share` is that of the new squares in the averages.

    Optax takes the weight decay as it is, without rate; PyTorch keeps the share `kept`, but scales the step by the
    parameter as it was before.
    """
    squares = ops.square(g) if convention == "torch" else ops.square(g) + epsilon_1
    slots: tuple[Value, ...]
    if v is not None:
        v = ((1.0 - share) * v + share * squares).named("v")
        slots, estimate = (v,), v
    else:
        assert row is not None
        assert column is not None
        over_column, over_row = factored_axes(tuple(map(int, p.shape)), {"least_factored_size": 0}, convention) or (
            0,
            1,
        )
        row = ((1.0 - share) * row + share * ops.reduce_mean(squares, axes=(over_row,), keepdims=True)).named("row")
        column = ((1.0 - share) * column + share * ops.reduce_mean(squares, axes=(over_column,), keepdims=True)).named(
            "column"
        )
        mean = ops.reduce_mean(row, axes=(over_column,), keepdims=True)
        slots, estimate = (
            (row, column),
            row / (ops.maximum(mean, epsilon_1) if convention == "torch" else mean) * column,
        )
    if convention == "torch":
        estimate = ops.maximum(estimate, epsilon_1**2)
    step = g / ops.sqrt(estimate)
    step = step / ops.maximum(_mean_square(step) / clip_threshold, 1.0)
    step = ops.maximum(_mean_square(p), epsilon_2) * rate * step
    if kept is not None:
        p = p * kept
    return (p - (step + weight_decay * p if weight_decay and convention == "optax" else step), *slots)


_ATTRIBUTES: dict[str, Any] = {"epsilon_1": 1e-6, "epsilon_2": 1e-3, "clip_threshold": 1.5, "weight_decay": 0.1}
_V = np.array([[0.5, 1.0, 0.25], [2.0, 0.75, 1.5]], np.float32)
_MEANS = (_V.mean(1, keepdims=True), _V.mean(0, keepdims=True))
adafactor = update_op(
    "adafactor",
    _adafactor_parts,
    ("v", "row", "column"),
    (
        *(
            sample((2, 3), (2, 3), *given, RATE, np.float32(0.4), convention=c, **_ATTRIBUTES)
            for c in ("keras", "torch", "optax")
            for given in ((_V, None, None), (None, *_MEANS))
        ),
        sample((2, 3), (2, 3), _V, None, None, RATE, np.float32(0.4), RATE, convention="torch", **_ATTRIBUTES),
    ),
)

OPS = (adafactor,)


def _slots(hyper: Hyper, shape: Shape, convention: str) -> tuple[Slot, ...]:
    axes = factored_axes(shape, hyper, convention)
    if axes is None:
        return (Slot("v", shape),)
    rows, columns = (tuple(1 if i == a else n for i, n in enumerate(shape)) for a in reversed(axes))
    return Slot("row", rows), Slot("column", columns)


def _scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    """The rate, which Keras and PyTorch bound by 1/sqrt(t), and t to the power of the decay."""
    scalars = {"share": ops.power(t, hyper["beta_2_decay"]).named("share")}
    if convention != "optax":
        scalars["rate"] = ops.minimum(ops.rsqrt(t), rate).named("rate")
    elif not isinstance(rate, float):
        scalars["rate"] = rate
    if convention == "torch" and hyper["weight_decay"]:
        kept = 1.0 - rate * hyper["weight_decay"]
        scalars["kept"] = t.graph.constant(kept, t.dtype) if isinstance(kept, float) else kept.named("kept")
    return scalars


def _own_decay(hyper: Hyper, convention: str) -> str:
    return "parameter" if convention == "keras" else "own"


_COMMON = {"beta_2_decay": -0.8, "epsilon_2": 1e-3, "clip_threshold": 1.0, "weight_decay": 0.0}
RULES = {
    "adafactor": OptimizerRule(
        {
            "keras": {"learning_rate": 0.001, "epsilon_1": 1e-30, **_COMMON},
            "torch": {"learning_rate": 0.01, "epsilon_1": float(np.finfo(np.float32).eps), **_COMMON},
            "optax": {"learning_rate": 0.001, "epsilon_1": 1e-30, **_COMMON, "least_factored_size": 128},
        },
        lambda hyper: adafactor,
        _slots,
        _scalars,
        decay=_own_decay,
    )
}
