"""What templates compute when they are printed: functions of literals, and conditions on nodes."""

from __future__ import annotations

from typing import Any

from ..ir import Node, Value
from ..ir.op import used_outputs
from ..ir.ops import constant


def axis_or_axes(axes: Any) -> Any:
    """`0` for `(0,)`: how a person writes one axis."""
    return axes[0] if axes is not None and len(axes) == 1 else axes


def padding_config(low: Any, high: Any, interior: Any) -> Any:
    return tuple(zip(low, high, interior, strict=True))


def pairs(low: Any, high: Any) -> Any:
    return tuple(zip(low, high, strict=True))


def spatial_axes(layout: str) -> tuple[int, ...]:
    """The positions of the axes that are neither batch nor channels, in order."""
    return tuple(i for i, c in enumerate(layout) if c not in "NC")


def slices(starts: Any, stops: Any, steps: Any) -> Any:
    """What stands between brackets for the elements from starts to stops by steps."""
    found = list(map(slice, starts, stops, steps))
    while len(found) > 1 and found[-1] == slice(0, None, 1):
        found.pop()
    return tuple(found) if len(found) > 1 else found[0]


def is_number(value: Value | None) -> bool:
    """Whether a value is one known number, which is written as a Python number where a rule takes one."""
    return value is not None and value.node is not None and value.node.op is constant and value.rank == 0


def is_matrix_transpose(node: Node) -> bool:
    """Whether a transpose swaps the last two axes and leaves the others."""
    axes = tuple(a % len(node.attributes["axes"]) for a in node.attributes["axes"])
    rank = len(axes)
    return rank >= 2 and axes == (*range(rank - 2), rank - 1, rank - 2)


def is_interior_free(node: Node) -> bool:
    return not any(node.attributes["interior"])


def split_places(sizes: Any) -> tuple[int, ...]:
    """Where parts of these sizes begin, but for the first."""
    return tuple(sum(sizes[:i]) for i in range(1, len(sizes)))


def indexes_first(node: Node) -> bool:
    """Whether indices stand for the first axes, so that they alone stand between brackets."""
    axes, x = node.attributes["axes"], node.inputs[0]
    assert x is not None
    return tuple(a % x.rank for a in axes) == tuple(range(len(axes)))


def looks_along_whole_axes(node: Node) -> bool:
    """Whether indices along an axis are as many as there are places on the others."""
    x, indices = node.inputs[:2]
    assert x is not None
    assert indices is not None
    axis = node.attributes["axis"] % x.rank
    return all(n == m for a, (n, m) in enumerate(zip(x.shape, indices.shape, strict=True)) if a != axis)


def has_both_limits(node: Node) -> bool:
    """Whether a clip has a lower and an upper limit."""
    return len(node.inputs) == 3 and None not in node.inputs


def replaces_as_usual(node: Node) -> bool:
    """Whether NaN becomes 0 and infinities the largest finite numbers, as the frameworks do unasked."""
    a = node.attributes
    return (a["nan"], a["posinf"], a["neginf"]) == (0.0, None, None)


def divides_safely(node: Node) -> bool:
    """Whether a divisor is one known number that makes no integer division special."""
    return is_number(node.inputs[1]) and node.inputs[1].node.attributes["value"] not in (0, -1)  # type: ignore[union-attr]  # a number has a node


def cuts_off(node: Node) -> bool:
    """Whether a cast makes integers of floats, which frameworks leave undefined beyond the integers' limits."""
    x = node.inputs[0]
    return x is not None and x.dtype.is_float and node.outputs[0].dtype.is_integer


def overwrites_stored(node: Node) -> bool:
    """Whether all that an optimizer would overwrite is stored, and it is the whole update (see `ir/training/update`).

    It is not where, say, the parameter is one less its weight decay, or its new value is averaged.
    """
    given = dict(zip(node.op.signature.operands, node.inputs, strict=True))
    overwritten = [given[n] for n in ("p", *node.op.output_names[1:]) if n in given]
    return node.scope is None and all(v is not None and _is_stored(v) for v in overwritten)


def _is_stored(value: Value) -> bool:
    return value.node is None and value.graph.inputs[value.index].role in ("parameter", "state")


__all__ = [
    "axis_or_axes",
    "cuts_off",
    "divides_safely",
    "has_both_limits",
    "indexes_first",
    "is_interior_free",
    "is_matrix_transpose",
    "is_number",
    "looks_along_whole_axes",
    "padding_config",
    "pairs",
    "replaces_as_usual",
    "slices",
    "spatial_axes",
    "split_places",
    "used_outputs",
]
