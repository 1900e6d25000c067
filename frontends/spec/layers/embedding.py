"""Tables of vectors, positions, and the masks that come with them: a mask is a second result, under a name."""

from __future__ import annotations

from ....ir import ops
from ....ir.graph import Value
from ....ir.types import float32
from ..initializers import GLOROT_UNIFORM, UNIFORM, InitializerOption
from ..options import Count, Number
from ..penalties import PenaltyOption
from .base import Layer, Results, Site, check_axes, check_float, check_rank, fixed


class Embedding(Layer):
    """The rows of a table at integer positions; with `mask_zero` also where x is not 0, as a mask."""

    kind = "embedding"
    aliases = ("Embedding",)
    input_dim: Count
    output_dim: Count
    embeddings_initializer: InitializerOption = UNIFORM
    embeddings_regularizer: PenaltyOption | None = None
    mask_zero: bool = False

    def build(self, site: Site, x: Value) -> Results:
        shape = (self.input_dim, self.output_dim)
        table = site.parameter("embeddings", shape, float32, self.embeddings_initializer, self.embeddings_regularizer)
        y: Value = ops.take(table, x, axis=0)
        return (y, ops.not_equal(x, 0)) if self.mask_zero else y


class PositionEmbedding(Layer):
    """A learnt vector for each place of [N, places, features], the same for every example: x's shape."""

    kind = "position_embedding"
    aliases = ("PositionEmbedding",)
    main = "sequence_length"
    sequence_length: Count
    initializer: InitializerOption = GLOROT_UNIFORM
    regularizer: PenaltyOption | None = None

    def build(self, site: Site, x: Value) -> Value:
        check_axes(x, "NTC")
        check_float(x)
        shape = (self.sequence_length, fixed(x, -1))
        table = site.parameter("embeddings", shape, x.dtype, self.initializer, self.regularizer)
        return ops.broadcast_to(ops.slice_axis(table, 0, 0, x.shape[1]), shape=x.shape)  # type: ignore[no-any-return]


class Masking(Layer):
    """x with zeros where all of its features are `mask_value`, and the mask of the places that are not."""

    kind = "masking"
    aliases = ("Masking",)
    main = "mask_value"
    mask_value: Number = 0.0

    def build(self, site: Site, x: Value) -> Results:
        check_rank(x, 2)
        check_float(x)
        mask = ops.reduce_any(ops.not_equal(x, self.mask_value), axes=(-1,))
        return ops.where(ops.expand_dims(mask, -1), x, 0.0), mask


LAYERS: tuple[type[Layer], ...] = (Embedding, PositionEmbedding, Masking)
