"""The reference's side of a comparison: each program in float64, and again with ties when something differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..backends.loop import accuracy
from ..ir import Graph
from .expected import Ensemble, Expected
from .reference import Key, Reference, Replica
from .ties import NearTie

Batch = Sequence[np.ndarray]


@dataclass(frozen=True)
class Run:
    """What a program should give: the outputs of each call, what is held at last, and decisions near a tie."""

    outputs: list[list[Expected]]
    arrays: dict[Key, Expected]
    near: list[NearTie]
    held: list[dict[Key, Any]]  # by the reference, then by each perturbed run


class Truth:
    """A program's reference runs on given batches; those with ties only when somebody asks."""

    def __init__(self, graph: Graph, arrays: Mapping[Key, np.ndarray], batches: Sequence[Batch], seed: int) -> None:
        self.graph, self.arrays, self.batches, self.seed = graph, arrays, batches, seed
        self.reference = Reference(graph)

    @cached_property
    def plain(self) -> Run:
        return self._run(ties=False)

    @cached_property
    def tied(self) -> Run:
        return self._run(ties=True)

    def _run(self, ties: bool) -> Run:
        ensemble = Ensemble(self.reference, self.arrays, self.seed, ties=ties)
        outputs = [ensemble(*batch) for batch in self.batches]
        return Run(outputs, ensemble.arrays(), ensemble.near, [r.held for r in ensemble.replicas])

    def held_before(self, step: int) -> dict[Key, np.ndarray]:
        """The reference's parameters and state before a step (from 0), rounded to their declared types."""
        ensemble = Ensemble(self.reference, self.arrays, self.seed)
        main = ensemble.replicas[0]
        for batch in self.batches[:step]:
            main(*self.reference.widen_inputs(batch))
        types = {(p.role, p.path): p.value.dtype.numpy for p in self.graph.inputs}
        return {k: np.asarray(a, types[k]) for k, a in main.held.items()}


def hits(graph: Graph, trained: Sequence[Mapping[Key, Any]], chunks: Sequence[Batch], targets: np.ndarray) -> list[int]:
    """How many test examples the reference gets right with each set of parameters and state, in inference mode."""
    reference = Reference(graph)
    found = []
    for held in trained:
        replica = Replica(reference, held)
        predictions = [np.asarray(replica(*reference.widen_inputs(chunk))[0]) for chunk in chunks]
        found.append(count_hits(predictions, targets))
    return found


def count_hits(predictions: Sequence[np.ndarray], targets: np.ndarray) -> int:
    """How many predictions are right, by the rule of `isograd.train`."""
    together = np.concatenate(predictions)
    return round(accuracy(together, targets[: len(together)]) * len(together))
