"""Inference as classes that hold their parameters: the style of PyTorch (`nn.Module`) and TensorFlow (`tf.Module`)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..ir import Graph, Value
from .body import Body
from .functions import is_function, signature, stored_ports
from .guards import print_guards
from .module import Function, ModuleWriter, argument_names, size_arguments, snake
from .regions import Call, tree
from .repetition import CallParts
from .target import Target
from .template import literal, name_of

SELF = {"parameter": "self", "state": "self"}


@dataclass(frozen=True)
class ClassStyle:
    """How a framework writes a class: its base, its call method, and how it makes what it holds."""

    base: str
    method: str
    held: Callable[[str, Value, str], str]  # (role, value, expression of the shape) -> expression of the holder
    containers: Mapping[str, str]  # "list" and "dict" -> format of a container of modules
    loader: str


@dataclass
class ClassWriter(ModuleWriter):
    """Prints a scope that reads parameters as a class; one that reads none stays a function."""

    style: ClassStyle = field(kw_only=True)

    def call_parts(self, body: Body, call: Call, outputs: Sequence[Value]) -> CallParts:
        if not call.scope.name or not any(v in self.paths for v in call.inputs):
            return super().call_parts(body, call, outputs)
        leaves, values = self._split(call, self._outside(call))
        made, shapes = self._class_of(call, leaves, values, outputs)
        relative = ".".join(call.scope.path[len(body.prefix) :])
        body.children[relative] = f"{made.name}({shapes})"
        member = self.member(relative, body.prefix)
        place = self.place_of(call.scope, [""]) if isinstance(member, ast.Subscript) else None
        return CallParts(
            made.name, outputs, leaves, values, [member], [snake(made.name)], is_method=True,
            place=place, sizes=call.sizes,
        )  # fmt: skip

    def _class_of(
        self, call: Call, leaves: Sequence[Value], values: Sequence[Value], outputs: Sequence[Value]
    ) -> tuple[Function, str]:
        body = Body(self, call.items, outputs, SELF, call.scope.path)
        names = argument_names(call.scope, values)
        body.names |= dict.fromkeys(["self"])
        own = {}
        for value in leaves:
            rest = ".".join(self.relative(self.paths[value].path, call.scope))
            body.argument(value, self.member(rest, call.scope.path))
            own[rest] = value
        for value, name in zip(values, names, strict=True):
            body.argument(value, name_of(name))
        names += size_arguments(body, call)
        self.print_items(body, call.items)
        body.finish(", ".join(map(ast.unparse, body.result(outputs))))
        direct = {k: v for k, v in own.items() if not any(k.startswith(f"{c}.") for c in body.children)}
        text = self.class_text(direct, body, ["self", *names], shapes_given=True)
        base = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", call.scope.kind)) or "Block"
        return self.named(text, base, f"class {{}}({self.style.base}):\n{{}}"), ", ".join(
            f"{k.replace('.', '_')}={shape(v)}" for k, v in direct.items()
        )

    def class_text(
        self, own: Mapping[str, Value], body: Body, arguments: Sequence[str], *, shapes_given: bool, doc: str = ""
    ) -> str:
        """A class's body: what it holds, and how it is called."""
        shapes = [name.replace(".", "_") for name in own] if shapes_given else []
        lines = [f'    """{doc}"""', ""] if doc else []
        lines += [f"    def __init__({', '.join(['self', *shapes])}):", "        super().__init__()"]
        made = {n: self._holder(v, n.replace(".", "_") if shapes_given else shape(v)) for n, v in own.items()}
        lines += [f"        self.{name} = {text}" for name, text in made.items() if "." not in name]
        lines += [f"        {_kept(name, text)}" for name, text in self._children(body.children, body.prefix)]
        deep = self._holders(own, body) | {name: text for name, text in made.items() if "." in name}
        lines += [f"        {ast.unparse(self.member(name, body.prefix))} = {text}" for name, text in deep.items()]
        lines += ["", f"    def {self.style.method}({', '.join(arguments)}):", *(f"    {line}" for line in body.lines)]
        return "\n".join(lines)

    def _holder(self, value: Value, sizes: str) -> str:
        return self.style.held(self.paths[value].role, value, sizes)

    def _holders(self, own: Mapping[str, Value], body: Body) -> dict[str, str]:
        """The modules on the way to what is held under a dotted name, where no child is there."""
        found: dict[str, str] = {}
        for name in own:
            parts = name.split(".")
            for i in range(1, len(parts)):
                path, above = ".".join(parts[:i]), ".".join((*body.prefix, *parts[: i - 1]))
                is_there = any(f"{child}.".startswith(f"{path}.") for child in body.children)
                if not is_there and not (parts[i - 1].isdigit() and self.length(above)):
                    full = ".".join((*body.prefix, path))
                    found[path] = self._container({}, full) if self.length(full) else f"{self.style.base}()"
        return found

    def _children(self, children: Mapping[str, str], prefix: Sequence[str]) -> list[tuple[str, str]]:
        """Submodules by name; a dotted path becomes a list or a dict of modules."""
        groups: dict[str, Any] = {}
        for path, text in children.items():
            *parents, leaf = path.split(".")
            branch = groups
            for parent in parents:
                branch = branch.setdefault(parent, {})
            branch.setdefault(leaf, text)
        return [(name, self._container(member, ".".join((*prefix, name)))) for name, member in groups.items()]

    def _container(self, member: Any, path: str) -> str:
        """What makes a module or a container of modules; elements of a list that nothing calls are modules too."""
        if isinstance(member, str):
            return member
        made = {k: self._container(v, f"{path}.{k}") for k, v in member.items()}
        length = self.length(path)
        if length:
            inner = [made.get(str(i), f"{self.style.base}()") for i in range(length)]
            equal = length > 2 and len(set(inner)) == 1
            text = f"{inner[0]} for _ in range({length})" if equal else ", ".join(inner)
            return self.style.containers["list"].format(text)
        return self.style.containers["dict"].format(", ".join(f"{k!r}: {text}" for k, text in made.items()))

    def member(self, path: str, within: Sequence[str] = ()) -> ast.expr:
        """`self.block[0].dense` for the path `block.0.dense`."""
        text, above = "self", ".".join(within)
        for i, part in enumerate(path.split(".")):
            if part.isidentifier():
                text += f".{part}"
            elif i == 0:
                text = f"getattr(self, {part!r})"
            else:
                text += f"[{part}]" if part.isdigit() and self.length(above) else f"[{part!r}]"
            above = f"{above}.{part}" if above else part
        return ast.parse(text, mode="eval").body


