"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..dims import divide_exact
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import NO_GRADIENT, Bound, Op, Sample, sample
from ..types import TensorType
from .arithmetic import absolute, check_kind, erf, exp, expm1, log, log1p, maximum, minimum, sigmoid, sqrt, square, tanh
from .comparison import greater, logical_and, where
from .reduction import reduce_max, reduce_sum
from .shape import cast, normalize_axis, reshape, slice_axis, stop_gradient

_SAMPLES = (sample((2, 3)), sample(()), sample((0, 3)), sample((3, 1, 2), between=(-8.0, 8.0)))
_PARTS = Bound("parts", floor=1e-7)


def _activation(
    name: str,
    decompose: Callable[..., Any],
    gradient: Any = None,
    *,
    smooth: bool = False,
    samples: tuple[Sample, ...] = _SAMPLES,
) -> Op:
    def type_rule(x: TensorType) -> TensorType:
        check_kind(name, ("float",), x)
        return x

    return Op(name, type_rule, None, gradient, decompose, samples=samples, bound=_PARTS, smooth=smooth)


def _sloped(
    name: str, alpha: float, decompose: Callable[..., Any], gradient: Any = None, *, smooth: bool = False
) -> Op:
    def type_rule(x: TensorType, *, alpha: float = alpha) -> TensorType:
        check_kind(name, ("float",), x)
        return x

    samples = (*_SAMPLES[:2], sample((2, 3), alpha=0.7))
    return Op(name, type_rule, None, gradient, decompose, samples=samples, bound=_PARTS, smooth=smooth)


def _elu_parts(x: Value, *, alpha: float) -> Value:
    return where(x > 0.0, x, alpha * expm1(minimum(x, 0.0)))  # type: ignore[no-any-return]


def _elu_gradient(g: Value, out: Value, x: Value, *, alpha: float) -> tuple[Value]:
    return (g * where(x >= 0.0, 1.0, alpha * exp(minimum(x, 0.0))),)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _softplus_parts(x: Value) -> Value:
    return maximum(x, 0.0) + log1p(exp(-absolute(x)))  # type: ignore[no-any-return]


def _log_sigmoid_parts(x: Value) -> Value:
    return minimum(x, 0.0) - log1p(exp(-absolute(x)))  # type: ignore[no-any-return]


def _gelu_type(x: TensorType, *, approximate: bool = False) -> TensorType:
    check_kind("gelu", ("float",), x)
    return x


def _gelu_parts(x: Value, *, approximate: bool) -> Value:
    if approximate:
        return 0.5 * x * (1.0 + tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))  # type: ignore[no-any-return]
    return 0.5 * x * (1.0 + erf(x * math.sqrt(0.5)))  # type: ignore[no-any-return]


def _axis_type(x: TensorType, *, axis: int = -1) -> TensorType:
    check_kind("softmax", ("float",), x)
    normalize_axis(axis, x.rank)
    return x


def _softmax_parts(x: Value, *, axis: int) -> Value:
    e = exp(x - stop_gradient(reduce_max(x, axes=(axis,), keepdims=True)))
    return e / reduce_sum(e, axes=(axis,), keepdims=True)  # type: ignore[no-any-return]


def _softmax_gradient(g: Value, out: Value, x: Value, *, axis: int) -> tuple[Value]:
    return (out * (g - reduce_sum(g * out, axes=(axis,), keepdims=True)),)


def _log_softmax_parts(x: Value, *, axis: int) -> Value:
    shifted = x - stop_gradient(reduce_max(x, axes=(axis,), keepdims=True))
    return shifted - log(reduce_sum(exp(shifted), axes=(axis,), keepdims=True))  # type: ignore[no-any-return]


def _log_softmax_gradient(g: Value, out: Value, x: Value, *, axis: int) -> tuple[Value]:
    return (g - exp(out) * reduce_sum(g, axes=(axis,), keepdims=True),)


def _glu_type(x: TensorType, *, axis: int = -1) -> TensorType:
    check_kind("glu", ("float",), x)
    axis = normalize_axis(axis, x.rank)
    return x.with_shape((*x.shape[:axis], divide_exact(x.shape[axis], 2), *x.shape[axis + 1 :]))


def _glu_parts(x: Value, *, axis: int) -> Value:
    half = divide_exact(x.shape[axis], 2)
    return slice_axis(x, axis, 0, half) * sigmoid(slice_axis(x, axis, half, x.shape[axis]))  # type: ignore[no-any-return]


def _squareplus_type(x: TensorType, *, b: float = 4.0) -> TensorType:
    check_kind("squareplus", ("float",), x)
    return x


