"""A layer's forward and backward as two functions: what the one saves for the other, and the tree of gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from ..ir import Node, Scope, Value
from ..ir.graph import SECTIONS
from ..ir.rewrite import is_scalar_constant
from .regions import Bundle, Call

FORWARD, BACKWARD, _ = SECTIONS


class Pairs:
    """Gives the calls of a step, from the inside out, what they save and return as one.

    `stored` are parameters and state, which a function finds in its own branch; `paths` the parameters that a value is
    the gradient of.
    """

    def __init__(self, nodes: Sequence[Node], stored: Set[Value], paths: Mapping[Value, Sequence[str]]) -> None:
        self.stored, self.paths = stored, paths
        self.users: dict[Value, list[Node]] = {}
        for node in nodes:
            for value in node.inputs:
                if value is not None:
                    self.users.setdefault(value, []).append(node)

    def join(self, items: Sequence[Node | Call]) -> None:
        calls: dict[Scope, dict[str, Call]] = {}
        for item in items:
            if isinstance(item, Call) and item.scope.name:
                calls.setdefault(item.scope, {})[item.section] = item
        for found in calls.values():
            self.join([inner for call in found.values() for inner in call.items])
            if FORWARD in found and BACKWARD in found:
                self._save(found[FORWARD], found[BACKWARD])
            if BACKWARD in found:
                self._gather(found[BACKWARD])

    def _save(self, forward: Call, backward: Call) -> None:
        """What the backward reads of the forward's own becomes one value, with the arguments that both read."""
        needed = backward.inputs
        inside = set(forward.nodes) | set(backward.nodes)
        made = [v for v in needed if v in forward.defined]
        own = [v for v in made if all(n in inside for n in self.users.get(v, ()))]
        if not own:
            return
        given = [v for v in forward.inputs if v not in self.stored and not is_scalar_constant(v)]
        order = {v: i for i, v in enumerate([*given, *in_order(forward)])}
        members = sorted((v for v in needed if v in order), key=order.__getitem__)
        if len(members) > 1:
            backward.takes = Bundle(forward.scope, "saved", members)
            forward.gives.append(backward.takes)

    def _gather(self, backward: Call) -> None:
        """The gradients of a layer's own parameters become one tree, with those of the layers within it."""
        prefix = ".".join(backward.scope.path)
        keys: list[tuple[str, ...]] = []
        members: list[Value] = []
        held: set[str] = set()
        for item in backward.items:
            for tree in item.gives if isinstance(item, Call) else ():
                if tree.is_tree:
                    keys.append(_relative(".".join(tree.scope.path), prefix))
                    members.append(tree)
                    held.update(leaves(tree))
        within = tuple(keys)
        for value in (v for n in backward.nodes for v in n.outputs):
            for path in self.paths.get(value, ()):
                key = _relative(path, prefix)
                if path not in held and path.startswith(f"{prefix}.") and not any(key[: len(k)] == k for k in within):
                    keys.append(key)
                    members.append(value)
        if members:
            backward.gives.append(Bundle(backward.scope, "gradients", members, keys))


def leaves(tree: Bundle) -> dict[str, Value]:
    """The gradients in a tree by the full names of their parameters."""
    prefix = ".".join(tree.scope.path)
    found: dict[str, Value] = {}
    for key, member in zip(tree.keys, tree.members, strict=True):
        found |= leaves(member) if isinstance(member, Bundle) else {".".join((prefix, *key)): member}
    return found


def in_order(call: Call) -> list[Value]:
    """All that a call defines, in the order in which it does."""
    found: list[Value] = []
    for item in call.items:
        found += item.outputs if isinstance(item, Node) else [*in_order(item), *item.gives]
    return found


def _relative(path: str, prefix: str) -> tuple[str, ...]:
    return tuple(path[len(prefix) + 1 :].split("."))
