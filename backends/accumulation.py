"""Gradients that are added up over several batches: found where that is done alike for all, to be written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..ir import Node, Port, Value
from ..ir.op import attribute_key
from ..ir.rewrite import is_scalar_constant
from .regions import Call


@dataclass(frozen=True)
class Accumulation:
    """A sum of what was kept and of this batch's share of the gradient; `nodes` in their order."""

    gradient: Value
    before: Value
    nodes: tuple[Node, Node]

    @property
    def form(self) -> Any:
        """What is equal where it is done alike, but for the tensors."""
        constants = [
            attribute_key(v.node.attributes) if v is not None and is_scalar_constant(v) and v.node else None
            for n in self.nodes
            for v in n.inputs
        ]
        return [(n.op, n.lowering, attribute_key(n.attributes)) for n in self.nodes], constants


def accumulations(
    items: Sequence[Node | Call], gradients: Mapping[str, Value], stored: Mapping[Value, Port]
) -> dict[str, Accumulation]:
    """By the parameter's name, where all gradients are added up alike; nothing where any is not."""
    here = {i for i in items if isinstance(i, Node)}
    found = {path: _of(value, path, here, stored) for path, value in gradients.items()}
    whole = {path: a for path, a in found.items() if a is not None}
    first = next(iter(whole.values()), None)
    if first is None or len(whole) < len(gradients) or any(a.form != first.form for a in whole.values()):
        return {}
    if len({a.gradient for a in whole.values()}) < len(whole) or any(a.gradient.node is None for a in whole.values()):
        return {}  # a value that is given, or that two parameters share, has no place of its own among the gradients
    prefixes = {stored[a.before].path.removesuffix(path) for path, a in whole.items()}
    return whole if len(prefixes) == 1 else {}


def _of(value: Value, path: str, here: set[Node], stored: Mapping[Value, Port]) -> Accumulation | None:
    total = value.node
    if total not in here or len(total.inputs) != 2:
        return None
    before, share = total.inputs if total.inputs[0] in stored else total.inputs[::-1]
    port = None if before is None else stored.get(before)
    part = None if share is None else share.node
    if before is None or port is None or port.role != "state" or not port.path.endswith(f".{path}") or part not in here:
        return None
    tensors = [v for v in part.inputs if v is not None and not is_scalar_constant(v)]
    return Accumulation(tensors[0], before, (part, total)) if len(tensors) == 1 else None
