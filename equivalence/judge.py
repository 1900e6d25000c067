"""The rules: when a tensor, a training run or an accuracy counts as the same, and by how much it does.

Each rule gives a ratio of error to allowance, so that "0.3 of the allowance" means something; more than 1 differs.
Shape, dtype, and where NaN and infinities stand come first and have no allowance.

*Inherited*: an element may deviate by 4 (s + rms(s)) and one ulp, where s is its spread over five perturbed runs and
rms(s) the tensor's root mean square. Of five draws the largest is now and then small by chance: with s alone correct
gradients reached 5.8 times the allowance (torch, batch normalization), with max(s, rms) 0.90, with s + rms(s) 0.02 to
0.65 (MLP, deep MLP, convolution, batch normalization; NumPy, JAX, PyTorch).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..ir import DType
from ..ir.types import dtype_of
from .expected import Expected
from .reference import eps_of, float_info
from .ties import ALLOWED, NearTie, root_mean_square

Outcome = Literal["same", "differs", "undecided"]
LOSS_ULPS = 4.0  # the floor of the allowance of a loss


@dataclass(frozen=True)
class Verdict:
    """What a rule says of one thing: the ratio of error to allowance, where it is largest, and the numbers there."""

    what: str
    outcome: Outcome
    ratio: float
    error: float
    allowance: float
    place: tuple[int, ...]
    candidate: float
    reference: float
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


def worst(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict that decides for all: what differs before what is undecided, then the largest ratio."""
    order = {"same": 0, "undecided": 1, "differs": 2}
    return max(verdicts, key=lambda v: (order[v.outcome], v.ratio), default=None)


def inherited(what: str, candidate: Any, expected: Expected, near: Sequence[NearTie] = ()) -> Verdict:
    """Hold a tensor to the spread of perturbed runs.

    Where it goes beyond, but not beyond that of runs that took the decisions near a tie the other way, it is undecided.
    """
    verdict = held_to(what, candidate, expected.dtype, expected.value, spread_allowance(expected, expected.spread))
    if verdict.outcome != "differs" or expected.turned is None or not near:
        return verdict
    wider = spread_allowance(expected, np.maximum(expected.spread, expected.turned))
    second = held_to(what, candidate, expected.dtype, expected.value, wider)
    return verdict if second.outcome == "differs" else _undecided(verdict, second, near)


def spread_allowance(expected: Expected, spread: np.ndarray) -> np.ndarray:
    """How far each element may be from the reference's."""
    if not expected.dtype.is_differentiable:
        return np.where(spread > 0, np.inf, 0.0)  # counts and choices: any, where perturbed runs choose differently
    floor = ulps(expected.value, expected.dtype) + smallest_normal(expected.dtype)
    return np.asarray(ALLOWED * (spread + root_mean_square(spread)) + floor)


def _undecided(verdict: Verdict, second: Verdict, near: Sequence[NearTie]) -> Verdict:
    count, node = sum(n.count for n in near), near[0].node
    many = f"{count:,} decisions are" if count > 1 else "one decision is"
    reason = (
        f"{verdict.reason}; but {many} so near a tie that rounding may turn them (the first: {node.op.name} at "
        f"{node.origin or 'an unknown place'}, by {near[0].distance:.1e}), and turned they explain it"
    )
    return replace(verdict, outcome="undecided", allowance=second.allowance, reason=reason)


def held_to(what: str, candidate: Any, dtype: DType, reference: np.ndarray, allowance: np.ndarray) -> Verdict:
    """Hold a tensor to an allowance for each element, after its type and its pattern."""
    found = np.asarray(candidate)
    held = np.broadcast_to(np.isfinite(allowance), reference.shape)  # elsewhere perturbed runs are not finite either
    wrong = _type_reason(found, dtype, reference) or _pattern_reason(found, dtype, reference, held)
    if wrong:
        reason, place = wrong
        numbers = [_number(a[place]) if place is not None else np.nan for a in (found, reference)]
        return Verdict(what, "differs", np.inf, np.inf, 0.0, place or (), numbers[0], numbers[1], reason)
    with np.errstate(all="ignore"):
        error = np.abs(found.astype(_wide(found)) - reference.astype(_wide(reference)))
        error = np.where(np.isfinite(found) & np.isfinite(reference), error, 0.0) if _floats(dtype) else error
        ratio = np.where(error > 0, error / allowance, 0.0)
    return _at_worst(what, found, reference, error, np.broadcast_to(allowance, error.shape), ratio)


def _at_worst(
    what: str, found: np.ndarray, reference: np.ndarray, error: np.ndarray, allowance: np.ndarray, ratio: np.ndarray
) -> Verdict:
    if not ratio.size:
        return Verdict(what, "same", 0.0, 0.0, 0.0, (), np.nan, np.nan, "there are no elements")
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
    largest, a, b = float(ratio[place]), _number(found[place]), _number(reference[place])
    if largest == 0.0:
        reason = "equal to the last bit that counts"
    elif largest <= 1.0:
        reason = f"at most {largest:.2g} of the allowance{_at(place)}"
    else:
        reason = f"{_times(largest)} the allowance{_at(place)}: {a:.9g}, where the reference has {b:.9g}"
    outcome: Outcome = "same" if largest <= 1.0 else "differs"
    return Verdict(what, outcome, largest, float(error[place]), float(allowance[place]), place, a, b, reason)


def _type_reason(found: np.ndarray, dtype: DType, reference: np.ndarray) -> tuple[str, None] | None:
    if found.shape != reference.shape:
        return f"the shape is {list(found.shape)}, not {list(reference.shape)}", None
    if found.dtype != dtype.numpy:
        return f"the element type is {found.dtype}, not {dtype.name}", None
    return None


