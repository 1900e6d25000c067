"""Compute again in the backward what scopes' forward parts made, instead of keeping it.

1. A scope's backward nodes read copies of its forward nodes, which stand before the first of them, in the scope and in
   the section of the backward. What its backward does not need is not computed again: no update of a state is.
2. The copies read what came into the scope through a `barrier`, which also takes the first gradient that comes into
   the scope: no optimizer may merge the copies with what they are copies of, and none may run them early.
3. What follows from parameters and constants alone stays one, and so do nodes that bind a size.
4. What others read of the scope's forward part is kept: it is what the next scope computes again from.

Random numbers are functions of key and counter, so a copied mask is the same mask.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from .. import ops
from ..errors import SpecError
from ..graph import Graph, Node, Scope, Value
from ..rewrite import Rewriter

FORWARD, BACKWARD = "forward", "backward"
Chosen = str | Sequence[str] | bool


def recompute(graph: Graph, chosen: Chosen) -> Graph:
    """The graph of a step that keeps less, with the numbers of the one given.

    `chosen`: patterns of names, paths (`encoder/layer.*`) or kinds of scopes, of which the outermost count; True: the
    outermost repeated blocks. Raises `SpecError` where a pattern fits no scope.
    """
    fixed = _fixed(graph)
    plans = [p for scope in chosen_scopes(graph, chosen) if (p := _Plan(graph, scope, fixed)).copied]
    if not plans:
        return graph
    first = {p.first: p for p in plans}
    home = {node: p for p in plans for node in p.backward}
    rewriter = Rewriter(graph)
    for node in graph.nodes:
        if node in first:
            first[node].compute_again(rewriter)
        if node in home:
            home[node].copy(rewriter, node)
        else:
            rewriter.copy(node)
    return rewriter.finish()


def chosen_scopes(graph: Graph, chosen: Chosen) -> list[Scope]:
    """The scopes that `chosen` says, none within another."""
    scopes = _scopes(graph)
    if isinstance(chosen, bool):
        found = _blocks(scopes) if chosen else []
        if chosen and not found:
            raise SpecError(
                f"recompute: no layer that has layers within is repeated; give a pattern of names or kinds of "
                f"{_listed({s.kind for s in scopes})}"
            )
        return found
    patterns = [chosen] if isinstance(chosen, str) else list(chosen)
    for pattern in patterns:
        if not any(_fits(s, pattern) for s in scopes):
            raise SpecError(f"recompute: {pattern!r} fits no layer{_near(pattern, scopes)}")
    fitting = {s for s in scopes if any(_fits(s, p) for p in patterns)}
    return [s for s in scopes if s in fitting and fitting.isdisjoint(s.ancestry[:-1])]


def _scopes(graph: Graph) -> list[Scope]:
    """The scopes with names in which gradients are computed, by their first nodes."""
    return list(
        dict.fromkeys(s for n in graph.nodes if n.section == BACKWARD and n.scope for s in n.scope.ancestry if s.name)
    )[::-1]


def _fits(scope: Scope, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (scope.name, scope.kind, "/".join(scope.path)))


def _near(pattern: str, scopes: Iterable[Scope]) -> str:
    names = {n for s in scopes for n in (s.name, s.kind, "/".join(s.path))}
    near = difflib.get_close_matches(pattern, sorted(names), 3)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; there are {_listed(names)}"


def _listed(names: Iterable[str], most: int = 12) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:most]) + (", ..." if len(ordered) > most else "")


def _blocks(scopes: Sequence[Scope]) -> list[Scope]:
    """The outermost scopes that have scopes within and stand beside others of their kind."""
    parents = {s.parent for s in scopes}
    beside: dict[tuple[Scope | None, str], list[Scope]] = {}
    for scope in scopes:
        if scope in parents:
            beside.setdefault((scope.parent, scope.kind), []).append(scope)
    repeated = {s for group in beside.values() if len(group) > 1 for s in group}
    return [s for s in scopes if s in repeated and repeated.isdisjoint(s.ancestry[:-1])]


def _fixed(graph: Graph) -> set[Value]:
    """What follows from parameters and constants alone."""
    found = {p.value for p in graph.inputs if p.role in ("parameter", "constant")}
    for node in graph.nodes:
        if all(v is None or v in found for v in node.inputs):
            found.update(node.outputs)
    return found


class _Plan:
    """What one scope's backward computes again, from what, and before which of its nodes."""

    def __init__(self, graph: Graph, scope: Scope, fixed: set[Value]) -> None:
        self.scope = scope
        inside = [n for n in graph.nodes if n.scope is not None and scope in n.scope.ancestry]
        self.backward = [n for n in inside if n.section == BACKWARD]
        made = {v: n for n in inside if n.section == FORWARD and not n.op.binds for v in n.outputs if v not in fixed}
        self.copied = _needed(inside, made, self.backward)
        again = {v for n in self.copied for v in n.outputs}
        read = dict.fromkeys(v for n in self.copied for v in _operands(n))
        self.entering = [v for v in read if v not in fixed and v not in again]
        self.gradient: Value | None = None
        self.values: dict[Value, Value] = {}  # what the scope's backward reads instead
        if self.copied:
            instead = again.union(self.entering)
            self.first = next(n for n in self.backward if not instead.isdisjoint(_operands(n)))
            self.gradient = self._gradient(graph)
            self.entering += [self.gradient] if self.gradient is not None else []

    def _gradient(self, graph: Graph) -> Value | None:
        """The first gradient that comes into the scope, where it is there before the first copy is read."""
        own = {v for n in self.backward for v in n.outputs}
        coming = (v for n in self.backward for v in _operands(n) if v not in own and _section(v) == BACKWARD)
        gradient = next(coming, None)
        if gradient is None or gradient in self.entering:
            return None
        before = {v for n in graph.nodes[: graph.nodes.index(self.first)] for v in n.outputs}
        return gradient if gradient in before else None

    def compute_again(self, rewriter: Rewriter) -> None:
        """Write the barrier and the copies."""
        graph = rewriter.new
        with graph.scope_set(rewriter.scope(self.scope)), graph.section(BACKWARD), graph.at(self.copied[0].origin):
            passed = graph.apply(ops.barrier, *(rewriter.values[v] for v in self.entering))
        passed = passed if isinstance(passed, tuple) else (passed,)
        for v, p in zip(self.entering, passed, strict=True):  # named alike: equal blocks are to stay equal
            self.values[v] = p if v is self.gradient else p.named("x")
        for node in self.copied:
            made = self._append(rewriter, node)
            self.values |= {v: m.named(v.name or "x") for v, m in zip(node.outputs, made, strict=True)}

    def copy(self, rewriter: Rewriter, node: Node) -> None:
        """Repeat a node of the backward, on what was computed again."""
        rewriter.replace(node, self._append(rewriter, node))

    def _value(self, rewriter: Rewriter, value: Value) -> Value:
        return self.values[value] if value in self.values else rewriter.values[value]

    def _append(self, rewriter: Rewriter, node: Node) -> tuple[Value, ...]:
        inputs = tuple(None if v is None else self._value(rewriter, v) for v in node.inputs)
        graph, types = rewriter.new, tuple(v.type for v in node.outputs)
        with graph.scope_set(rewriter.scope(node.scope)), graph.section(BACKWARD), graph.at(node.origin):
            return graph.append(node.op, inputs, node.attributes, types).outputs


def _needed(inside: Sequence[Node], made: Mapping[Value, Node], backward: Sequence[Node]) -> list[Node]:
    """The nodes, among those that `made` names, that the backward depends on, in order."""
    needed: set[Node] = set()
    waiting = [made[v] for n in backward for v in _operands(n) if v in made]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += [made[v] for v in _operands(node) if v in made]
    return [n for n in inside if n in needed]


def _operands(node: Node) -> list[Value]:
    return [v for v in node.inputs if v is not None]


def _section(value: Value) -> str:
    return value.node.section if value.node is not None else FORWARD
