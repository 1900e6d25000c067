"""Layers that multiply, look up, drop, rescale."""

from __future__ import annotations

from ....ir import ops
from ....ir.graph import Value
from ....ir.types import float32
from ..initializers import GLOROT_UNIFORM, UNIFORM, ZEROS, InitializerOption
from ..options import Count, Number, Rate
from ..penalties import PenaltyOption
from .activation import ActivationOption
from .base import Layer, Site, check_float, check_rank, fixed


class _Dense(Layer):
    """The last axis times a kernel, plus a bias."""

    units: Count
    activation: ActivationOption | None = None
    use_bias: bool = True
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    bias_initializer: InitializerOption = ZEROS
    kernel_regularizer: PenaltyOption | None = None
    bias_regularizer: PenaltyOption | None = None

    def affine(self, site: Site, x: Value, columns: int) -> Value:
        check_rank(x, 2)
        check_float(x)
        rows = fixed(x, -1)
        y = x @ site.parameter("kernel", (rows, columns), x.dtype, self.kernel_initializer, self.kernel_regularizer)
        if self.use_bias:
            y = y + site.parameter("bias", (columns,), x.dtype, self.bias_initializer, self.bias_regularizer)
        return y

    def activated(self, site: Site, y: Value) -> Value:
        return self.activation.build(site, y) if self.activation else y


class Dense(_Dense):
    """activation(x @ kernel + bias)."""

    kind = "dense"
    aliases = ("Dense",)
    main = "units"

    def build(self, site: Site, x: Value) -> Value:
        return self.activated(site, self.affine(site, x, self.units))


class Maxout(_Dense):
    """For each unit the largest of `pieces` affine functions; unit u owns the kernel's columns from u * pieces on."""

    kind = "maxout"
    aliases = ("Maxout",)
    pieces: Count

    def build(self, site: Site, x: Value) -> Value:
        return self.activated(site, ops.maxout(self.affine(site, x, self.units * self.pieces), pieces=self.pieces))


class Embedding(Layer):
    """The rows of a table at integer positions."""

    kind = "embedding"
    aliases = ("Embedding",)
    input_dim: Count
    output_dim: Count
    embeddings_initializer: InitializerOption = UNIFORM
    embeddings_regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        shape = (self.input_dim, self.output_dim)
        table = site.parameter("embeddings", shape, float32, self.embeddings_initializer, self.embeddings_regularizer)
        return ops.take(table, x, axis=0)  # type: ignore[no-any-return]


class Dropout(Layer):
    """In training each element is dropped with probability `rate`, and what is kept is scaled up."""

    kind = "dropout"
    aliases = ("Dropout",)
    main = "rate"
    rate: Rate

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        source = site.random(x) if self.rate else None
        return x if source is None else ops.dropout(x, *source, rate=self.rate)


class Rescaling(Layer):
    """x * scale + offset, as float32 where x is of integers."""

    kind = "rescaling"
    aliases = ("Rescaling",)
    main = "scale"
    scale: Number
    offset: Number = 0.0

    def build(self, site: Site, x: Value) -> Value:
        y = (x if x.dtype.is_float else ops.cast(x, dtype=float32)) * self.scale
        return y + self.offset if self.offset else y


LAYERS: tuple[type[Layer], ...] = (Dense, Maxout, Embedding, Dropout, Rescaling)
