"""Passes: functions from graph to graph, one a file."""

from .decompose import decompose
from .merge_common import merge_common
from .remove_dead import remove_dead

__all__ = ["decompose", "merge_common", "remove_dead"]
