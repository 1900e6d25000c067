"""A report from the data that its JSON holds."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from .report import Report

_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def restored(data: Mapping[str, Any]) -> Report:
    return typing.cast(Report, _made(Report, data))


def _made(kind: Any, value: Any) -> Any:
    """A value of an annotated type from plain data."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _made(next(a for a in arguments if a is not type(None)), value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        names = [f.name for f in dataclasses.fields(kind)]
        return typing.cast(Any, kind)(**{n: _made(hints[n], value[n]) for n in names})
    if origin is tuple:
        return tuple(_made(arguments[0], v) for v in value)
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {k: _made(arguments[1], v) for k, v in value.items()}
    if kind is float:
        return _SPECIAL[value] if isinstance(value, str) else float(value)
    return value
