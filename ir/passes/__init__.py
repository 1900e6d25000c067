"""Passes: functions from graph to graph, one a file."""

from .decompose import decompose
from .fold_constants import fold_constants
from .merge_common import merge_common
from .narrow import narrow
from .optimize import optimize
from .remove_dead import remove_dead
from .simplify import simplify
from .widen import widen

__all__ = ["decompose", "fold_constants", "merge_common", "narrow", "optimize", "remove_dead", "simplify", "widen"]
