"""Counter-based random numbers: the same key and counter give the same bits everywhere.

Three generators: `squares`, isograd's own; `philox` and `threefry`, which draw what TensorFlow's stateless functions
and `jax.random` draw. Key and counter are `uint32[2]`, lowest word first; philox has a counter of `uint32[4]`. What is
drawn belongs to the row-major index i: with squares and threefry it has the counter `counter + i`, with philox it is
word i % 4 of block `counter + i // 4`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import Size
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Op, sample
from ..types import TensorType, bool_, float32, uint32
from .arithmetic import check_kind
from .comparison import greater_equal, less, where
from .constant import arange
from .generators import GENERATORS, philox, squares, threefry, threefry2x32
from .shape import broadcast_to, cast, concatenate, expand_dims, normalize_axis, reshape, slice_axis, transpose

Shape = tuple[Size, ...]
_MIX = np.array([0x3EC8F720, 0x02461E29], np.uint32)  # the key under which TensorFlow mixes a seed


def _check_words(name: str, *types: TensorType) -> None:
    for t in types:
        if t.dtype != uint32 or t.shape != (2,):
            raise TypeMismatchError(f"{name}: key and counter are u32[2] (low word, high word), not {t}")


def check_source(name: str, generator: str, key: TensorType, counter: TensorType) -> None:
    """Raise unless the generator exists, and key and counter have its words."""
    if generator not in GENERATORS:
        raise TypeMismatchError(f"{name}: there is no generator {generator!r}; there are {', '.join(GENERATORS)}")
    if generator != "philox":
        _check_words(name, key, counter)
    elif (key, counter) != (TensorType(uint32, (2,)), TensorType(uint32, (4,))):
        raise TypeMismatchError(f"{name}: philox has a key u32[2] and a counter u32[4], not {key} and {counter}")


def _bits_type(key: TensorType, counter: TensorType, *, shape: Shape, width: int = 32, generator: str = "squares",
) -> TensorType:  # fmt: skip
    check_source("random_bits", generator, key, counter)
    if not 1 <= width <= 32:
        raise TypeMismatchError(f"random_bits: the width {width} is not between 1 and 32")
    return TensorType(uint32, shape)


def _bits(key: Any, counter: Any, *, shape: tuple[int, ...], width: int, generator: str) -> Any:
    drawn = {"squares": squares, "philox": philox, "threefry": threefry}[generator](key, counter, math.prod(shape))
    return drawn.reshape(shape) >> np.uint32(32 - width)


def threshold(rate: float) -> int:
    """The number below which a random uint32 of squares drops its element: round(rate 2^32), at most 2^32."""
    return round(rate * 2**32)


def _steps(rate: float) -> int:
    """How many of the 2^23 numbers k 2^-23 lie below a float32."""
    return math.ceil(float(np.float32(rate)) * 2**23)


def _mask_type(key: TensorType, counter: TensorType, *, shape: Shape, rate: float, generator: str = "squares",
) -> TensorType:  # fmt: skip
    check_source("random_mask", generator, key, counter)
    if not 0.0 <= rate <= 1.0:
        raise TypeMismatchError(f"random_mask: the rate {rate} is not between 0 and 1")
    return TensorType(bool_, shape)


def _mask_parts(key: Value, counter: Value, *, shape: Shape, rate: float, generator: str) -> Any:
    """What is kept: as integers, where TensorFlow says `uniform >= rate` and JAX `uniform < 1 - rate`."""
    if generator == "threefry":
        return less(random_bits(key, counter, shape=shape, width=23, generator=generator), _steps(1.0 - rate))
    lowest = threshold(rate) if generator == "squares" else _steps(rate) << 9
    if lowest == 2**32:
        return broadcast_to(key.graph.constant(False, bool_), shape=shape)
    drawn = random_bits(key, counter, shape=shape, generator=generator)
    return greater_equal(drawn if generator == "squares" else drawn * 512, lowest)  # philox's low 23 bits, moved up


def _uniform_type(key: TensorType, counter: TensorType, *, shape: Shape, generator: str = "squares") -> TensorType:
    check_source("random_uniform", generator, key, counter)
    return TensorType(float32, shape)


def _uniform_parts(key: Value, counter: Value, *, shape: Shape, generator: str) -> Any:
    """The float32 of 24 leading bits; of 23 leading ones as JAX makes them, of the 23 last as TensorFlow."""
    width = {"squares": 24, "threefry": 23, "philox": 32}[generator]
    drawn = random_bits(key, counter, shape=shape, width=width, generator=generator)
    return cast(drawn * 512 if generator == "philox" else drawn, dtype=float32) * 2.0**-width


def _threefry_type(key: TensorType, high: TensorType, low: TensorType) -> TensorType:
    _check_words("threefry_2x32", key)
    if high != low or high.dtype != uint32:
        raise TypeMismatchError(f"threefry_2x32: both words are u32 tensors of one shape, not {high} and {low}")
    return TensorType(uint32, (2, *high.shape))


def random_split(key: Value, *, count: Size) -> Value:
    """Keys for so many streams of their own, `u32[count, 2]`: those of `jax.random.split`."""
    index = key.graph.apply(arange, size=count, dtype=uint32)
    split: Value = transpose(threefry_2x32(key, index - index, index), axes=(1, 0))
    return split


def fold_in(key: Value, data: Value) -> Value:
    """The key for a stream numbered by a `u32[]`: that of `jax.random.fold_in`."""
    folded: Value = threefry_2x32(key, data.graph.constant(0, uint32), data)
    return folded


def philox_source(seed: Value) -> tuple[Value, Value]:
    """Key and counter that TensorFlow's stateless functions make of a seed, an `i32[2]` or four `u32` words."""
    graph = seed.graph
    words = seed if seed.dtype == uint32 else _sign_extended(seed)
    mixed = random_bits(graph.constant(_MIX), words, shape=(4,), generator="philox")
    zero = graph.constant(np.zeros(2, np.uint32))
    return slice_axis(mixed, 0, 0, 2), concatenate(zero, slice_axis(mixed, 0, 2, 4), axis=0)


