"""A training step (or a part of one) as one function: forward, backward, the update as a loop over the parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..ir import Graph, Node, Port, Value
from .accumulation import accumulations
from .body import Body, Expression, as_branches
from .functions import is_function, stored_ports
from .guards import print_guards
from .module import ModuleWriter
from .pairs import Pairs, leaves
from .program import as_tree, by_name
from .regions import Bundle, Call, has_nested_layers, item_uses, nodes_of, tree
from .rules import find_rule
from .selection import selection
from .target import Target, type_text
from .template import name_of

SECTIONS = ("forward", "backward", "update")


LONGEST_PLACE = 90  # characters of targets that are assigned at once


def _new_name(target: str) -> str:
    """What the new value for a place is called: `new_m` for `state[f"m.{name}"]`, `new_p` for the parameter."""
    _, quote, rest = target.partition('"')
    return f"new_{rest.partition('.')[0]}" if quote else "new_p"


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
    return writer.text(head, f"{views}\n\n\n{main}" if (views := _views(graph)) else main)


def _views(graph: Graph) -> str:
    """The constant that says how filters are stored, for who calls the step; slots lie as their parameters do."""
    found = {p.path: p.view for p in graph.ports("parameter") if p.view is not None}
    if not found:
        return ""
    lines = "\n".join(f"    {path!r}: {view!r}," for path, view in found.items())
    return f"VIEWS = {{  # params and their slots hold these with the source's axes in this order\n{lines}\n}}"


class _StepPrinter:
    """Prints the function of a step. Where layers lie within layers, each is a function, and so is its backward.

    Parameters and state come and go as flat dicts by their names; functions of layers take branches of trees.
    """

    def __init__(self, graph: Graph, writer: ModuleWriter) -> None:
        self.graph, self.writer, self.target = graph, writer, writer.target
        self.roots = {"parameter": "params", "state": "state"}
        writer.by_scope = has_nested_layers(graph)
        self.items = tree(graph.nodes, lambda s, n: is_function(s, n, writer.paths, layers=writer.by_scope))
        self.new = {p.value: p for p in graph.outputs if p.role in ("parameter", "state")}
        self.gradient_of = self._gradients()
        self.sums = accumulations(self.items, self.gradient_of, writer.paths)
        gone = {n for s in self.sums.values() for n in s.nodes}
        self.items = [i for i in self.items if i not in gone]
        self.stepped_by = dict(self.gradient_of)  # what updates read
        self.gradient_of |= {path: s.gradient for path, s in self.sums.items()}
        self.trees = self._join() if writer.by_scope else []
        self.body = self._main_body()
        self.updates, self.rest = self._split()
        self.in_place = bool(self.target.in_place)

    def _main_body(self) -> Body:
        results = [p.value for p in self.graph.outputs]
        roots = {"parameter": "tree", "state": "state_tree"} if self.writer.by_scope else self.roots
        body = Body(self.writer, self.items, results, roots, by_layer=True)
        body.names |= dict.fromkeys(self.roots.values())
        for path, s in self.sums.items():
            body.uses[s.gradient] = body.uses.get(s.gradient, 0) + 1
            body.uses.setdefault(self.stepped_by[path], 1)
        body.telling = dict.fromkeys(_logits(self.graph), "logits")
        if self.trees:
            outside = item_uses(
                [i for i in self.items if nodes_of(i)[0].section != "update"],
                [p.value for p in self.graph.outputs if p.role != "gradient"],
            )
            body.uses |= {v: outside.get(v, 0) for t in self.trees for v in leaves(t).values()} | dict.fromkeys(
                self.trees, 1
            )
        return body

    def _join(self) -> list[Bundle]:
        paths: dict[Value, list[str]] = {}
        for path, value in self.gradient_of.items():
            paths.setdefault(value, []).append(path)
        Pairs(self.graph.nodes, self.writer.paths.keys(), paths).join(self.items)
        return [b for i in self.items if isinstance(i, Call) for b in i.gives if b.is_tree]

    def text(self) -> str:
        body, arguments = self.body, self._arguments()
        if self.writer.by_scope:
            self._trees()
        else:
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
        decorator = self.target.decorated(self.graph, bool(self.updates))
        if decorator:
            parts.insert(0, f"@{decorator}")
        return "\n".join(parts)

    def _trees(self) -> None:
        """The trees whose branches the functions of layers take."""
        calls = [i for i in self.items if isinstance(i, Call)]
        for role, name in self.body.roots.items():
            if any(self._is_own(c, v, role) for c in calls for v in c.inputs):
                self.body.line(f"{name} = {self.writer.helper(as_tree)}({self.roots[role]})")

    def _is_own(self, call: Call, value: Value, role: str) -> bool:
        port = self.writer.paths.get(value)
        prefix = ".".join(call.scope.path)
        return port is not None and port.role == role and bool(call.scope.name) and port.path.startswith(f"{prefix}.")

    def _section(self, section: str) -> None:
        members = [i for i in self.rest if nodes_of(i)[0].section == section]
        several = len({nodes_of(i)[0].section for i in self.items}) > 1
        if several and (members or (section == "update" and self.updates)):
            self.body.line(f"# {section}")
        kept = [v.node.section for v in self.body.places if v.node is not None]
        flat = self.gradient_of and not self.writer.by_scope
        if flat and section == min(kept or ["backward"], key=SECTIONS.index):
            self.body.line("gradients = {}")
        self.writer.print_items(self.body, members)
        if self.gradient_of and self.writer.by_scope and section == "backward":
            self._gather_gradients()
        if section == "backward" and self.gradient_of:
            if self.sums:
                self._accumulate()
            self.body.whole = list(self.stepped_by.values()), "gradients.values()"

    def _accumulate(self) -> None:
        """The gradients of this batch become part of those of several."""
        body, (path, first) = self.body, next(iter(self.sums.items()))
        inner = Body(self.writer, [], [], self.roots)
        inner.known, inner.names, inner.sizes = dict(body.known), dict(body.names), body.sizes
        inner.known[first.gradient] = Expression(name_of("g"), frozenset())
        kept = self._element("state", self.writer.paths[first.before].path.removesuffix(path))
        inner.known[first.before] = Expression(Body._parse(kept), frozenset())
        for node in first.nodes:
            inner.uses[node.outputs[0]] = 1
            inner.node(node)
        text = ast.unparse(inner.expression(self.stepped_by[path]).tree)
        body.line(f"gradients = {{name: {text} for name, g in gradients.items()}}")
        for name, value in self.stepped_by.items():
            body.known[value] = Expression(Body._parse(f"gradients[{name!r}]"), frozenset([value]))

    def _gather_gradients(self) -> None:
        """`gradients` by the parameters' names, from the trees that the functions of layers gave."""
        body = self.body
        trees = {tuple(".".join(t.scope.path).split(".")): t for t in self.trees}
        inner = {path for t in self.trees for path in leaves(t)}
        single = {path: v for path, v in self.gradient_of.items() if path not in inner}
        apart = {p for p in single if any(tuple(p.split("."))[: len(k)] == k for k in trees)}
        whole: dict[tuple[str, ...], Value] = {
            **trees,
            **{tuple(p.split(".")): v for p, v in single.items() if p not in apart},
        }
        literal = as_branches({key: body.operand(v) for key, v in whole.items()})
        body.line(f"gradients = {self.writer.helper(by_name)}({ast.unparse(literal)})")
        for path in sorted(apart):
            body.line(f"gradients[{path!r}] = {ast.unparse(body.operand(single[path]))}")
        for path, value in self.gradient_of.items():
            body.known[value] = Expression(Body._parse(f"gradients[{path!r}]"), frozenset([value]))

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
            if port.role in self.roots:
                key = ast.Subscript(name_of(self.roots[port.role]), ast.Constant(port.path), ast.Load())
                self.body.argument(port.value, key)
            else:
                name = self.body.name_for(port.value, port.path)
                names.append(name)
                self.body.argument(port.value, name_of(name))
        print_guards(self.body, self.graph)
        return names

    # which items update parameters

    def _updated(self, item: Node | Call) -> Port | None:
        """The parameter that an item gives its new value."""
        if nodes_of(item)[0].section != "update":
            return None
        ports = (self.new[v] for n in nodes_of(item) for v in n.outputs if v in self.new)
        return next((p for p in ports if p.role == "parameter"), None)

    def _split(self) -> tuple[list[Update], list[Node | Call]]:
        updates, rest = [], []
        for item in self.items:
            port = self._updated(item)
            if port is None:
                rest.append(item)
                continue
            outputs = [v for v in item.outputs if v in self.new] if isinstance(item, Node) else None
            ordered = self.writer.outputs_of(self.body, item) if isinstance(item, Call) else outputs or []
            updates.append(Update(port, item, [v for v in item.inputs if v is not None], ordered))
        return updates, rest

    def _gradients(self) -> dict[str, Value]:
        """The gradient of each parameter, by its name: what its update reads of the backward."""
        found = {p.path: p.value for p in self.graph.results("gradient")}
        for item in self.items:
            port = self._updated(item)
            inputs = item.inputs if port is not None else []
            made = [v for v in inputs if v is not None and v.node is not None and v.node.section == "backward"]
            if port is not None and made:
                found[port.path] = made[0]
        return found

    def _gradient_places(self) -> None:
        """The gradient of a parameter lives in the dict `gradients` by the parameter's name."""
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
        return "gradient" if value is self.stepped_by.get(name) else value

    def _loop(self, members: Sequence[Update], everything: bool) -> None:
        body, first = self.body, members[0]
        name = first.port.path
        whole = everything and len(members) == len(self.graph.ports("parameter"))
        paths = [m.port.path for m in members]
        names = "gradients.items()" if whole else selection(paths, self.gradient_of, "gradients")
        body.line(f"for name, g in {names}:" if whole else f"for name in {names}:")
        inner = Body(self.writer, [], [], self.roots, indent=body.indent + 1)
        inner.uses = dict(body.uses)
        inner.known, inner.names, inner.sizes = dict(body.known), dict(body.names), body.sizes
        for value in first.inputs:
            kind = self._kind(value, name)
            if kind == "gradient":
                inner.known[value] = Expression(Body._parse("g" if whole else "gradients[name]"), frozenset([value]))
            elif isinstance(kind, tuple):
                inner.known[value] = Expression(
                    Body._parse(self._element(self.roots[kind[0]], kind[1])), frozenset([value])
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
        place = ", ".join(targets)
        if len(targets) == 1 or (not self.in_place and len(place) <= LONGEST_PLACE):
            inner.line(self.target.store.format(place=place, value=text) if self.in_place else f"{place} = {text}")
            return
        names = [_new_name(target) for target in targets]
        inner.line(f"{', '.join(names)} = {text}")
        for target, name in zip(targets, names, strict=True):
            store = self.target.store if self.in_place else "{place} = {value}"
            inner.line(store.format(place=target, value=name))

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
