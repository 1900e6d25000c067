"""What is drawn with random uniforms: normals, choices, permutations, and the noise of layers.

Each takes what `random_uniform` takes: a key, a counter, the generator's name, and draws one number for each element.
But normals draw two with squares; with philox as many as there are elements, rounded up to even.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import Size, floor_div, product
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, NO_GRADIENT, Bound, Op, sample
from ..types import DType, TensorType, bool_, float32, float64, int32
from .arithmetic import absolute, check_kind, log, log1p, maximum, sin, sqrt
from .comparison import less, where
from .division import remainder
from .random import COUNTERS, KEY, SOURCES, Shape, check_source, random_bits, random_mask, random_uniform
from .reduction import argmax
from .shape import cast, concatenate, normalize_axis, reshape, slice_axis, squeeze
from .sorting import argsort
from .special import erfinv

_SELU = 1.0507009873554805 * 1.6732632423543772  # what a large negative number becomes, but for the sign
# sqrt(2) erfinv(x) / x by w - 2.5 for w below 5, and by sqrt(w) - 3 above: Chebyshev fits, within 3e-8 and 8e-8.
_MIDDLE = (
    2.1233134, 0.34880203, -0.0059076296, -0.0017716538, 3.086718e-4, -7.0141364e-6, -4.8453444e-6, 6.5821564e-7,
    2.3316389e-8, -1.2359988e-8, 6.1534516e-10,
)  # fmt: skip
_TAIL = (
    4.0064344, 1.4165823, 0.013357241, -0.010800366, 0.008045697, -0.005089721, 0.0020926844, -7.4912445e-5,
    -4.3195923e-4, 1.5912345e-4,
)  # fmt: skip
_TINY = float(np.finfo(np.float32).tiny)


def _range_type(key: TensorType, counter: TensorType, *, shape: Shape, low: float = 0.0, high: float = 1.0,
                generator: str = "squares") -> TensorType:  # fmt: skip
    check_source("random_range", generator, key, counter)
    if not low < high:
        raise TypeMismatchError(f"random_range: {low} is not below {high}")
    return TensorType(float32, shape)


def _range_parts(key: Value, counter: Value, *, shape: Shape, low: float, high: float, generator: str) -> Any:
    """Evenly from `low` to `high`, as TensorFlow and JAX scale; a backend that fuses rounds once instead of twice."""
    return random_uniform(key, counter, shape=shape, generator=generator) * (high - low) + low


def _normal_type(key: TensorType, counter: TensorType, *, shape: Shape, generator: str = "squares") -> TensorType:
    check_source("random_normal", generator, key, counter)
    return TensorType(float32, shape)


def _normal_parts(key: Value, counter: Value, *, shape: Shape, generator: str) -> Any:
    return normals(key, counter, shape, generator, float32)


def normals(key: Value, counter: Value, shape: Shape, generator: str, dtype: DType) -> Any:
    """Box and Muller's, from two uniforms u and v: sqrt(-2 log(1 - u)) sin(pi (v - 1/2)).

    The angle runs over half a turn, in which a sine takes its values as often as over a whole one; its argument is
    exact but for one rounding near zero too, so that backends agree to ulps.
    """
    if generator == "philox":
        return _tensorflows_normals(key, counter, shape, dtype)
    if generator == "threefry":
        return _jaxs_normals(key, counter, shape, dtype)
    both = cast(random_uniform(key, counter, shape=(2, *shape), generator=generator), dtype=dtype)
    u, v = (squeeze(slice_axis(both, 0, i, i + 1), 0) for i in (0, 1))
    return sqrt(-2.0 * log1p(-u)) * sin(math.pi * (v - 0.5))


def _jaxs_normals(key: Value, counter: Value, shape: Shape, dtype: DType) -> Any:
    """Those of `jax.random.normal`: the inverse of the distribution, for uniforms between -1 and 1.

    In float32 by polynomials of w = -log(1 - x^2), as Giles has it (GPU Computing Gems, 2011), with other coefficients
    and (1 - x)(1 + x) for 1 - x^2: XLA rounds the square first, and is up to 6e-6 of the result off in the tails.
    """
    uniform = cast(random_uniform(key, counter, shape=shape, generator="threefry"), dtype=dtype)
    lowest = float(np.nextafter(np.float32(-1.0), np.float32(0.0)))
    x = maximum(uniform * 2.0 + lowest, lowest)
    if dtype == float64:
        return erfinv(x) * math.sqrt(2.0)
    w = -log((1.0 - x) * (1.0 + x))
    tail = _polynomial(sqrt(maximum(w, 5.0)) - 3.0, _TAIL)
    return where(w < 5.0, _polynomial(w - 2.5, _MIDDLE), tail) * x


def _polynomial(x: Value, coefficients: tuple[float, ...]) -> Any:
    total: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def _tensorflows_normals(key: Value, counter: Value, shape: Shape, dtype: DType) -> Any:
    """Those of `tf.random.stateless_normal`: sine and cosine of a whole turn, for two uniforms after each other.

    TensorFlow rounds the angle first; here the turn is folded to a quarter while it is exact, so that backends agree.
    """
    size = product(shape)
    pairs = floor_div(size + 1, 2)
    both = cast(random_uniform(key, counter, shape=(pairs, 2), generator="philox"), dtype=dtype)
    u, v = (slice_axis(both, 1, i, i + 1) for i in (0, 1))
    half = absolute(v - 0.5)
    sine = sin(2.0 * math.pi * (0.25 - absolute(0.25 - half)))
    turned = concatenate(where(v < 0.5, sine, -sine), sin(2.0 * math.pi * (half - 0.25)), axis=1)
    drawn = reshape(turned * sqrt(-2.0 * log(maximum(u, 1e-7))), shape=(2 * pairs,))
    return reshape(slice_axis(drawn, 0, 0, size), shape=shape)


def _integers_type(key: TensorType, counter: TensorType, *, shape: Shape, low: int, high: int,
                   generator: str = "squares") -> TensorType:  # fmt: skip
    check_source("random_integers", generator, key, counter)
    if not -(2**31) <= low < high <= 2**31:
        raise TypeMismatchError(f"random_integers: there is no int32 at least {low} and below {high}")
    return TensorType(int32, shape)


def _integers_parts(key: Value, counter: Value, *, shape: Shape, low: int, high: int, generator: str) -> Any:
    """At least `low`, below `high`: the remainder of 32 bits, as TensorFlow takes it; its bias is below span / 2^32."""
    drawn = random_bits(key, counter, shape=shape, generator=generator)
    within = remainder(drawn, high - low) if high - low < 2**32 else drawn
    return cast(within, dtype=int32) + low


def _bernoulli_type(p: TensorType, key: TensorType, counter: TensorType, *, generator: str = "squares") -> TensorType:
    check_source("random_bernoulli", generator, key, counter)
    check_kind("random_bernoulli", ("float",), p)
    return p.with_dtype(bool_)


def _bernoulli_parts(p: Value, key: Value, counter: Value, *, generator: str) -> Any:
    return less(cast(random_uniform(key, counter, shape=p.shape, generator=generator), dtype=p.dtype), p)


def _categorical_type(logits: TensorType, key: TensorType, counter: TensorType, *, axis: int = -1,
                      generator: str = "squares") -> TensorType:  # fmt: skip
    check_source("random_categorical", generator, key, counter)
    check_kind("random_categorical", ("float",), logits)
    gone = normalize_axis(axis, logits.rank)
    return TensorType(int32, tuple(s for i, s in enumerate(logits.shape) if i != gone))


def _categorical_parts(logits: Value, key: Value, counter: Value, *, axis: int, generator: str) -> Any:
    """The place of the largest logit with Gumbel's noise added: drawn with the probabilities of the softmax."""
    uniform = maximum(random_uniform(key, counter, shape=logits.shape, generator=generator), _TINY)
    return argmax(logits - cast(log(-log(uniform)), dtype=logits.dtype), axis=axis, dtype=int32)