def _maxout_type(x: TensorType, *, pieces: int) -> TensorType:
    check_kind("maxout", ("float",), x)
    if not x.rank or pieces < 1:
        raise TypeMismatchError(f"maxout of {x} needs an axis to take apart, and at least one piece, not {pieces}")
    return x.with_shape((*x.shape[:-1], divide_exact(x.shape[-1], pieces)))


def _maxout_parts(x: Value, *, pieces: int) -> Value:
    return reduce_max(reshape(x, shape=(*x.shape[:-1], divide_exact(x.shape[-1], pieces), pieces)), axes=(-1,))  # type: ignore[no-any-return]


relu = _activation("relu", lambda x: maximum(x, 0.0), lambda g, out, x: (where(out > 0.0, g, 0.0),))
relu6 = _activation("relu6", lambda x: minimum(maximum(x, 0.0), 6.0),
                    lambda g, out, x: (where(logical_and(greater(x, 0.0), x < 6.0), g, 0.0),))  # fmt: skip
hard_sigmoid = _activation("hard_sigmoid", lambda x: minimum(maximum(x + 3.0, 0.0), 6.0) / 6.0,
                           lambda g, out, x: (where(logical_and(x > -3.0, x < 3.0), g / 6.0, 0.0),))  # fmt: skip
silu = _activation("silu", lambda x: x * sigmoid(x), smooth=True)
softplus = _activation("softplus", _softplus_parts, lambda g, out, x: (g * sigmoid(x),), smooth=True)
log_sigmoid = _activation("log_sigmoid", _log_sigmoid_parts, lambda g, out, x: (g * sigmoid(-x),), smooth=True)
softsign = _activation("softsign", lambda x: x / (1.0 + absolute(x)))
step = _activation("step", lambda x: cast(x > 0.0, dtype=x.dtype), NO_GRADIENT)
selu = _activation("selu", lambda x: _SELU_SCALE * _elu_parts(x, alpha=_SELU_ALPHA),
                   lambda g, out, x: (_SELU_SCALE * g * where(x > 0.0, 1.0, _SELU_ALPHA * exp(minimum(x, 0.0))),),
)  # fmt: skip
leaky_relu = _sloped(
    "leaky_relu",
    0.01,
    lambda x, *, alpha: where(x > 0.0, x, alpha * x),
    lambda g, out, x, *, alpha: (where(x > 0.0, g, alpha * g),),
)
elu = _sloped("elu", 1.0, _elu_parts, _elu_gradient)
gelu = Op(
    "gelu",
    _gelu_type,
    None,
    None,
    _gelu_parts,
    samples=(*_SAMPLES, sample((2, 3), approximate=True)),
    bound=Bound("parts", floor=1e-6),
    smooth=True,
)
_AXIS_SAMPLES = (sample((2, 3)), sample((2, 3, 4), axis=1), sample((3, 2), axis=0), sample((0, 3)))
softmax = Op(
    "softmax", _axis_type, None, _softmax_gradient, _softmax_parts, samples=_AXIS_SAMPLES, bound=_PARTS, smooth=True
)
log_softmax = Op(
    "log_softmax",
    _axis_type,
    None,
    _log_softmax_gradient,
    _log_softmax_parts,
    samples=_AXIS_SAMPLES,
    bound=_PARTS,
    smooth=True,
)
softmin = Op("softmin", _axis_type, None, None, lambda x, *, axis: softmax(-x, axis=axis), samples=_AXIS_SAMPLES,
             bound=_PARTS, smooth=True)  # fmt: skip
mish = _activation("mish", lambda x: x * tanh(softplus(x)), smooth=True)
tanh_shrink = _activation("tanh_shrink", lambda x: x - tanh(x), lambda g, out, x: (g * square(tanh(x)),), smooth=True)
squareplus = Op("squareplus", _squareplus_type, None, None, lambda x, *, b: 0.5 * (x + sqrt(x * x + b)),
                samples=(*_SAMPLES, sample((2, 3), b=1.5)), bound=_PARTS, smooth=True)  # fmt: skip
glu = Op("glu", _glu_type, None, None, _glu_parts, bound=_PARTS, smooth=True,
         samples=(sample((3, 4)), sample((2, 6, 4), axis=1), sample((0, 2))))  # fmt: skip
maxout = Op(
    "maxout",
    _maxout_type,
    None,
    None,
    _maxout_parts,
    samples=(sample((2, 12), pieces=3), sample((3, 2, 10), pieces=2)),
    bound=_PARTS,
)

OPS = (
    relu, relu6, hard_sigmoid, silu, softplus, log_sigmoid, softsign, step, selu, leaky_relu, elu, gelu,
    softmax, log_softmax, softmin, mish, tanh_shrink, squareplus, glu, maxout,
)  # fmt: skip
