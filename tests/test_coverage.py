"""docs/demand names every op of the measured demand once, with ops that there are, and docs/coverage.md is current."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from isograd.backends import BACKENDS, is_installed
from isograd.ir import ops

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
if not all(map(is_installed, BACKENDS)):
    pytest.skip("the page is of all backends", allow_module_level=True)

import coverage_page  # noqa: E402

DEMANDS = {f: coverage_page.read_demand(f) for f in coverage_page.FRAMEWORKS}


@pytest.mark.parametrize("framework", DEMANDS)
def test_every_op_of_the_demand_is_told_of_once(framework: str) -> None:
    demand = DEMANDS[framework]
    assert sorted(demand.told) == sorted(demand.names)


@pytest.mark.parametrize("framework", DEMANDS)
def test_what_expresses_an_op_is_there(framework: str) -> None:
    """An op, or a function of `isograd.ir.ops` that builds with them."""
    for op, names in DEMANDS[framework].expressed.items():
        assert names.split(), op
        unknown = [n for n in names.split() if n not in ops.BY_NAME and not callable(getattr(ops, n, None))]
        assert unknown == [], op


def test_all_sources_are_read() -> None:
    assert sum(len(d.sources) for d in DEMANDS.values()) == 20
    assert all(s["programs"] > 0 for d in DEMANDS.values() for s in d.sources.values())


def test_a_reason_is_a_sentence() -> None:
    for demand in DEMANDS.values():
        assert all(len(why) > 20 for why in (*demand.left_out.values(), *demand.needs_no_op.values()))


def test_the_page_is_current() -> None:
    """`python benchmarks/coverage_page.py` writes it."""
    assert coverage_page.PAGE.read_text() == coverage_page.page()