def _pattern_reason(
    found: np.ndarray, dtype: DType, reference: np.ndarray, held: np.ndarray
) -> tuple[str, tuple[int, ...]] | None:
    if not _floats(dtype):
        return None
    with np.errstate(all="ignore"):
        rounded = reference.astype(dtype.numpy)  # what is larger than the declared type can hold is infinite there
        masks = [("NaN", np.isnan(found), np.isnan(rounded))]
        if dtype.kind == "float":
            masks += [(f"{sign}infinity", found == v, rounded == v) for sign, v in (("", np.inf), ("-", -np.inf))]
    for name, there, wanted in masks:
        odd = (there != wanted) & held
        if np.any(odd):
            place = tuple(int(i) for i in np.argwhere(odd)[0])
            count = int(np.sum(odd))
            which = f"{name}, where the reference has {reference[place]:.9g}"
            if wanted[place]:
                which = f"{found[place]:.9g}, where the reference has {name}"
            return f"{which}{_at(place)}" + (f", and so at {count} places" if count > 1 else ""), place
    return None


def loss_curve(losses: Sequence[float], expected: Sequence[Expected], near: Sequence[NearTie] = ()) -> Verdict:
    """Hold the losses of a training run to the reference's: the largest deviation so far, at each step.

    It may be 4 times that of the worst perturbed run so far, and is never held to less than four ulps of the loss.
    """
    verdict = _curve(losses, expected, [float(np.max(e.spread)) for e in expected])
    if verdict.outcome != "differs" or not near or not np.isfinite(verdict.candidate):
        return verdict
    turned = [float(np.max(np.maximum(e.spread, e.spread if e.turned is None else e.turned))) for e in expected]
    second = _curve(losses, expected, turned)
    return verdict if second.outcome == "differs" else _undecided(verdict, second, near)


def curve_allowances(expected: Sequence[Expected], spreads: Sequence[float]) -> np.ndarray:
    """The allowance of the largest deviation so far, for each step."""
    floors = [LOSS_ULPS * float(np.max(ulps(e.value, e.dtype))) for e in expected]
    return np.maximum.accumulate(np.maximum(ALLOWED * np.array(spreads), floors))


def _curve(losses: Sequence[float], expected: Sequence[Expected], spreads: Sequence[float]) -> Verdict:
    found, reference = np.array(losses, float), np.array([float(e.value) for e in expected])
    odd = np.flatnonzero(np.isfinite(found) != np.isfinite(reference))
    if odd.size:
        k = int(odd[0])
        reason = f"{found[k]:.9g} at step {k + 1}, where the reference has {reference[k]:.9g}"
        return Verdict("loss", "differs", np.inf, np.inf, 0.0, (k,), found[k], reference[k], reason)
    with np.errstate(all="ignore"):
        deviation = np.maximum.accumulate(np.nan_to_num(np.abs(found - reference)))
    allowance = curve_allowances(expected, spreads)
    with np.errstate(all="ignore"):
        ratio = np.where(deviation > 0, deviation / allowance, 0.0)
    k = int(np.flatnonzero(ratio > 1.0)[0]) if np.any(ratio > 1.0) else int(np.argmax(ratio))
    largest = float(np.max(ratio))
    reason = f"at most {largest:.2g} of what perturbed runs allow (step {k + 1} of {len(found)})"
    if largest > 1.0:
        reason = f"from step {k + 1} on beyond what perturbed runs allow, up to {_times(largest)}"
    outcome: Outcome = "same" if largest <= 1.0 else "differs"
    return Verdict(
        "loss", outcome, largest, float(deviation[k]), float(allowance[k]), (k,), found[k], reference[k], reason
    )


def accuracy(hits: int, reference: int, perturbed: Sequence[int], count: int) -> Verdict:
    """Hold the examples that a trained model gets right to the reference's.

    One more or less is allowed, or 4 times what perturbed runs of the training change.
    """
    allowance = max([1, *(int(ALLOWED) * abs(p - reference) for p in perturbed)])
    error = abs(hits - reference)
    reason = f"{hits} of {count} right, the reference {reference}; {allowance} more or less is allowed"
    outcome: Outcome = "same" if error <= allowance else "differs"
    return Verdict("test accuracy", outcome, error / allowance, error, allowance, (), hits, reference, reason)


def ulps(value: Any, dtype: DType) -> np.ndarray:
    """One ulp of each number in an element type (0 for zero, and what is no float)."""
    if not dtype.is_differentiable:
        return np.zeros(np.shape(value))
    with np.errstate(all="ignore"):
        size = np.abs(np.asarray(value))
        exponent = np.frexp(np.where(np.isfinite(size), size, 0.0))[1]
        return np.where(size > 0, np.ldexp(eps_of(dtype), exponent - 1), 0.0)


def smallest_normal(dtype: DType) -> float:
    """What some backends flush to zero."""
    return float(float_info(dtype).smallest_normal) if dtype.is_differentiable else 0.0


def _floats(dtype: DType) -> bool:
    return dtype.is_differentiable


def _wide(array: np.ndarray) -> Any:
    return np.complex128 if dtype_of(array.dtype).kind == "complex" else np.float64


def _number(element: Any) -> float:
    return float(np.real(element))


def _at(place: tuple[int, ...]) -> str:
    return f" at [{', '.join(map(str, place))}]" if place else ""


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if np.isfinite(ratio) else "infinitely many times"
