"""Views: how an array that a program stores lies to the source's array of the same name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..ir import Graph
from .runtime import Key

Views = Mapping[Key, tuple[int, ...]]  # the source's axes in the order in which they are stored


def views_of(graph: Graph) -> dict[Key, tuple[int, ...]]:
    """The views among a prepared graph's parameters and state."""
    return {(p.role, p.path): p.view for p in graph.inputs if p.view is not None}


def stored(array: np.ndarray, view: tuple[int, ...] | None) -> np.ndarray:
    """The source's array as it is stored."""
    return array if view is None else np.ascontiguousarray(array.transpose(view))


def as_source(array: np.ndarray, view: tuple[int, ...] | None) -> np.ndarray:
    """A stored array as the source has it."""
    return array if view is None else np.ascontiguousarray(array.transpose(np.argsort(view)))
