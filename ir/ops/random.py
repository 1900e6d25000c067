"""Counter-based random numbers: the same key and counter give the same bits everywhere.

*squares* (Widynski, arXiv 2004.06278): four rounds of squaring a 64-bit word that starts as counter times key.
Key and counter are `uint32[2]`, low word first. The element at row-major index i uses the counter `counter + i`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Op, sample
from ..types import TensorType, bool_, float32, uint32
from .arithmetic import check_kind
from .comparison import where


def _check_words(name: str, *types: TensorType) -> None:
    for t in types:
        if t.dtype != uint32 or t.shape != (2,):
            raise TypeMismatchError(f"{name}: key and counter are u32[2] (low word, high word), not {t}")


def squares32(counter: Any, key: Any) -> Any:
    """uint32 for each uint64 counter under a uint64 key."""
    with np.errstate(over="ignore"):
        x = y = counter * key
        z = y + key
        for addend in (y, z, y):
            x = x * x + addend
            x = (x >> np.uint64(32)) | (x << np.uint64(32))
        return ((x * x + z) >> np.uint64(32)).astype(np.uint32)


def random_bits(key: Any, counter: Any, shape: tuple[int, ...]) -> Any:
    """uint32 for each element of `shape`, from key and counter as uint32[2] words."""
    key, start = (int(w[0]) | int(w[1]) << 32 for w in (key, counter))
    index = np.arange(int(np.prod(shape)), dtype=np.uint64)
    return squares32(index + np.uint64(start), np.uint64(key)).reshape(shape)


def threshold(rate: float) -> int:
    """The number below which a random uint32 drops its element: round(rate 2^32), at most 2^32."""
    return round(rate * 2**32)


def _mask_type(key: TensorType, counter: TensorType, *, shape: tuple[Size, ...], rate: float) -> TensorType:
    _check_words("random_mask", key, counter)
    if not 0.0 <= rate <= 1.0:
        raise TypeMismatchError(f"random_mask: the rate {rate} is not between 0 and 1")
    return TensorType(bool_, shape)


def _mask(key: Any, counter: Any, *, shape: tuple[int, ...], rate: float) -> Any:
    return random_bits(key, counter, shape).astype(np.uint64) >= np.uint64(threshold(rate))


def _uniform_type(key: TensorType, counter: TensorType, *, shape: tuple[Size, ...]) -> TensorType:
    _check_words("random_uniform", key, counter)
    return TensorType(float32, shape)


def _uniform(key: Any, counter: Any, *, shape: tuple[int, ...]) -> Any:
    return (random_bits(key, counter, shape) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def _advance_type(counter: TensorType, *, amount: Size) -> TensorType:
    _check_words("advance_counter", counter)
    return counter


def _advance(counter: Any, *, amount: int) -> Any:
    total = (int(counter[0]) | int(counter[1]) << 32) + amount
    return np.array([total & 0xFFFFFFFF, (total >> 32) & 0xFFFFFFFF], np.uint32)


def _dropout_type(x: TensorType, key: TensorType, counter: TensorType, *, rate: float) -> tuple[TensorType, TensorType]:
    check_kind("dropout", ("float",), x)
    _mask_type(key, counter, shape=x.shape, rate=rate)
    return x, x.with_dtype(bool_)


def _dropout_parts(x: Value, key: Value, counter: Value, *, rate: float) -> tuple[Value, Value]:
    """What is kept is scaled up, so that the expected sum stays; a rate of 1 keeps nothing."""
    mask = random_mask(key, counter, shape=x.shape, rate=rate).named("mask")
    return where(mask, x * _scale(rate), 0.0), mask


def _dropout_gradient(
    g: Any, out: Any, x: Value, key: Value, counter: Value, *, rate: float
) -> tuple[Value, None, None]:
    return where(out[1], g[0] * _scale(rate), 0.0), None, None


def _scale(rate: float) -> float:
    return 1.0 / (1.0 - rate) if rate < 1.0 else 0.0


_KEY = np.array([0x548C9DEC, 0xC8DED3B1], np.uint32)
_COUNTERS = (np.array([0, 0], np.uint32), np.array([0xFFFFFFFE, 6], np.uint32))
random_mask = Op("random_mask", _mask_type, _mask, NO_GRADIENT, bound=EXACT, folds=False,
                 samples=tuple(sample(_KEY, c, shape=s, rate=r) for c in _COUNTERS
                               for s, r in (((3, 4), 0.4), ((5,), 0.0), ((2, 1), 1.0), ((0, 2), 0.5))))  # fmt: skip
random_uniform = Op("random_uniform", _uniform_type, _uniform, NO_GRADIENT, bound=EXACT, folds=False,
                    samples=tuple(sample(_KEY, c, shape=s) for c in _COUNTERS for s in ((3, 4), (), (0, 2))),
)  # fmt: skip
advance_counter = Op("advance_counter", _advance_type, _advance, NO_GRADIENT, bound=EXACT, folds=False,
                     samples=tuple(sample(c, amount=a) for c in _COUNTERS for a in (0, 1, 12, 4_000_000_000)),
)  # fmt: skip
dropout = Op("dropout", _dropout_type, None, _dropout_gradient, _dropout_parts, output_names=("", "mask"), saved=1,
             smooth=True, folds=False,
             samples=tuple(sample(s, _KEY, c, rate=r) for c in _COUNTERS for s, r in (((3, 4), 0.4), ((2, 3), 1.0))),
)  # fmt: skip

OPS = (random_mask, random_uniform, advance_counter, dropout)
