"""The gradient of a model as a model."""

from __future__ import annotations

from collections.abc import Sequence

from .autodiff import gradients
from .errors import SpecError
from .graph import Graph, Port
from .model import Mode, Model
from .rewrite import Rewriter


def grad(model: Model, of: str | None = None, wrt: str | Sequence[str] | None = None) -> Model:
    """A model that computes the gradients of one number, the output `of`, by the inference or training graph.

    Of a model that is a gradient itself, the output is one of its gradients.

    `wrt` names parameters and inputs; all parameters by default (or all float inputs where there are none). Its
    outputs have the role `gradient` and the path of what they are the gradient to. Raises `SpecError` for names that
    are not there, `TypeMismatchError` where the output is not a single number.
    """
    names = [wrt] if isinstance(wrt, str) else wrt

    def capture(mode: Mode) -> Graph:
        rewriter = Rewriter(model.graph(mode))
        for node in rewriter.old.nodes:
            rewriter.copy(node)
        graph, old = rewriter.new, rewriter.old
        output = _chosen(old.results("output") or old.results("gradient"), of)
        ports = _wrt(graph, names)
        for port, value in zip(
            ports, gradients(graph, rewriter.values[output.value], [p.value for p in ports]), strict=True
        ):
            graph.output(value, port.path, "gradient")
        return graph

    return Model(f"{model.name}_gradient", capture, model.parameters, model.state, None, model.source)


def _chosen(outputs: Sequence[Port], of: str | None) -> Port:
    found = [p for p in outputs if of is None or p.path == of]
    if len(found) != 1:
        raise SpecError(f"of={of!r} should name one output; there are {', '.join(p.path for p in outputs)}")
    return found[0]


def _wrt(graph: Graph, names: Sequence[str] | None) -> list[Port]:
    candidates = [p for p in graph.inputs if p.role in ("parameter", "input") and p.value.dtype.is_differentiable]
    if names is None:
        return [p for p in candidates if p.role == "parameter"] or candidates
    by_path = {p.path: p for p in candidates}
    missing = [n for n in names if n not in by_path]
    if missing:
        raise SpecError(f"wrt names {', '.join(missing)}; there are {', '.join(by_path)}")
    return [by_path[n] for n in names]
