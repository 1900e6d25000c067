"""The rules on made-up numbers: each verdict reached, and each just missed."""

import dataclasses

import numpy as np
import pytest

from isograd.equivalence.expected import Expected
from isograd.equivalence.judge import accuracy, inherited, loss_curve, spread_allowance, ulps, worst
from isograd.equivalence.ties import NearTie
from isograd.ir import Graph, TensorType
from isograd.ir.types import bool_, float32, int32

ULP = 2.0**-23


def expected(value, spread, turned=None, dtype=float32):
    value = np.asarray(value, float if dtype.is_float else dtype.numpy)
    full = [None if s is None else np.broadcast_to(np.asarray(s, float), value.shape) for s in (spread, turned)]
    return Expected(dtype, value, *full)


def tie():
    graph = Graph()
    x = graph.input("x", TensorType(float32, ()))
    with graph.at("model.py:3"):
        _ = x > 0.0
    return [NearTie(graph.nodes[-1], 2, 1e-9)]


# the inherited rule


@pytest.mark.parametrize(("error", "outcome"), [(7.9e-6, "same"), (8.2e-6, "differs")])
def test_a_tensor_may_deviate_by_four_times_spread_and_typical_spread(error, outcome):
    """All elements spread by 1e-6, so that is 4 (1e-6 + 1e-6), and one ulp."""
    wanted = expected(np.ones((2, 3)), 1e-6)
    found = np.ones((2, 3), np.float32)
    found[1, 2] += error
    verdict = inherited("t", found, wanted)
    assert verdict.outcome == outcome
    assert verdict.place == (1, 2)
    assert verdict.ratio == pytest.approx(error / 8.12e-6, rel=0.03)
    assert verdict.ratio == pytest.approx(verdict.error / verdict.allowance)
    assert verdict.reference == 1.0


@pytest.mark.parametrize(("steps", "outcome"), [(1, "same"), (2, "differs")])
def test_without_spread_one_ulp_is_allowed(steps, outcome):
    verdict = inherited("t", np.float32(1 + steps * ULP), expected(1.0, 0.0))
    assert verdict.outcome == outcome


def test_an_element_with_little_spread_by_chance_is_held_to_the_typical_one():
    spread = np.full(100, 1e-6)
    spread[7] = 0.0
    found = np.zeros(100, np.float32)
    found[7] = 3.9e-6
    assert inherited("t", found, expected(np.zeros(100), spread)).outcome == "same"
    found[7] = 4.1e-6
    assert inherited("t", found, expected(np.zeros(100), spread)).outcome == "differs"


def test_equal_tensors_have_ratio_zero():
    verdict = inherited("t", np.ones(3, np.float32), expected(np.ones(3), 0.0))
    assert (verdict.outcome, verdict.ratio, verdict.reason) == ("same", 0.0, "equal to the last bit that counts")


def test_tensors_without_elements_are_equal():
    assert inherited("t", np.ones((0, 2), np.float32), expected(np.ones((0, 2)), 0.0)).outcome == "same"


def test_what_a_backend_flushes_to_zero_is_allowed():
    assert inherited("t", np.float32(0), expected(1e-38, 0.0)).outcome == "same"
    assert inherited("t", np.float32(0), expected(3e-38, 0.0)).outcome == "differs"


@pytest.mark.parametrize(
    ("found", "reference", "words"),
    [
        (np.ones((3, 2), np.float32), np.ones((2, 3)), "the shape is [3, 2], not [2, 3]"),
        (np.ones(2), np.ones(2), "the element type is float64, not float32"),
        (np.array([1, np.nan], np.float32), np.ones(2), "NaN, where the reference has 1 at [1]"),
        (np.ones(2, np.float32), np.array([1, np.nan]), "1, where the reference has NaN at [1]"),
        (np.array([np.inf, 1], np.float32), np.ones(2), "infinity, where the reference has 1 at [0]"),
        (np.array([-np.inf, 1], np.float32), np.array([np.inf, 1]), "1 at [0]"),
        (np.full(3, np.nan, np.float32), np.ones(3), "and so at 3 places"),
    ],
)
def test_patterns_have_no_allowance(found, reference, words):
    verdict = inherited("t", found, expected(reference, 1e9))
    assert verdict.outcome == "differs"
    assert verdict.ratio == np.inf
    assert words in verdict.reason or words == "1 at [0]"


def test_the_same_pattern_is_the_same():
    special = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert inherited("t", special.astype(np.float32), expected(special, 0.0)).outcome == "same"


def test_what_float32_cannot_hold_is_infinite():
    assert inherited("t", np.float32(np.inf), expected(1e39, 0.0)).outcome == "same"
    assert inherited("t", np.float32(3e38), expected(1e39, 0.0)).outcome == "differs"


def test_where_perturbed_runs_are_not_finite_either_nothing_is_held():
    wanted = expected([1.0, 1.0], [np.inf, 0.0])
    assert inherited("t", np.array([np.nan, 1.0], np.float32), wanted).outcome == "same"
    assert inherited("t", np.array([1.0, np.nan], np.float32), wanted).outcome == "differs"


