"""The passes that make a graph smaller and change no result, until there is nothing left to do."""

from __future__ import annotations

from ..collection import uncollected
from ..graph import Graph
from ..rewrite import inside
from .fold_constants import BUDGET, fold_constants
from .merge_common import merge_common
from .merge_loops import merge_loops
from .remove_dead import remove_dead
from .simplify import simplify
from .trim_bodies import trim_bodies


@uncollected
def optimize(graph: Graph, budget: int = BUDGET, *, within_layers: bool = False) -> Graph:
    """Simplify, fold constants, merge what is common, remove what is dead; again while anything changes.

    Bodies of loops and branches likewise, after they have lost what nothing outside uses. `within_layers` keeps what
    crosses the border of a layer, so that equal layers stay equal.
    """
    graph = inside(graph, lambda body: optimize(body, budget))
    while True:
        folded = fold_constants(simplify(graph, within_layers), budget)
        smaller = trim_bodies(remove_dead(merge_loops(merge_common(folded))))
        if smaller is graph:  # each pass gives back the graph itself where it finds nothing
            return graph
        graph = smaller
