"""Curves over the steps of a training run, as SVG drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 104, 14, 34
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4", "1 4")
_POINTS = 60  # so many points of a curve answer to the pointer


@dataclass(frozen=True)
class Line:
    """A curve: its name, its numbers (not finite: a gap), and the number of its colour."""

    name: str
    values: Sequence[float]
    colour: int


@dataclass(frozen=True)
class _Scale:
    """From steps and numbers to places in the picture."""

    steps: int
    low: float
    high: float
    logarithmic: bool

    def x(self, step: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step / max(self.steps - 1, 1))

    def y(self, value: float) -> float:
        low, high, v = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, v = math.log10(low), math.log10(high), math.log10(v)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (v - low) / (high - low))


def loss_chart(lines: Sequence[Line]) -> str:
    """Losses over the steps; the first line, the reference's, is drawn broad beneath the others."""
    values = [v for line in lines for v in line.values if math.isfinite(v)]
    if not values:
        return ""
    ticks = _even_ticks(min(values), max(values))
    scale = _Scale(max(len(line.values) for line in lines), ticks[0], ticks[-1], False)
    body = [_grid(scale, ticks, [f"{t:.10g}" for t in ticks])]
    body += [_curve(scale, line, "reference" if i == 0 else "curve") for i, line in enumerate(lines)]
    body.append(_end_labels(scale, lines))
    return _svg(body, "Loss of each step")


def divergence_chart(lines: Sequence[Line], allowances: Sequence[float]) -> str:
    """How far the losses have been from the reference's so far, on a logarithmic scale, and what is allowed."""
    positive = [
        v for values in (*(li.values for li in lines), allowances) for v in values if math.isfinite(v) and v > 0
    ]
    if not positive:
        return ""
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    low, high = max(low, -12), min(max(high, low + 1), 12)
    stride = max(1, (high - low + 5) // 6)
    exponents = range(low, high + 1, stride)
    scale = _Scale(len(allowances), 10.0**low, 10.0**high, True)
    body = [_band(scale, allowances), _grid(scale, [10.0**e for e in exponents], [_power(e) for e in exponents])]
    body += [_curve(scale, line, "curve") for line in lines]
    body.append(_end_labels(scale, lines, [("allowed", allowances)]))
    return _svg(body, "Largest distance from the float64 loss so far, and what is allowed")


def _svg(body: Sequence[str], label: str) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
    return "\n".join([head, *body, "</svg>"])


def _even_ticks(low: float, high: float) -> list[float]:
    """Four to seven round numbers around an interval."""
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step = next(s for s in (step, 2 * step, 5 * step, 10 * step) if span / s <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def _power(exponent: int) -> str:
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits}"


def _grid(scale: _Scale, ticks: Sequence[float], texts: Sequence[str]) -> str:
    parts = []
    for tick, text in zip(ticks, texts, strict=True):
        y = scale.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for step in _step_ticks(scale.steps):
        place = f'x="{scale.x(step - 1):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle"'
        parts.append(f'<text class="tick" {place}>{step}</text>')
    parts.append(f'<text class="tick" x="{WIDTH - RIGHT + 22}" y="{HEIGHT - BOTTOM + 18}">step</text>')
    return "\n".join(parts)


def _step_ticks(steps: int) -> list[int]:
    """The first step, and up to five round numbers after it."""
    if steps < 2:
        return [1]
    stride = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if steps / s <= 5 or s == 10**6)
    rounded = [k for k in range(stride, steps + 1, stride) if k > 1 + stride // 3]
    return [1, *rounded]


def _curve(scale: _Scale, line: Line, kind: str) -> str:
    points = [(scale.x(i), scale.y(v), i, v) for i, v in enumerate(line.values) if math.isfinite(v)]
    if not points:
        return ""
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in points)
    dash = DASHES[(line.colour - 1) % len(DASHES)]
    style = f' stroke-dasharray="{dash}"' if dash and kind == "curve" else ""
    parts = [f'<path class="{kind} c{line.colour}" d="{path}"{style}><title>{escape(line.name)}</title></path>']
    every = max(1, -(-len(points) // _POINTS))
    if kind == "curve":
        parts += [
            f'<circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="6">'
            f"<title>{escape(line.name)}, step {i + 1}: {v:.7g}</title></circle>"
            for x, y, i, v in points[::every]
        ]
    return "\n".join(parts)


def _band(scale: _Scale, allowances: Sequence[float]) -> str:
    finite = [v if math.isfinite(v) else scale.high for v in allowances]
    top = " L".join(f"{scale.x(i):.1f} {scale.y(v):.1f}" for i, v in enumerate(finite))
    floor = scale.y(scale.low)
    right, left = scale.x(len(finite) - 1), scale.x(0)
    area = f"M{top} L{right:.1f} {floor:.1f} L{left:.1f} {floor:.1f} Z"
    return f'<path class="band" d="{area}"/>\n<path class="limit" d="M{top}"><title>allowed</title></path>'


def _end_labels(scale: _Scale, lines: Sequence[Line], others: Sequence[tuple[str, Sequence[float]]] = ()) -> str:
    """The names of the curves where they end, moved apart where they would overlap."""
    wanted = []
    for name, values, colour in [*((li.name, li.values, li.colour) for li in lines), *((n, v, -1) for n, v in others)]:
        finite = [v for v in values if math.isfinite(v)]
        if finite:
            wanted.append((scale.y(finite[-1]), name, colour))
    wanted.sort()
    places = [y for y, _, _ in wanted]
    for _ in range(50):
        for i in range(1, len(places)):
            overlap = 14 - (places[i] - places[i - 1])
            if overlap > 0:
                places[i - 1] -= overlap / 2
                places[i] += overlap / 2
        places = [float(np.clip(p, TOP + 4, HEIGHT - BOTTOM)) for p in places]
    x = WIDTH - RIGHT + 10
    return "\n".join(
        f'<text class="label {f"t{colour}" if colour >= 0 else "muted"}" x="{x}" y="{y + 4:.1f}">{escape(name)}</text>'
        for y, (_, name, colour) in zip(places, wanted, strict=True)
    )
