"""Three counter-based generators on NumPy's integers: `size` numbers of 32 bits from a key and a counter.

*squares* is isograd's own (Widynski, arXiv 2004.06278), *philox* (Philox4x32-10) TensorFlow's and *threefry*
(Threefry2x32-20) JAX's (Salmon et al., SC 2011). Keys and counters are uint32 words, the lowest first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

GENERATORS = ("squares", "philox", "threefry")


def joined(words: Any) -> Any:
    """The uint64 of two uint32."""
    low, high = words.astype(np.uint64)
    return low | high << np.uint64(32)


def squares32(counter: Any, key: Any) -> Any:
    """uint32 for each uint64 counter under a uint64 key: four rounds of squaring counter times key."""
    with np.errstate(over="ignore"):
        x = y = counter * key
        z = y + key
        for addend in (y, z, y):
            x = x * x + addend
            x = (x >> np.uint64(32)) | (x << np.uint64(32))
        return ((x * x + z) >> np.uint64(32)).astype(np.uint32)


def squares(key: Any, counter: Any, size: int) -> Any:
    """uint32 for each of the counters from `counter` on (Widynski, arXiv 2004.06278)."""
    with np.errstate(over="ignore"):
        return squares32(np.arange(size, dtype=np.uint64) + joined(counter), joined(key))


def philox(key: Any, counter: Any, size: int) -> Any:
    """uint32 for each place: word i % 4 of the Philox4x32-10 block whose 128-bit counter is `counter + i // 4`."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    block = np.arange((size + 3) // 4, dtype=np.uint64)
    with np.errstate(over="ignore"):
        low, high = block + joined(counter[:2]), joined(counter[2:])
        high = high + (low < block)
        x = low & mask, low >> half, high & mask, high >> half
        a, b = key
        for _ in range(10):
            p, q = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
            x = (q >> half) ^ x[1] ^ a, q & mask, (p >> half) ^ x[3] ^ b, p & mask
            a, b = a + np.uint32(0x9E3779B9), b + np.uint32(0xBB67AE85)
    return np.stack(x, -1).reshape(-1)[:size].astype(np.uint32)


def threefry2x32(key: Any, high: Any, low: Any) -> Any:
    """Two uint32 for each pair of uint32: Threefry2x32-20 (Salmon et al., SC 2011)."""
    with np.errstate(over="ignore"):
        keys = key[0], key[1], key[0] ^ key[1] ^ np.uint32(0x1BD11BDA)
        x, y = high + keys[0], low + keys[1]
        for i in range(5):
            for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[i % 2]:
                x = x + y
                y = x ^ (y << np.uint32(turn) | y >> np.uint32(32 - turn))
            x, y = x + keys[(i + 1) % 3], y + keys[(i + 2) % 3] + np.uint32(i + 1)
    return np.stack(np.broadcast_arrays(x, y))


def threefry(key: Any, counter: Any, size: int) -> Any:
    """uint32 for each place: both words of the Threefry2x32-20 block of the 64-bit `counter + i`, exclusively or-ed."""
    with np.errstate(over="ignore"):
        index = np.arange(size, dtype=np.uint64) + joined(counter)
    x, y = threefry2x32(key, (index >> np.uint64(32)).astype(np.uint32), index.astype(np.uint32))
    return x ^ y
