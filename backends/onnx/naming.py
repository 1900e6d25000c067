"""Names for a finished draft: ports by their paths, nodes by their scopes, tensors by what the graph calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...ir import Graph
from .builder import Builder, Step

_SHORT = 10  # elements of an array that is called by what it holds


class _Names:
    """Hands out each name once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        name = name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")  # C's strings end there
        chosen, count = name, 1
        while chosen in self._taken:
            chosen, count = f"{name}_{count}", count + 1
        self._taken.add(chosen)
        return chosen


def assign_names(graph: Graph, builder: Builder) -> tuple[list[str], list[str]]:
    """Give steps, tensors and arrays their names; those of the graph's inputs and outputs, in order.

    A value that is an output twice, or an input and an output, goes through Identity: names are unique.
    """
    draft, names = builder.draft, _Names()
    final: dict[str, str] = {}
    for port in graph.inputs:
        final[builder.tensors[port.value]] = names.take(port.path or port.role)
    inputs = [final[builder.tensors[p.value]] for p in graph.inputs]
    outputs = []
    for port in graph.outputs:
        tensor = builder.tensors[port.value]
        name = names.take(port.path + ".new" if port.path in inputs else port.path or port.role)
        if tensor in final or tensor in draft.arrays:
            copy = builder.fresh()
            draft.steps.append(Step("Identity", (tensor,), (copy,), {}, ()))
            tensor = copy
        final[tensor] = name
        outputs.append(name)
    _name_the_rest(builder, final, names)
    return inputs, outputs


def _name_the_rest(builder: Builder, final: dict[str, str], names: _Names) -> None:
    draft, nodes = builder.draft, _Names()
    suggested = {
        str(t): "/".join((*(v.node.scope.path if v.node and v.node.scope else ()), v.name))
        for v, t in builder.tensors.items()
        if v.name
    }
    for tensor, array in draft.arrays.items():
        if tensor not in final:
            source = final.get(draft.transposed.get(tensor, ""), "")
            derived = source and f"{source}.transposed"
            final[tensor] = names.take(derived or suggested.get(tensor) or _literal(array))
    _name_steps(draft.steps, final, names, nodes, suggested)
    draft.arrays = {final[t]: a for t, a in draft.arrays.items()}


def _name_steps(
    steps: Sequence[Step], final: dict[str, str], names: _Names, nodes: _Names, suggested: Mapping[str, str]
) -> None:
    for step in steps:
        step.path = (nodes.take("/".join((*step.path, step.op_type))),)
        for body in step.bodies:
            for tensor, _ in body.inputs:
                final[tensor] = names.take(suggested.get(tensor) or f"{step.path[0]}/{body.name}/input")
            _name_steps(body.steps, final, names, nodes, suggested)
            body.inputs = [(final[n], t) for n, t in body.inputs]
            body.outputs = [(final[n], t) for n, t in body.outputs]
        for i, tensor in enumerate(step.outputs):
            if tensor not in final:
                final[tensor] = names.take(suggested.get(tensor) or step.path[0] + (f":{i}" if i else ""))
        step.inputs = tuple(final[t] if t else "" for t in step.inputs)
        step.outputs = tuple(final[t] for t in step.outputs)


def _literal(array: np.ndarray) -> str:
    """What a short array is called: what it holds."""
    if array.ndim == 0:
        return str(array[()])
    return str(array.tolist()) if array.size <= _SHORT else f"{array.dtype.name}{list(array.shape)}"
