"""That the benchmarks still run; what they measure is not a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("script", [
    ["step_time.py", "--steps", "2", "--backends", "numpy"],
    ["optimizers.py", "--backends", "numpy"],
    ["compare_examples.py", "--steps", "3", "--backends", "numpy"],
    ["large_graphs.py", "--nodes", "100"],
], ids=lambda s: s[0])  # fmt: skip
def test_runs(script: list[str], tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / script[0], *script[1:], "--out", str(tmp_path)], check=True, timeout=300,
                   cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")})  # fmt: skip
    assert list(tmp_path.glob("*.md"))
