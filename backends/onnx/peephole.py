"""What is better written otherwise, seen on the steps of a draft.

1. A transpose of a transpose is one, or none.
2. A bias added to a convolution is an operand of it.
3. Steps and arrays that nothing uses go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ...ir import Size
from .builder import Draft, Step

Shapes = Mapping[str, tuple[Size, ...]]


def improve(draft: Draft, results: Sequence[str], shapes: Shapes) -> None:
    """Rewrite the steps in place; `shapes` are those of the tensors that the graph knows."""
    _merge_transposes(draft)
    _add_biases(draft, results, shapes)
    _remove_dead(draft, results)


def _merge_transposes(draft: Draft) -> None:
    made: dict[str, Step] = {}
    same: dict[str, str] = {}
    for step in draft.steps:
        step.inputs = tuple(same.get(t, t) for t in step.inputs)
        inner = made.get(step.inputs[0]) if step.op_type == "Transpose" else None
        if inner is not None and inner.op_type == "Transpose":
            perm = tuple(inner.attributes["perm"][a] for a in step.attributes["perm"])
            step.inputs, step.attributes = inner.inputs, {"perm": perm}
            if perm == tuple(range(len(perm))):
                step.op_type, step.attributes = "Identity", {}
                same[step.outputs[0]] = inner.inputs[0]
        made.update(dict.fromkeys(step.outputs, step))


def _add_biases(draft: Draft, results: Sequence[str], shapes: Shapes) -> None:
    """Add(Conv(x, w), Reshape(bias)) as Conv(x, w, bias), in the place of the sum."""
    uses = Counter(t for s in draft.steps for t in s.reads) + Counter(results)
    made = {t: s for s in draft.steps for t in s.outputs}
    for step in draft.steps:
        if step.op_type != "Add":
            continue
        for product, bias in (step.inputs, step.inputs[::-1]):
            conv, vector = made.get(product), _vector(made.get(bias), product, shapes)
            if conv is not None and conv.op_type == "Conv" and len(conv.inputs) == 2 and uses[product] == 1 and vector:
                step.op_type, step.attributes, step.inputs = "Conv", conv.attributes, (*conv.inputs, vector)
                break


def _vector(step: Step | None, product: str, shapes: Shapes) -> str:
    """The vector over the product's channels that a step gives as [1, C, 1, ...], or nothing."""
    around = shapes.get(product, ())
    if step is None or step.op_type != "Reshape" or len(around) < 3:
        return ""
    fits = shapes.get(step.inputs[0]) == around[1:2] and shapes.get(step.outputs[0]) == (
        1,
        around[1],
        *(1,) * (len(around) - 2),
    )
    return step.inputs[0] if fits else ""


def _remove_dead(draft: Draft, results: Sequence[str]) -> None:
    live = set(results)
    kept = []
    for step in reversed(draft.steps):
        if any(t in live for t in step.outputs):
            live.update(step.reads)
            kept.append(step)
    draft.steps = kept[::-1]
    draft.arrays = {t: a for t, a in draft.arrays.items() if t in live}
