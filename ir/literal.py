"""Numbers and strings as exact Python literals."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .types import DType


def literal(value: Any, dtype: DType) -> str | None:
    """The shortest literal that reads back to the same bits in `dtype`; None for a NaN that no literal stands for.

    >>> from isograd.ir.types import bfloat16, bool_, complex64, float32, float64
    >>> [literal(np.float32(0.1), d) for d in (float32, float64)]
    ['0.1', '0.10000000149011612']
    >>> literal(-0.0, bfloat16), literal(True, bool_), literal(1 - 0.1j, complex64)
    ('-0.0', 'True', 'complex(1.0, -0.1)')
    """
    return _of_bits(np.asarray(value, dtype.numpy).tobytes(), dtype)


@lru_cache(maxsize=65536)
def _of_bits(bits: bytes, dtype: DType) -> str | None:
    array = np.frombuffer(bits, dtype.numpy)[0]
    if dtype.kind == "complex":
        part = np.dtype(f"float{dtype.bits // 2}")
        real, imaginary = _float(array.real, part), _float(array.imag, part)
        return f"complex({real}, {imaginary})" if real and imaginary else None
    return _float(array, dtype.numpy) if dtype.is_float else repr(array.item())


def shortest(value: Any, dtype: np.dtype[Any]) -> float:
    """The float with the fewest digits that rounds to `value` in `dtype`.

    >>> shortest(np.float32(0.001), np.dtype("float32")), float(np.float32(0.001))
    (0.001, 0.0010000000474974513)
    """
    exact, bits = float(value), np.asarray(value, dtype).tobytes()
    with np.errstate(over="ignore"):
        candidates = (float(f"{exact:.{digits}g}") for digits in range(1, 17))
        return next((c for c in candidates if np.asarray(c).astype(dtype).tobytes() == bits), exact)


def _float(value: Any, dtype: np.dtype[Any]) -> str | None:
    if math.isnan(value):
        return "nan" if np.asarray(np.nan).astype(dtype).tobytes() == np.asarray(value, dtype).tobytes() else None
    return repr(shortest(value, dtype))


def quoted(text: str) -> str:
    r"""A string literal in double quotes.

    >>> print(quoted('a "b" \\ é'), quoted("two\nlines"))
    "a \"b\" \\ é" "two\nlines"
    """
    if text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
