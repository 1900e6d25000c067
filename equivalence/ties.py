"""Near ties: decisions (comparisons, extremes, orders, rounding) that rounding may turn either way, and their turning.

A decision is near a tie where the distance of its operands is within the allowance of that distance: a multiple of
what it varies by over perturbed runs. A tie that does not vary at all (a unit that is off, compared with zero) is
exact, and everybody decides it alike. In a loop each iteration decides for itself; what only some of the runs come to
follows from another decision, which is near a tie itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir import Node, Op, ops
from .reference import Place, Step

ALLOWED = 4.0  # how many times its spread a deviation may be: the one factor of all inherited verdicts


def _difference(x: Any, y: Any, **_: Any) -> Any:
    return x - y


def _value(x: Any, **_: Any) -> Any:
    return x


def _to_integer(x: Any, **_: Any) -> Any:
    return x - np.rint(x)


def _to_half(x: Any, **_: Any) -> Any:
    return x - np.floor(x) - 0.5


# The signed distance of the first operand to where the op decides otherwise.
_DISTANCES: Mapping[Op, Callable[..., Any]] = {
    **dict.fromkeys(
        (ops.less, ops.less_equal, ops.greater, ops.greater_equal, ops.equal, ops.not_equal, ops.maximum, ops.minimum),
        _difference,
    ),
    ops.sign: _value,
    ops.floor: _to_integer,
    ops.ceil: _to_integer,
    ops.round_: _to_half,
    ops.cast: _to_integer,
}
# The operand whose largest (or smallest) element, or whose order, the op chooses.
_CHOSEN_FROM = {ops.argmax: 0, ops.argmin: 0, ops.argsort: 0, ops.max_pool_gradient: 1, ops.max_pool_select: 1}


Decision = tuple[Step, Place]  # a step, in one iteration of the loops around it


@dataclass(frozen=True)
class NearTie:
    """Decisions of one node that are near a tie: how many, and by how little (at the nearest, or at most)."""

    node: Node
    count: int
    distance: float


class Recorder:
    """Watches a run: the operands by which each discrete step decides."""

    def __init__(self) -> None:
        self.seen: dict[Decision, Any] = {}

    def __call__(self, step: Step, operands: list[Any], place: Place) -> list[Any]:
        distance = _DISTANCES.get(step.node.op)
        if distance is not None and _decides_on_floats(step, operands):
            self.seen[step, place] = distance(*operands, **step.attributes)
        elif step.node.op in _CHOSEN_FROM:
            self.seen[step, place] = operands[_CHOSEN_FROM[step.node.op]]
        return operands


def _decides_on_floats(step: Step, operands: Sequence[Any]) -> bool:
    floats = all(np.asarray(o).dtype.kind == "f" for o in operands)
    return floats and (step.node.op is not ops.cast or step.attributes["dtype"].kind in ("int", "uint"))


class Ties:
    """The near ties of a run, from what several perturbed runs saw."""

    def __init__(self, runs: Sequence[Recorder]) -> None:
        self.distances: dict[Decision, Any] = runs[0].seen
        self.allowances: dict[Decision, Any] = {}  # of what a step chooses from
        self.near: dict[Decision, Any] = {}  # the decisions that are near a tie
        self.found: list[NearTie] = []
        with np.errstate(all="ignore"):
            for decision, first in runs[0].seen.items():
                spread = np.zeros(np.shape(first))
                for run in runs[1:]:
                    spread = np.maximum(spread, np.abs(run.seen.get(decision, first) - first))
                allowed = ALLOWED * np.where(spread > 0, np.maximum(spread, root_mean_square(spread)), 0.0)
                if decision[0].node.op in _CHOSEN_FROM:
                    self.allowances[decision] = allowed
                else:
                    self._add(decision, first, (np.abs(first) <= allowed) & (spread > 0))

    def _add(self, decision: Decision, distances: Any, near: Any) -> None:
        if np.any(near):
            self.near[decision] = near
            self.found.append(NearTie(decision[0].node, int(np.sum(near)), float(np.min(np.abs(distances)[near]))))


def root_mean_square(spread: np.ndarray) -> float:
    """Of the elements that are finite."""
    with np.errstate(over="ignore"):
        return (
            float(np.sqrt(np.mean(np.square(spread), where=np.isfinite(spread)))) if np.isfinite(spread).any() else 0.0
        )


class Turner:
    """Watches a run and turns a share of the near ties, chosen at random."""

    def __init__(self, ties: Ties, share: float, seed: int) -> None:
        self._ties, self._share = ties, share
        self.found: list[NearTie] = []  # choices that came out otherwise
        self._generator = np.random.Generator(np.random.Philox(seed))

    def __call__(self, step: Step, operands: list[Any], place: Place) -> list[Any]:
        if (step, place) in self._ties.near:
            return self._turned((step, place), operands)
        return self._shifted((step, place), operands) if (step, place) in self._ties.allowances else operands

    def _shifted(self, decision: Decision, operands: list[Any]) -> list[Any]:
        """What is chosen from, each element moved by a random part of its allowance."""
        step, allowed = decision[0], self._ties.allowances[decision]
        place = _CHOSEN_FROM[step.node.op]
        moved = list(operands)
        moved[place] = operands[place] + allowed * self._generator.uniform(-1.0, 1.0, np.shape(operands[place]))
        changed = step.rule(*moved, **step.attributes) != step.rule(*operands, **step.attributes)
        if np.any(changed):
            self.found.append(NearTie(step.node, int(np.sum(changed)), float(np.max(allowed))))
        return moved

    def _turned(self, decision: Decision, operands: list[Any]) -> list[Any]:
        """The first operand moved so far that the reference's decision is turned where it is near a tie."""
        step, first, near = decision[0], self._ties.distances[decision], self._ties.near[decision]
        if self._share < 1.0:
            near = near & (self._generator.random(np.shape(near)) < self._share)
        own = _DISTANCES[step.node.op](*operands, **step.attributes)
        sides = np.where(first == 0, self._generator.choice((-1.0, 1.0), np.shape(first)), -np.sign(first))
        target = sides * np.maximum(np.abs(own), np.abs(first))
        if step.node.op in (ops.equal, ops.not_equal):
            target = np.where(first == 0, target, 0.0)
        return [operands[0] + np.where(near, target - own, 0.0), *operands[1:]]