def _kept(name: str, text: str) -> str:
    return f"self.{name} = {text}" if name.isidentifier() else f"setattr(self, {name!r}, {text})"


def shape(value: Value) -> str:
    return ast.unparse(literal(tuple(value.shape)))


def print_classes(graph: Graph, target: Target, head: str) -> str:
    """An inference graph as a class `Model`, with a submodule for each layer, by the source's names."""
    writer = ClassWriter(target, stored_ports(graph), style=target.options["classes"])
    writer.reserve(graph.nodes)
    items = tree(graph.nodes, lambda s, n: is_function(s, n, writer.paths, layers=True))
    body = Body(writer, items, [p.value for p in graph.outputs], SELF)
    arguments = ["self"]
    for port in graph.inputs:
        if port.role in SELF:
            body.argument(port.value, writer.member(port.path))
        else:
            name = body.name_for(port.value, port.path)
            arguments.append(name)
            body.argument(port.value, name_of(name))
    print_guards(body, graph)
    writer.print_items(body, items)
    body.finish(", ".join(ast.unparse(t) for t in body.result([p.value for p in graph.results("output")])))
    held = {
        p.path: p.value
        for p in graph.inputs
        if p.role in SELF and not any(p.path.startswith(f"{c}.") for c in body.children)
    }
    text = writer.class_text(held, body, arguments, shapes_given=False, doc=signature(graph))
    main = f"class Model({writer.style.base}):\n{text}"
    return writer.text(head, main, writer.style.loader if stored_ports(graph) else "")