@pytest.mark.parametrize("dtype", [int32, bool_])
def test_integers_are_equal_or_not(dtype):
    value = np.array([0, 1, 1], dtype.numpy)
    assert inherited("t", value, expected(value, 0.0, dtype=dtype)).outcome == "same"
    other = np.array([0, 1, 0], dtype.numpy)
    assert inherited("t", other, expected(value, 0.0, dtype=dtype)).outcome == "differs"
    assert inherited("t", other, expected(value, [0, 0, 1.0], dtype=dtype)).outcome == "same"


# ties


@pytest.mark.parametrize(
    ("turned", "near", "outcome"), [(1e-3, tie(), "undecided"), (1e-3, [], "differs"), (1e-5, tie(), "differs")]
)
def test_undecided_is_what_turned_ties_explain_and_nothing_else(turned, near, outcome):
    verdict = inherited("t", np.float32(1.002), expected(1.0, 1e-6, turned), near)
    assert verdict.outcome == outcome
    assert verdict.ratio > 100
    if outcome == "undecided":
        assert "2 decisions are so near a tie" in verdict.reason
        assert "greater at model.py:3, by 1.0e-09" in verdict.reason


def test_what_is_the_same_needs_no_ties():
    assert inherited("t", np.float32(1), expected(1.0, 1e-6, 1e-3), tie()).outcome == "same"


# the loss curve


def curve(*errors, spreads=(1e-6, 1e-6, 1e-6), turned=None, near=()):
    turns = [None] * 3 if turned is None else turned
    steps = [expected(1.0, s, t) for s, t in zip(spreads, turns, strict=True)]
    return loss_curve([1.0 + e for e in errors], steps, near)


@pytest.mark.parametrize(("last", "outcome"), [(3.9e-6, "same"), (4.1e-6, "differs")])
def test_losses_may_deviate_by_four_times_the_worst_perturbed_run(last, outcome):
    verdict = curve(0, 1e-6, last)
    assert (verdict.outcome, verdict.place) == (outcome, (2,))
    assert verdict.ratio == pytest.approx(last / 4e-6)


def test_the_largest_deviation_so_far_counts_on_both_sides():
    assert curve(0, 3e-5, 0, spreads=(1e-6, 1e-5, 1e-7)).outcome == "same"
    assert curve(0, 0, 3e-5, spreads=(1e-5, 1e-7, 1e-7)).outcome == "same"
    early = curve(3e-5, 0, 0, spreads=(1e-6, 1e-5, 1e-5))
    assert (early.outcome, early.place) == ("differs", (0,))
    assert "from step 1 on" in early.reason


@pytest.mark.parametrize(("count", "outcome"), [(3.9, "same"), (4.1, "differs")])
def test_four_ulps_of_the_loss_are_always_allowed(count, outcome):
    assert curve(0, 0, count * ULP, spreads=(0, 0, 0)).outcome == outcome


def test_a_loss_that_is_not_finite_differs():
    verdict = curve(0, np.nan, 0)
    assert (verdict.outcome, verdict.place, verdict.ratio) == ("differs", (1,), np.inf)


def test_a_curve_that_turned_ties_explain_is_undecided():
    assert curve(0, 0, 1e-3, turned=(0, 0, 1e-3), near=tie()).outcome == "undecided"
    assert curve(0, 1e-3, 0, turned=(0, 0, 1e-3), near=tie()).outcome == "differs"


# the rest


@pytest.mark.parametrize(
    ("hits", "perturbed", "outcome"),
    [(91, [90] * 5, "same"), (88, [90] * 5, "differs"), (94, [90, 91], "same"), (95, [90, 91], "differs")],
)
def test_accuracy(hits, perturbed, outcome):
    assert accuracy(hits, 90, perturbed, 100).outcome == outcome


@pytest.mark.parametrize("value", [1.0, 1.5, 2.0, 0.1, 1e-20, 3e38])
def test_ulps_are_those_of_float32(value):
    assert ulps(value, float32) == np.spacing(np.float32(value))
    assert ulps(-value, float32) == np.spacing(np.float32(value))


def test_ulps_of_zero_and_of_integers():
    assert ulps([0.0], float32).tolist() == [0.0]
    assert ulps([3], int32).tolist() == [0.0]


def test_the_allowance_survives_runs_that_diverged():
    wanted = expected([1.0, 2.0], [1e200, 1e-6])
    assert np.all(spread_allowance(wanted, wanted.spread) > 0)


def test_the_worst_verdict_is_one_that_differs():
    same = inherited("a", np.float32(1 + ULP), expected(1.0, 0.0))
    undecided = dataclasses.replace(same, outcome="undecided", ratio=9.0)
    differs = dataclasses.replace(same, outcome="differs", ratio=2.0)
    assert worst([same, differs, undecided]) is differs
    assert worst([undecided, same]) is undecided
    assert worst([]) is None
