"""Finding a name in a table, with the nearest valid ones where it is not there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from ..errors import SpecError

T = TypeVar("T")


def find(what: str, name: str, table: Mapping[str, T]) -> T:
    """What a table has by a name; raises `SpecError` with the nearest name and all of them."""
    if name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), table, 1)
    asked = f"; did you mean {near[0]!r}?" if near else "."
    raise SpecError(f"there is no {what} {name!r}{asked} There are: {', '.join(table) or 'none'}")
