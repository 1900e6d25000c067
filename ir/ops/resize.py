"""Resizing along axes: each is sampled anew, by a matrix of weights that is known when the graph is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dims import Dim, Size, collecting_guards, divide_exact
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import check_kind
from .indexing import take
from .shape import broadcast_to, concatenate, expand_dims, normalize_axes, reshape, slice_axis

METHODS = ("nearest", "linear", "cubic", "lanczos3", "lanczos5", "area")
COORDINATES = (
    "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "half_pixel_symmetric", "tf_half_pixel_for_nn",
)  # fmt: skip
ROUNDINGS = ("round_prefer_ceil", "round_prefer_floor", "floor", "ceil")
_RADIUS = {"linear": 1, "cubic": 2, "lanczos3": 3, "lanczos5": 5}
_UNIFORM = ("half_pixel", "asymmetric", "pytorch_half_pixel", "tf_half_pixel_for_nn")  # the same at each place


@dataclass(frozen=True)
class Sampling:
    """How places of the result are found in the source, and what of it they are made of."""

    method: str
    coordinates: str
    rounding: str
    cubic_coefficient: float
    exclude_outside: bool
    antialias: bool

    def places(self, n: int, m: int, scale: float | None) -> np.ndarray:
        """Where each of m places lies among n; `scale` is how many places an element gives, m / n by default."""
        o = np.arange(m, dtype=np.float64)
        centers = (2 * o + 1) * n / (2 * m) if scale is None else (o + 0.5) / scale
        match self.coordinates:
            case "align_corners":
                return o * (n - 1) / (m - 1) if m > 1 else o
            case "asymmetric":
                return o * n / m if scale is None else o / scale
            case "tf_half_pixel_for_nn":
                return centers
            case "pytorch_half_pixel" if m == 1:
                return o
            case "half_pixel_symmetric":
                return centers - 0.5 + (n / 2) * (1 - (m / (scale * n) if scale else 1.0))
        return centers - 0.5

    def nearest(self, n: int, m: int, scale: float | None) -> np.ndarray:
        """The number of the element at each place."""
        places = self.places(n, m, scale)
        match self.rounding:
            case "floor":
                rounded = np.floor(places)
            case "ceil":
                rounded = np.ceil(places)
            case "round_prefer_floor":
                rounded = np.ceil(places - 0.5)
            case _:
                rounded = np.floor(places + 0.5)
        return np.clip(rounded, 0, n - 1).astype(np.int32)  # type: ignore[no-any-return]

    def kernel(self, distance: np.ndarray) -> Any:
        """The weight of an element at a distance."""
        d, a, r = np.abs(distance), self.cubic_coefficient, _RADIUS[self.method]
        if self.method == "linear":
            return np.maximum(1 - d, 0)
        if self.method == "cubic":
            near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
            return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
        return np.where(d < r, np.sinc(d) * np.sinc(d / r), 0.0)

    def matrix(self, n: int, m: int, scale: float | None) -> np.ndarray:
        """How much of each of n elements each of m places is made of: [m, n]."""
        if self.method == "area":
            return _overlaps(n, m)
        places = self.places(n, m, scale)
        stretch = max(n / m if scale is None else 1 / scale, 1.0) if self.antialias else 1.0
        if self.exclude_outside or stretch > 1 or self.method.startswith("lanczos"):
            weights = self.kernel((places[:, None] - np.arange(n)) / stretch)
            return weights / weights.sum(1, keepdims=True)  # type: ignore[no-any-return]
        weights, radius = np.zeros((m, n)), _RADIUS[self.method]
        for tap in range(1 - radius, 1 + radius):  # beyond the edge lies what is at the edge
            element = np.floor(places) + tap
            inside = np.clip(element, 0, n - 1).astype(np.int64)
            np.add.at(weights, (np.arange(m), inside), self.kernel(places - element))
        return weights


def _overlaps(n: int, m: int) -> np.ndarray:
    """How much of each stretch of n / m elements each element is."""
    bounds = np.arange(m + 1) * n / m
    low, high = np.maximum(bounds[:-1, None], np.arange(n)), np.minimum(bounds[1:, None], np.arange(n) + 1)
    return np.maximum(high - low, 0) * m / n  # type: ignore[no-any-return]


def _resize_type(
    x: TensorType, *, axes: tuple[int, ...], sizes: tuple[Size, ...], method: str = "linear",
    coordinates: str = "half_pixel", scales: tuple[float, ...] = (), rounding: str = "round_prefer_ceil",
    cubic_coefficient: float = -0.75, exclude_outside: bool = False, antialias: bool = False,
) -> TensorType:  # fmt: skip
    """Coordinates, roundings and the cubic's attributes are those of ONNX's Resize; `scales` replaces size / size.

    PyTorch's `nearest` is asymmetric and rounds by floor; its `nearest-exact`, TensorFlow's and JAX's `nearest` are
    the defaults. PyTorch's bicubic has the coefficient -0.75, TensorFlow's and JAX's -0.5 and exclude what is outside.
    """
    check_kind("resize", ("float",) if method != "nearest" else (x.dtype.kind,), x)
    normal = normalize_axes(axes, x.rank)
    if len(sizes) != len(axes) or len(scales) not in (0, len(axes)) or normal != axes:
        raise TypeMismatchError(f"resize of {x}: {axes} are not axes in order, each with a size (and a scale, or none)")
    for kind, known, given in (
        ("method", METHODS, method),
        ("way to place coordinates", COORDINATES, coordinates),
        ("rounding", ROUNDINGS, rounding),
    ):
        if given not in known:
            raise TypeMismatchError(f"resize has no {kind} {given!r}; it has {', '.join(known)}")
    how = Sampling(method, coordinates, rounding, cubic_coefficient, exclude_outside, antialias)
    shape = list(x.shape)
    for i, (axis, size) in enumerate(zip(axes, sizes, strict=True)):
        if isinstance(size, Dim) or isinstance(x.shape[axis], Dim):
            _ratio(how, x.shape[axis], size, scales[i] if scales else None)
        elif x.shape[axis] == 0 and size != 0:
            raise TypeMismatchError(f"resize of {x}: nothing can be sampled from axis {axis}, which is empty")
        shape[axis] = size
    return x.with_shape(tuple(shape))


def _ratio(how: Sampling, n: Size, m: Size, scale: float | None) -> tuple[int, int]:
    """How many places an element of a free size gives, and how many elements a place takes; one of both is 1."""
    for up, a, b in ((True, m, n), (False, n, m)):
        with collecting_guards():  # whether it is a multiple is asked, not demanded
            k = divide_exact(a, b)
        if not isinstance(k, int) or k * b != a or scale not in (None, k if up else 1 / k):
            continue
        if k == 1 or _is_uniform(how, k if up else 1):
            return (k, 1) if up else (1, k)
    raise TypeMismatchError(
        f"resize by {how.method} and {how.coordinates} of the size {n} to {m} needs to know them, since it is not by "
        f"a whole number and the same everywhere; isograd.specialize(model, ...) fixes them"
    )


def _is_uniform(how: Sampling, up: int) -> bool:
    """Whether each element, but for those at the edge, is treated alike."""
    whole = how.method == "nearest" or (how.method in ("linear", "cubic") and not how.exclude_outside)
    return whole and how.coordinates in _UNIFORM and not (how.antialias and up == 1)


def _resize_parts(x: Value, *, axes: Any, sizes: Any, scales: Any, **how: Any) -> Value:
    for i, (axis, size) in enumerate(zip(axes, sizes, strict=True)):
        x = _along(x, axis, size, Sampling(**how), scales[i] if scales else None)
    return x


def _along(x: Value, axis: int, m: Size, how: Sampling, scale: float | None) -> Value:
    n = x.shape[axis]
    if not isinstance(n, int) or not isinstance(m, int):
        return _by_phases(x, axis, *_ratio(how, n, m, scale), how)
    if how.method == "nearest":
        return _picked(x, axis, n, how.nearest(n, m, scale))
    weights = how.matrix(n, m, scale)
    if n == m and np.array_equal(weights, np.eye(n)):
        return x
    constant = x.graph.constant(weights, x.dtype)
    if axis == x.rank - 1 and x.rank > 1:
        return x @ x.graph.constant(weights.T, x.dtype)
    if axis == x.rank - 2:
        return constant @ x
    rows = reshape(x, shape=(*x.shape[: axis + 1], _rest(x, axis)))
    return reshape(constant @ rows, shape=(*x.shape[:axis], m, *x.shape[axis + 1 :]))  # type: ignore[no-any-return]


def _rest(x: Value, axis: int) -> Size:
    size: Size = 1
    for n in x.shape[axis + 1 :]:
        size = size * n
    return size


def _picked(x: Value, axis: int, n: int, elements: np.ndarray) -> Value:
    """Elements along an axis: by a repetition or a slice where these are all."""
    m = len(elements)
    if n and m and m % n == 0 and np.array_equal(elements, np.arange(m) // (m // n)):
        return repeated(x, axis, m // n)
    steps = np.diff(elements)
    if m > 1 and steps[0] > 0 and np.all(steps == steps[0]):
        first, step = int(elements[0]), int(steps[0])
        return slice_axis(x, axis, first, first + (m - 1) * step + 1, step)
    return take(x, x.graph.constant(elements), axis=axis)  # type: ignore[no-any-return]


def repeated(x: Value, axis: int, times: int) -> Value:
    """Each element along an axis so many times in a row."""
    if times == 1:
        return x
    wide = broadcast_to(expand_dims(x, axis + 1), shape=(*x.shape[: axis + 1], times, *x.shape[axis + 1 :]))
    return reshape(wide, shape=(*x.shape[:axis], x.shape[axis] * times, *x.shape[axis + 1 :]))  # type: ignore[no-any-return]


def _by_phases(x: Value, axis: int, up: int, down: int, how: Sampling) -> Value:
    """Of a free size: each of the `up` places of an element lies alike to its neighbours, `down` elements apart."""
    if up == down:
        return x
    far = 8  # from any edge
    if how.method == "nearest":
        elements = how.nearest(2 * far * down, 2 * far * up, None)[far * up : (far + 1) * up] - far * down
        weights = {p: {int(e): 1.0} for p, e in enumerate(elements)}
    else:
        rows = how.matrix(2 * far * down, 2 * far * up, None)[far * up : (far + 1) * up]
        weights = {p: {int(i) - far * down: row[i] for i in np.flatnonzero(row)} for p, row in enumerate(rows)}
    if up > 1 and all(w == {0: 1.0} for w in weights.values()):
        return repeated(x, axis, up)
    before = max(0, *(-e for w in weights.values() for e in w))
    after = max(0, *(e - down + 1 for w in weights.values() for e in w))
    wide = _with_edges(x, axis, before, after)
    phases = [_mixed(wide, axis, x.shape[axis], down, before, w) for w in weights.values()]
    if up == 1:
        return phases[0]
    stacked = concatenate(*(expand_dims(p, axis + 1) for p in phases), axis=axis + 1)
    return reshape(stacked, shape=(*x.shape[:axis], x.shape[axis] * up, *x.shape[axis + 1 :]))  # type: ignore[no-any-return]


def _mixed(wide: Value, axis: int, size: Size, down: int, before: int, weights: dict[int, float]) -> Value:
    """The weighted sum of neighbours of each place."""
    count = divide_exact(size, down)
    parts = [
        slice_axis(wide, axis, before + e, before + e + (count - 1) * down + 1, down) * w for e, w in weights.items()
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _with_edges(x: Value, axis: int, before: int, after: int) -> Value:
    """x with its first and its last element repeated."""
    size = x.shape[axis]

    def edge(start: Size, times: int) -> list[Value]:
        part = slice_axis(x, axis, start, start + 1)
        return [broadcast_to(part, shape=(*x.shape[:axis], times, *x.shape[axis + 1 :]))] if times else []

    parts = [*edge(0, before), x, *edge(size - 1, after)]
    return concatenate(*parts, axis=axis) if len(parts) > 1 else x


_CUBIC: dict[str, Any] = {"method": "cubic", "cubic_coefficient": -0.5, "exclude_outside": True}
resize = Op(
    "resize", _resize_type, None, None, _resize_parts, bound=Bound("parts", floor=2e-6), smooth=True,
    samples=(sample((2, 4, 7, 3), axes=(1, 2), sizes=(8, 5)),
             sample((2, 3, 7, 5), axes=(2, 3), sizes=(4, 9), coordinates="align_corners"),
             sample((2, 7, 4, 5), axes=(1, 2), sizes=(3, 6), method="nearest", coordinates="asymmetric",
                    rounding="floor"),
             sample((2, 4, 7, 3), axes=(1, 2), sizes=(8, 5), **_CUBIC),
             sample((2, 7, 4), axes=(1,), sizes=(3,), antialias=True),
             sample((2, 3, 5, 4), axes=(2, 3), sizes=(7, 6), scales=(1.5, 1.6))),
)  # fmt: skip

OPS = (resize,)
