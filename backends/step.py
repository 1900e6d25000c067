"""A training step (or a part of one) as one function: forward, backward, the update as a loop over the parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..ir import Graph, Node, Port, Value
from .body import Body, Expression
from .functions import is_function, stored_ports
from .module import ModuleWriter
from .regions import Call, nodes_of, tree
from .rules import find_rule
from .target import Target, type_text
from .template import name_of

SECTIONS = ("forward", "backward", "update")


def step_name(graph: Graph) -> str:
    """What the printed function is called: by what it gives."""
    if graph.results("parameter"):
        return "train_step"
    return "loss_and_gradients" if graph.results("gradient") else "forward"


def _logits(graph: Graph) -> list[Value]:
    """The values that a loss (or its parts) calls its logits."""
    scopes = {s for n in graph.nodes if n.scope for s in n.scope.ancestry}
    named: list[tuple[str, Value | None]] = [pair for s in scopes for pair in s.arguments]
    named += [pair for n in graph.nodes for pair in zip(n.op.signature.operands, n.inputs, strict=False)]
    return [v for name, v in named if name == "logits" and v is not None and v.node is not None]


@dataclass
class Update:
    """The items that give one parameter and its slots their new values: one node or call."""

    port: Port
    item: Node | Call
    inputs: list[Value]
    outputs: list[Value]


def print_step(graph: Graph, target: Target, head: str) -> str:
    """The module of a training step: `train_step(params, state, *batch)`, over dicts by the parameters' names.

    It returns loss, metrics (where there are any), and new params and state; where the target updates in place,
    loss and metrics alone.
    """
    writer = ModuleWriter(target, stored_ports(graph))
    writer.reserve(graph.nodes)
    printer = _StepPrinter(graph, writer)
    main = printer.text()
    return writer.text(head, main)


class _StepPrinter:
    def __init__(self, graph: Graph, writer: ModuleWriter) -> None:
        self.graph, self.writer, self.target = graph, writer, writer.target
        self.items = tree(graph.nodes, lambda s, n: is_function(s, n, writer.paths, layers=False))
        self.body = Body(
            writer,
            self.items,
            [p.value for p in graph.outputs],
            {"parameter": "params", "state": "state"},
            flat=True,
        )
        self.body.telling = dict.fromkeys(_logits(graph), "logits")
        self.new = {p.value: p for p in graph.outputs if p.role in ("parameter", "state")}
        self.updates, self.rest = self._split()
        self.in_place = bool(self.target.in_place)

    def text(self) -> str:
        body, arguments = self.body, self._arguments()
        self._gradient_places()
        for section in SECTIONS:
            self._section(section)
        results = self._results()
        self._state()
        self._loops()
        body.line(f"return {', '.join(results)}")
        parts = [
            f"def {step_name(self.graph)}({', '.join(arguments)}):",
            f'    """{self._docstring()}"""',
            *self.target.opened(self.graph, body.lines),
        ]
        decorator = self.target.step_decorator if self.updates else self.target.decorator
        if decorator:
            parts.insert(0, f"@{decorator}")
        return "\n".join(parts)

    def _section(self, section: str) -> None:
        members = [i for i in self.rest if nodes_of(i)[0].section == section]
        several = len({nodes_of(i)[0].section for i in self.items}) > 1
        if several and (members or (section == "update" and self.updates)):
            self.body.line(f"# {section}")
        kept = [v.node.section for v in self.body.places if v.node is not None]
        if section == min(kept or ["backward"], key=SECTIONS.index) and self.gradient_of:
            self.body.line("gradients = {}")
        for item in members:
            if isinstance(item, Node):
                self.body.node(item)
            else:
                self.writer.print_call(self.body, item)

    def _docstring(self) -> str:
        inputs = ", ".join(f"{p.path}: {type_text(p.value)}" for p in self.graph.ports("input"))
        given = [
            name
            for name, present in (
                ("the loss", self.graph.results("loss")),
                ("outputs", self.graph.results("output")),
                ("metrics", self.graph.results("metric")),
                ("gradients", self.graph.results("gradient")),
            )
            if present
        ]
        if self.in_place:
            return f"{inputs} -> {', '.join(given)}; params and state are updated in place."
        return f"{inputs} -> {', '.join([*given, *self._new_names()])}"

    def _new_names(self) -> list[str]:
        return [
            f"new_{root}" for root, role in (("params", "parameter"), ("state", "state")) if self.graph.results(role)
        ]

    def _arguments(self) -> list[str]:
        names = ["params", "state"]
        for port in self.graph.inputs:
            if port.role in self.body.roots:
                key = ast.Subscript(name_of(self.body.roots[port.role]), ast.Constant(port.path), ast.Load())
                self.body.argument(port.value, key)
            else:
                name = self.body.name_for(port.value, port.path)
                names.append(name)
                self.body.argument(port.value, name_of(name))
        return names

    # which items update parameters

    def _split(self) -> tuple[list[Update], list[Node | Call]]:
        updates, rest = [], []
        for item in self.items:
            outputs = [v for n in nodes_of(item) for v in n.outputs if v in self.new]
            port = next((self.new[v] for v in outputs if self.new[v].role == "parameter"), None)
            if port is None or nodes_of(item)[0].section != "update":
                rest.append(item)
                continue
            inputs = [v for v in item.inputs if v is not None]
            ordered = outputs if isinstance(item, Node) else self.writer.outputs_of(self.body, item)
            updates.append(Update(port, item, inputs, ordered))
        return updates, rest

    def _gradient_places(self) -> None:
        """The gradient of a parameter lives in the dict `gradients` by the parameter's name."""
        self.gradient_of: dict[str, Value] = {p.path: p.value for p in self.graph.results("gradient")}
        for update in self.updates:
            made = [v for v in update.inputs if v.node is not None and v.node.section == "backward"]
            if made:
                self.gradient_of[update.port.path] = made[0]
        for path, value in self.gradient_of.items():
            self.body.places.setdefault(value, f"gradients[{path!r}]")

    # results

    def _results(self) -> list[str]:
        """Loss and metrics, as names: what they read may be overwritten below."""
        results = [self._held(p) for role in ("loss", "output") for p in self.graph.results(role)]
        metrics = [f"{p.path!r}: {self._held(p)}" for p in self.graph.results("metric")]
        if metrics:
            results.append(f"{{{', '.join(metrics)}}}")
        if self.graph.results("gradient"):
            for path, value in self.gradient_of.items():
                text = ast.unparse(self.body.expression(value).tree)
                if text != f"gradients[{path!r}]":
                    self.body.line(f"gradients[{path!r}] = {text}")
            results.append("gradients")
        return results if self.in_place else [*results, *self._new_names()]

    def _held(self, port: Port) -> str:
        expression = self.body.expression(port.value)
        if not expression.atomic:
            self.body.settle(port.value)
            expression = self.body.expression(port.value)
        return ast.unparse(expression.tree)

    def _state(self) -> None:
        """New state that no loop gives."""
        looped = {v for u in self.updates for v in u.outputs}
        pairs = [(p.path, self._held(p)) for p in self.graph.results("state") if p.value not in looped]
        if self.in_place:
            for path, text in pairs:
                self.body.line(self.target.store.format(place=f"state[{path!r}]", value=text))
            return
        if self.updates:
            self.body.line("new_params = {}")
        if not self.graph.results("state"):
            return
        inner = ", ".join(["**state", *(f"{path!r}: {text}" for path, text in pairs)])
        self.body.line(f"new_state = {{{inner}}}")

    def _loops(self) -> None:
        groups: dict[Any, list[Update]] = {}
        for update in self.updates:
            groups.setdefault(self._shape_of(update), []).append(update)
        for members in groups.values():
            self._loop(members, everything=len(groups) == 1)

    def _shape_of(self, update: Update) -> Any:
        """Updates of one shape are one loop: the same rule on the same kinds of operands."""
        operands = tuple(self._kind(v, update.port.path) for v in update.inputs)
        if isinstance(update.item, Node):
            rule = find_rule(self.target.table, update.item)
            return rule, tuple(update.item.attributes.items()), operands
        scope, nodes = update.item.scope, update.item.nodes
        return scope.kind, tuple((n.op, tuple((k, repr(v)) for k, v in n.attributes.items())) for n in nodes), operands

    def _kind(self, value: Value, name: str) -> Any:
        port = self.writer.paths.get(value)
        if port is not None and port.path.endswith(name) and (port.role == "parameter" or port.path != name):
            return port.role, port.path[: len(port.path) - len(name)]
        return "gradient" if value is self.gradient_of.get(name) else value

    def _loop(self, members: Sequence[Update], everything: bool) -> None:
        body, first = self.body, members[0]
        name = first.port.path
        whole = everything and len(members) == len(self.graph.ports("parameter"))
        names = "gradients.items()" if whole else f"{[m.port.path for m in members]!r}"
        body.line(f"for name, g in {names}:" if whole else f"for name in {names}:")
        inner = Body(self.writer, [], [], body.roots, indent=body.indent + 1)
        inner.uses = dict(body.uses)
        inner.known, inner.names, inner.sizes = dict(body.known), dict(body.names), body.sizes
        for value in first.inputs:
            kind = self._kind(value, name)
            if kind == "gradient":
                inner.known[value] = Expression(Body._parse("g" if whole else "gradients[name]"), frozenset([value]))
            elif isinstance(kind, tuple):
                inner.known[value] = Expression(
                    Body._parse(self._element(body.roots[kind[0]], kind[1])), frozenset([value])
                )
        tree = self._update_tree(inner, first)
        rule = find_rule(self.target.table, first.item) if isinstance(first.item, Node) else None
        targets = [self._target(v, name) for v in first.outputs]
        if rule in self.target.in_place:
            inner.line(ast.unparse(tree))
        else:
            self._store(inner, targets, ast.unparse(tree))
        body.lines += inner.lines

    def _store(self, inner: Body, targets: Sequence[str], text: str) -> None:
        if not self.in_place or len(targets) == 1:
            place = ", ".join(targets)
            inner.line(self.target.store.format(place=place, value=text) if self.in_place else f"{place} = {text}")
            return
        names = [f"new{i}" for i in range(len(targets))]
        inner.line(f"{', '.join(names)} = {text}")
        for place, name in zip(targets, names, strict=True):
            inner.line(self.target.store.format(place=place, value=name))

    def _update_tree(self, inner: Body, update: Update) -> ast.expr:
        """The right side of an update: nested in place where it is one expression, else a call of its function."""
        if isinstance(update.item, Node):
            return inner.node_tree(update.item)
        trial = Body(self.writer, update.item.items, update.outputs, inner.roots, indent=inner.indent)
        trial.uses = inner.uses | trial.uses
        trial.known, trial.names, trial.sizes = dict(inner.known), dict(inner.names), inner.sizes
        if len(update.outputs) == 1 and all(isinstance(i, Node) for i in update.item.items):
            self.writer.print_items(trial, update.item.items)
            if not trial.lines:
                return trial.expression(update.outputs[0]).tree
        return self.writer.call_parts(inner, update.item, update.outputs).tree(inner)

    def _target(self, value: Value, name: str) -> str:
        port = self.new[value]
        root = {"parameter": "params", "state": "state"}[port.role]
        return self._element(root if self.in_place else f"new_{root}", port.path[: len(port.path) - len(name)])

    @staticmethod
    def _element(root: str, prefix: str) -> str:
        return f'{root}[f"{prefix}{{name}}"]' if prefix else f"{root}[name]"
