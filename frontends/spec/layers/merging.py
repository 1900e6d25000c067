"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Annotated, Any, ClassVar

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.op import Op
from ..options import Index, OptionError, Read, show
from .base import Layer, Site

_AXES_SCHEMA = {
    "anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}]
}


def _read_axes(value: Any) -> int | tuple[int, int]:
    axes = [value] * 2 if not isinstance(value, list) else value
    if len(axes) != 2 or not all(isinstance(a, int) and not isinstance(a, bool) for a in axes):
        raise OptionError(f"axes of dot must be a whole number, or a list of 2, not {show(value)}")
    return value if isinstance(value, int) else (axes[0], axes[1])


class _Merge(Layer):
    """An elementwise op over all operands, from the first on.

    Operands of lower rank gain axes after that of the batch, as in Keras.
    """

    least = 2
    most: ClassVar[int | None] = None
    op: ClassVar[Op]

    def apply(self, site: Site, operands: Sequence[Value]) -> Value:
        rank = max(x.rank for x in operands)
        return reduce(self.op, (_raised(x, rank) for x in operands))


def _raised(x: Value, rank: int) -> Value:
    return ops.expand_dims(x, *range(1, 1 + rank - x.rank)) if 0 < x.rank < rank else x


class Add(_Merge):
    kind = "add"
    aliases = ("Add",)
    op = ops.add


class Subtract(_Merge):
    kind = "subtract"
    aliases = ("Subtract",)
    most = 2
    op = ops.subtract


class Multiply(_Merge):
    kind = "multiply"
    aliases = ("Multiply",)
    op = ops.multiply


class Maximum(_Merge):
    kind = "maximum"
    aliases = ("Maximum",)
    op = ops.maximum


class Minimum(_Merge):
    kind = "minimum"
    aliases = ("Minimum",)
    op = ops.minimum


class Average(_Merge):
    kind = "average"
    aliases = ("Average",)
    op = ops.add

    def apply(self, site: Site, operands: Sequence[Value]) -> Value:
        return super().apply(site, operands) / float(len(operands))


class Concatenate(Layer):
    """The operands one after the other along an axis."""

    kind = "concatenate"
    aliases = ("Concatenate",)
    main = "axis"
    least = 2
    most = None
    axis: Index = -1

    def apply(self, site: Site, operands: Sequence[Value]) -> Value:
        axis = ops.normalize_axis(self.axis, operands[0].rank)
        shapes = {(x.rank, x.dtype, tuple(s for i, s in enumerate(x.shape) if i != axis)) for x in operands}
        if len(shapes) > 1:
            raise TypeMismatchError(
                f"concatenate along axis {self.axis} needs equal sizes along the others, not {_types(operands)}"
            )
        return ops.concatenate(*operands, axis=self.axis)  # type: ignore[no-any-return]


class Dot(Layer):
    """The sum of products along one axis of each operand, for each example; normalized, the cosine of the angle."""

    kind = "dot"
    aliases = ("Dot",)
    main = "axes"
    least, most = 2, 2
    axes: Annotated[Index | tuple[Index, Index], Read(_read_axes, _AXES_SCHEMA)]
    normalize: bool = False

    def apply(self, site: Site, operands: Sequence[Value]) -> Value:
        given = (self.axes,) * 2 if isinstance(self.axes, int) else self.axes
        a, b = (ops.normalize_axis(axis, x.rank) for axis, x in zip(given, operands, strict=True))
        if not a or not b:
            raise TypeMismatchError("dot sums along axes of an example, not along the first, that of the batch")
        if self.normalize:
            x, y = (ops.l2_normalize(o, axes=(c,), epsilon=1e-7) for o, c in zip(operands, (a, b), strict=True))
        else:
            x, y = operands
        products: Value = ops.dot_general(x, y, contracting=((a,), (b,)), batch=((0,), (0,)))
        return ops.expand_dims(products, 1) if products.rank == 1 else products


def _types(operands: Sequence[Any]) -> str:
    return " and ".join(str(x.type) for x in operands)


LAYERS: tuple[type[Layer], ...] = (Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot)
