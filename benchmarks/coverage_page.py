"""Which ops there are on which backend, and what of the measured demand they express: writes docs/coverage.md.

python benchmarks/coverage_page.py

Nothing is stated here: the page follows from the tables of rows, the lists of gaps, the lists of exceptions in the
tests, and docs/demand. It needs all frameworks.
"""

from __future__ import annotations

import json
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "shared"), str(ROOT / "tests" / "backends")]

from rows import sample_graph  # noqa: E402  # of the tests, whose folders are known now
from test_free_sizes import FIXED, LEFT_OUT  # noqa: E402
from test_rows import KNOWN_GAPS  # noqa: E402

from isograd.backends import runtime  # noqa: E402
from isograd.backends.onnx.gaps import NOT_THERE  # noqa: E402
from isograd.backends.onnx.lowering import at_opset  # noqa: E402
from isograd.backends.onnx.model import OPSET  # noqa: E402
from isograd.backends.rules import WRITTEN_OUT, When  # noqa: E402
from isograd.ir import Op, ops  # noqa: E402

PAGE, DEMAND = ROOT / "docs" / "coverage.md", ROOT / "docs" / "demand"
BACKENDS = ("numpy", "jax", "torch", "tensorflow", "onnxruntime")
FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow and Keras", "jax": "JAX"}
GROUPS = {  # columns of the tables of demand: the sources of which one is
    "torch": {"architectures": "torch.architectures.", "programs of torch.nn": "torch.nn_programs."},
    "tensorflow": {
        "applications": "tf.keras_applications.", "hub": "tf.keras_hub.", "small": "tf.keras_small.",
        "layers": "tf.keras_layers.", "functions": "tf.tf2_function.", "TF 1": "tf.tf1_graph.",
    },
    "jax": {"models": "jax."},
}  # fmt: skip

HEAD = """\
# Coverage

Made by `benchmarks/coverage_page.py` from the tables of rows, the lists of gaps, the tests and `docs/demand`; a test
holds it to them.

- [Ops](#ops): each op on each backend.
- [Exceptions](#exceptions): what is not everywhere, and why.
- [Demand](#demand): the ops that graphs exported from real programs contain, and what expresses them.
- [Left out](#left-out): what of the demand nothing expresses, and why.
"""
OPS_TEXT = """\
## Ops

**whole**: the backend has a row, mostly the framework's own function. **parts**: it runs taken apart into other ops.
**both**: whole where the row's conditions hold (layout, element type, padding), else in parts. **no**: see
[Exceptions](#exceptions). Every composite is tested whole and in parts on every backend, forward and gradient
(`tests/backends/test_rows.py`, `tests/backends/onnx/test_ops.py`).

*gradient*: **twice**: the gradient of the gradient is tested too; **once**: the op has kinks, or is tested once only;
**-**: its results are discrete. *sizes*: **free**: tested with a symbol for each size; **some**: some are numbers;
**fixed**: all are; **none**: it has no operand with a size.
"""


# Ops


def cell(op: Op, table: Mapping[Any, Any]) -> str:
    """How a table runs an op."""
    row = table.get(op)
    if op in WRITTEN_OUT:
        return "whole"
    if row is None:
        return "parts" if op.is_composite else "no"
    rules = row if isinstance(row, tuple) else (row,)
    always = any(not isinstance(r, When) for r in rules)
    return "whole" if always or not op.is_composite else "both"


def onnx_cell(op: Op, rows: Mapping[Any, Any]) -> str:
    """As `cell`; the rows of ONNX at an opset all have conditions, so those as they are written count."""
    from isograd.backends.onnx.table import TABLE

    if NOT_THERE.get(op.name, (0, ""))[0] > OPSET:
        return "no"
    return cell(op, TABLE) if rows.get(op) else cell(op, {})


def gradient(op: Op) -> str:
    graph, _ = sample_graph(op, only=op.samples[:6])
    if not any(port.path.partition(".")[2].startswith("grad") for port in graph.outputs):
        return "-"
    return "twice" if op.smooth else "once"


