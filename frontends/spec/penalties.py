"""Penalties on the size of a parameter: `l1`, `l2`, or both with their factors."""

from __future__ import annotations

from typing import Annotated, Any

from .names import hint
from .options import NotNegative, OptionError, Read, Row, read_row, schema_reference, show

KERAS_FACTOR = 0.01  # of `l1` and `l2` by name alone


class Penalty(Row):
    kind = "regularizer"
    noun = "factor"
    l1: NotNegative = 0.0
    l2: NotNegative = 0.0


_L1, _L2 = Penalty(l1=KERAS_FACTOR), Penalty(l2=KERAS_FACTOR)
NAMED = {"l1": _L1, "L1": _L1, "l2": _L2, "L2": _L2}


def read_penalty(value: Any) -> Penalty:
    if isinstance(value, str):
        if value not in NAMED:
            raise OptionError(f"unknown regularizer {value!r}{hint(value, ('l1', 'l2'))}")
        return NAMED[value]
    if not isinstance(value, dict) or not value:
        raise OptionError(f"a regularizer is l1, l2, or factors such as `{{l2: 1e-4}}`, not {show(value)}")
    return read_row(Penalty, value)


PenaltyOption = Annotated[
    Penalty, Read(read_penalty, {"anyOf": [{"enum": list(NAMED)}, schema_reference(Penalty.kind)]})
]
