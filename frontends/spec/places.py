"""Places in square brackets: one of several results, or a part of a tensor as NumPy takes it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ...ir import ops
from ...ir.dims import Size
from ...ir.graph import Value
from .attributes import cut, literal
from .options import OptionError

Sizes = Mapping[str, Size]


def _listed(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _shown(node: ast.expr) -> str:
    return f"[{', '.join(map(cut, _listed(node)))}]"


def check_places(node: ast.expr) -> None:
    """Raise unless a subscript has whole numbers, sizes and slices alone."""
    for place in _listed(node):
        bounds = [place.lower, place.upper, place.step] if isinstance(place, ast.Slice) else [place]
        for bound in bounds:
            if bound is not None and not (_is_whole(bound) or isinstance(bound, ast.Name)):
                raise OptionError(f"`{_shown(node)}`: places are whole numbers, or slices such as 1:4 and ::2")


def _is_whole(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Constant) and type(inner.value) is int


def taken(value: Any, node: ast.expr, sizes: Sizes) -> Value:
    """What stands at the places of `value`, the tuple of a function's results or a tensor."""
    places = _listed(node)
    if isinstance(value, tuple):
        place = literal(places[0], sizes) if len(places) == 1 and _is_whole(places[0]) else len(value)
        if not -len(value) <= place < len(value):
            raise OptionError(f"`{_shown(node)}` of {len(value)} tensors: a place from 0 to {len(value) - 1} takes one")
        return value[place]  # type: ignore[no-any-return]
    if not isinstance(value, Value):
        raise OptionError(f"`{_shown(node)}` of a number: only tensors have places")
    if len(places) > value.rank:
        raise OptionError(f"`{_shown(node)}` has more places than {value.type} has axes")
    return _part(value, places, sizes)


def _part(x: Value, places: list[ast.expr], sizes: Sizes) -> Value:
    rest = [(0, size, 1) for size in x.shape[len(places) :]]
    spans = [*(_span(x, axis, place, sizes) for axis, place in enumerate(places)), *rest]
    starts, stops, steps = zip(*spans, strict=True)
    part = ops.slice_(x, starts=starts, stops=stops, steps=steps)
    single = [axis for axis, place in enumerate(places) if not isinstance(place, ast.Slice)]
    return ops.squeeze(part, *single) if single else part


def _span(x: Value, axis: int, node: ast.expr, sizes: Sizes) -> tuple[Size, Size, int]:
    """Where a place begins and ends along an axis, and its step."""
    size = x.shape[axis]
    if not isinstance(node, ast.Slice):
        first = _bound(node, size, sizes)
        if isinstance(first, int) and isinstance(size, int) and not 0 <= first < size:
            raise OptionError(f"axis {axis} of {x.type} has no place {cut(node)}")
        return first, first + 1, 1
    step = 1 if node.step is None else literal(node.step, sizes)
    if not isinstance(step, int) or step < 1:
        raise OptionError(f"the step of `{_shown(node)}` must be a positive whole number; reverse turns an axis round")
    low = 0 if node.lower is None else _bound(node.lower, size, sizes)
    high = size if node.upper is None else _bound(node.upper, size, sizes)
    if isinstance(size, int) and isinstance(low, int) and isinstance(high, int):
        low, high = min(max(low, 0), size), min(max(high, 0), size)
        high = max(low, high)
    return low, high, step


def _bound(node: ast.expr, size: Size, sizes: Sizes) -> Size:
    """A place counted from the beginning of its axis."""
    value: Size = literal(node, sizes)
    return size + value if isinstance(value, int) and value < 0 else value
