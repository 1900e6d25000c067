"""Initial values by Keras's names, drawn once on the host."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from ...ir.errors import TypeMismatchError
from ...ir.types import DType
from .options import NotNegative, Number, Positive, Row, Table, choice
from .stream import Array, Stream, orthonormal

Shape = tuple[int, ...]
CHUNK = 1 << 18  # numbers drawn at a time: small enough for the cache, and for the memory beside a large parameter


class Initializer(Row):
    """How a parameter begins. `draw` gives float64 or what rounds to `dtype` without a second rounding."""

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        raise NotImplementedError


class Constant(Initializer):
    kind = "constant"
    aliases = ("Constant",)
    main = "value"
    value: Number = 0.0

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return np.full(shape, self.value, dtype.numpy)


class Zeros(Initializer):
    kind = "zeros"
    aliases = ("Zeros",)

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return np.zeros(shape, dtype.numpy)


class Ones(Initializer):
    kind = "ones"
    aliases = ("Ones",)

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return np.ones(shape, dtype.numpy)


class RandomNormal(Initializer):
    kind = "random_normal"
    aliases = ("RandomNormal", "normal")
    mean: Number = 0.0
    stddev: NotNegative = 0.05

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return _each(shape, dtype, lambda i: self.mean + self.stddev * stream.normal(i))


class TruncatedNormal(Initializer):
    kind = "truncated_normal"
    aliases = ("TruncatedNormal",)
    mean: Number = 0.0
    stddev: NotNegative = 0.05

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return _each(shape, dtype, lambda i: self.mean + self.stddev * stream.truncated_normal(i))


class RandomUniform(Initializer):
    kind = "random_uniform"
    aliases = ("RandomUniform", "uniform")
    minval: Number = -0.05
    maxval: Number = 0.05

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return _each(shape, dtype, lambda i: self.minval + (self.maxval - self.minval) * stream.uniform(i))


Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["truncated_normal", "untruncated_normal", "uniform"]
TRUNCATED = 0.87962566103423978  # the deviation of a standard normal cut at two deviations


class VarianceScaling(Initializer):
    """Variance `scale / fan`; a kernel's fans are its last two axes times the window before them."""

    kind = "variance_scaling"
    aliases = ("VarianceScaling",)
    scale: Positive = 1.0
    mode: Mode = "fan_in"
    distribution: Distribution = "truncated_normal"

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return scaled(shape, dtype, stream, self.scale, self.mode, self.distribution)


class _Named(Initializer):
    """A variance scaling that has a name of its own."""

    rule: ClassVar[tuple[float, Mode, Distribution]]

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return scaled(shape, dtype, stream, *self.rule)


class GlorotUniform(_Named):
    kind = "glorot_uniform"
    aliases = ("GlorotUniform",)
    rule = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    kind = "glorot_normal"
    aliases = ("GlorotNormal",)
    rule = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    kind = "he_uniform"
    aliases = ("HeUniform",)
    rule = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    kind = "he_normal"
    aliases = ("HeNormal",)
    rule = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    kind = "lecun_uniform"
    aliases = ("LecunUniform",)
    rule = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    kind = "lecun_normal"
    aliases = ("LecunNormal",)
    rule = (1.0, "fan_in", "truncated_normal")


class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns, whichever are fewer; all axes but the last are its rows."""

    kind = "orthogonal"
    aliases = ("Orthogonal",)
    main = "gain"
    gain: Number = 1.0

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        if len(shape) < 2:
            raise TypeMismatchError(f"orthogonal needs at least two axes, not the shape {list(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q = orthonormal(stream.normal(np.arange(math.prod(tall), dtype=np.uint64)).reshape(tall))
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype.numpy)


class Identity(Initializer):
    kind = "identity"
    aliases = ("Identity",)
    main = "gain"
    gain: Number = 1.0

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        if len(shape) != 2:
            raise TypeMismatchError(f"identity needs a matrix, not the shape {list(shape)}")
        return (self.gain * np.eye(*shape)).astype(dtype.numpy)


class Fanned(Initializer):
    """Another initializer, for a kernel whose axes are not the last two: its fans are given, as Keras counts them."""

    kind = "fanned"
    rest: Any
    fans: tuple[int, int]

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        if isinstance(self.rest, VarianceScaling | _Named):
            return self.rest.draw(self.fans, dtype, stream).reshape(shape)
        return self.rest.draw(shape, dtype, stream)  # type: ignore[no-any-return]


class Given(Initializer):
    """The values that the spec itself holds."""

    kind = "given"
    value: Any

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        return np.asarray(self.value, dtype.numpy)


def _each(shape: Shape, dtype: DType, element: Callable[[Array], Array]) -> Array:
    """An array whose element at row-major index i is `element(i)`, rounded once."""
    flat = np.empty(math.prod(shape), dtype.numpy)
    for start in range(0, flat.size, CHUNK):
        stop = min(start + CHUNK, flat.size)
        flat[start:stop] = element(np.arange(start, stop, dtype=np.uint64))
    return flat.reshape(shape)


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs feed an element of the output, and how many outputs an input feeds, as Keras counts them.

    >>> fans((3, 3, 16, 32)), fans((64, 10)), fans((7,))
    ((144, 288), (64, 10), (7, 7))
    """
    if len(shape) < 2:
        return (*shape, *shape) if shape else (1, 1)  # type: ignore[return-value]  # two of them
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def scaled(shape: Shape, dtype: DType, stream: Stream, scale: float, mode: Mode, distribution: Distribution) -> Array:
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return _each(shape, dtype, lambda i: -limit + 2.0 * limit * stream.uniform(i))
    if distribution == "untruncated_normal":
        return _each(shape, dtype, lambda i: math.sqrt(variance) * stream.normal(i))
    return _each(shape, dtype, lambda i: math.sqrt(variance) / TRUNCATED * stream.truncated_normal(i))


INITIALIZERS: Table[Initializer] = Table(
    "initializer",
    (
        Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
        GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal, Identity,
    ),
)  # fmt: skip

ZEROS, ONES, GLOROT_UNIFORM, ORTHOGONAL = Zeros(), Ones(), GlorotUniform(), Orthogonal()
UNIFORM = RandomUniform()
InitializerOption = Annotated[Initializer, choice(INITIALIZERS)]