def _sign_extended(seed: Value) -> Value:
    """Two signed integers of 32 bits as four words."""
    low = cast(seed, dtype=uint32)
    high = where(less(seed, 0), seed.graph.constant(2**32 - 1, uint32), seed.graph.constant(0, uint32))
    words: Value = reshape(concatenate(expand_dims(low, 1), expand_dims(high, 1), axis=1), shape=(4,))
    return words


def _advance_type(counter: TensorType, *, amount: Size) -> TensorType:
    _check_words("advance_counter", counter)
    return counter


def _advance(counter: Any, *, amount: int) -> Any:
    total = (int(counter[0]) | int(counter[1]) << 32) + amount
    return np.array([total & 0xFFFFFFFF, (total >> 32) & 0xFFFFFFFF], np.uint32)


def _mask_shape(x: TensorType | Value, shared: tuple[int, ...]) -> Shape:
    gone = {normalize_axis(a, x.rank) for a in shared}
    return tuple(1 if i in gone else s for i, s in enumerate(x.shape))


def _dropout_type(x: TensorType, key: TensorType, counter: TensorType, *, rate: float, shared: tuple[int, ...] = (),
                  generator: str = "squares") -> tuple[TensorType, TensorType]:  # fmt: skip
    check_kind("dropout", ("float",), x)
    return x, _mask_type(key, counter, shape=_mask_shape(x, shared), rate=rate, generator=generator)


def _dropout_parts(x: Value, key: Value, counter: Value, *, rate: float, shared: tuple[int, ...], generator: str,
) -> tuple[Value, Value]:  # fmt: skip
    """What is kept is scaled up, so that the expected sum stays; a rate of 1 keeps nothing."""
    shape = _mask_shape(x, shared)
    mask = random_mask(key, counter, shape=shape, rate=rate, generator=generator).named("mask")
    return where(mask, x * _scale(rate), 0.0), mask


def _dropout_gradient(
    g: Any, out: Any, x: Value, key: Value, counter: Value, *, rate: float, shared: tuple[int, ...], generator: str
) -> tuple[Value, None, None]:
    return where(out[1], g[0] * _scale(rate), 0.0), None, None


def _scale(rate: float) -> float:
    return 1.0 / (1.0 - rate) if rate < 1.0 else 0.0


KEY = np.array([0x548C9DEC, 0xC8DED3B1], np.uint32)
COUNTERS = (np.array([0, 0], np.uint32), np.array([0xFFFFFFFE, 6], np.uint32))
BLOCKS = np.array([0xFFFFFFFF, 0xFFFFFFFF, 4, 7], np.uint32)
SOURCES: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
    *((KEY, c, {}) for c in COUNTERS), (KEY, COUNTERS[1], {"generator": "threefry"}),
    (KEY, BLOCKS, {"generator": "philox"}),
)  # fmt: skip

random_bits = Op("random_bits", _bits_type, _bits, NO_GRADIENT, bound=EXACT, folds=False,
                 samples=tuple(sample(k, c, shape=s, width=w, **g) for k, c, g in SOURCES
                               for s, w in (((3, 4), 32), ((5,), 7), ((), 24), ((0, 2), 32))))  # fmt: skip
random_mask = Op("random_mask", _mask_type, None, NO_GRADIENT, _mask_parts, bound=EXACT, folds=False,
                 samples=tuple(sample(k, c, shape=s, rate=r, **g) for k, c, g in SOURCES
                               for s, r in (((3, 4), 0.4), ((5,), 0.0), ((2, 1), 1.0), ((0, 2), 0.5))))  # fmt: skip
random_uniform = Op("random_uniform", _uniform_type, None, NO_GRADIENT, _uniform_parts, bound=EXACT, folds=False,
                    samples=tuple(sample(k, c, shape=s, **g) for k, c, g in SOURCES for s in ((3, 4), (), (0, 2))),
)  # fmt: skip
threefry_2x32 = Op("threefry_2x32", _threefry_type, threefry2x32, NO_GRADIENT, bound=EXACT, folds=False,
                   samples=(sample(KEY, np.arange(3, dtype=np.uint32), np.array([5, 2**32 - 1, 0], np.uint32)),
                            sample(KEY, np.uint32(0), np.uint32(2**32 - 1))),
)  # fmt: skip
advance_counter = Op("advance_counter", _advance_type, _advance, NO_GRADIENT, bound=EXACT, folds=False,
                     samples=tuple(sample(c, amount=a) for c in COUNTERS for a in (0, 1, 12, 4_000_000_000)),
)  # fmt: skip
dropout = Op("dropout", _dropout_type, None, _dropout_gradient, _dropout_parts, output_names=("", "mask"), saved=1,
             smooth=True, folds=False,
             samples=(*(sample(s, k, c, rate=r, **g) for k, c, g in SOURCES for s, r in (((3, 4), 0.4), ((2, 3), 1.0))),
                      sample((2, 4, 3), KEY, COUNTERS[1], rate=0.3, shared=(-2,))),
)  # fmt: skip

OPS = (random_bits, random_mask, random_uniform, threefry_2x32, advance_counter, dropout)
