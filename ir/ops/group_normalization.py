"""Normalization of each example by the statistics of groups of its channels."""

from __future__ import annotations

from typing import Any

from ..dims import Size, divide_exact
from ..errors import TypeMismatchError
from ..graph import Value
from ..op import Bound, Op, sample
from ..types import TensorType
from .arithmetic import rsqrt
from .normalization import along, channel_type
from .reduction import reduce_mean, reduce_sum, reduce_variance
from .shape import normalize_axis, reshape

_BOUND = Bound("parts", floor=1e-6)


def _type(
    x: TensorType,
    scale: TensorType | None = None,
    offset: TensorType | None = None,
    *,
    groups: int,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> tuple[TensorType, ...]:
    axis = normalize_axis(axis, x.rank)
    channel_type("group_norm", x, axis, scale, offset)
    if axis == 0 or groups < 1:
        raise TypeMismatchError(
            f"group_norm of {x} needs a group at least, and channels on another axis than 0, the batch"
        )
    divide_exact(x.shape[axis], groups)
    statistics = x.with_shape((x.shape[0], groups))
    return x, statistics, statistics


def _split(x: Value, groups: int, axis: int) -> tuple[Value, tuple[int, ...]]:
    """x with an axis of groups and one within them, and the axes that a group's statistics are over."""
    axis = normalize_axis(axis, x.rank)
    parts: tuple[Size, ...] = (groups, divide_exact(x.shape[axis], groups))
    over = tuple(i for i in range(1, x.rank + 1) if i != axis)
    return reshape(x, shape=(*x.shape[:axis], *parts, *x.shape[axis + 1 :])), over


def _beside(statistic: Value, x: Value, axis: int) -> Value:
    """A statistic of each group, [batch, groups], shaped to broadcast against the split x."""
    axis = normalize_axis(axis, x.rank)
    n, groups = statistic.shape
    return reshape(statistic, shape=(n, *(groups if i == axis else 1 for i in range(1, x.rank + 1))))  # type: ignore[no-any-return]


def _normal(x: Value, mean: Value, deviation: Value) -> Value:
    return ((x - mean) * deviation).named("normal")


def _parts(
    x: Value, scale: Value | None, offset: Value | None, *, groups: int, axis: int, epsilon: float
) -> tuple[Value, Value, Value]:
    split, over = _split(x, groups, axis)
    mean = reduce_mean(split, axes=over).named("mean")
    deviation = rsqrt(reduce_variance(split, axes=over) + epsilon).named("deviation")
    y = reshape(_normal(split, _beside(mean, x, axis), _beside(deviation, x, axis)), shape=x.shape)
    y = y if scale is None else y * along(scale, x, axis)
    y = y if offset is None else y + along(offset, x, axis)
    return y, mean, deviation


def _gradient(
    g: Any, out: Any, x: Value, scale: Value | None, offset: Value | None, *, groups: int, axis: int, epsilon: float
) -> Any:
    if g[0] is None or g[1] is not None or g[2] is not None:
        return NotImplemented  # the second derivative goes through the statistics too: derive it from the parts
    split, over = _split(x, groups, axis)
    mean, deviation = (_beside(s, x, axis) for s in out[1:])
    normal = _normal(split, mean, deviation)
    d_normal = _split(g[0] if scale is None else g[0] * along(scale, x, axis), groups, axis)[0]
    shift, projection = (reduce_mean(v, axes=over, keepdims=True) for v in (d_normal, d_normal * normal))
    d_x = reshape(deviation * (d_normal - shift - normal * projection), shape=x.shape)
    others = tuple(i for i in range(x.rank) if i != normalize_axis(axis, x.rank))
    d_scale = None if scale is None else reduce_sum(g[0] * reshape(normal, shape=x.shape), axes=others)
    return d_x, d_scale, None if offset is None else reduce_sum(g[0], axes=others)


def _instance_type(
    x: TensorType,
    scale: TensorType | None = None,
    offset: TensorType | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> tuple[TensorType, ...]:
    return _type(x, scale, offset, groups=_channels(x, axis), axis=axis, epsilon=epsilon)


def _channels(x: Any, axis: int) -> int:
    count = x.shape[normalize_axis(axis, x.rank)]
    if not isinstance(count, int):
        raise TypeMismatchError(f"instance_norm of {x} along axis {axis} needs a known number of channels")
    return count


def _instance_parts(
    x: Value, scale: Value | None, offset: Value | None, *, axis: int, epsilon: float
) -> tuple[Value, ...]:
    y = group_norm(x, scale, offset, groups=_channels(x, axis), axis=axis, epsilon=epsilon)
    return y.node.outputs  # type: ignore[no-any-return]  # with the statistics


def _instance_gradient(
    g: Any, out: Any, x: Value, scale: Value | None, offset: Value | None, *, axis: int, epsilon: float
) -> Any:
    return _gradient(g, out, x, scale, offset, groups=_channels(x, axis), axis=axis, epsilon=epsilon)


# x [batch, ..., channels at `axis`, ...], scale and offset [channels]; the statistics are the biased variance's.
group_norm = Op(
    "group_norm", _type, None, _gradient, _parts, output_names=("", "mean", "deviation"), saved=2, bound=_BOUND,
    smooth=True,
    samples=(sample((2, 3, 4), (4,), (4,), groups=2), sample((2, 6, 3, 4), (6,), (6,), groups=3, axis=1, epsilon=1e-2),
             sample((3, 5, 4), None, (4,), groups=1), sample((5, 3, 4), groups=4)),
)  # fmt: skip
# Each channel of each example is a group of its own.
instance_norm = Op(
    "instance_norm", _instance_type, None, _instance_gradient, _instance_parts,
    output_names=("", "mean", "deviation"), saved=2, bound=_BOUND, smooth=True,
    samples=(sample((2, 4, 3), (3,), (3,)), sample((2, 3, 5, 4), (3,), (3,), axis=1, epsilon=1e-2),
             sample((2, 5, 3), None, (3,)), sample((2, 3, 5), axis=1)),
)  # fmt: skip

OPS = (group_norm, instance_norm)