def sizes(op: Op) -> str:
    if op.name in LEFT_OUT:
        return "fixed"
    if op.name in FIXED:
        return "some"
    return "free" if any(s.operands for s in op.samples) else "none"


def families() -> Iterator[tuple[str, Sequence[Op]]]:
    for family in ops.FAMILIES:
        yield family.__name__.rpartition(".")[2].replace("_", " "), family.OPS


def op_tables() -> Iterator[str]:
    tables = {b: runtime(b).target.table for b in BACKENDS[:-1]}  # type: ignore[attr-defined]  # a Python backend's
    opset = at_opset(OPSET)
    for name, members in sorted(families()):
        rows = [
            (op.name, *(cell(op, t) for t in tables.values()), onnx_cell(op, opset),
             gradient(op) if op.samples else "twice", sizes(op))
            for op in sorted(members, key=lambda op: op.name)
        ]  # fmt: skip
        yield f"### {name}\n\n{markdown(('op', *BACKENDS, 'gradient', 'sizes'), rows)}"


def summary() -> str:
    tables = {b: runtime(b).target.table for b in BACKENDS[:-1]}  # type: ignore[attr-defined]
    opset = at_opset(OPSET)
    counts = {b: [cell(op, t) for op in ops.ALL] for b, t in tables.items()}
    counts["onnxruntime"] = [onnx_cell(op, opset) for op in ops.ALL]
    kinds = ("whole", "both", "parts", "no")
    rows = [(b, *(str(found.count(k)) for k in kinds)) for b, found in counts.items()]
    composites = sum(op.is_composite for op in ops.ALL)
    return f"{len(ops.ALL)} ops, {composites} of them composites.\n\n{markdown(('backend', *kinds), rows)}"


# Exceptions


def exceptions() -> Iterator[str]:
    rows = [("onnxruntime", n, f"before opset {since}: {why}" if since < 99 else why)
            for n, (since, why) in NOT_THERE.items() if since > OPSET]  # fmt: skip
    rows += [(g.backend, g.op, f"{g.dtype}, {g.fits.__name__.strip('_').replace('_', ' ')}: {g.reason}")
             for g in KNOWN_GAPS]  # fmt: skip
    yield f"### What does not run\n\n{markdown(('backend', 'op', 'why'), rows)}"
    rows = [
        (backend, name, f"{case}: {why}")
        for backend in BACKENDS[2:] for (name, case), why in gaps(backend).items()
    ]  # fmt: skip
    yield f"### What gives another result\n\n{markdown(('backend', 'op', 'case'), rows)}"
    rows = [(n, LEFT_OUT.get(n, why)) for n, why in sorted((FIXED | LEFT_OUT).items())]
    yield f"### Sizes that are numbers in the tests of free sizes\n\n{markdown(('op', 'why'), rows)}"


def gaps(backend: str) -> Mapping[tuple[str, str], str]:
    module: ModuleType = import_module(f"isograd.backends.{'onnx' if backend == 'onnxruntime' else backend}.gaps")
    return module.GAPS  # type: ignore[no-any-return]


# Demand


@dataclass(frozen=True)
class Demand:
    """What a framework's exported graphs contain, and what is said about each op of theirs."""

    sources: Mapping[str, Mapping[str, Any]]  # name -> programs, and op -> [programs, occurrences]
    expressed: Mapping[str, str]  # op -> ops of ours
    needs_no_op: Mapping[str, str]  # op -> why
    left_out: Mapping[str, str]  # op -> why

    @property
    def names(self) -> set[str]:
        return {op for source in self.sources.values() for op in source["ops"]}

    @property
    def told(self) -> list[str]:
        return [*self.expressed, *self.needs_no_op, *self.left_out]


