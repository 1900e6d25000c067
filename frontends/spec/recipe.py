"""How a spec says that its model is trained; losses, optimizers and metrics are those of `isograd.ir.training`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from ...ir.model import Loss, Optimizer
from ...ir.training.losses import ALIASES, LOSSES, METRICS
from ...ir.training.optimizers import OPTIMIZERS, OptimizerRule
from .names import hint
from .options import OptionError, Read, Schema, below, show

_POSITIVE = {"learning_rate", "epsilon"}
_SHARES = {"momentum", "beta_1", "beta_2"}


def read_loss(value: Any) -> Loss:
    """A loss from `name` or `{name: options}`."""
    name, options = _named(value, "loss", (*LOSSES, *ALIASES))
    name_there, name = name, ALIASES.get(name, name)
    with below(name_there):
        return Loss(name, _options(options, LOSSES[name].options, name_there))


def read_losses(value: Any) -> Loss | dict[str, Loss]:
    """One loss, or a loss for each output by its name."""
    if isinstance(value, dict) and value and not _is_one(value):
        losses = {}
        for output, loss in value.items():
            with below(output):
                losses[output] = read_loss(loss)
        return losses
    return read_loss(value)


def _is_one(value: dict[str, Any]) -> bool:
    """Whether a mapping is a loss with options: what stands below an output is a loss, and no options."""
    name, below_it = next(iter(value.items()))
    known = (*LOSSES, *ALIASES)
    options = below_it is None or (isinstance(below_it, dict) and not any(key in known for key in below_it))
    return len(value) == 1 and (name in known or options)


def read_optimizer(value: Any) -> Optimizer:
    """An optimizer from `name` or `{name: options}`; the option `convention` says whose update it is."""
    name, options = _named(value, "optimizer", OPTIMIZERS)
    with below(name):
        defaults, convention = OPTIMIZERS[name].defaults, options.get("convention", "keras")
        if not isinstance(convention, str) or convention not in defaults:
            raise OptionError(
                f"convention of {name} must be {' or '.join(map(repr, defaults))}, not {show(convention)}",
                ("convention",),
            )
        rest = {k: v for k, v in options.items() if k != "convention"}
        return Optimizer(name, _options(rest, defaults[convention], name, also=("convention",)), convention)  # type: ignore[arg-type]


def read_metrics(value: Any) -> tuple[str, ...]:
    """Metrics by name, alone or in a list."""
    names = value if isinstance(value, list) else [value]
    found = []
    for i, name in enumerate(names):
        with below(i):
            known = ALIASES.get(str(name), name)
            if not isinstance(name, str) or known not in METRICS:
                raise OptionError(f"unknown metric {show(name)}{hint(str(name), METRICS)}")
            if known in found:
                raise OptionError(f"the metric {show(name)} stands there twice")
        found.append(known)
    return tuple(found)


def _named(value: Any, what: str, valid: Iterable[str]) -> tuple[str, dict[str, Any]]:
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


def _options(
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
    return {name: value if isinstance(value, bool) else float(value) for name, value in given.items()}


def _wrong(name: str, value: Any, default: Any) -> str:
    """What a value should have been, or nothing where it is that."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if name in _POSITIVE:
        return "" if number and value > 0 else "a positive number"
    if name in _SHARES:
        return "" if number and 0 <= value < 1 else "a number of at least 0 and below 1"
    return "" if number and value >= 0 else "a number of at least 0"


def _options_schema(defaults: Mapping[str, Any]) -> Schema:
    properties = {
        n: {"type": "boolean" if isinstance(d, bool) else "number", "default": d} for n, d in defaults.items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _optimizer_options(rule: OptimizerRule) -> Schema:
    """The options of an optimizer, with the defaults of Keras's convention."""
    schema = _options_schema(rule.defaults["keras"])
    schema["properties"]["convention"] = {"enum": list(rule.defaults), "default": "keras"}
    return schema


def _one_of(rows: Mapping[str, Schema]) -> Schema:
    options = {"type": "object", "properties": dict(rows), "additionalProperties": False, "maxProperties": 1}
    return {"anyOf": [{"enum": list(rows)}, options | {"minProperties": 1}]}


_LOSS = _one_of({name: _options_schema(LOSSES[ALIASES.get(name, name)].options) for name in (*LOSSES, *ALIASES)})
_OPTIMIZER = _one_of({name: _optimizer_options(rule) for name, rule in OPTIMIZERS.items()})
_METRIC: Schema = {"enum": [*METRICS, *(alias for alias, name in ALIASES.items() if name in METRICS)]}

LossOption = Annotated[Any, Read(read_losses, {"anyOf": [_LOSS, {"type": "object", "additionalProperties": _LOSS}]})]
OptimizerOption = Annotated[Optimizer, Read(read_optimizer, _OPTIMIZER)]
MetricsOption = Annotated[
    tuple[str, ...], Read(read_metrics, {"anyOf": [_METRIC, {"type": "array", "items": _METRIC}]})
]
