"""Names in a spec: which may be given, and the nearest valid one to a name that is not there."""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Iterable

FEW = 12  # so many valid names are listed where none is near
LONGEST = 100
NOWHERE = "_"  # what a result is called that nothing needs
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_name(text: object) -> bool:
    """Whether `text` can name a tensor, a parameter or a size: an identifier that Python reserves for nothing else.

    >>> is_name("dense_1"), is_name("a.b"), is_name("lambda")
    (True, False, False)
    """
    return (
        isinstance(text, str) and len(text) <= LONGEST and bool(_NAME.fullmatch(text)) and not keyword.iskeyword(text)
    )


def split_names(text: str) -> tuple[str, ...]:
    """The names in `a, b`: what several results are called.

    >>> split_names("values, places")
    ('values', 'places')
    """
    return tuple(part.strip() for part in text.split(","))


def hint(name: str, valid: Iterable[str]) -> str:
    """What to add to an error about an unknown name: the nearest valid one, or all of them where they are few.

    >>> hint("Dnese", ["dense", "dropout"]), hint("x", ["a", "b"]), hint("x", [])
    ("; did you mean 'dense'?", '; there are a, b', '')
    """
    names = list(dict.fromkeys(valid))
    plain = {_plain(n): n for n in reversed(names)}
    near = difflib.get_close_matches(_plain(name), plain, 1)
    if near:
        return f"; did you mean {plain[near[0]]!r}?"
    if not names or len(names) > FEW:
        return ""
    return f"; there {'are' if len(names) > 1 else 'is only'} {', '.join(names)}"


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()