def _permutation_type(key: TensorType, counter: TensorType, *, size: Size, generator: str = "squares") -> TensorType:
    check_source("random_permutation", generator, key, counter)
    return TensorType(int32, (size,))


def _permutation_parts(key: Value, counter: Value, *, size: Size, generator: str) -> Any:
    """The order of as many random words; two that are equal stay in the order of their places."""
    return argsort(random_bits(key, counter, shape=(size,), generator=generator), dtype=int32)


def _noise_type(x: TensorType, key: TensorType, counter: TensorType, *, deviation: float,
                generator: str = "squares") -> TensorType:  # fmt: skip
    return _float_with_source("gaussian_noise", x, key, counter, generator)


def _float_with_source(name: str, x: TensorType, key: TensorType, counter: TensorType, generator: str) -> TensorType:
    check_kind(name, ("float",), x)
    check_source(name, generator, key, counter)
    return x


def _noise_parts(x: Value, key: Value, counter: Value, *, deviation: float, generator: str) -> Any:
    return x + _normals_for(x, key, counter, generator) * deviation


def _normals_for(x: Value, key: Value, counter: Value, generator: str) -> Any:
    """Made in float32 or float64, then of the element type of `x`."""
    wide = float64 if x.dtype == float64 else float32
    return cast(normals(key, counter, x.shape, generator, wide), dtype=x.dtype)


