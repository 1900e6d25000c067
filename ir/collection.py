"""Work on graphs without Python's collection of cycles: it would walk all of them again and again, and free little."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """The function, during whose calls cycles are not collected.

    What it makes is large and stays until it returns, so that collection would walk it in vain. It goes on
    afterwards as it was, also after an error; where it is off already nothing is done, so calls within calls are safe.
    """

    @functools.wraps(function)
    def without(*arguments: P.args, **keywords: P.kwargs) -> T:
        if not gc.isenabled():
            return function(*arguments, **keywords)
        gc.disable()
        try:
            return function(*arguments, **keywords)
        finally:
            gc.enable()

    return without
