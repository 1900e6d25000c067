"""A flat graph as a tree of calls: which nodes a reader should see as one function."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..ir import Graph, Node, Scope, Value
from ..ir.dims import Dim, symbols_of
from ..ir.ops import activation, reshape

ACTIVATIONS = frozenset(op.name for op in activation.OPS) | {"tanh", "sigmoid", "exp", "arctan"}


@dataclass(eq=False)
class Call:
    """The nodes of one scope in one section, to be printed as a call of a function."""

    scope: Scope
    items: list[Node | Call]
    nodes: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nodes = [n for item in self.items for n in nodes_of(item)]

    @property
    def defined(self) -> set[Value]:
        return {v for n in self.nodes for v in n.outputs}

    @property
    def inputs(self) -> list[Value]:
        """The values that cross the border inwards, by first use."""
        inside = self.defined
        return list(dict.fromkeys(v for n in self.nodes for v in n.inputs if v is not None and v not in inside))

    @cached_property
    def sizes(self) -> list[str]:
        """The symbols that the function reads and that are no size of an axis of what it is given."""
        given = {str(size) for v in self.inputs for size in v.shape}
        return sorted(symbols_read(self.nodes) - given)


def nodes_of(item: Node | Call) -> list[Node]:
    return [item] if isinstance(item, Node) else item.nodes


def item_uses(items: Sequence[Node | Call], results: Sequence[Value]) -> dict[Value, int]:
    """How often each value is written at this level: once by a call that reads it, however often it does."""
    uses: dict[Value, int] = {}
    for values in [*(i.inputs for i in items), results]:
        for value in values:
            if value is not None:
                uses[value] = uses.get(value, 0) + 1
    return uses


def symbols_read(items: Sequence[Node | Call]) -> frozenset[str]:
    """The symbols whose numbers are written at this level, as the size of some tensor's axis."""
    found: set[str] = set()
    for item in items:
        if isinstance(item, Call):
            found |= set(item.sizes)
        elif not (item.op is reshape and writes_free_size(item.attributes["shape"])):
            found |= _symbols(tuple(item.attributes.values()))
    return frozenset(found)


def writes_free_size(shape: Sequence[object]) -> bool:
    """Whether a shape can be written with -1 for its one symbolic size."""
    return sum(isinstance(s, Dim) for s in shape) == 1 and not any(isinstance(s, int) and s <= 0 for s in shape)


def _symbols(attribute: object) -> frozenset[str]:
    if isinstance(attribute, tuple):
        return frozenset().union(*map(_symbols, attribute))
    if isinstance(attribute, Graph):  # a body knows the sizes of what it is given
        return symbols_read(attribute.nodes).difference(*(_symbols(p.value.shape) for p in attribute.inputs))
    return symbols_of(attribute)


def tree(
    nodes: Sequence[Node], is_function: Callable[[Scope, Sequence[Node]], bool], depth: int = 0
) -> list[Node | Call]:
    """Group nodes into calls, level by level; a scope that `is_function` refuses is dissolved into its caller."""
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        scope = _at(node, depth)
        groups.setdefault(node if scope is None else (scope, node.section), []).append(node)
    order = _sorted(groups)
    if order is None:  # what crosses the borders goes both ways: no call can stand for it
        return list(nodes)
    items: list[Node | Call] = []
    for key in order:
        members = groups[key]
        if isinstance(key, Node):
            items.append(key)
            continue
        scope = _at(members[0], depth)
        assert scope is not None
        kept = len(members) - _activation_length(members, scope, depth)
        if is_function(scope, members[:kept]) and _knows_its_sizes(members[:kept]):
            items.append(Call(scope, tree(members[:kept], is_function, depth + 1)))
            items += tree(members[kept:], is_function, depth + 1)
        else:
            items += tree(members, is_function, depth + 1)
    return items


def _knows_its_sizes(nodes: Sequence[Node]) -> bool:
    """Whether some value that crosses the border inwards has each size that is written inside."""
    inside = {v for n in nodes for v in n.outputs}
    shapes = {v.shape for n in nodes for v in n.inputs if v is not None and v not in inside}
    return symbols_read(nodes) <= {str(s) for shape in shapes for s in shape}


def _activation_length(members: Sequence[Node], scope: Scope, depth: int) -> int:
    """How many nodes at the end of a layer are its activation: `relu(dense(p, x))` shares `dense` with other layers."""
    if not scope.name:
        return 0
    count = 0
    for node in reversed(members):
        part = _at(node, depth + 1)
        if not (node.op.name in ACTIVATIONS if part is None else not part.name and part.kind in ACTIVATIONS):
            break
        count += 1
    body = {v for n in members[: len(members) - count] for v in n.outputs}
    crossing = {v for n in members[len(members) - count :] for v in n.inputs if v in body}
    return count if len(crossing) == 1 else 0


def _at(node: Node, depth: int) -> Scope | None:
    ancestry = node.scope.ancestry if node.scope else ()
    return ancestry[depth] if depth < len(ancestry) else None


def _sorted(groups: dict[object, list[Node]]) -> list[object] | None:
    """The groups in an order in which they can run, as near to the given one as possible; None if there is none."""
    home = {v: key for key, members in groups.items() for n in members for v in n.outputs}
    needs = {key: {home[v] for n in members for v in n.inputs if v in home} - {key} for key, members in groups.items()}
    users: dict[object, list[object]] = {}
    for key, before in needs.items():
        for b in before:
            users.setdefault(b, []).append(key)
    rank = {key: i for i, key in enumerate(groups)}
    ready = [(rank[k], k) for k, before in needs.items() if not before]
    heap = [r for r, _ in ready]
    heapq.heapify(heap)
    keys = list(groups)
    waiting = {k: len(b) for k, b in needs.items()}
    order: list[object] = []
    while heap:
        key = keys[heapq.heappop(heap)]
        order.append(key)
        for user in users.get(key, ()):
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(heap, rank[user])
    return order if len(order) == len(groups) else None