def _gaussian_dropout_type(x: TensorType, key: TensorType, counter: TensorType, *, rate: float,
                           generator: str = "squares") -> TensorType:  # fmt: skip
    _check_rate("gaussian_dropout", rate)
    return _float_with_source("gaussian_dropout", x, key, counter, generator)


def _check_rate(name: str, rate: float) -> None:
    if not 0.0 <= rate < 1.0:
        raise TypeMismatchError(f"{name}: the rate {rate} is not at least 0 and below 1")


def _gaussian_dropout_parts(x: Value, key: Value, counter: Value, *, rate: float, generator: str) -> Any:
    """Each element times a normal number around 1, with the variance that dropout's factor has."""
    return x * (_normals_for(x, key, counter, generator) * math.sqrt(rate / (1.0 - rate)) + 1.0)


def _alpha_dropout_type(x: TensorType, key: TensorType, counter: TensorType, *, rate: float,
                        generator: str = "squares") -> TensorType:  # fmt: skip
    _check_rate("alpha_dropout", rate)
    return _float_with_source("alpha_dropout", x, key, counter, generator)


def _alpha_dropout_parts(x: Value, key: Value, counter: Value, *, rate: float, generator: str) -> Value:
    """What is dropped becomes SELU's lowest number; all is scaled and moved so that mean and variance stay."""
    scale = ((1.0 - rate) * (1.0 + rate * _SELU**2)) ** -0.5
    kept = random_mask(key, counter, shape=x.shape, rate=rate, generator=generator)
    mixed: Value = where(kept, x, -_SELU)
    moved: Value = mixed * scale + scale * _SELU * rate
    return moved


_WORDS = COUNTERS[1]
_RANGES = tuple(sample(k, c, shape=(3, 4), low=-0.5, high=1.5, **g) for k, c, g in SOURCES)
_P = np.array([[0.1, 0.9, 0.5], [0.0, 1.0, 0.3]], np.float32)
random_range = Op("random_range", _range_type, None, NO_GRADIENT, _range_parts, folds=False, samples=_RANGES,
                  bound=Bound(floor=1.2e-7))  # fmt: skip
random_normal: Op = Op("random_normal", _normal_type, None, NO_GRADIENT, _normal_parts, folds=False,
                   samples=tuple(sample(k, c, shape=s, **g) for k, c, g in SOURCES for s in ((3, 5), (), (0, 2))),
                   bound=Bound(floor=1e-6))  # fmt: skip
random_integers = Op("random_integers", _integers_type, None, NO_GRADIENT, _integers_parts, folds=False, bound=EXACT,
                     samples=tuple(sample(k, c, shape=(3, 4), low=lo, high=hi, **g) for k, c, g in SOURCES
                                   for lo, hi in ((-3, 9), (-(2**31), 2**31 - 1))))  # fmt: skip
random_bernoulli = Op("random_bernoulli", _bernoulli_type, None, NO_GRADIENT, _bernoulli_parts, folds=False,
                      samples=tuple(sample(_P, k, c, **g) for k, c, g in SOURCES))  # fmt: skip
random_categorical = Op("random_categorical", _categorical_type, None, NO_GRADIENT, _categorical_parts, folds=False,
                        samples=(*(sample((3, 5), k, c, **g) for k, c, g in SOURCES),
                                 sample((3, 5), KEY, _WORDS, axis=0)))  # fmt: skip
random_permutation = Op("random_permutation", _permutation_type, None, NO_GRADIENT, _permutation_parts, folds=False,
                        samples=tuple(sample(k, c, size=7, **g) for k, c, g in SOURCES))  # fmt: skip
gaussian_noise = Op("gaussian_noise", _noise_type, None, None, _noise_parts, folds=False, smooth=True,
                    samples=tuple(sample((3, 4), k, c, deviation=0.3, **g) for k, c, g in SOURCES),
                    bound=Bound("parts", floor=1e-6))  # fmt: skip
gaussian_dropout = Op("gaussian_dropout", _gaussian_dropout_type, None, None, _gaussian_dropout_parts, folds=False,
                      samples=tuple(sample((3, 4), k, c, rate=0.3, **g) for k, c, g in SOURCES), smooth=True,
                      bound=Bound("parts", floor=1e-6))  # fmt: skip
alpha_dropout = Op("alpha_dropout", _alpha_dropout_type, None, None, _alpha_dropout_parts, folds=False, smooth=True,
                   samples=tuple(sample((3, 4), k, c, rate=0.3, **g) for k, c, g in SOURCES), bound=Bound("parts"),
)  # fmt: skip

OPS = (
    random_range, random_normal, random_integers, random_bernoulli, random_categorical, random_permutation,
    gaussian_noise, gaussian_dropout, alpha_dropout,
)  # fmt: skip
