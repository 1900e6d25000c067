"""The result of a comparison: rows, curves, and the first divergence; as a table, JSON or one HTML file."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from .judge import Verdict, worst

Status = Literal["same", "differs", "undecided", "error", "not installed"]
KINDS = ("outputs", "gradients", "loss", "parameters", "accuracy")  # of verdicts, in the order in which they are shown


@dataclass(frozen=True)
class Row:
    """One backend (of one model): what it gave, and what each rule says of it."""

    model: str
    backend: str
    version: str = ""
    device: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    error: str = ""  # why there is nothing more
    missing: bool = False  # the backend is not installed
    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)  # by kind
    losses: tuple[float, ...] = ()
    seconds: float = math.nan  # of a step (or of a run, where nothing is trained): the median, the first left out
    right: int | None = None  # test examples after training

    @property
    def status(self) -> Status:
        if self.missing:
            return "not installed"
        if self.error:
            return "error"
        decisive = worst([v for group in self.verdicts.values() for v in group])
        return decisive.outcome if decisive else "same"

    def worst(self, kind: str) -> Verdict | None:
        return worst(self.verdicts.get(kind, ()))


@dataclass(frozen=True)
class Divergence:
    """The first node whose result on the reference's own inputs is beyond its op's bound, or why there is none."""

    backend: str
    found: bool
    summary: str
    node: str = ""  # its line in the printed graph
    op: str = ""
    origin: str = ""  # the place in the user's model
    scope: str = ""
    operands: tuple[str, ...] = ()  # type and range of each
    local: Verdict | None = None
    inherited: Verdict | None = None
    confirmed: bool = False  # in the program as it runs, not only in parts of it
    within: tuple[str, ...] = ()  # the iterations and branches that the node is in, the outermost first

    def __str__(self) -> str:
        if not self.found:
            return f"{self.backend}: {self.summary}"
        lines = [f"{self.backend}: {self.summary}", f"  {self.node}", f"  from {self.origin or 'an unknown place'}"]
        lines += [f"  {', '.join(self.within)}"] if self.within else []
        lines += [f"  {operand}" for operand in self.operands]
        lines += [f"  on its own: {self.local.reason}"] if self.local else []
        lines += [f"  in the program: {self.inherited.reason}"] if self.inherited else []
        return "\n".join(lines)


@dataclass(frozen=True)
class Curve:
    """The reference's losses, and the allowance of the largest deviation so far."""

    losses: tuple[float, ...] = ()
    allowances: tuple[float, ...] = ()


@dataclass(frozen=True)
class Report:
    """Whether a program is the same on every backend that ran: `ok`, `table`, `first_divergence`, JSON and HTML."""

    title: str
    what: str
    rows: tuple[Row, ...]
    settings: Mapping[str, str]  # steps, batch size, seed, data, hash of the model, loss, optimizer
    machine: Mapping[str, str]
    curve: Curve = Curve()
    tested: int = 0  # test examples
    right: int | None = None  # of them, by the reference after training
    divergences: tuple[Divergence, ...] = ()  # of each backend that differs

    @property
    def first_divergence(self) -> Divergence | None:
        """Where the first backend that differs does so; one that says where, if there is one."""
        return next((d for d in self.divergences if d.found), next(iter(self.divergences), None))

    @property
    def ok(self) -> bool:
        """Whether at least one backend ran, and each that is installed gave the same."""
        ran = [r.status for r in self.rows if r.status != "not installed"]
        return bool(ran) and all(s == "same" for s in ran)

    @property
    def summary(self) -> str:
        count = {s: sum(r.status == s for r in self.rows) for s in ("same", "differs", "undecided", "error")}
        ran = sum(count.values())
        if not ran:
            return "No backend ran: nothing was compared."
        if self.ok:
            return (
                f"All {ran} backends that ran compute the same."
                if ran > 1
                else "The one backend that ran computes the same."
            )
        said = {"same": "same", "differs": "different", "undecided": "undecided", "error": "failed to run"}
        parts = ", ".join(f"{n} {said[s]}" for s, n in count.items() if n)
        return f"Not the same everywhere: of {ran} backends that ran, {parts}."

    @property
    def table(self) -> str:
        """The rows as aligned text."""
        from .table import text_table

        return text_table(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data; numbers that JSON lacks are the strings NaN, Infinity, -Infinity."""
        found = asdict(self) | {"ok": self.ok, "summary": self.summary, "status": [r.status for r in self.rows]}
        return {k: _plain(v) for k, v in found.items()}

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict()`."""
        write(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Report:
        """The report that `to_json` wrote."""
        from .restore import restored

        return restored(json.loads(Path(path).read_text(encoding="utf-8")))

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one file that needs nothing else: no network, no scripts."""
        from .html import page

        write(path, page(self))

    def __str__(self) -> str:
        parts = [self.summary, "", self.table]
        parts += [f"\nFirst divergence in {d}" for d in self.divergences]
        return "\n".join(parts)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write a file whole or not at all: under another name beside it, then renamed."""
    place = Path(path)
    descriptor, draft = tempfile.mkstemp(prefix=f".{place.name}-", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, place)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
