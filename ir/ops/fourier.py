"""Discrete Fourier transforms over any axes, of complex numbers and of real ones.

`norm` says which direction divides by the number of points, as in NumPy: "backward" the inverse alone, "forward" the
other alone, "ortho" both, by its square root. The gradient through a transform is its adjoint: the transform of the
other direction, with the norm of the other direction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import Size, floor_div, require
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType, part_of
from .arithmetic import check_kind
from .comparison import equal, logical_or, where
from .complex import complex_samples, whole_of
from .named_axes import arange_along
from .shape import normalize_axis

_ADJOINT = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
_BOUND = Bound("parts", floor=1e-5)
Axes = tuple[int, ...]


def _check(name: str, x: TensorType, axes: Axes, norm: str) -> list[int]:
    if norm not in _ADJOINT:
        raise TypeMismatchError(f"{name} has the norms {', '.join(_ADJOINT)}, not {norm!r}")
    places = [normalize_axis(a, x.rank) for a in axes]
    if not places or len(set(places)) < len(places):
        raise TypeMismatchError(f"{name} takes one axis or several, each once, not {axes}")
    for place in places:
        require(">=", x.shape[place], 1)
    return places


def _complex_type(name: str) -> Any:
    def type_rule(x: TensorType, *, axes: Axes = (-1,), norm: str = "backward") -> TensorType:
        check_kind(name, ("complex",), x)
        _check(name, x, axes, norm)
        return x

    return type_rule


def _rfft_type(x: TensorType, *, axes: Axes = (-1,), norm: str = "backward") -> TensorType:
    """The half of the spectrum from which the other follows: n // 2 + 1 points of the n of the last of the axes."""
    last = _check("rfft", x, axes, norm)[-1]
    return _resized(x, last, floor_div(x.shape[last], 2) + 1).with_dtype(whole_of("rfft", x))


def _irfft_type(x: TensorType, *, size: Size | None = None, axes: Axes = (-1,), norm: str = "backward") -> TensorType:
    """The inverse of `rfft` to `size` points, 2 m - 2 by default, of which x has the half spectrum."""
    check_kind("irfft", ("complex",), x)
    last = _check("irfft", x, axes, norm)[-1]
    points = _points(x, last, size)
    require(">=", points, 1)
    require("==", floor_div(points, 2) + 1, x.shape[last])
    return _resized(x, last, points).with_dtype(part_of(x.dtype))


def _points(x: Any, axis: int, size: Size | None) -> Size:
    return 2 * x.shape[axis] - 2 if size is None else size


def _resized(x: TensorType, axis: int, size: Size) -> TensorType:
    return x.with_shape((*x.shape[:axis], size, *x.shape[axis + 1 :]))


def _fft(x: Any, *, axes: Axes, norm: Any) -> Any:
    return np.fft.fftn(x, axes=axes, norm=norm)


def _ifft(x: Any, *, axes: Axes, norm: Any) -> Any:
    return np.fft.ifftn(x, axes=axes, norm=norm)


def _rfft(x: Any, *, axes: Axes, norm: Any) -> Any:
    return np.fft.rfftn(x, axes=axes, norm=norm)


def _irfft(x: Any, *, size: Any, axes: Axes, norm: Any) -> Any:
    turned = np.fft.ifftn(x, axes=axes[:-1], norm=norm) if len(axes) > 1 else x
    return np.fft.irfft(turned, size, axis=axes[-1], norm=norm)


def _fft_gradient(g: Value, out: Value, x: Value, *, axes: Axes, norm: str) -> tuple[Value]:
    return (ifft(g, axes=axes, norm=_ADJOINT[norm]),)


def _ifft_gradient(g: Value, out: Value, x: Value, *, axes: Axes, norm: str) -> tuple[Value]:
    return (fft(g, axes=axes, norm=_ADJOINT[norm]),)


def _alone(half: Value, axis: int, size: Size) -> Value:
    """Where a half spectrum has points without a mirror image: the constant and, of even sizes, the highest."""
    place = arange_along(half, axis)
    return logical_or(equal(place, 0), equal(2 * place, size))  # type: ignore[no-any-return]


def _rfft_gradient(g: Value, out: Value, x: Value, *, axes: Axes, norm: str) -> tuple[Value]:
    """The inverse counts a point for its mirror image too, which has no gradient: half of it."""
    last = normalize_axis(axes[-1], x.rank)
    halved = where(_alone(g, last, x.shape[last]), g, 0.5 * g)
    return (irfft(halved, size=x.shape[last], axes=axes, norm=_ADJOINT[norm]),)


def _irfft_gradient(g: Value, out: Value, x: Value, *, size: Size | None, axes: Axes, norm: str) -> tuple[Value]:
    """What a point gives its mirror image comes back to it too."""
    last = normalize_axis(axes[-1], x.rank)
    spectrum = rfft(g, axes=axes, norm=_ADJOINT[norm])
    return (where(_alone(x, last, _points(x, last, size)), spectrum, 2.0 * spectrum),)


_CASES: tuple[dict[str, Any], ...] = (
    {}, {"axes": (0,), "norm": "ortho"}, {"axes": (1,), "norm": "forward"}, {"axes": (2, 0), "norm": "ortho"},
    {"axes": (0, 2)}, {"axes": (0, 1, 2, 3), "norm": "forward"},
)  # fmt: skip


def _samples(operands: tuple[Any, ...]) -> Any:
    return tuple(sample(o, **case) for o, case in zip(operands, _CASES, strict=True))


_SHAPES = ((3, 4), (5, 2), (2, 4, 3), (4, 2, 3), (3, 2, 5), (2, 4, 3, 5))
_HALVES = complex_samples((2, 3), (4, 3), (2, 3, 4), (3, 2, 5))

fft: Op = Op(
    "fft", _complex_type("fft"), _fft, _fft_gradient, bound=_BOUND, smooth=True, conjugates=True,
    samples=_samples(complex_samples(*_SHAPES)),
)  # fmt: skip
ifft: Op = Op(
    "ifft", _complex_type("ifft"), _ifft, _ifft_gradient, bound=_BOUND, smooth=True, conjugates=True,
    samples=_samples(complex_samples(*_SHAPES)),
)  # fmt: skip
rfft: Op = Op(
    "rfft", _rfft_type, _rfft, _rfft_gradient, bound=_BOUND, smooth=True, conjugates=True,
    samples=_samples(((4, 5), (6, 2), (2, 7, 3), (5, 2, 4), (3, 2, 8), (2, 4, 3, 8))),
)  # fmt: skip
irfft: Op = Op(
    "irfft", _irfft_type, _irfft, _irfft_gradient, bound=_BOUND, smooth=True, conjugates=True,
    samples=(sample(_HALVES[0]), sample(_HALVES[1], size=5, norm="forward"),
             sample(_HALVES[2], size=5, axes=(0, 1), norm="ortho"), sample(_HALVES[3], size=4, axes=(2, 0))),
)  # fmt: skip

OPS = (fft, ifft, rfft, irfft)
