"""How some of many names are written: by what they begin and end with, where that says exactly which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

SHORT = 8  # so many names are written one by one


def selection(names: Sequence[str], everything: Iterable[str], mapping: str) -> str:
    """An expression of the names, which are some of the keys `everything` of the dict called `mapping`.

    >>> keys = [f"layer.{i}.{leaf}" for i in range(9) for leaf in ("kernel", "bias")]
    >>> selection([k for k in keys if k.endswith("bias")], keys, "gradients")
    "[n for n in gradients if n.endswith('.bias')]"
    """
    keys, wanted = list(everything), set(names)
    if len(names) > SHORT:
        for condition, found in _conditions(keys, wanted):
            if found == wanted:
                return f"[n for n in {mapping} if {condition}]"
        for condition, found in _conditions(keys, set(keys) - wanted):
            if found == set(keys) - wanted:
                return f"[n for n in {mapping} if not ({condition})]"
    return repr(list(names))


def _conditions(keys: Sequence[str], wanted: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Conditions that hold for all that are wanted, and the keys that they hold for."""
    first = tuple(sorted({f"{k.partition('.')[0]}." for k in wanted}))
    last = tuple(sorted({f".{k.rpartition('.')[2]}" for k in wanted}))
    begins, ends = {k for k in keys if k.startswith(first)}, {k for k in keys if k.endswith(last)}
    yield f"n.endswith({_argument(last)})", ends
    yield f"n.startswith({_argument(first)})", begins
    yield f"n.startswith({_argument(first)}) and n.endswith({_argument(last)})", begins & ends


def _argument(texts: tuple[str, ...]) -> str:
    return repr(texts[0]) if len(texts) == 1 else repr(texts)
