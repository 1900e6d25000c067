"""The update of a training step: from gradients to new parameters, slots and counters."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from .. import ops
from ..errors import SpecError
from ..graph import Graph, Port, Value
from ..model import Optimizer
from ..types import TensorType, dtype_of, float32, int32
from .averaging import average_rule
from .clipping import check_clip, clip_factor, clip_value
from .names import find
from .optimizers import optimizer_rule
from .schedules import ADJUSTABLE, scheduled_rate

STEP = "optimizer.step"
MICRO_STEP = "optimizer.micro_step"
LEARNING_RATE = "optimizer.learning_rate"
ACCUMULATED, AVERAGE = "accumulated", "average"


def update(
    graph: Graph,
    parameters: Sequence[Port],
    found: Sequence[Value],
    optimizer: Optimizer,
    arrays: Mapping[str, np.ndarray],
    state: dict[str, np.ndarray],
) -> None:
    """Append the update of all parameters; `state` gains the first values of what the optimizer keeps.

    Values that are there stay: a run goes on where one ended. The order is that of Keras: accumulate, clip, decay,
    step, average. With `accumulate` nothing but what is accumulated changes until the last of so many batches.
    """
    check(optimizer)
    means = list(found)
    if optimizer.accumulate > 1:
        with graph.section("backward"):
            means = [_accumulated(graph, p.path, g, optimizer, state) for p, g in zip(parameters, found, strict=True)]
    with graph.section("update"):
        writer = _Updater(graph, optimizer, state)
        writer.measure(means)
        for port, g in zip(parameters, means, strict=True):
            writer.parameter(port, g, arrays[port.path])
    _check_groups(optimizer, [p.path for p in parameters])


def check(optimizer: Optimizer) -> None:
    """Raise `SpecError` for what no optimizer has."""
    check_clip(optimizer.clip)
    if not isinstance(optimizer.accumulate, int) or optimizer.accumulate < 1:
        raise SpecError(f"accumulate is a number of batches, not {optimizer.accumulate!r}")
    _, hyper = optimizer_rule(optimizer)
    for pattern, changes in optimizer.groups.items():
        for name in changes:
            find(f"hyperparameter of {optimizer.name} (in the group {pattern!r})", name, hyper)


def _check_groups(optimizer: Optimizer, paths: Sequence[str]) -> None:
    for pattern in optimizer.groups:
        if not any(fnmatchcase(path, pattern) for path in paths):
            raise SpecError(f"no parameter fits the group {pattern!r}; there are {', '.join(paths)}")


def _accumulated(graph: Graph, path: str, g: Value, optimizer: Optimizer, state: dict[str, np.ndarray]) -> Value:
    """The part of the mean gradient that this batch and those before it make."""
    state.setdefault(f"{ACCUMULATED}.{path}", np.zeros(g.shape, g.dtype.numpy))
    before = graph.input(ACCUMULATED, g.type, "state", f"{ACCUMULATED}.{path}")
    return before + g / optimizer.accumulate


class _Updater:
    """Writes updates into a graph; what all parameters share is written once."""

    def __init__(self, graph: Graph, optimizer: Optimizer, state: dict[str, np.ndarray]) -> None:
        self.graph, self.optimizer, self.state = graph, optimizer, state
        self.convention = optimizer.convention
        self.rule, self.hyper = optimizer_rule(optimizer)
        self.average = average_rule(optimizer.average)
        self.factor: Value | None = None
        self._scalars: dict[Any, dict[str, Value]] = {}
        self._count()

    # what all parameters share

    def _count(self) -> None:
        optimizer = self.optimizer
        self.due: Value | None = None
        self.t: Value | None = None
        self.before: Value | None = None
        self.rate_state: Value | None = None
        if optimizer.accumulate > 1:
            micro = self._scalar("micro_step", MICRO_STEP, int32, 0)
            following = micro + 1
            self.due = ops.equal(following, optimizer.accumulate).named("due")
            self.graph.output(ops.where(self.due, 0, following), MICRO_STEP, "state")
        adjustable = optimizer.schedule is not None and optimizer.schedule.name == ADJUSTABLE
        if adjustable:
            self.rate_state = self._scalar("learning_rate", LEARNING_RATE, float32, self.hyper["learning_rate"])
            self.graph.output(self.rate_state, LEARNING_RATE, "state")
        scheduled = optimizer.schedule is not None and not adjustable
        groups = [self.hyper | dict(g) for g in optimizer.groups.values()]
        if scheduled or self.average is not None or any(map(self.rule.counts, [self.hyper, *groups])):
            self.before = self._scalar("step", STEP, int32, 0)
            step = (self.before + 1).named("step")
            self.t = ops.cast(step, dtype=float32).named("t")
            self._keep(STEP, step, self.before)
        first = self.rule.shared.get(self.convention, {})
        self.shared = {n: self._scalar(n, f"optimizer.{n}", float32, value) for n, value in first.items()}

    def _scalar(self, name: str, path: str, dtype: Any, first: float) -> Value:
        self.state.setdefault(path, np.asarray(first, dtype.numpy))
        return self.graph.input(name, TensorType(dtype, ()), "state", path)

    def _keep(self, path: str, new: Value, old: Value) -> None:
        self.graph.output(new if self.due is None else ops.where(self.due, new, old), path, "state")

    def rate(self, learning_rate: float) -> Any:
        """The learning rate: a number, or what schedule or state make of it."""
        if self.rate_state is not None:
            share = learning_rate / self.hyper["learning_rate"]
            return self.rate_state if share == 1.0 else self.rate_state * share
        if self.optimizer.schedule is None:
            return learning_rate
        assert self.before is not None
        count = ops.cast(self.before, dtype=float32).named("count")
        return scheduled_rate(self.optimizer.schedule, count, learning_rate).named("learning_rate")

    def scalars(self, hyper: Mapping[str, Any]) -> dict[str, Value]:
        """What is computed once for all parameters with these hyperparameters; `plain_rate` is the learning rate."""
        key = tuple(hyper.items())
        if key not in self._scalars:
            rate = self.rate(hyper["learning_rate"])
            made = {"rate": rate} if isinstance(rate, Value) else {}
            if self.rule.scalars is not None:
                made |= self.rule.scalars(self.t, rate, hyper, self.convention, self.shared)
            for name, old in self.shared.items():
                if len(self._scalars) == 0:
                    self._keep(f"optimizer.{name}", made[name], old)
            self._scalars[key] = made | ({"plain_rate": rate} if isinstance(rate, Value) else {})
        return self._scalars[key]

    # one parameter

    def measure(self, gradients: Sequence[Value]) -> None:
        """The factor by which all gradients shrink."""
        bound = self.optimizer.clip.get("global_norm")
        if bound is not None:
            self.factor = clip_factor(gradients, bound, self.convention)

    def parameter(self, port: Port, g: Value, array: np.ndarray) -> None:
        hyper = self._hyper_of(port.path)
        slots = self._slots(port, hyper, array)
        scalars = self.scalars(hyper)
        average = self._input(AVERAGE, port.path, array) if self.average else None
        accumulated = None
        with self._scope(port, g, slots, average, hyper):
            p, step = self._decayed(port.value, self._clipped(g), hyper, scalars)
            new, changed = self.rule.update(p, step, slots, self._as(scalars, p, hyper), hyper, self.convention)
            if self.due is not None:
                new = ops.where(self.due, new, port.value)
                changed = {n: ops.where(self.due, v, slots[n]) for n, v in changed.items()}
                accumulated = ops.where(self.due, 0.0, g)
            if self.average is not None:
                assert average is not None
                assert self.t is not None
                new, average = self.average(new, average, self.t, self.due, self.convention)
        self.graph.output(new, port.path, "parameter")
        for name, value in changed.items():
            self.graph.output(value, f"{name}.{port.path}", "state")
        for name, kept in ((AVERAGE, average), (ACCUMULATED, accumulated)):
            if kept is not None:
                self.graph.output(kept, f"{name}.{port.path}", "state")

    def _scope(
        self, port: Port, g: Value, slots: Mapping[str, Value], average: Value | None, hyper: Mapping[str, Any]
    ) -> Any:
        """A scope around what a parameter's update needs besides the optimizer's own op."""
        decay = hyper.get("weight_decay") and self.rule.decay(hyper, self.convention) != "own"
        if not (self.optimizer.clip or decay or self.due is not None or average is not None):
            return contextlib.nullcontext()
        shared = {"factor": self.factor, "due": self.due, "t": self.t if average is not None else None}
        given = {"p": port.value, "g": g, **slots, AVERAGE: average, **shared}
        named = {n.replace("plain", "learning"): v for n, v in self.scalars(hyper).items()}
        return self.graph.scope("", "update", {n: v for n, v in given.items() if v is not None} | named)

    def _hyper_of(self, path: str) -> dict[str, Any]:
        for pattern, changes in self.optimizer.groups.items():
            if fnmatchcase(path, pattern):
                return self.hyper | dict(changes)
        return self.hyper

    def _slots(self, port: Port, hyper: Mapping[str, Any], array: np.ndarray) -> dict[str, Value]:
        made = {}
        for slot in self.rule.slots(hyper, array.shape, self.convention):
            made[slot.name] = self._input(slot.name, port.path, np.full(slot.shape, slot.initial, array.dtype))
        return made

    def _input(self, name: str, path: str, first: np.ndarray) -> Value:
        """The input of an array that is kept for a parameter."""
        full = f"{name}.{path}"
        self.state.setdefault(full, first.copy())
        return self.graph.input(name, TensorType(dtype_of(first.dtype), first.shape), "state", full)

    def _clipped(self, g: Value) -> Value:
        clip = self.optimizer.clip
        if "value" in clip:
            return clip_value(g, clip["value"])
        factor = clip_factor([g], clip["norm"], self.convention) if "norm" in clip else self.factor
        return g if factor is None else g * _as(factor, g)

    def _decayed(
        self, p: Value, g: Value, hyper: Mapping[str, Any], scalars: Mapping[str, Value]
    ) -> tuple[Value, Value]:
        """Weight decay that the optimizer's op has not: added to the gradient, or taken off the parameter."""
        decay, place = hyper.get("weight_decay", 0.0), self.rule.decay(hyper, self.convention)
        if not decay or place == "own":
            return p, g
        if place == "gradient":
            return p, g + decay * p
        rate = scalars.get("plain_rate")
        lost = decay * hyper["learning_rate"] if rate is None else _as(decay * rate, p)
        return p * (1.0 - lost) if self.convention == "torch" else p - p * lost, g

    def _as(self, scalars: Mapping[str, Value], p: Value, hyper: Mapping[str, Any]) -> dict[str, Value]:
        found = {n: _as(v, p) for n, v in scalars.items()}
        return found if "rate" in found else found | {"rate": self.graph.constant(hyper["learning_rate"], p.dtype)}


def _as(scalar: Value, like: Value) -> Value:
    """A scalar in the element type of a parameter; a truth value stays one."""
    same = scalar.dtype == like.dtype or not scalar.dtype.is_float
    return scalar if same else ops.cast(scalar, dtype=like.dtype)
