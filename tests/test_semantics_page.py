"""docs/semantics.md tells of every row of the semantics table, and of tests that carry the row's id."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COUNTS = {"V": 28, "I": 35, "G": 28, "P": 16, "N": 23, "O": 9}  # rows of NUMERICS 3.6
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "semantics.md").read_text().splitlines()
    if re.match(r"\| [VIGPNO]\d", line)
]


def test_each_row_is_there_once():
    assert [row[0] for row in ROWS] == [f"{kind}{k}" for kind, n in COUNTS.items() for k in range(1, n + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_it_is_held_or_says_why_not(row):
    name, _, decided, held = row
    assert decided
    files = re.findall(r"`(tests/[\w/]+\.py)`", held)
    assert files or re.match(r"none: \w.{10}", held)
    for file in files:
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text()), f"{file} has no test of {name}"