def read_demand(framework: str) -> Demand:
    """What docs/demand says of a framework; an op that two entries of a file name stands in `told` twice."""
    counts = json.loads((DEMAND / "counts.json").read_text())["sources"]
    told = tomllib.loads((DEMAND / f"{framework}.toml").read_text())
    prefixes = tuple(GROUPS[framework].values())
    reasons = ({op: entry["reason"] for entry in told.get(kind, ()) for op in entry["ops"]}
               for kind in ("needs_no_op", "left_out"))  # fmt: skip
    return Demand({s: c for s, c in counts.items() if s.startswith(prefixes)}, told["ops"], *reasons)


def shares(demand: Demand) -> Iterator[tuple[str, ...]]:
    """Of each source: programs, ops, those that need none, those expressed and left out, and shares of occurrences."""
    for name, source in demand.sources.items():
        wanted = {op: n for op, (_, n) in source["ops"].items() if op not in demand.needs_no_op}
        missing = {op: n for op, n in wanted.items() if op in demand.left_out}
        share = 100 * (1 - sum(missing.values()) / sum(wanted.values()))
        yield (name, str(source["programs"]), str(len(source["ops"])), str(len(source["ops"]) - len(wanted)),
               str(len(wanted) - len(missing)), str(len(missing)), f"{100 * (1 - len(missing) / len(wanted)):.1f} %",
               f"{share:.2f} %")  # fmt: skip


def demand_table(framework: str, demand: Demand) -> str:
    groups = GROUPS[framework]
    rows = []
    for op in demand.names:
        uses = [
            max((s["ops"].get(op, (0, 0))[0] for n, s in demand.sources.items() if n.startswith(prefix)), default=0)
            for prefix in groups.values()
        ]
        by = demand.expressed.get(op)
        text = ", ".join(by.split()) if by else "needs no op" if op in demand.needs_no_op else "left out"
        rows.append((op, *(str(n or "") for n in uses), text, -max(uses)))
    ordered = [row[:-1] for row in sorted(rows, key=lambda row: (row[-1], row[0]))]
    return markdown((framework, *groups, "isograd"), ordered)


def demand_text(demands: Mapping[str, Demand]) -> Iterator[str]:
    yield (
        "## Demand\n\nCounted in graphs exported from public architectures, Keras's applications and layers, programs "
        "that use\nnearly all of `torch.nn`, and JAX models (`docs/demand/counts.json`). *No op*: what a frontend "
        "passes over or keeps\nas sizes or state. The shares are of the others: how many ops, and how many of their "
        "occurrences, are expressed."
    )
    head = ("source", "programs", "ops", "no op", "expressed", "left out", "of the ops", "of occurrences")
    yield markdown(head, [row for demand in demands.values() for row in shares(demand)])
    for framework, demand in demands.items():
        yield f"### {FRAMEWORKS[framework]}\n\nPrograms that use the op, of the variant of a source with the most."
        yield demand_table(framework, demand)


def ledger(demands: Mapping[str, Demand]) -> Iterator[str]:
    yield "## Left out"
    yield reasons(d.left_out for d in demands.values())
    yield "### What needs no op"
    yield reasons(d.needs_no_op for d in demands.values())


def reasons(told: Iterable[Mapping[str, str]]) -> str:
    """Each reason with the ops that it is for."""
    groups: dict[str, list[str]] = {}
    for op, why in (pair for entries in told for pair in entries.items()):
        groups.setdefault(why, []).append(f"`{op}`")
    items = (textwrap.wrap(f"- {why}: {', '.join(sorted(names))}", 116) for why, names in sorted(groups.items()))
    return "\n".join("\n  ".join(lines) for lines in items)


# The page


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns stand below each other in a terminal too; the last one may be long."""
    lines = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    widths = [max(len(line[i]) for line in (tuple(head), *lines)) for i in range(len(head) - 1)]
    bar = tuple("-" * w for w in (*widths, len(head[-1])))
    padded = ([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]] for line in (head, bar, *lines))
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def page() -> str:
    demands = {f: read_demand(f) for f in FRAMEWORKS}
    parts = [HEAD.rstrip(), OPS_TEXT.rstrip(), summary(), *op_tables(), "## Exceptions", *exceptions(),
             *demand_text(demands), *ledger(demands)]  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
