"""How a spec writes its optimizer: hyperparameters, schedule, clip, averages, accumulation, groups."""

from __future__ import annotations

from typing import Annotated, Any

from ...ir.model import Optimizer, Schedule
from ...ir.training.averaging import AVERAGES
from ...ir.training.clipping import KINDS
from ...ir.training.optimizers import OPTIMIZERS, convention_of
from ...ir.training.schedules import REQUIRED, SCHEDULES
from .named import checked_options, name_and_options, one_of, options_schema
from .options import OptionError, Read, Schema, below, show

_PARTS = ("convention", "schedule", "clip", *AVERAGES, "accumulate", "groups")


def read_optimizer(value: Any) -> Optimizer:
    """An optimizer from `name` or `{name: options}`; the option `convention` says whose update it is."""
    name, options = name_and_options(value, "optimizer", OPTIMIZERS)
    with below(name):
        defaults = OPTIMIZERS[name].defaults
        convention = options.get("convention", convention_of(name))
        if not isinstance(convention, str) or convention not in defaults:
            raise OptionError(
                f"convention of {name} must be {' or '.join(map(repr, defaults))}, not {show(convention)}",
                ("convention",),
            )
        rest = {k: v for k, v in options.items() if k not in _PARTS}
        known = defaults[convention]
        hyper = checked_options(rest, known, name, also=_PARTS)
        return Optimizer(name, hyper, convention, **_parts(options, known, name))  # type: ignore[arg-type]


def _parts(options: dict[str, Any], known: Any, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"average": {}}
    for key in [k for k in options if k in _PARTS and k != "convention"]:
        with below(key):
            if key in AVERAGES:
                made["average"][key] = _average(key, options[key])
                if len(made["average"]) > 1:
                    raise OptionError("the parameters have one average, ema or swa")
            else:
                made[key] = _READERS[key](options[key], known, name)
    return made


def read_schedule(value: Any) -> Schedule:
    """A schedule from `name` or `{name: options}`; `then` of a warm-up is one too."""
    name, options = name_and_options(value, "schedule", SCHEDULES)
    known = SCHEDULES[name].options
    with below(name):
        plain = checked_options({k: v for k, v in options.items() if k != "then" or k not in known}, known, name)
        missing = [k for k, default in known.items() if default is REQUIRED and k not in options]
        if missing:
            raise OptionError(f"{name} needs the option {missing[0]!r}")
        if "then" in known and "then" in options:
            with below("then"):
                after = read_schedule(options["then"])
            plain["then"] = {after.name: dict(after.options)}
        return Schedule(name, plain)


def _average(kind: str, options: Any) -> dict[str, Any]:
    if not isinstance(options, dict | None):
        raise OptionError(f"{kind} takes its options by name, not {show(options)} alone")
    return checked_options(options or {}, AVERAGES[kind][0], kind)


def _clip(value: Any, known: Any, name: str) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) != 1:
        raise OptionError(f"clip is one of {', '.join(KINDS)} with its bound, not {show(value)}")
    ((kind, bound),) = value.items()
    if kind not in KINDS:
        raise OptionError(f"there is no clip {show(kind)}; there are {', '.join(KINDS)}", (kind,))
    if not isinstance(bound, int | float) or isinstance(bound, bool) or not bound > 0:
        raise OptionError(f"the bound of clip {kind} must be a positive number, not {show(bound)}", (kind,))
    return {kind: float(bound)}


def _accumulate(value: Any, known: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise OptionError(f"accumulate must be a positive whole number of batches, not {show(value)}")
    return value


def _groups(value: Any, known: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(f"groups maps patterns of parameter names to hyperparameters, not {show(value)}")
    made = {}
    for pattern, options in value.items():
        with below(pattern):
            if not isinstance(options, dict):
                raise OptionError(f"a group takes hyperparameters by name, not {show(options)}")
            made[pattern] = checked_options(options, known, name)
    return made


_READERS = {
    "schedule": lambda value, known, name: read_schedule(value),
    "clip": _clip,
    "accumulate": _accumulate,
    "groups": _groups,
}


def _optimizer_schema(name: str) -> Schema:
    """The options of an optimizer, with the defaults of the convention that it has unless another is named."""
    defaults = OPTIMIZERS[name].defaults
    everywhere = {k: v for d in reversed(list(defaults.values())) for k, v in d.items()}
    schema = options_schema(everywhere | dict(defaults[convention_of(name)]))
    schema["properties"] |= {
        "convention": {"enum": list(defaults), "default": convention_of(name)},
        "schedule": _SCHEDULE,
        "clip": _one_bound(),
        **{kind: options_schema(options) for kind, (options, _) in AVERAGES.items()},
        "accumulate": {"type": "integer", "minimum": 1, "default": 1},
        "groups": {"type": "object", "additionalProperties": {"type": "object"}},
    }
    return schema


def _one_bound() -> Schema:
    bounds = {kind: {"type": "number", "exclusiveMinimum": 0} for kind in KINDS}
    return {"type": "object", "properties": bounds, "additionalProperties": False, "minProperties": 1,
            "maxProperties": 1}  # fmt: skip


def _schedule_schema(name: str) -> Schema:
    options = SCHEDULES[name].options
    schema = options_schema({k: v for k, v in options.items() if k != "then"})
    if "then" in options:
        schema["properties"]["then"] = {"type": ["object", "string"], "default": options["then"]}
    required = [k for k, v in options.items() if v is REQUIRED]
    return schema | ({"required": required} if required else {})


_SCHEDULE = one_of({name: _schedule_schema(name) for name in SCHEDULES})
OptimizerOption = Annotated[Optimizer, Read(read_optimizer, one_of({n: _optimizer_schema(n) for n in OPTIMIZERS}))]
