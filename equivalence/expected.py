"""What a candidate is held to: the reference's value, and how far perturbed runs of it spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir import DType
from .reference import HELD, Key, Noise, Reference, Replica
from .ties import NearTie, Recorder, Ties, Turner

RUNS = 5  # perturbed runs; the design's number
TURNED = (1.0, 0.5, 0.5)  # the shares of near ties that further runs turn


@dataclass(frozen=True, eq=False)
class Expected:
    """A reference's tensor, wide; the largest deviation over perturbed runs, and over those that turned near ties."""

    dtype: DType  # as declared
    value: np.ndarray
    spread: np.ndarray
    turned: np.ndarray | None = None


class Ensemble:
    """A reference and perturbed replicas of it, which hold parameters and state and run in step.

    With `ties`, further replicas take every decision near a tie the other way; `near` lists those decisions.
    """

    def __init__(self, reference: Reference, arrays: Mapping[Key, Any], seed: int = 0, *, ties: bool = False) -> None:
        self.reference, self.seed, self.ties = reference, seed, ties
        noises = [Noise(seed * 1000 + i, one_by_one=i == 0) for i in range(RUNS + len(TURNED) * ties)]
        self.replicas = [Replica(reference, arrays), *(Replica(reference, arrays, n) for n in noises[:RUNS])]
        self.turned = [Replica(reference, arrays, n) for n in noises[RUNS:]]
        self.near: list[NearTie] = []
        self._calls = 0

    def __call__(self, *inputs: Any) -> list[Expected]:
        """What each output that is not held should be."""
        wide = self.reference.widen_inputs(inputs)
        recorders = [Recorder() for _ in self.replicas] if self.ties else [None] * len(self.replicas)
        results = [r(*wide, watch=w) for r, w in zip(self.replicas, recorders, strict=True)]
        turned = self._turn(wide, Ties([r for r in recorders if r is not None])) if self.ties else []
        ports = [p for p in self.reference.outputs if p.role not in HELD]
        return [_expected(p.value.dtype, [r[i] for r in results], [t[i] for t in turned]) for i, p in enumerate(ports)]

    def _turn(self, wide: Sequence[Any], ties: Ties) -> list[list[Any]]:
        self.near += ties.found
        self._calls += 1
        turners = [Turner(ties, share, self._calls * len(TURNED) + i) for i, share in enumerate(TURNED)]
        results = [r(*wide, watch=w) for r, w in zip(self.turned, turners, strict=True)]
        self.near += turners[0].found
        return results

    def arrays(self) -> dict[Key, Expected]:
        """What each parameter and state should be by now."""
        types = {(p.role, p.path): p.value.dtype for p in self.reference.ports}
        return {
            k: _expected(types[k], [r.held[k] for r in self.replicas], [r.held[k] for r in self.turned])
            for k in self.replicas[0].held
        }


def _expected(dtype: DType, runs: Sequence[Any], turned: Sequence[Any]) -> Expected:
    value = np.asarray(runs[0])
    return Expected(dtype, value, spread_of(value, runs[1:]), spread_of(value, turned) if turned else None)


def spread_of(value: np.ndarray, runs: Sequence[Any]) -> np.ndarray:
    """The largest deviation of each element; infinite where one run is finite and another is not."""
    spread = np.zeros(value.shape)
    with np.errstate(all="ignore"):
        for run in runs:
            same = (run == value) | (np.isnan(run) & np.isnan(value)) if value.dtype.kind in "fc" else run == value
            deviation = np.abs(np.subtract(run, value, dtype=_wide(value.dtype)))
            spread = np.maximum(spread, np.where(same, 0.0, np.where(np.isnan(deviation), np.inf, deviation)))
    return spread


def _wide(dtype: np.dtype[Any]) -> Any:
    return np.complex128 if dtype.kind == "c" else np.float64
