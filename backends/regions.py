"""A flat graph as a tree of calls: which nodes a reader should see as one function."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..ir import Graph, Node, Scope, Value
from ..ir.dims import Dim, symbols_of
from ..ir.graph import bound_by, bound_symbols
from ..ir.ops import activation, reshape
from ..ir.types import TensorType
from ..ir.types import bool_ as boolean
from .rules import WRITTEN_OUT

ACTIVATIONS = frozenset(op.name for op in activation.OPS) | {"tanh", "sigmoid", "exp", "arctan"}


class Bundle(Value):
    """Values that cross a border as one: what a layer saves for its backward (a tuple), or its gradients (a tree)."""

    __slots__ = ("keys", "members", "scope")

    def __init__(self, scope: Scope, name: str, members: Sequence[Value], keys: Sequence[tuple[str, ...]] = ()) -> None:
        super().__init__(members[0].graph, TensorType(boolean, ()), None, 0, name)
        self.scope, self.members, self.keys = scope, list(members), list(keys)

    @property
    def is_tree(self) -> bool:
        return bool(self.keys)


SMALLEST_COMPOSITE = 4  # a composite of fewer nodes reads better in place


@dataclass(eq=False)
class Call:
    """The nodes of one scope in one section, to be printed as a call of a function.

    `gives` are bundles that it returns besides plain values, `takes` one that stands for several of its inputs.
    """

    scope: Scope
    items: list[Node | Call]
    nodes: list[Node] = field(default_factory=list)
    gives: list[Bundle] = field(default_factory=list)
    takes: Bundle | None = None

    def __post_init__(self) -> None:
        self.nodes = [n for item in self.items for n in nodes_of(item)]

    @property
    def section(self) -> str:
        return self.nodes[0].section

    @cached_property
    def defined(self) -> set[Value]:
        """All values that are made within, those included that its calls return as one."""
        inner = {v for n in self.nodes for v in n.outputs}
        return inner.union(*([*item.defined, *item.gives] for item in self.items if isinstance(item, Call)))

    @property
    def inputs(self) -> list[Value]:
        """The values that cross the border inwards, by first use."""
        return self._read if self.takes is None else self._taken

    @cached_property
    def _read(self) -> list[Value]:
        inside = self.defined
        return list(dict.fromkeys(v for i in self.items for v in i.inputs if v is not None and v not in inside))

    @cached_property
    def _taken(self) -> list[Value]:
        assert self.takes is not None
        return [self.takes, *(v for v in self._read if v not in self.takes.members)]

    @cached_property
    def sizes(self) -> list[str]:
        """The symbols that the function reads and that are no size of an axis of what it is given."""
        given = {str(size) for v in members_of(self.inputs) for size in v.shape}.union(*map(bound_by, self.nodes))
        return sorted(symbols_read(self.nodes) - given)


def nodes_of(item: Node | Call) -> list[Node]:
    return [item] if isinstance(item, Node) else item.nodes


def members_of(values: Iterable[Value]) -> list[Value]:
    """The values, with the members of a bundle in its place."""
    return [m for v in values for m in (v.members if isinstance(v, Bundle) else (v,))]


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
            found |= _symbols(tuple(item.attributes.values())) - bound_by(item)
    return frozenset(found)


def writes_free_size(shape: Sequence[object]) -> bool:
    """Whether a shape can be written with -1 for its one symbolic size."""
    return sum(isinstance(s, Dim) for s in shape) == 1 and not any(isinstance(s, int) and s <= 0 for s in shape)


def _symbols(attribute: object) -> frozenset[str]:
    if isinstance(attribute, tuple):
        return frozenset().union(*map(_symbols, attribute))
    if isinstance(attribute, Graph):  # a body knows the sizes of what it is given
        inner = [*(_symbols(p.value.shape) for p in attribute.inputs), bound_symbols(attribute)]
        return symbols_read(attribute.nodes).difference(*inner)
    return symbols_of(attribute)


def has_nested_layers(graph: Graph) -> bool:
    """Whether layers lie within layers: then each is a function, in a step too."""
    layers = {s for n in graph.nodes if n.scope and (s := n.scope.layer)}
    return any(s.parent is not None and s.parent.layer is not None for s in layers)


def tree(
    nodes: Sequence[Node], is_function: Callable[[Scope, Sequence[Node]], bool], depth: int = 0
) -> list[Node | Call]:
    """Group nodes into calls, level by level; a scope that `is_function` refuses is dissolved into its caller."""
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        scope = _at(node, depth)
        groups.setdefault(node if scope is None else (scope, node.section), []).append(node)
    needs = _needs(groups)
    circles = set(groups) - set(_sorted(needs))
    if circles:  # what crosses their borders goes both ways: no call can stand for them
        circles -= set(_sorted({k: {u for u in circles if k in needs[u]} for k in circles}))
        groups = {k: g for key, group in groups.items() for k, g in _parts(key, group, key in circles).items()}
        needs = _needs(groups)
    order = _sorted(needs)
    items: list[Node | Call] = []
    for key in order:
        members = groups[key]
        if isinstance(key, Node):
            items.append(key)
            continue
        scope = _at(members[0], depth)
        assert scope is not None
        kept = len(members) - _activation_length(members, scope, depth)
        if is_function(scope, members[:kept]):
            items.append(Call(scope, _unwrapped(tree(members[:kept], is_function, depth + 1))))
            items += tree(members[kept:], is_function, depth + 1)
        else:
            items += tree(members, is_function, depth + 1)
    return items


def _unwrapped(items: list[Node | Call]) -> list[Node | Call]:
    """The items of a layer; where it is one composite, those of the composite."""
    real = [i for i in items if isinstance(i, Call) or i.op not in WRITTEN_OUT]
    inner = real[0] if len(real) == 1 else None
    if not isinstance(inner, Call) or inner.scope.name:
        return items
    return [*(i for i in items if i is not inner), *inner.items]


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


def _parts(key: object, group: list[Node], apart: bool) -> dict[object, list[Node]]:
    return {node: [node] for node in group} if apart else {key: group}


def _needs(groups: Mapping[object, Sequence[Node]]) -> dict[object, set[object]]:
    """Which groups each group reads from."""
    home = {v: key for key, members in groups.items() for n in members for v in n.outputs}
    return {key: {home[v] for n in members for v in n.inputs if v in home} - {key} for key, members in groups.items()}


def _sorted(needs: Mapping[object, set[object]]) -> list[object]:
    """The keys in an order in which they can run, as near to the given one as possible; without those in a circle, and
    without those that wait for one."""
    users: dict[object, list[object]] = {}
    for key, before in needs.items():
        for b in before:
            users.setdefault(b, []).append(key)
    keys = list(needs)
    rank = {key: i for i, key in enumerate(keys)}
    heap = [rank[k] for k, before in needs.items() if not before]
    heapq.heapify(heap)
    waiting = {k: len(b) for k, b in needs.items()}
    order: list[object] = []
    while heap:
        key = keys[heapq.heappop(heap)]
        order.append(key)
        for user in users.get(key, ()):
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(heap, rank[user])
    return order
