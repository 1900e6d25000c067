"""Names with options, checked against tables of defaults: losses, optimizers, schedules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ...ir.training.losses import REDUCTIONS
from .names import hint
from .options import OptionError, Schema, show

_POSITIVE = {
    "learning_rate", "epsilon_1", "epsilon_2", "clip_threshold", "decay_steps", "step_size", "total_steps",
    "first_decay_steps", "div_factor", "final_div_factor", "t_mul", "delta", "decay_rate",
}  # fmt: skip
_SHARES = {"momentum", "beta_1", "beta_2", "rho", "label_smoothing", "pct_start"}
_WORDS = {"reduction": REDUCTIONS, "over_axis": ("sum", "mean"), "anneal": ("cos", "linear")}
_SIGNED = {"learning_rate_power", "beta_2_decay", "margin", "end", "start"}


def name_and_options(value: Any, what: str, valid: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """The name and the options in `name` or `{name: options}`."""
    value_there = {value: None} if isinstance(value, str) else value
    if not isinstance(value_there, dict) or len(value_there) != 1:
        raise OptionError(f"the {what} must be a name, or a name with options, not {show(value)}")
    ((name, options),) = value_there.items()
    if name not in valid:
        raise OptionError(f"unknown {what} {name!r}{hint(name, valid)}", () if isinstance(value, str) else (name,))
    if not isinstance(options, dict | None):
        raise OptionError(f"{name} takes its options by name, not {show(options)} alone", (name,))
    return name, options or {}


def checked_options(
    given: Mapping[str, Any], known: Mapping[str, Any], kind: str, also: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What was given, checked against the defaults' names and kinds."""
    for name, value in given.items():
        if name not in known:
            there = hint(name, (*known, *also)) if known else "; it has none"
            raise OptionError(f"{kind} has no option {name!r}{there}", (name,))
        words = _wrong(name, value, known[name])
        if words:
            raise OptionError(f"{name} of {kind} must be {words}, not {show(value)}", (name,))
    return {name: value if name == "ignore_index" else _as_kind(value, known[name]) for name, value in given.items()}


def _as_kind(value: Any, default: Any) -> Any:
    if isinstance(value, bool | str) or value is None or (isinstance(default, int) and not isinstance(default, bool)):
        return value
    return [float(v) for v in value] if isinstance(value, list) else float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(name: str, value: Any, default: Any) -> str:
    """What a value should have been, or nothing where it is that."""
    if name in _WORDS:
        return "" if value in _WORDS[name] else " or ".join(map(repr, _WORDS[name]))
    if name == "ignore_index":
        return "" if value is None or (isinstance(value, int) and not isinstance(value, bool)) else "a whole number"
    if value is None and default is None:
        return ""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a word"
    if name in ("boundaries", "values", "milestones", "class_weights"):
        numbers = isinstance(value, list) and all(map(_is_number, value)) and value
        return "" if numbers or (value is None and default is None) else "a list of numbers"
    if isinstance(default, int):
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if name in _SIGNED:
        return "" if _is_number(value) or (value is None and default is None) else "a number"
    if name in _POSITIVE:
        return "" if _is_number(value) and value > 0 else "a positive number"
    if name in _SHARES:
        return "" if _is_number(value) and 0 <= value < 1 else "a number of at least 0 and below 1"
    return "" if _is_number(value) and value >= 0 else "a number of at least 0"


def options_schema(defaults: Mapping[str, Any]) -> Schema:
    """The JSON schema of options with these defaults."""
    properties = {name: _schema_of(name, default) for name, default in defaults.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _schema_of(name: str, default: Any) -> Schema:
    if name in _WORDS:
        kind: Schema = {"enum": list(_WORDS[name])}
    elif isinstance(default, bool):
        kind = {"type": "boolean"}
    elif isinstance(default, str):
        kind = {"type": "string"}
    elif name in ("boundaries", "values", "milestones", "class_weights"):
        kind = {"type": "array", "items": {"type": "number"}}
    else:
        kind = {"type": "integer" if isinstance(default, int) else "number"}
    return kind | ({"default": default} if isinstance(default, bool | str | int | float) else {})


def one_of(rows: Mapping[str, Schema]) -> Schema:
    """A name alone, or one name with its options."""
    options = {"type": "object", "properties": dict(rows), "additionalProperties": False, "maxProperties": 1}
    return {"anyOf": [{"enum": list(rows)}, options | {"minProperties": 1}]}
