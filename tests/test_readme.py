"""That what the README shows is what isograd prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import isograd
from isograd.backends import is_installed
from isograd.backends.export import source

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DIGITS = ROOT / "examples" / "digits.yaml"


def test_the_spec_is_the_example() -> None:
    assert re.search(r"```yaml\n(.*?)```", README, re.S)[1] == DIGITS.read_text()


@pytest.mark.skipif(not is_installed("jax"), reason="the README shows JAX")
def test_the_code_is_what_is_emitted() -> None:
    shown = re.search(r"<!-- emitted: jax -->\n```py\n(.*?)```", README, re.S)[1]
    assert shown == source(isograd.from_spec(DIGITS), "jax")


@pytest.mark.parametrize("name", ["compare_examples", "step_time"])
def test_the_tables_are_the_committed_results(name: str) -> None:
    shown = re.search(rf"<!-- results: {name} -->\n(.*?)<!-- end -->", README, re.S)[1].strip()
    assert shown in (ROOT / "benchmarks" / "results" / f"{name}.md").read_text()
