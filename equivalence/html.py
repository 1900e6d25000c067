"""A report as one HTML file: no scripts, no network, readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import numpy as np

from .chart import Line, divergence_chart, loss_chart
from .details import details
from .report import Divergence, Report
from .style import STYLE
from .table import HEADINGS, cells, columns_of, name, note

_MARKS = {"same": "✓", "differs": "✗", "undecided": "?", "error": "!", "not installed": "·"}
_KINDS = {
    "outputs": "Outputs before training, in inference mode",
    "gradients": "Loss and gradients before training",
    "parameters": "Parameters and state after training",
}
_RULES = """
<p>The reference runs the same graph in float64, on the same inputs and weights rounded to their declared types.
Five further runs perturb every rounding at random by one unit in the last place of the declared type; how far they
spread is how far honest arithmetic may lead. A tensor may deviate by four times that spread, the loss curve by four
times that of the worst perturbed run so far, and never less than four units in the last place. The
<em>ratio</em> is the error in parts of what is allowed: above 1 the backend computes something else.
Shapes, element types, and where NaN and infinities stand must be equal.
What hangs on a decision so near a tie that rounding may turn it is <em>undecided</em>.</p>
"""


def page(report: Report) -> str:
    """The whole file."""
    title = f"{report.title}: {report.what} compared"
    sections = [
        _header(report),
        _table(report),
        _charts(report),
        _divergences(report),
        *(details(report, kind, heading) for kind, heading in _KINDS.items()),
        f"<section><h2>How it is judged</h2>{_RULES}</section>",
        _conditions(report),
    ]
    body = "\n".join(s for s in sections if s)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _header(report: Report) -> str:
    kind = "same" if report.ok else "differs"
    if not report.ok and not any(r.status in ("differs", "error") for r in report.rows):
        kind = "undecided"
    data = report.settings.get("data", "")
    return (
        f'<header><p class="eyebrow">isograd · {escape(report.what)} compared</p><h1>{escape(report.title)}</h1>'
        f'<p class="banner {kind}"><span class="mark">{_MARKS[kind]}</span> {escape(report.summary)}</p>'
        f'<p class="muted">{escape(data)}</p></header>'
    )


def _table(report: Report) -> str:
    """The verdict beside the backend, since it is what everybody looks for first."""
    columns = columns_of(report)[3:-1]
    headings = ["backend", "verdict", *columns]
    head = "".join(f"<th{_class(c)}>{escape(c)}</th>" for c in headings)
    lines = []
    for i, row in enumerate(report.rows):
        texts = cells(report, row)[3:-1]
        below = f'<span class="below">{escape(" · ".join(t for t in (row.version, row.device) if t))}</span>'
        first = f'<th scope="row"><span class="swatch b{_colour(i)}"></span>{escape(name(report, row))}{below}</th>'
        rest = "".join(_cell(c, t) for c, t in zip(columns, texts, strict=True))
        lines.append(f"<tr>{first}<td>{_badge(row.status)}</td>{rest}</tr>")
        if note(row):
            lines.append(f'<tr class="note"><td colspan="{len(headings)}">{escape(note(row))}</td></tr>')
    return (
        f'<section><div class="scroll"><table class="main"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{_legend(report)}</section>"
    )


def _legend(report: Report) -> str:
    texts = ["Ratio of error to allowance, right up to 1; in parentheses the error there."]
    if report.curve.losses:
        right = f" and gets {report.right} of {report.tested} test examples right" if report.right is not None else ""
        texts.append(f"The float64 reference ends at a loss of {report.curve.losses[-1]:.10g}{right}.")
    return f'<p class="muted">{escape(" ".join(texts))}</p>'


def _class(column: str) -> str:
    return "" if column in ("backend", "verdict") else ' class="number"'


def _cell(column: str, text: str) -> str:
    if column not in HEADINGS.values() or " (" not in text:
        return f"<td{_class(column)}>{escape(text)}</td>"
    share, error = text.split(" ", 1)
    kind = "good" if share.startswith(("<0", "0", "1.00")) else "bad"
    below = f'<span class="below">{escape(error)}</span>'
    return f'<td class="number"><span class="ratio {kind}">{share}</span>{below}</td>'


def _badge(status: str) -> str:
    kind, mark = status.replace(" ", "-"), _MARKS[status]
    return f'<span class="badge {kind}"><span class="mark">{mark}</span> {escape(status)}</span>'


def _colour(index: int) -> int:
    return index % 6 + 1


def _charts(report: Report) -> str:
    if report.what != "training" or not report.curve.losses:
        return ""
    rows = [(i, r) for i, r in enumerate(report.rows) if r.losses]
    lines = [Line(name(report, r), r.losses, _colour(i)) for i, r in rows]
    reference = np.array(report.curve.losses)
    away = [Line(line.name, _distance(np.array(line.values), reference), line.colour) for line in lines]
    losses = loss_chart([Line("float64", report.curve.losses, 0), *lines])
    return (
        f"<section><h2>Loss of each step</h2><figure>{losses}{_coincide(report)}</figure>"
        "<h2>Distance from float64</h2>"
        f"<figure>{divergence_chart(away, report.curve.allowances)}"
        "<figcaption>The largest distance of the loss from the float64 loss so far. "
        "The shaded region is what perturbed float64 runs allow.</figcaption></figure></section>"
    )


def _coincide(report: Report) -> str:
    curves = [row.worst("loss") for row in report.rows if row.losses]
    if not all(v is not None and v.outcome == "same" for v in curves):
        return ""
    return "<figcaption>The curves lie on each other; below is how far they are apart.</figcaption>"


def _distance(losses: np.ndarray, reference: np.ndarray) -> list[float]:
    with np.errstate(all="ignore"):
        found: np.ndarray = np.maximum.accumulate(np.abs(losses - reference[: len(losses)]))
    return [float(v) if v > 0 else math.nan for v in found]


def _divergences(report: Report) -> str:
    if not report.divergences:
        return ""
    return f"<section><h2>First divergence</h2>{''.join(map(_divergence, report.divergences))}</section>"


def _divergence(found: Divergence) -> str:
    said = f"<p><strong>{escape(found.backend)}</strong>: {escape(found.summary)}.</p>"
    if not found.found:
        return f'<div class="divergence">{said}</div>'
    facts = {"node": f"<code>{escape(found.node)}</code>", "from": escape(found.origin or "an unknown place")}
    if found.within:
        facts["within"] = escape(", ".join(found.within))
    if found.scope:
        facts["layer"] = escape(found.scope)
    if found.operands:
        facts["operands"] = "<br>".join(f"<code>{escape(o)}</code>" for o in found.operands)
    for label, verdict in (("on its own", found.local), ("in the program", found.inherited)):
        if verdict is not None:
            facts[label] = escape(verdict.reason)
    facts["confirmed"] = "yes, in the program as it runs" if found.confirmed else "no"
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{v}</dd>" for k, v in facts.items())
    return f'<div class="divergence">{said}<dl>{listed}</dl></div>'


def _conditions(report: Report) -> str:
    blocks = [_facts("What was compared", report.settings), _facts("Machine", report.machine)]
    for row in report.rows:
        if row.version:
            facts = {"version": row.version, "device": row.device, **row.switches}
            blocks.append(_facts(name(report, row), facts))
    return f'<section><h2>Conditions</h2><div class="facts">{"".join(blocks)}</div></section>'


def _facts(heading: str, facts: Mapping[str, str]) -> str:
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items())
    return f"<div><h3>{escape(heading)}</h3><dl>{listed}</dl></div>"
