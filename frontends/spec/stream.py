"""Numbers drawn on the host, the same on every machine: each depends on the seed, a path, and its index alone.

The generator is isograd's own (`squares`); uniforms are those of `random_uniform`. Normals use only the operations
that IEEE 754 defines to the last bit (+ - * / and square root), since libraries differ in their logarithm and cosine.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ir.ops.generators import squares32

Array = NDArray[Any]
_LN2 = 0.6931471805599453
_ROUND = 48  # a redrawn number takes counters from this bit on, which no index reaches


def squares_key(seed: int, path: str) -> int:
    """A key for `path` under `seed`, irregular enough for *squares* (Widynski, arXiv 2004.06278).

    Its upper and its lower eight hexadecimal digits are different ones without zero, the last is odd, and the two in
    the middle differ.

    >>> f"{squares_key(0, 'dense.kernel'):016x}"
    'e6ba3c78ad8fc597'
    """
    digest = hashlib.sha256(f"{seed}\0{path}".encode()).digest()
    low = _digits(digest[:16], odd=True)
    high = _digits(digest[16:], odd=False)
    if high[0] == low[-1]:
        high[0], high[1] = high[1], high[0]
    return sum(digit << 4 * place for place, digit in enumerate(low + high))


def _digits(entropy: bytes, *, odd: bool) -> list[int]:
    """Eight different digits from 1 to 15, lowest first; `odd` says of what kind the lowest must be."""
    number = int.from_bytes(entropy, "little")
    left = list(range(1, 16))
    chosen: list[int] = []
    for place in range(8):
        candidates = [d for d in left if d % 2] if odd and not place else left
        number, index = divmod(number, len(candidates))
        chosen.append(candidates[index])
        left.remove(candidates[index])
    return chosen


def key_words(seed: int, path: str) -> Array:
    """The key as the graph's random ops take it: uint32[2], low word first."""
    key = squares_key(seed, path)
    return np.array([key & 0xFFFFFFFF, key >> 32], np.uint32)


class Stream:
    """The numbers that belong to one path; `index` is uint64, and so many numbers come back."""

    def __init__(self, seed: int, path: str) -> None:
        self._key = np.uint64(squares_key(seed, path))

    def uniform(self, index: Array) -> Array:
        """Even over [0, 1), as `random_uniform` gives them."""
        bits: Array = squares32(index, self._key) >> np.uint32(8)
        return bits.astype(np.float64) * 2.0**-24

    def normal(self, index: Array) -> Array:
        """Mean 0 and deviation 1: one of the pair of Box and Muller."""
        pair = index * np.uint64(2)
        first, second = (squares32(pair + np.uint64(i), self._key).astype(np.float64) for i in (0, 1))
        radius: Array = np.sqrt(-2.0 * _log((first + 1.0) * 2.0**-32))
        return radius * _cos_turn(second * 2.0**-32)

    def truncated_normal(self, index: Array) -> Array:
        """A normal within two deviations: what lies beyond is drawn again."""
        numbers = self.normal(index)
        for attempt in range(1, 1 << (63 - _ROUND)):
            beyond = np.flatnonzero(np.abs(numbers) > 2.0)
            if not beyond.size:
                break
            numbers[beyond] = self.normal(index[beyond] + np.uint64(attempt << (_ROUND - 1)))
        return numbers


def _log(x: Array) -> Array:
    """The natural logarithm for 0 < x <= 1, by the series of the inverse hyperbolic tangent."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < math.sqrt(0.5)
    mantissa, exponent = np.where(small, 2.0 * mantissa, mantissa), exponent - small
    s = (mantissa - 1.0) / (mantissa + 1.0)
    series = _polynomial(s * s, [1.0 / k for k in range(1, 26, 2)])
    return 2.0 * s * series + exponent * _LN2


def _cos_turn(turn: Array) -> Array:
    """cos(2 pi turn), by Taylor's series within an eighth of a turn."""
    quarter = np.floor(4.0 * turn + 0.5)
    a = (turn - 0.25 * quarter) * (2.0 * math.pi)
    square = a * a
    cosine = _polynomial(square, [(-1) ** k / math.factorial(2 * k) for k in range(10)])
    sine = a * _polynomial(square, [(-1) ** k / math.factorial(2 * k + 1) for k in range(10)])
    part = np.where(quarter % 2 == 0, cosine, -sine)
    return np.where((quarter == 2) | (quarter == 3), -part, part)


def _polynomial(x: Array, coefficients: list[float]) -> Array:
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def orthonormal(columns: Array) -> Array:
    """Orthonormal columns that span the same spaces, by Gram and Schmidt, in a fixed order of additions."""
    a = columns.copy()
    for j in range(a.shape[1]):
        a[:, j] /= math.sqrt(float(_tree_sum(a[:, j : j + 1] ** 2)[0, 0]))
        rest = a[:, j + 1 :]
        rest -= a[:, j : j + 1] * _tree_sum(a[:, j : j + 1] * rest)
    return a


def _tree_sum(rows: Array) -> Array:
    """The sum of the rows, as one row, halves upon halves: NumPy's own order depends on the machine."""
    while len(rows) > 1:
        half = len(rows) // 2
        total = rows[:half] + rows[half : 2 * half]
        rows = np.concatenate([total, rows[2 * half :]]) if len(rows) % 2 else total
    return rows
