"""Inference as pure functions over a tree of parameters: the style of NumPy and JAX."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from ..ir import Graph, Node, Port, Scope, Value
from .body import Body
from .guards import print_guards
from .module import ModuleWriter
from .program import as_lists
from .regions import SMALLEST_COMPOSITE, tree
from .rules import nodes_within
from .target import Target, type_text
from .template import function_source, name_of


def stored_ports(graph: Graph) -> dict[Value, Port]:
    return {p.value: p for p in graph.inputs if p.role in ("parameter", "state")}


def is_function(scope: Scope, nodes: Sequence[Node], stored: Mapping[Value, Port], *, layers: bool) -> bool:
    """Layers that read parameters are functions (where layers are kept); so are composites of some size."""
    real = [n for n in nodes_within(nodes) if n.op.name not in ("constant", "size")]
    if not scope.name:
        return len(real) >= SMALLEST_COMPOSITE or nodes[0].section == "update"
    return layers and (len(real) >= SMALLEST_COMPOSITE or any(v in stored for n in real for v in n.inputs))


def print_functions(graph: Graph, target: Target, head: str) -> str:
    """An inference graph as pure functions over a tree of parameters."""
    writer = ModuleWriter(target, stored_ports(graph))
    writer.reserve(graph.nodes)
    has = {r: bool(graph.ports(r)) for r in ("parameter", "state")}
    main = _main_function(graph, writer, has)
    return writer.text(head, main, loader(graph, writer))


def _main_function(graph: Graph, writer: ModuleWriter, has: Mapping[str, bool]) -> str:
    roots = {"parameter": "params", "state": "state"}
    items = tree(graph.nodes, lambda s, n: is_function(s, n, writer.paths, layers=True))
    body = Body(writer, items, [p.value for p in graph.outputs], roots)
    arguments = [roots[r] for r in roots if has[r]]
    for port in graph.inputs:
        if port.role in roots:
            body.argument(port.value, writer.branch(roots[port.role], port.path.split("."), port.role))
        else:
            name = body.name_for(port.value, port.path)
            arguments.append(name)
            body.argument(port.value, name_of(name))
    print_guards(body, graph)
    writer.print_items(body, items)
    results = [ast.unparse(t) for t in body.result([p.value for p in graph.results("output")])]
    returned = ", ".join(results)
    if has["state"]:
        returned = f"{returned if len(results) == 1 else f'({returned})'}, state"
    body.finish(returned)
    return "\n".join(
        [
            f"def model({', '.join(arguments)}):",
            f'    """{signature(graph)}"""',
            *writer.target.opened(graph, body.lines),
        ]
    )


def signature(graph: Graph) -> str:
    inputs = ", ".join(f"{p.path}: {type_text(p.value)}" for p in graph.ports("input"))
    outputs = ", ".join(type_text(p.value) for p in graph.results("output"))
    return f"{inputs} -> {outputs}"


def loader(graph: Graph, writer: ModuleWriter) -> str:
    if not graph.ports("parameter") and not graph.ports("state"):
        return ""
    array = writer.target.array("array")
    state = sorted(p.path for p in graph.ports("state"))
    lines = ["def load(path):", '    """The arrays of a safetensors file as a tree, by the source\'s names."""']
    if state:
        lines[1] = '    """Parameters and state from a safetensors file, each a tree by the source\'s names."""'
        lines += [
            "    params, state = {}, {}",
            "    for name, array in load_file(path).items():",
            "        branch = state if name in STATE else params",
        ]
    else:
        lines += ["    params = {}", "    for name, array in load_file(path).items():", "        branch = params"]
    lines += [
        '        *parents, leaf = name.split(".")',
        "        for parent in parents:",
        "            branch = branch.setdefault(parent, {})",
    ]
    counted = any(part.isdigit() for p in graph.inputs for part in p.path.split("."))
    returned = [f"as_lists({name})" if counted else name for name in (("params", "state") if state else ("params",))]
    lines += [f"        branch[leaf] = {array}", f"    return {', '.join(returned)}"]
    text = "\n".join([*lines, *(["", "", function_source(as_lists)] if counted else [])])
    return f"STATE = {{{', '.join(map(repr, state))}}}\n\n\n{text}".replace("'", '"') if state else text
