"""The last touch on printed code: double quotes, and long statements broken as ruff's formatter would."""

from __future__ import annotations

import io
import re
import textwrap
import tokenize

WIDTH = 120


def tidy(source: str) -> str:
    """Printed Python with double quotes, short exponents, and no line past 120 columns where it can be broken."""
    hugged = re.sub(r"(?<=[\w)\]]) \*\* (?=-?[\w.]+(?![\w.(\[]))", "**", _retouched(source))  # a**2, as ruff writes it
    return "\n".join(part for line in hugged.split("\n") for part in break_line(line))


def _retouched(source: str) -> str:
    lines = source.split("\n")
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        (row, start), (last, end) = token.start, token.end
        if row == last and token.type in (tokenize.NUMBER, tokenize.STRING):
            line = lines[row - 1]
            lines[row - 1] = line[:start] + _written(token) + line[end:]
    return "\n".join(lines)


def _written(token: tokenize.TokenInfo) -> str:
    """A string with double quotes, a number as `1e-7` and not `1e-07`, as `1e9` and not all its zeros."""
    if token.type == tokenize.NUMBER:
        zeros = re.fullmatch(r"([1-9])(0{6,})\.0", token.string)
        if zeros:
            return f"{zeros[1]}e{len(zeros[2])}"
        return re.sub(r"e([-+]?)0+(\d)", r"e\1\2", token.string)
    if token.type == tokenize.STRING and re.match(r"f?'[^'\"\\]*'$", token.string):
        return token.string.replace("'", '"')
    return token.string


def break_line(line: str) -> list[str]:
    """A long line in several: the content of its last outermost bracket on lines of its own.

    >>> a, b = "a" * 60, "b" * 60
    >>> break_line(f"f({a}, {b})") == ["f(", f"    {a},", f"    {b},", ")"]
    True
    """
    if len(line) <= WIDTH or line.lstrip().startswith("#"):
        return [line]
    if line.lstrip().startswith('"""'):
        indent = " " * (len(line) - len(line.lstrip()))
        return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    spans = _outer_brackets(line)
    if not spans:
        return [line]
    start, end = max(spans, key=lambda s: s[1] - s[0])
    indent = " " * (len(line) - len(line.lstrip()))
    content = line[start + 1 : end]
    inner = f"{indent}    "
    is_tuple = line[:start].strip() == "return" and len(_split(content)) > 1 and end == len(line) - 1
    if len(inner) + len(content) <= WIDTH and not is_tuple:
        return [line[: start + 1], inner + content, *break_line(indent + line[end:])]
    if re.search(r"\bfor \w", content):  # a comprehension: its commas are not the bracket's
        return [line]
    parts = [f"{inner}{p}," for p in _split(content)]
    return [line[: start + 1], *(b for p in parts for b in break_line(p)), *break_line(indent + line[end:])]


def _outer_brackets(line: str) -> list[tuple[int, int]]:
    spans, depth, start, quote = [], 0, 0, ""
    for i, c in enumerate(line):
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c == "#":
            break
        elif c in "([{":
            start = i if depth == 0 else start
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0 and i > start + 1:
                spans.append((start, i))
    return spans


def _split(content: str) -> list[str]:
    parts, depth, quote, last = [], 0, "", 0
    for i, c in enumerate(content):
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(content[last:i].strip())
            last = i + 1
    return [p for p in [*parts, content[last:].strip()] if p]
