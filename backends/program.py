"""From a graph to running code: prepare it for a target, print it, execute what was printed."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..ir import Graph, Node
from ..ir.passes import decompose, optimize, remove_dead
from ..ir.passes.axes import WAITS
from ..ir.passes.layout import Layout, has_layout, layout
from ..ir.rewrite import Rewriter, inside, rewrite
from .rules import Alone, Table, check_lowered, find_entry, find_rule, key_of, nodes_within, saved_outputs
from .template import unread_parameters

_COUNTER = itertools.count()
Pass = Callable[[Graph], Graph]


def prepare(
    graph: Graph,
    table: Table,
    target: str,
    passes: Sequence[Pass] = (),
    *,
    within_layers: bool = False,
    wish: Layout | None = None,
    views: bool = True,
) -> Graph:
    """Take apart what the target has no row for, simplify, apply its passes, check that every node can be lowered.

    `wish` is the layout that the target wants, `views` whether parameters are stored so.
    """
    graph = claim(graph, table, passes, within_layers, wish, views)
    check_lowered(graph, table, target)
    return everywhere(lambda g: remove_dead(without_unread_operands(without_saved_outputs(g, table), table)), graph)


def claim(
    graph: Graph,
    table: Table,
    passes: Sequence[Pass] = (),
    within_layers: bool = False,
    wish: Layout | None = None,
    views: bool = True,
) -> Graph:
    """The graph of what the target has rows for, and of the parts that it has none for."""

    def has_row(node: Node) -> bool:
        return find_rule(table, node) is not None

    if wish is not None:
        graph = decompose(graph, lambda n: n.op in WAITS or has_row(n) or (has_layout(n) and key_of(n.op) in table))
        if any(map(has_layout, nodes_within(graph.nodes))):
            graph = arrange(optimize(graph, within_layers=within_layers), wish, views)
    graph = optimize(decompose(graph, has_row), within_layers=within_layers)
    for change in passes:
        graph = everywhere(change, graph)
    return graph


def arrange(graph: Graph, wish: Layout, views: bool = True) -> Graph:
    """The layout that a target wants, in the bodies of loops and branches too."""
    return layout(inside(graph, lambda body: arrange(body, wish)), wish, views=views)


def everywhere(change: Pass, graph: Graph) -> Graph:
    """A pass on the bodies of loops and branches, and on the graph around them."""
    return change(inside(graph, lambda body: everywhere(change, body)))


def without_saved_outputs(graph: Graph, table: Table) -> Graph:
    """The graph with only the outputs that rules give: some give none of those that are saved for a gradient."""

    def rule(rewriter: Rewriter, node: Node) -> bool:
        entry = find_entry(table, node) if node.lowering is None else None
        if not isinstance(entry, Alone) or not node.op.saved:
            return False
        kept = node.outputs[: -len(saved_outputs(node))]
        with rewriter.within(node):
            made = rewriter.new.append(node.op, rewriter.inputs(node), node.attributes, tuple(v.type for v in kept))
        made.lowering = entry.rule
        for old, new in zip(kept, made.outputs, strict=True):
            rewriter.values[old] = new.named(old.name) if old.name else new
        return True

    return rewrite(graph, rule)


def without_unread_operands(graph: Graph, table: Table) -> Graph:
    """The graph with None for operands that a node's rule does not read: a gradient rarely needs all it is offered."""

    def rule(rewriter: Rewriter, node: Node) -> bool:
        found = find_rule(table, node)
        gone = unread_parameters(found) if callable(found) else frozenset()
        if not gone:
            return False
        inputs = tuple(None if i in gone else v for i, v in enumerate(rewriter.inputs(node)))
        with rewriter.within(node):
            made = rewriter.new.append(node.op, inputs, node.attributes, tuple(v.type for v in node.outputs))
        made.lowering = found  # chosen by the operands as they were
        rewriter.replace(node, made.outputs)
        return True

    return rewrite(graph, rule)


def execute(source: str, name: str) -> Mapping[str, Any]:
    """Run a printed module; its names. Tracebacks show its lines."""
    file = f"<isograd {name} {next(_COUNTER)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": file}
    exec(compile(source, file, "exec"), namespace)
    return MappingProxyType(namespace)


def as_tree(arrays: Mapping[str, Any]) -> Any:
    """Arrays by dotted names as nested dicts; branches that count, 0, 1, 2..., as lists."""
    tree = {}  # type: dict[str, Any]
    for name, array in arrays.items():
        *parents, leaf = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = array
    return as_lists(tree)


def as_lists(tree: Any) -> Any:
    """Branches named 0, 1, 2... as lists."""
    if not isinstance(tree, dict):
        return tree
    branches = {k: as_lists(v) for k, v in tree.items()}
    if branches and branches.keys() == {str(i) for i in range(len(branches))}:
        return [branches[str(i)] for i in range(len(branches))]
    return branches


def by_name(tree: Any, name: str = "") -> dict[str, Any]:
    """The leaves of nested dicts and lists by their dotted names."""
    if not isinstance(tree, dict | list):
        return {name: tree}
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {n: leaf for key, b in branches for n, leaf in by_name(b, f"{name}.{key}" if name else str(key)).items()}
