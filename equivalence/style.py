"""The style sheet of a report."""

STYLE = (
    """
:root {
  --page: #fcfcfb; --card: #ffffff; --ink: #14140f; --soft: #4f4e48; --muted: #75736c;
    --line: #e4e3dd; --grid: #ecebe6;
  --good: #0a7d34; --good-bg: #e6f4ea; --bad: #c22a2a; --bad-bg: #fcebea; --open: #8a5a00; --open-bg: #fdf3dc;
  --band: #2a78d61a; --limit: #2a78d6; --reference: #b9b7af;
  --s1: #2a78d6; --s2: #d9480f; --s3: #7048c6; --s4: #0b8f6a; --s5: #b8860b; --s6: #c2337a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161614; --card: #1e1e1c; --ink: #f4f3ee; --soft: #c6c4bb; --muted: #96948b;
    --line: #34332f; --grid: #2b2a27;
    --good: #5ecb85; --good-bg: #143320; --bad: #ff8a80; --bad-bg: #40191a; --open: #f0c060; --open-bg: #3a2c0c;
    --band: #4d96ee26; --limit: #6aa9f2; --reference: #5a5952;
    --s1: #6aa9f2; --s2: #ff8a4c; --s3: #b197fc; --s4: #4fd1a5; --s5: #e3b341; --s6: #f06fae;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 16px; letter-spacing: -.01em; }
h2 { font-size: 18px; margin: 0 0 10px; }
h3 { font-size: 14px; margin: 0 0 6px; }
section { margin-top: 36px; }
p { margin: 0 0 10px; max-width: 105ch; }
.eyebrow { color: var(--muted); font-size: 13px; margin: 0 0 4px; }
.muted { color: var(--muted); }
.banner { display: inline-block; padding: 10px 16px; border-radius: 8px; font-size: 17px;
  font-weight: 600; margin: 0 0 12px; }
.banner.same { color: var(--good); background: var(--good-bg); }
.banner.differs { color: var(--bad); background: var(--bad-bg); }
.banner.undecided { color: var(--open); background: var(--open-bg); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; margin-bottom: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 8px 12px; text-align: left; white-space: nowrap; vertical-align: baseline; }
thead th { font-size: 12.5px; font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--line); }
tbody tr + tr:not(.note) > * { border-top: 1px solid var(--grid); }
tbody th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.note td { white-space: normal; color: var(--soft); padding-top: 0; font-size: 13px; overflow-wrap: anywhere; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px; }
.badge { display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: 13px; font-weight: 600; }
.badge.same, .ratio.good { color: var(--good); } .badge.same { background: var(--good-bg); }
.badge.differs, .badge.error, .ratio.bad { color: var(--bad);
  } .badge.differs, .badge.error { background: var(--bad-bg); }
.badge.undecided, .ratio.open { color: var(--open); } .badge.undecided { background: var(--open-bg); }
.badge.not-installed { color: var(--muted); background: var(--grid); }
.ratio { font-weight: 600; }
.below { display: block; color: var(--muted); font-size: 12px; font-weight: 400; }
th .below { margin-left: 18px; }
figure { margin: 0 0 24px; padding: 14px 14px 8px; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; }
figcaption { color: var(--muted); font-size: 13px; padding: 4px 6px; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); }
svg .tick { fill: var(--muted); font-variant-numeric: tabular-nums; }
svg .label { font-weight: 600; } svg .label.muted { fill: var(--limit); font-weight: 400; }
.grid { stroke: var(--grid); }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.reference { fill: none; stroke: var(--reference); stroke-width: 7; stroke-linejoin: round; stroke-linecap: round; }
.hit { fill: transparent; } .hit:hover { fill: var(--soft); }
.band { fill: var(--band); } .limit { fill: none; stroke: var(--limit); stroke-width: 1.2; stroke-dasharray: 3 3; }
.divergence { background: var(--bad-bg); border-radius: 10px; padding: 16px 20px; margin-bottom: 10px; }
code { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: 10px; background: var(--card); margin-bottom: 8px; }
details .scroll { border: 0; border-top: 1px solid var(--line); border-radius: 0; margin: 0; }
summary { cursor: pointer; padding: 12px 16px; }
summary h2 { display: inline; font-size: 16px; } summary .muted { margin-left: 10px; }
.more { padding: 0 12px; font-size: 13px; }
table.tensors { font-size: 13px; } table.tensors th, table.tensors td { padding: 5px 12px; }
.bar { display: inline-block; width: 56px; height: 5px; margin-right: 10px; border-radius: 3px;
  background: var(--grid); overflow: hidden;
  vertical-align: middle; }
.bar span { display: block; height: 100%; border-radius: 3px; }
.bar .good { background: var(--good); } .bar .bad { background: var(--bad); } .bar .open { background: var(--open); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 14px; margin: 0; font-size: 13.5px; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 18px; }
.facts > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
@media print { body { background: none; } details { break-inside: avoid; } }
"""
    + "\n".join(
        f".c{i} {{ stroke: var(--s{i}); }} .t{i} {{ fill: var(--s{i}); }} .b{i} {{ background: var(--s{i}); }}"
        for i in range(1, 7)
    )
    + "\nsvg .t0 { fill: var(--muted); }\n"
)
