"""Layers around layers."""

from __future__ import annotations

from typing import Annotated

from ....ir import ops
from ....ir.dims import product
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ..options import Table, choice
from . import activation, convolution, convolution_forms, core, embedding, noise, normalization, pooling, resampling
from . import shaping as _shaping
from .base import Layer, Site, check_rank

INNER: Table[Layer] = Table(
    "layer",
    tuple(
        layer
        for family in (
            core, embedding, noise, convolution, convolution_forms, pooling, resampling, normalization, activation,
            _shaping,
        )
        for layer in family.LAYERS
    ),
)  # fmt: skip


class TimeDistributed(Layer):
    """A layer at each place of the second axis, with one set of parameters."""

    kind = "time_distributed"
    aliases = ("TimeDistributed",)
    main = "layer"
    layer: Annotated[Layer, choice(INNER)]

    def build(self, site: Site, x: Value) -> Value:
        check_rank(x, 3)
        places = x.shape[:2]
        rows = ops.reshape(x, shape=(product(places), *x.shape[2:]))
        with site.part("layer", self.layer.kind, {"x": rows}) as inner:
            y = self.layer.apply(inner, [rows])
        if isinstance(y, tuple):
            raise TypeMismatchError(f"{self.layer.kind} gives {len(y)} tensors, and time_distributed takes one")
        return ops.reshape(y, shape=(*places, *y.shape[1:]))  # type: ignore[no-any-return]


LAYERS: tuple[type[Layer], ...] = (TimeDistributed,)
