"""The examples, trained on every backend and judged against float64: the tables of the README.

python benchmarks/compare_examples.py [--out benchmarks/results] [--steps 200]

Without --steps each is trained for as many as its spec says.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import isograd
from isograd.backends import installed, runtime
from isograd.frontends.spec import read_spec, spec_data

ROOT = Path(__file__).parents[1]
EXAMPLES = (
    "logistic_regression", "digits", "convnet", "residual", "autoencoder", "lstm", "gru", "transformer", "encoder",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--backends", default=",".join(installed()))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sections, backends = [], options.backends.split(",")
    for name in EXAMPLES:
        spec = read_spec(ROOT / "examples" / f"{name}.yaml")
        steps = options.steps or spec.training["steps"]
        start = time.perf_counter()
        report = isograd.compare(
            isograd.from_spec(spec), data=spec_data(spec), steps=steps, backends=backends, what="training"
        )
        seconds = time.perf_counter() - start
        print(report.table)
        sections.append(f"## {name}\n\n```\n{report.table}\n```\n\n{steps} steps; {seconds:.0f} s together.\n")
    versions = ", ".join(f"{b} {runtime(b).version()}" for b in backends)
    where = f"{versions}; Python {platform.python_version()}, {platform.machine()}, CPU."
    head = f"# The examples on every backend\n\n{where}\n"
    (options.out / "compare_examples.md").write_text("\n".join([head, *sections]))


if __name__ == "__main__":
    main()
