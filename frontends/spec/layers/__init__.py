"""The layers of a spec, one family a file; `LAYERS` is the table of their names."""

from ..options import Table
from . import activation, convolution, core, merging, normalization, pooling, recurrent, shaping
from .activation import ACTIVATIONS
from .base import Layer, Site
from .recurrent import RECURRENT

FAMILIES = (core, convolution, pooling, normalization, activation, shaping, merging, recurrent)
LAYERS: Table[Layer] = Table("layer", tuple(layer for family in FAMILIES for layer in family.LAYERS))

__all__ = ["ACTIVATIONS", "FAMILIES", "LAYERS", "RECURRENT", "Layer", "Site"]
