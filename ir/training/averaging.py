"""Averages of the parameters over the updates: exponential, or equal from some update on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .. import ops
from ..graph import Value
from .names import find

Average = Callable[[Value, Value, Value, "Value | None", str], tuple[Value, Value]]


def _ema(
    p: Value, average: Value, t: Value, due: Value | None, convention: str, *, momentum: float, overwrite_every: int
) -> tuple[Value, Value]:
    """The first update sets the average, as in Keras and in PyTorch's `AveragedModel`.

    With accumulation Keras averages after each batch, PyTorch after each update. `overwrite_every` so many updates
    the average becomes the parameter.
    """
    following = ops.where(ops.equal(t, 1.0), p, momentum * average + (1.0 - momentum) * p)
    average = _if_due(following, average, None if convention == "keras" else due)
    if overwrite_every:
        p = ops.where(ops.equal(t, ops.floor(t / overwrite_every) * overwrite_every), average, p)
    return p, average.named("average")


def _swa(
    p: Value, average: Value, t: Value, due: Value | None, convention: str, *, start: int, every: int
) -> tuple[Value, Value]:
    """The mean of the parameters after the updates start + 1, start + 1 + every, ...; until then the parameters."""
    since = t - float(start + 1)
    count = ops.floor(since / every)
    counts = ops.equal(count * every, since) if every > 1 else since >= 0.0
    mean = average + (p - average) / ops.maximum(count + 1.0, 1.0)
    following = ops.where(since <= 0.0, p, ops.where(counts, mean, average))
    return p, _if_due(following, average, due).named("average")


def _if_due(new: Value, old: Value, due: Value | None) -> Value:
    return new if due is None else ops.where(due, new, old)


AVERAGES: dict[str, tuple[Mapping[str, Any], Callable[..., Any]]] = {
    "ema": ({"momentum": 0.99, "overwrite_every": 0}, _ema),
    "swa": ({"start": 0, "every": 1}, _swa),
}


def average_rule(average: Mapping[str, Mapping[str, Any]]) -> Average | None:
    """The rule of `{name: options}`, or none for an empty one; raises `SpecError` for unknown names."""
    for name, options in average.items():
        defaults, rule = find("average", name, AVERAGES)
        for option in options or {}:
            find(f"option of the average {name}", option, defaults)
        return partial(rule, **(dict(defaults) | dict(options or {})))
    return None
