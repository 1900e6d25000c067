"""Complex numbers: made of two parts, taken apart, turned, measured.

Gradients by complex values are those that `autodiff` speaks of: of a real loss the derivative by the real part plus
i times that by the imaginary part. These ops have no complex derivative, so their rules say it themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import broadcast_shapes
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import EXACT, Bound, Op, sample
from ..types import DType, TensorType, complex64, complex128, float32, float64, part_of
from .arithmetic import check_kind, check_same_dtype, square
from .comparison import equal, where
from .transcendental import arctan2, hypot

_WHOLE = {float32: complex64, float64: complex128}


def complex_samples(*shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Arrays of complex64 that are not the same from one shape to the next."""
    generator = np.random.default_rng(11)
    return tuple((generator.normal(size=(*s, 2)) @ (1.0, 1.0j)).astype(np.complex64) for s in shapes)


def whole_of(op: str, x: TensorType) -> DType:
    """The element type of complex numbers whose parts are those of x; raises where there is none."""
    if x.dtype not in _WHOLE:
        raise TypeMismatchError(f"{op} works on float32 and float64 tensors, not on {x}; cast first")
    return _WHOLE[x.dtype]


def _complex_type(real: TensorType, imaginary: TensorType) -> TensorType:
    """real + i imaginary; the parts broadcast."""
    check_same_dtype("complex_of", real, imaginary)
    return TensorType(whole_of("complex_of", real), broadcast_shapes(real.shape, imaginary.shape))


def _complex(real: Any, imaginary: Any) -> Any:
    """The parts as they are: a sum with 1j times one of them would make NaN of infinities."""
    result = np.empty(np.broadcast_shapes(real.shape, imaginary.shape), np.result_type(real, np.complex64))
    result.real, result.imag = real, imaginary
    return result


def _complex_gradient(g: Value, out: Value, x: Value, y: Value) -> tuple[Value, Value]:
    return real(g), imaginary(g)


def _real(x: Any) -> Any:
    return x.real


def _imaginary(x: Any) -> Any:
    return x.imag


def _part(name: str, reference: Any, gradient: Any) -> Op:
    def type_rule(x: TensorType) -> TensorType:
        check_kind(name, ("complex",), x)
        return x.with_dtype(part_of(x.dtype))

    return Op(name, type_rule, reference, gradient, bound=EXACT, smooth=True, conjugates=True, samples=_SAMPLES)


def _length_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    share = where(equal(out, 0.0), 0.0, g / where(equal(out, 0.0), 1.0, out))
    return (complex_of(share * real(x), share * imaginary(x)),)


def _angle_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    """0 at 0, where there is no angle."""
    length = square(real(x)) + square(imaginary(x))
    share = where(equal(length, 0.0), 0.0, g / where(equal(length, 0.0), 1.0, length))
    return (complex_of(-share * imaginary(x), share * real(x)),)


def _measure(name: str, gradient: Any, decompose: Any) -> Op:
    def type_rule(x: TensorType) -> TensorType:
        check_kind(name, ("complex",), x)
        return x.with_dtype(part_of(x.dtype))

    return Op(
        name, type_rule, None, gradient, decompose, bound=Bound("parts", floor=1e-7), smooth=True, conjugates=True,
        samples=_SAMPLES,
    )  # fmt: skip


def _conjugate_type(x: TensorType) -> TensorType:
    check_kind("conjugate", ("complex",), x)
    return x


_SAMPLES = tuple(map(sample, complex_samples((2, 3), (), (0, 3), (1, 4, 2))))

complex_of: Op = Op(
    "complex_of", _complex_type, _complex, _complex_gradient, broadcasts=True, bound=EXACT, smooth=True,
    conjugates=True, samples=(sample((2, 3), (2, 3)), sample((2, 1), (3,)), sample((), (4,)), sample((0, 3), (3,))),
)  # fmt: skip
real: Op = _part("real", _real, lambda g, out, x: (complex_of(g, 0.0),))
imaginary: Op = _part("imaginary", _imaginary, lambda g, out, x: (complex_of(0.0, g),))
conjugate: Op = Op(
    "conjugate", _conjugate_type, np.conjugate, lambda g, out, x: (conjugate(g),), bound=EXACT, smooth=True,
    conjugates=True, samples=_SAMPLES,
)  # fmt: skip
# `absolute` is exact, and this is not: the length of a number, of slope 0 at 0.
complex_absolute: Op = _measure("complex_absolute", _length_gradient, lambda x: hypot(real(x), imaginary(x)))
angle: Op = _measure("angle", _angle_gradient, lambda x: arctan2(imaginary(x), real(x)))

OPS = (complex_of, real, imaginary, conjugate, complex_absolute, angle)
