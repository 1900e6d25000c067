"""How a spec says that its model is trained; losses and metrics are those of `isograd.ir.training`."""

from __future__ import annotations

from typing import Annotated, Any

from ...ir.model import Loss
from ...ir.training.losses import ALIASES, LOSSES, METRICS
from .named import checked_options, name_and_options, one_of, options_schema
from .names import hint
from .options import OptionError, Read, Schema, below, show


def read_loss(value: Any) -> Loss:
    """A loss from `name` or `{name: options}`."""
    name, options = name_and_options(value, "loss", (*LOSSES, *ALIASES))
    name_there, name = name, ALIASES.get(name, name)
    with below(name_there):
        return Loss(name, checked_options(options, LOSSES[name].options, name_there))


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


_LOSS = one_of({name: options_schema(LOSSES[ALIASES.get(name, name)].options) for name in (*LOSSES, *ALIASES)})
_METRIC: Schema = {"enum": [*METRICS, *(alias for alias, name in ALIASES.items() if name in METRICS)]}

LossOption = Annotated[Any, Read(read_losses, {"anyOf": [_LOSS, {"type": "object", "additionalProperties": _LOSS}]})]
MetricsOption = Annotated[
    tuple[str, ...], Read(read_metrics, {"anyOf": [_METRIC, {"type": "array", "items": _METRIC}]})
]
