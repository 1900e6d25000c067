"""Printing loops and branches: what the targets share, and Python's own `for`, `while` and `if`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..ir import Graph, Node, Value
from ..ir.dims import Size
from .body import Body
from .regions import SMALLEST_COMPOSITE, Call, tree
from .template import free_names, name_of


@dataclass
class Part:
    """The body of a loop or branch while it is printed: one graph, inside the text of another."""

    body: Body
    graph: Graph
    results: list[Value]

    def print(self) -> None:
        self.body.module.print_items(self.body, _items(self.graph))

    def texts(self, values: Sequence[Value] | None = None) -> list[str]:
        return [ast.unparse(t) for t in self.body.result(self.results if values is None else values)]


def _items(graph: Graph) -> list[Node | Call]:
    return tree(graph.nodes, lambda s, n: not s.name and len(n) >= SMALLEST_COMPOSITE)


def part(outer: Body, graph: Graph, *, indent: int) -> Part:
    """Begin to print `graph` within `outer`: names that are alive there are not given again."""
    results = [p.value for p in graph.outputs]
    body = Body(outer.module, _items(graph), results, {}, indent=indent)
    body.known = dict(outer.known)
    body.sizes = dict(outer.sizes)
    body.names = dict.fromkeys(name for name in outer.names if not outer.is_free(name))
    return Part(body, graph, results)


def settled(body: Body, values: Sequence[Value | None]) -> list[Value]:
    """Operands as values that have a name or are literals, so that they can be read any number of times."""
    present = [v for v in values if v is not None]
    for value in present:
        if value in body.known and not body.known[value].atomic:
            body.settle(value)
    return present


def bind_captured(inner: Part, outer: Body, ports: Sequence[Value], captured: Sequence[Value]) -> None:
    """What a body uses from outside it reads by the names outside."""
    for value, operand in zip(ports, captured, strict=True):
        inner.body.argument(value, outer.result([operand])[0], fresh=False)


def bind_names(inner: Part, ports: Sequence[Value], hints: Sequence[str]) -> list[str]:
    """Give inputs of a body names of their own."""
    names = []
    for value, hint in zip(ports, hints, strict=True):
        name = inner.body.name_for(value, value.name or hint)
        inner.body.argument(value, name_of(name))
        names.append(name)
    return names


def bind_outputs(body: Body, node: Node) -> list[str]:
    """Names for what a node gives, `_` for what nothing uses."""
    return [body.target_of(v) for v in node.outputs]


def group(names: Sequence[str], empty: str = "None") -> str:
    """One name, or a tuple of several."""
    if len(names) == 1:
        return names[0]
    return f"({', '.join(names)})" if names else empty


def begin(body: Body, names: Sequence[str], starts: Sequence[str]) -> None:
    """Give carries their first values: all at once where one reads a name that another one takes."""
    pairs = [(n, s) for n, s in zip(names, starts, strict=True) if n != s]
    read = [free_names(ast.parse(s, mode="eval")) for _, s in pairs]
    if any(n in names for i, (n, _) in enumerate(pairs) for names in read[i + 1 :]):
        body.line(_assignment(pairs))
        return
    for name, start in pairs:
        body.line(f"{name} = {start}")


def count_text(body: Body, size: Size) -> str:
    return ast.unparse(body.dim(size))


# Python's own statements


def python_scan(stack: str, elements: str, reversed_elements: str) -> Callable[[Body, Node], None]:
    """A rule that writes a scan as a `for`: `stack` joins a list, `elements` are those of a sequence."""

    def write(body: Body, node: Node) -> None:
        _PythonScan(body, node, stack, (elements, reversed_elements)).print()

    return write


class _PythonScan:
    def __init__(self, body: Body, node: Node, stack: str, elements: tuple[str, str]) -> None:
        a = node.attributes
        self.body, self.node, self.stack, self.elements = body, node, stack, elements
        self.carries, self.xs, self.reverse, self.graph = a["carries"], a["xs"], a["reverse"], a["body"]
        operands = [v for v in node.inputs if v is not None]
        self.init, self.sequences = operands[: self.carries], operands[self.carries : self.carries + self.xs]
        self.captured = operands[self.carries + self.xs :]

    def print(self) -> None:
        body = self.body
        settled(body, self.captured)
        starts = [ast.unparse(t) for t in body.result(self.init)]
        body.consume(self.init)
        inner = part(body, self.graph, indent=body.indent + 1)
        values = [p.value for p in self.graph.inputs]
        carried = self._carry_names(inner, values[: self.carries])
        rows = self._row_names(inner)
        head = self._head(inner, values[self.carries : self.carries + self.xs])
        bind_captured(inner, body, values[self.carries + self.xs :], self.captured)
        begin(body, carried, starts)
        for name in rows.values():
            body.line(f"{name} = []")
        body.line(head)
        self._print_inside(inner, carried, rows)
        body.lines += inner.body.lines
        body.consume([*self.sequences, *self.captured])
        self._finish(carried, rows)

    def _carry_names(self, inner: Part, ports: Sequence[Value]) -> list[str]:
        names = bind_names(inner, ports, [v.name or "carry" for v in self.init])
        for i, (port, name) in enumerate(zip(ports, names, strict=True)):
            new = inner.results[i]
            if new.node is not None and new is not port:
                inner.body.telling[new] = name
        return names

    def _row_names(self, inner: Part) -> dict[int, str]:
        names = {}
        for i in range(self.carries, len(inner.results)):
            hint = self.node.outputs[i].name or inner.results[i].name
            name = inner.body.name_for(inner.results[i], f"{hint}_rows" if hint else "rows")
            inner.body.names[name] = None
            names[i] = name
        return names

    def _head(self, inner: Part, ports: Sequence[Value]) -> str:
        body = self.body
        if not self.xs:
            return f"for _ in range({count_text(body, self.node.attributes['length'])}):"
        names = bind_names(inner, ports, [v.name or "x" for v in self.sequences])
        form = self.elements[1] if self.reverse else self.elements[0]
        texts = [form.format(_atom(t) if form != "{}" else ast.unparse(t)) for t in body.result(self.sequences)]
        if self.xs == 1:
            return f"for {names[0]} in {texts[0]}:"
        return f"for {', '.join(names)} in zip({', '.join(texts)}, strict=True):"

    def _print_inside(self, inner: Part, carried: Sequence[str], rows: dict[int, str]) -> None:
        early = [i for i in rows if inner.results[i].node is None]
        for i in early:  # what the iteration begins with
            inner.body.line(f"{rows[i]}.append({inner.texts([inner.results[i]])[0]})")
            inner.body.consume([inner.results[i]])
        inner.print()
        for i in rows:
            if i not in early:
                inner.body.line(f"{rows[i]}.append({inner.texts([inner.results[i]])[0]})")
                inner.body.consume([inner.results[i]])
        news = inner.texts(inner.results[: self.carries])
        changed = [(a, b) for a, b in zip(carried, news, strict=True) if a != b]
        if changed:
            inner.body.line(_assignment(changed))
        if not inner.body.lines:
            inner.body.line("pass")

    def _finish(self, carried: Sequence[str], rows: dict[int, str]) -> None:
        body = self.body
        for value, name in zip(self.node.outputs, carried, strict=False):
            if body.uses.get(value, 0):
                body.names[name] = value
                body.argument(value, name_of(name))
        for i, name in rows.items():
            value = self.node.outputs[i]
            listed = f"{name}[::-1]" if self.reverse else name
            body.assign((value,), ast.parse(self.stack.format(listed), mode="eval").body)


def python_while(body: Body, node: Node) -> None:
    """A rule that writes a loop as a `while`, or as a `for` with a `break` where it is bounded."""
    a = node.attributes
    operands = [v for v in node.inputs if v is not None]
    carries, captured = operands[: a["carries"]], settled(body, operands[a["carries"] :])
    starts = [ast.unparse(t) for t in body.result(carries)]
    body.consume(carries)
    test, inner = (part(body, a[k], indent=body.indent + 1) for k in ("condition", "body"))
    ports = [p.value for p in inner.graph.inputs]
    carried = bind_names(inner, ports[: a["carries"]], [v.name or "carry" for v in carries])
    for i, name in enumerate(carried):
        test.body.argument(test.graph.inputs[i].value, name_of(name))
        if inner.results[i].node is not None:
            inner.body.telling[inner.results[i]] = name
    bind_captured(inner, body, ports[a["carries"] :], captured)
    bind_captured(test, body, [p.value for p in test.graph.inputs][a["carries"] :], captured)
    begin(body, carried, starts)
    test.print()
    (holds,) = test.texts()
    bound = a["max_iterations"]
    if bound is None and not test.body.lines:
        body.line(f"while {holds}:")
    else:
        body.line("while True:" if bound is None else f"for _ in range({count_text(body, bound)}):")
        body.lines += test.body.lines
        body.line(f"    if not {_atom(ast.parse(holds, mode='eval').body)}:")
        body.line("        break")
    inner.print()
    news = inner.texts()
    changed = [(x, y) for x, y in zip(carried, news, strict=True) if x != y]
    if changed:
        inner.body.line(_assignment(changed))
    body.lines += inner.body.lines or ["    " * (body.indent + 1) + "pass"]
    body.consume(captured)
    for value, name in zip(node.outputs, carried, strict=True):
        if body.uses.get(value, 0):
            body.argument(value, name_of(name))


def python_cond(body: Body, node: Node) -> None:
    """A rule that writes a branch as an `if`."""
    operands = settled(body, node.inputs)
    sides = [part(body, node.attributes[k], indent=body.indent + 1) for k in ("then", "otherwise")]
    predicate = ast.unparse(body.result(operands[:1])[0])
    for side in sides:
        bind_captured(side, body, [p.value for p in side.graph.inputs], operands[1:])
        side.print()
    results = [side.texts() for side in sides]
    body.consume(operands)
    names = bind_outputs(body, node)
    for head, side, texts in zip((f"if {predicate}:", "else:"), sides, results, strict=True):
        bound = [(n, t) for n, t in zip(names, texts, strict=True) if n not in ("_", t)]
        lines = side.body.lines + ([f"{'    ' * side.body.indent}{_assignment(bound)}"] if bound else [])
        if lines or head != "else:":
            body.line(head)
            body.lines += lines or [f"{'    ' * side.body.indent}pass"]


def _assignment(pairs: Sequence[tuple[str, str]]) -> str:
    return f"{', '.join(n for n, _ in pairs)} = {', '.join(t for _, t in pairs)}"


def _atom(tree: ast.expr) -> str:
    """An expression that a method can be called on."""
    text = ast.unparse(tree)
    return text if isinstance(tree, ast.Name | ast.Call | ast.Attribute | ast.Subscript) else f"({text})"


# functions inside the one that is printed, for frameworks that loop by functions


@dataclass
class Local:
    """A local function: what it reads besides its arguments it finds around it."""

    inner: Part
    name: str

    @classmethod
    def of(cls, body: Body, graph: Graph, captured: Sequence[Value]) -> Local:
        inner = part(body, graph, indent=body.indent + 1)
        ports = [p.value for p in graph.inputs]
        bind_captured(inner, body, ports[len(ports) - len(captured) :], captured)
        name = body.name_for(graph.outputs[0].value, graph.name)
        inner.body.names[name] = None
        return cls(inner, name)

    def names(self, first: int, count: int, hints: Sequence[Value]) -> list[str]:
        """Names for some of its inputs, called as the values outside where they have no names of their own."""
        ports = [p.value for p in self.inner.graph.inputs][first : first + count]
        return bind_names(self.inner, ports, [v.name or "x" for v in hints[:count]])

    def unpack(self, names: Sequence[str], argument: str) -> str:
        """The argument that holds values of these names; several are taken out of a tuple."""
        if len(names) == 1:
            return names[0]
        if names:
            self.inner.body.line(f"{', '.join(names)} = {argument}")
        return argument if names else "_"

    def results(self) -> list[str]:
        self.inner.print()
        return self.inner.texts()

    def write(self, body: Body, arguments: str, returned: str) -> None:
        if body.lines and body.lines[-1] and not body.lines[-1].endswith(":"):
            body.lines.append("")
        body.line(f"def {self.name}({arguments}):")
        body.lines += self.inner.body.lines
        body.line(f"    return {returned}")
        body.lines.append("")


def targets(names: Sequence[str]) -> str:
    """What a statement binds: `_` where nothing of it is used."""
    return "_" if all(n == "_" for n in names) else group(names)
