"""Schedules: the learning rate as a function of the number of updates that were made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .. import ops
from ..errors import SpecError
from ..graph import Value
from ..model import Schedule
from .names import find

REQUIRED = object()  # the default of what must be given
ADJUSTABLE = "adjustable"
Options = Mapping[str, Any]


@dataclass(frozen=True)
class ScheduleRule:
    """`value(count, rate, **options)` is the rate after `count` updates (a float scalar of the graph)."""

    options: Options
    value: Callable[..., Any]


def scheduled_rate(schedule: Schedule, count: Value, rate: float) -> Value:
    """The rate of an update, `count` being how many were made before; raises `SpecError` for unknown names."""
    rule, options = schedule_rule(schedule)
    value = rule.value(count, rate, **options)
    return value if isinstance(value, Value) else count.graph.constant(float(value), count.dtype)


def schedule_rule(schedule: Schedule) -> tuple[ScheduleRule, dict[str, Any]]:
    """The rule of a schedule, and its complete options."""
    rule = find("schedule", schedule.name, SCHEDULES)
    for name in schedule.options:
        find(f"option of the schedule {schedule.name}", name, rule.options)
    complete = dict(rule.options) | dict(schedule.options)
    missing = [n for n, v in complete.items() if v is REQUIRED]
    if missing:
        raise SpecError(f"the schedule {schedule.name} needs {', '.join(missing)}")
    return rule, complete


def _from(end: float, value: Value) -> Value:
    return end + value if end else value


def _stairs(x: Value, staircase: bool) -> Value:
    return ops.floor(x) if staircase else x


def _power(base: float, exponent: Value) -> Value:
    return ops.power(exponent.graph.constant(base, exponent.dtype), exponent)  # type: ignore[no-any-return]


def _exponential(count: Value, rate: float, *, decay_steps: float, decay_rate: float, staircase: bool) -> Value:
    return rate * _power(decay_rate, _stairs(count / decay_steps, staircase))


def _step(count: Value, rate: float, *, step_size: float, gamma: float) -> Value:
    return rate * _power(gamma, ops.floor(count / step_size))


def _inverse_time(count: Value, rate: float, *, decay_steps: float, decay_rate: float, staircase: bool) -> Value:
    return rate / (1.0 + decay_rate * _stairs(count / decay_steps, staircase))


def _piecewise(count: Value, rate: float, *, boundaries: Any, values: Any, inclusive: bool) -> Value:
    """The last value from the last boundary on; a boundary itself belongs to what is before it where `inclusive`."""
    if len(boundaries) != len(values) or list(boundaries) != sorted(boundaries):
        raise SpecError(
            f"piecewise needs rising boundaries and as many values (the learning rate is the first), "
            f"not {len(boundaries)} boundaries and {len(values)} values"
        )
    result: Any = count.graph.constant(rate, count.dtype)
    for boundary, value in zip(boundaries, values, strict=True):
        passed = count > float(boundary) if inclusive else count >= float(boundary)
        result = ops.where(passed, count.graph.constant(value, count.dtype), result)
    return result  # type: ignore[no-any-return]


def _multi_step(count: Value, rate: float, *, milestones: Any, gamma: float) -> Value:
    values = [rate * gamma ** (i + 1) for i in range(len(milestones))]
    return _piecewise(count, rate, boundaries=milestones, values=values, inclusive=False)


def _polynomial(count: Value, rate: float, *, decay_steps: float, end: float, power: float, cycle: bool) -> Value:
    if cycle:
        total: Any = decay_steps * ops.maximum(ops.ceil(count / decay_steps), 1.0)
        share = count / total
    else:
        share = ops.minimum(count, decay_steps) / decay_steps
    left = 1.0 - share
    return _from(end, (rate - end) * (left if power == 1.0 else ops.power(left, power)))


def _cosine(count: Value, rate: float, *, decay_steps: float, end: float, exponent: float, repeats: bool) -> Value:
    """Half a wave from the rate to `end`; then it stays there, or rises again (`repeats`, PyTorch's)."""
    x = count if repeats else ops.minimum(count, decay_steps)
    wave = 0.5 * (1.0 + ops.cos(x * (math.pi / decay_steps)))
    return _from(end, (rate - end) * (wave if exponent == 1.0 else ops.power(wave, exponent)))


def _cosine_restarts(
    count: Value, rate: float, *, first_decay_steps: float, t_mul: float, m_mul: float, end: float
) -> Value:
    """Half waves one after another, each `t_mul` times as long and `m_mul` times as high as the one before."""
    x = count / first_decay_steps
    if t_mul == 1.0:
        turn = ops.floor(x)
        inside = x - turn
    else:  # the restarts are where 1 - x (1 - t_mul) is a power of t_mul; half a step keeps rounding off them
        half = 0.5 / first_decay_steps
        turn = ops.floor(ops.log(1.0 + (x + half) * (t_mul - 1.0)) / math.log(t_mul))
        length = _power(t_mul, turn)
        inside = (x - (length - 1.0) / (t_mul - 1.0)) / length
    height = 0.5 if m_mul == 1.0 else 0.5 * _power(m_mul, turn)
    wave = height * (1.0 + ops.cos(math.pi * ops.minimum(ops.maximum(inside, 0.0), 1.0)))
    return _from(end, (rate - end) * wave)


def _warmup(count: Value, rate: float, *, steps: float, start: float, then: Any) -> Value:
    """A straight line from `start` to the rate over `steps`, then a schedule of its own that counts from there."""
    after = scheduled_rate(as_schedule(then), ops.maximum(count - steps, 0.0), rate)
    return ops.where(count < steps, _from(start, (rate - start) * (count / steps)), after)  # type: ignore[no-any-return]


def _interpolate(count: Value, points: list[tuple[float, float]], linear: bool) -> Value:
    """Through points (count, rate), by straight lines or half cosines; constant after the last."""
    result: Any = count.graph.constant(points[-1][1], count.dtype)
    for (x0, y0), (x1, y1) in reversed(list(pairwise(points))):
        share = (count - x0) / max(x1 - x0, 1e-12)
        line = y0 + (y1 - y0) * share if linear else y1 + (y0 - y1) * 0.5 * (ops.cos(math.pi * share) + 1.0)
        result = ops.where(count < x1, line, result)
    return result  # type: ignore[no-any-return]


def _one_cycle(
    count: Value,
    rate: float,
    *,
    total_steps: float,
    pct_start: float,
    div_factor: float,
    final_div_factor: float,
    anneal: str,
    three_phase: bool,
    inclusive: bool,
) -> Value:
    """Up to the rate and down again. PyTorch's phases end one step earlier than Optax's (`inclusive`)."""
    if anneal not in ("cos", "linear"):
        raise SpecError(f"anneal is 'cos' or 'linear', not {anneal!r}")
    first, least = rate / div_factor, rate / div_factor / final_div_factor
    shift = 0.0 if inclusive else 1.0
    ups = [0.0, pct_start * total_steps - shift if not inclusive else float(int(pct_start * total_steps))]
    points = [(ups[0], first), (ups[1], rate)]
    if three_phase:
        points.append((2 * pct_start * total_steps - 2 * shift, first))
    points.append((total_steps - shift, least))
    return _interpolate(count, points, anneal == "linear")


def as_schedule(value: Any) -> Schedule:
    """A schedule by name, or `{name: options}`."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, str):
        return Schedule(value)
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, options),) = value.items()
        return Schedule(name, dict(options or {}))
    raise SpecError(f"a schedule is a name or {{name: options}}, not {value!r}")


_DECAY = {"decay_steps": REQUIRED, "decay_rate": REQUIRED, "staircase": False}
SCHEDULES = {
    "constant": ScheduleRule({}, lambda count, rate: rate),
    ADJUSTABLE: ScheduleRule({}, lambda count, rate: rate),  # a state, which callbacks may set
    "exponential": ScheduleRule(_DECAY, _exponential),
    "step": ScheduleRule({"step_size": REQUIRED, "gamma": 0.1}, _step),
    "inverse_time": ScheduleRule(_DECAY, _inverse_time),
    "piecewise": ScheduleRule({"boundaries": REQUIRED, "values": REQUIRED, "inclusive": True}, _piecewise),
    "multi_step": ScheduleRule({"milestones": REQUIRED, "gamma": 0.1}, _multi_step),
    "polynomial": ScheduleRule({"decay_steps": REQUIRED, "end": 0.0001, "power": 1.0, "cycle": False}, _polynomial),
    "cosine": ScheduleRule({"decay_steps": REQUIRED, "end": 0.0, "exponent": 1.0, "repeats": False}, _cosine),
    "cosine_restarts": ScheduleRule(
        {"first_decay_steps": REQUIRED, "t_mul": 2.0, "m_mul": 1.0, "end": 0.0}, _cosine_restarts
    ),
    "warmup": ScheduleRule({"steps": REQUIRED, "start": 0.0, "then": "constant"}, _warmup),
    "one_cycle": ScheduleRule(
        {"total_steps": REQUIRED, "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4, "anneal": "cos",
         "three_phase": False, "inclusive": False},
        _one_cycle,
    ),
}  # fmt: skip
