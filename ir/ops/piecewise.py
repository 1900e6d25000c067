"""Activation functions in pieces: what they give, and their slope, change at a threshold."""

from __future__ import annotations

from ..dims import broadcast_shapes
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .activation import relu, relu6
from .arithmetic import absolute, check_kind, check_same_dtype, exp, expm1, maximum, minimum, square
from .comparison import greater, less, logical_and, where
from .reduction import reduce_sum
from .shape import cast, expand_dims, normalize_axis

_SAMPLES = (sample((2, 3)), sample(()), sample((0, 3)), sample((3, 1, 2), between=(-8.0, 8.0)))
_BOUND = Bound("parts", floor=1e-7)


def _plain_type(x: TensorType) -> TensorType:
    check_kind("an activation", ("float",), x)
    return x


def _hard_swish_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    inside = logical_and(greater(x, -3.0), less(x, 3.0))
    return (where(inside, g * (x / 3.0 + 0.5), where(less(x, 3.0), 0.0, g)),)


def _hard_tanh_type(x: TensorType, *, low: float = -1.0, high: float = 1.0) -> TensorType:
    return _plain_type(x)


def _hard_tanh_gradient(g: Value, out: Value, x: Value, *, low: float, high: float) -> tuple[Value]:
    return (where(logical_and(greater(x, low), less(x, high)), g, 0.0),)


def _threshold_type(x: TensorType, *, threshold: float, value: float = 0.0) -> TensorType:
    return _plain_type(x)


def _limit_type(x: TensorType, *, limit: float = 0.5) -> TensorType:
    return _plain_type(x)


def _soft_shrink_parts(x: Value, *, limit: float) -> Value:
    return where(greater(x, limit), x - limit, where(less(x, -limit), x + limit, 0.0 * x))  # type: ignore[no-any-return]


def _shrink_gradient(g: Value, out: Value, x: Value, *, limit: float) -> tuple[Value]:
    return (where(greater(absolute(x), limit), g, 0.0),)


def _celu_type(x: TensorType, *, alpha: float = 1.0) -> TensorType:
    return _plain_type(x)


def _celu_parts(x: Value, *, alpha: float) -> Value:
    return where(greater(x, 0.0), x, alpha * expm1(minimum(x, 0.0) / alpha))  # type: ignore[no-any-return]


def _celu_gradient(g: Value, out: Value, x: Value, *, alpha: float) -> tuple[Value]:
    return (g * exp(minimum(x, 0.0) / alpha),)


def _prelu_type(x: TensorType, slope: TensorType) -> TensorType:
    check_kind("prelu", ("float",), x)
    check_same_dtype("prelu", x, slope)
    return x.with_shape(broadcast_shapes(x.shape, slope.shape))


def _prelu_gradient(g: Value, out: Value, x: Value, slope: Value) -> tuple[Value, Value]:
    above = greater(x, 0.0)
    return where(above, g, g * slope), where(above, 0.0, g * x)


def _sparse_plus_parts(x: Value) -> Value:
    return where(greater(x, 1.0), x, square(relu(minimum(x, 1.0) + 1.0)) / 4.0)  # type: ignore[no-any-return]


def _sparse_plus_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    return (g * minimum(maximum(0.5 * x + 0.5, 0.0), 1.0),)


def _sparse_sigmoid_gradient(g: Value, out: Value, x: Value) -> tuple[Value]:
    return (where(logical_and(greater(x, -1.0), less(x, 1.0)), 0.5 * g, 0.0),)


def _sparsemax_type(x: TensorType, *, axis: int = -1) -> TensorType:
    normalize_axis(axis, x.rank)
    return _plain_type(x)


def _sparsemax_parts(x: Value, *, axis: int) -> Value:
    """An element has a share if all that is above it sums to less than 1; every two are compared, so none is sorted."""
    axis = normalize_axis(axis, x.rank)
    above = reduce_sum(relu(expand_dims(x, axis) - expand_dims(x, axis + 1)), axes=(axis + 1,))
    has_share = cast(less(above, 1.0), dtype=x.dtype)
    count = reduce_sum(has_share, axes=(axis,), keepdims=True)
    level = (reduce_sum(has_share * x, axes=(axis,), keepdims=True) - 1.0) / count
    return relu(x - level)  # type: ignore[no-any-return]


def _sparsemax_gradient(g: Value, out: Value, x: Value, *, axis: int) -> tuple[Value]:
    has_share = cast(greater(out, 0.0), dtype=x.dtype)
    mean = reduce_sum(g * has_share, axes=(axis,), keepdims=True) / reduce_sum(has_share, axes=(axis,), keepdims=True)
    return (has_share * (g - mean),)


hard_swish = Op("hard_swish", _plain_type, None, _hard_swish_gradient, lambda x: x * relu6(x + 3.0) / 6.0,
                samples=_SAMPLES, bound=_BOUND)  # fmt: skip
hard_tanh = Op("hard_tanh", _hard_tanh_type, None, _hard_tanh_gradient,
               lambda x, *, low, high: minimum(maximum(x, low), high),
               samples=(*_SAMPLES, sample((2, 3), low=-0.5, high=1.5)), bound=_BOUND)  # fmt: skip
threshold = Op("threshold", _threshold_type, None,
               lambda g, out, x, *, threshold, value: (where(greater(x, threshold), g, 0.0),),
               lambda x, *, threshold, value: where(greater(x, threshold), x, value),
               samples=(sample((2, 3), threshold=0.25), sample((2, 3), threshold=0.5, value=-1.5)),
               bound=_BOUND)  # fmt: skip
soft_shrink = Op("soft_shrink", _limit_type, None, _shrink_gradient, _soft_shrink_parts,
                 samples=(*_SAMPLES, sample((2, 3), limit=0.75)), bound=_BOUND)  # fmt: skip
hard_shrink = Op("hard_shrink", _limit_type, None, _shrink_gradient,
                 lambda x, *, limit: where(greater(absolute(x), limit), x, 0.0 * x),
                 samples=(*_SAMPLES, sample((2, 3), limit=0.75)), bound=_BOUND)  # fmt: skip
celu = Op("celu", _celu_type, None, _celu_gradient, _celu_parts,
          samples=(*_SAMPLES, sample((2, 3), alpha=0.7)), bound=_BOUND)  # fmt: skip
prelu = Op("prelu", _prelu_type, None, _prelu_gradient, lambda x, slope: where(greater(x, 0.0), x, slope * x),
           broadcasts=True, samples=(sample((2, 3), (3,)), sample((2, 3, 4), (3, 1)), sample((4,), ()),
                                     sample((3,), (2, 1))), bound=_BOUND)  # fmt: skip
sparse_plus = Op("sparse_plus", _plain_type, None, _sparse_plus_gradient, _sparse_plus_parts, samples=_SAMPLES,
                 bound=_BOUND)  # fmt: skip
sparse_sigmoid = Op("sparse_sigmoid", _plain_type, None, _sparse_sigmoid_gradient,
                    lambda x: minimum(maximum(0.5 * x + 0.5, 0.0), 1.0), samples=_SAMPLES, bound=_BOUND)  # fmt: skip
sparsemax = Op("sparsemax", _sparsemax_type, None, _sparsemax_gradient, _sparsemax_parts,
               samples=(sample((2, 3)), sample((3, 4, 2), axis=1, between=(-0.5, 0.5)), sample((5, 3), axis=0)),
               bound=_BOUND)  # fmt: skip

OPS = (
    hard_swish, hard_tanh, threshold, soft_shrink, hard_shrink, celu, prelu, sparse_plus, sparse_sigmoid, sparsemax,
)  # fmt: skip
