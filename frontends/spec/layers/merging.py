"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.op import Op
from ..options import Index
from .base import Layer, Site


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


def _types(operands: Sequence[Any]) -> str:
    return " and ".join(str(x.type) for x in operands)


LAYERS: tuple[type[Layer], ...] = (Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate)
