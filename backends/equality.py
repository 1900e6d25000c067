"""Which calls would print the same function: found from what they consist of, before a second one is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..ir import Node, Scope, Value
from ..ir.op import attribute_key
from ..ir.ops import constant
from .regions import Bundle, Call


def key_of_call(call: Call, arguments: Sequence[tuple[Value, str]], outputs: Sequence[Value]) -> tuple[Any, ...]:
    """What is equal for calls whose functions have the same text; `arguments` with how each is written there."""
    return tuple(_Key(call.scope).of(call, arguments, outputs))


class _Key:
    """Numbers the values and scopes of a call by where they first come."""

    def __init__(self, scope: Scope) -> None:
        self.depth = len(scope.path)
        self.numbers: dict[Value, int] = {}
        self.scopes: dict[Scope | None, int] = {}

    def of(self, call: Call, arguments: Sequence[tuple[Value, str]], outputs: Sequence[Value]) -> Iterator[Any]:
        yield from (call.scope.kind, call.section, bool(call.scope.name))
        for value, written in arguments:
            yield written
            yield from self._given(value)
        yield from self._items(call)
        yield from (self.value(v) for v in outputs)

    def _given(self, value: Value) -> Iterator[Any]:
        yield from (self.value(value), value.type, value.name, value.node.op if value.node else None)
        if isinstance(value, Bundle):
            for member in value.members:
                yield from self._given(member)

    def _items(self, call: Call) -> Iterator[Any]:
        for item in call.items:
            if isinstance(item, Node):
                yield from self._node(item)
                continue
            yield from ("(", self._scope(item.scope), item.section)
            yield from self._items(item)
            for bundle in item.gives:
                yield from (self.value(bundle), *bundle.keys, *map(self.value, bundle.members))
            yield ")"

    def _node(self, node: Node) -> Iterator[Any]:
        yield from (node.op, node.section, node.lowering, self._scope(node.scope), attribute_key(node.attributes))
        yield from (self.value(v) for v in node.inputs)
        for value in node.outputs:
            yield from (self.value(value), value.type, value.name)

    def value(self, value: Value | None) -> Any:
        if value is None:
            return None
        if value.node is not None and value.node.op is constant:
            return attribute_key(value.node.attributes)
        return self.numbers.setdefault(value, len(self.numbers))

    def _scope(self, scope: Scope | None) -> Any:
        """A scope by its kind and its name within the call's; another one of the same has another number."""
        number = self.scopes.setdefault(scope, len(self.scopes))
        return number if scope is None else (number, scope.kind, scope.path[self.depth :])
