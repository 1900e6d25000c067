"""What an optimizer is: a rule over values, with hyperparameters for each convention."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import ops
from ...graph import Graph, Value
from ...op import NO_GRADIENT, Bound, Op, Sample, Signature
from ...types import TensorType

Hyper = Mapping[str, Any]
Shape = tuple[int, ...]
RATE = np.float32(0.1)  # of samples


@dataclass(frozen=True)
class Slot:
    """An array that an optimizer keeps for each parameter, and what fills it at first."""

    name: str
    shape: Shape
    initial: float = 0.0


def like_parameter(*names: str) -> Callable[[Hyper, Shape, str], tuple[Slot, ...]]:
    """Slots of the parameter's shape, which begin at zero."""
    return lambda hyper, shape, convention: tuple(Slot(n, shape) for n in names)


def decay_by_convention(hyper: Hyper, convention: str) -> str:
    """PyTorch adds the weight decay to the gradient; Keras and Optax take it off the parameter."""
    return "gradient" if convention == "torch" else "parameter"


@dataclass(frozen=True)
class OptimizerRule:
    """What an optimizer's update needs.

    `defaults[convention]` are its hyperparameters. `op(hyper)` is the update: its operands are named `p`, `g`, or
    like slots or scalars, and it gives the new parameter and the new slots, in the order of its operands.
    `slots(hyper, shape, convention)` are kept for each parameter, `shared[convention]` (name: first value) for all.
    `scalars(t, rate, hyper, convention, shared)` are computed once a step, t being its number counted from 1; shared
    values have their new ones among them. Without it there is one scalar, `rate`.
    `decay(hyper, convention)` says where weight decay goes: `gradient`, `parameter`, or `own` (the op has it).
    `needs_count(hyper)`: whether the scalars use t at all; they do by default.
    """

    defaults: Mapping[str, Hyper]
    op: Callable[[Hyper], Op]
    slots: Callable[[Hyper, Shape, str], Sequence[Slot]]
    scalars: Callable[[Any, Any, Hyper, str, Mapping[str, Value]], dict[str, Value]] | None = None
    shared: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    decay: Callable[[Hyper, str], str] = decay_by_convention
    needs_count: Callable[[Hyper], bool] | None = None

    def counts(self, hyper: Hyper) -> bool:
        """Whether the scalars need the number of the step."""
        return self.scalars is not None and (self.needs_count is None or self.needs_count(hyper))

    def update(
        self,
        p: Value,
        g: Value,
        slots: Mapping[str, Value],
        scalars: Mapping[str, Value],
        hyper: Hyper,
        convention: str,
    ) -> tuple[Value, dict[str, Value]]:
        """The new parameter, and the new slots by name."""
        op = self.op(hyper)
        given = {"p": p, "g": g, **slots, **scalars}
        attributes = {
            n: convention if n == "convention" else hyper[n]
            for n in op.signature.attributes
            if n in hyper or n == "convention"
        }
        new = op(*(given.get(n) for n in op.signature.operands), **attributes)
        results = new if isinstance(new, tuple) else (new,)
        names = [n for n in op.signature.operands if n in slots]
        return results[0], dict(zip(names, results[1:], strict=True))


def update_op(name: str, parts: Callable[..., Any], slots: Sequence[str], samples: tuple[Sample, ...]) -> Op:
    """An update as a composite whose schema is the signature of its parts; it gives `p` and the slots."""
    schema = Signature.of(parts)

    def type_rule(*types: TensorType, **attributes: Any) -> tuple[TensorType, ...]:
        named = dict(zip(schema.operands, types, strict=True))
        return tuple(t for t in (named["p"], *(named[s] for s in slots)) if t is not None)

    return Op(
        name, type_rule, None, NO_GRADIENT, parts, samples=samples, bound=Bound("parts"), schema=schema,
        output_names=("", *slots),
    )  # fmt: skip


def correction(beta: float, t: Value, convention: str) -> Value:
    """1 - beta^t, what a moment that began at zero still lacks.

    PyTorch computes it in double precision, which `expm1` comes near to; Keras and Optax in the parameter's own.
    """
    graph: Graph = t.graph
    if convention == "torch":
        return -ops.expm1(t * math.log(beta)) if beta else graph.constant(1.0, t.dtype)
    return 1.0 - ops.power(graph.constant(beta, t.dtype), t)  # type: ignore[no-any-return]


def moved(average: Value, new: Value, share: float, convention: str) -> Value:
    """An exponential average with `share` of the new value, in the order of operations of the convention."""
    if convention == "keras":
        return average + (new - average) * share
    return (1.0 - share) * average + share * new
