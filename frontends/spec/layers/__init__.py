"""The layers of a spec, one family a file; `LAYERS` is the table of their names."""

from ..options import Table
from . import (
    activation,
    attention,
    convolution,
    convolution_forms,
    core,
    embedding,
    merging,
    noise,
    normalization,
    pooling,
    recurrent,
    resampling,
    shaping,
    wrapping,
)
from .activation import ACTIVATIONS
from .base import Layer, Site
from .recurrent import RECURRENT

FAMILIES = (
    core, embedding, noise, convolution, convolution_forms, pooling, resampling, normalization, activation, shaping,
    merging, attention, recurrent, wrapping,
)  # fmt: skip
LAYERS: Table[Layer] = Table("layer", tuple(layer for family in FAMILIES for layer in family.LAYERS))

__all__ = ["ACTIVATIONS", "FAMILIES", "LAYERS", "RECURRENT", "Layer", "Site"]
