"""Clipping of gradients: by value, by the norm of each, by the norm of all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import ops
from ..errors import SpecError
from ..graph import Value
from ..op import NO_GRADIENT, Bound, Op, sample
from ..types import TensorType
from .names import find

KINDS = ("value", "norm", "global_norm")


def _norm_type(*gradients: TensorType) -> TensorType:
    return TensorType(gradients[0].dtype, ())


def _norm_parts(*gradients: Value) -> Value:
    total = ops.reduce_sum(ops.square(gradients[0]))
    for g in gradients[1:]:
        total = total + ops.cast(ops.reduce_sum(ops.square(g)), dtype=gradients[0].dtype)
    return ops.sqrt(total)  # type: ignore[no-any-return]


global_norm = Op(
    "global_norm", _norm_type, None, NO_GRADIENT, _norm_parts, bound=Bound("parts"),
    samples=(sample((2, 3)), sample((2, 3), (4,))),
)  # fmt: skip

OPS = (global_norm,)


def check_clip(clip: Mapping[str, float]) -> None:
    """Raise `SpecError` where there is no such clip, more than one, or no positive bound."""
    for kind, bound in clip.items():
        find("clip", kind, dict.fromkeys(KINDS))
        if not isinstance(bound, int | float) or not bound > 0:
            raise SpecError(f"the bound of clip {kind} must be a positive number, not {bound!r}")
    if len(clip) > 1:
        raise SpecError(f"one clip at a time, not {', '.join(clip)}")


def clip_factor(gradients: Sequence[Value], bound: float, convention: str) -> Value:
    """What to multiply gradients by, so that their norm is at most `bound` (`NUMERICS.md` 3.6 N23).

    PyTorch adds 1e-6 to the norm, so that one a little above the bound shrinks below it; Keras makes all gradients NaN
    where one is infinite; with Optax a norm below the bound changes no bit.
    """
    norm = (global_norm(*gradients)).named("norm")
    if convention == "torch":
        return ops.minimum(bound / (norm + 1e-6), 1.0).named("factor")  # type: ignore[no-any-return]
    if convention == "keras":
        return (bound / ops.maximum(norm, bound) + (norm - norm)).named("factor")  # type: ignore[no-any-return]
    small = norm < bound
    return ops.where(small, 1.0, bound / ops.where(small, 1.0, norm)).named("factor")  # type: ignore[no-any-return]


def clip_value(g: Value, bound: float) -> Value:
    return ops.minimum(ops.maximum(g, -bound), bound)  # type: ignore[no-any-return]
