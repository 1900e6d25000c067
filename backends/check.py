"""What would fail for which target, all of it, before anything is tried: graphs are examined and printed, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..ir import Graph, Node
from ..ir.autodiff import backward, differentiated
from ..ir.errors import BackendUnavailableError, IsogradError
from ..ir.graph import Value
from ..ir.model import Model
from ..ir.op import attribute_key
from ..ir.passes import decompose
from ..ir.training import training_step
from . import BACKENDS, is_installed, runtime
from .emit import emit
from .program import claim
from .rules import missing_rules
from .target import Target

OPSET = 21
_NO_LOWERING = "no lowering"


@dataclass(frozen=True)
class Finding:
    """One problem of one target: what, how often, from which places of the user's model, and what to do.

    `fails` is false for what works, but less exactly or not as everywhere.
    """

    target: str  # "all" for what every target would fail on
    graph: str  # inference, or training
    problem: str
    what: str
    count: int
    places: tuple[str, ...]
    advice: str
    fails: bool = True

    def __str__(self) -> str:
        times = f" ({self.count}x)" if self.count > 1 else ""
        places = f", at {', '.join(self.places)}" if self.places else ""
        return f"{self.problem}: {self.what}{times} in {self.graph}{places}. {self.advice}"


@dataclass(frozen=True)
class CheckReport:
    """What `check` found. `ok` where nothing fails; `str` says it in lines, `to_dict` for machines."""

    model: str
    targets: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.failures()

    def failures(self, target: str | None = None) -> list[Finding]:
        """What fails; for one target, with what fails for all."""
        return [f for f in self.findings if f.fails and (target is None or f.target in (target, "all"))]

    def __str__(self) -> str:
        return "\n".join(line for name in ("all", *self.targets) for line in self._lines(name))

    def _lines(self, target: str) -> Iterator[str]:
        found = [f for f in self.findings if f.target == target]
        failing = sum(f.fails for f in found)
        if found or target != "all":
            yield f"{target}: {f'{failing} problems' if failing > 1 else '1 problem' if failing else 'ok'}"
        for finding in found:
            yield f"  {'fails' if finding.fails else 'note'}: {finding}"

    def to_dict(self) -> dict[str, Any]:
        return {"model": self.model, "ok": self.ok, "targets": list(self.targets),
                "findings": [asdict(f) for f in self.findings]}  # fmt: skip


def check(model: Model, targets: str | Sequence[str] = "all", *, opset: int = OPSET) -> CheckReport:
    """Say everything that would keep a model from running or training on each target.

    `targets`: names of backends, or `onnx` (a file, for which ONNX Runtime need not be there). Training is examined
    where the model has a recipe. Raises `BackendUnavailableError` for a name that is no target.
    """
    names = tuple(BACKENDS) if targets == "all" else (targets,) if isinstance(targets, str) else tuple(targets)
    unknown = [n for n in names if n not in (*BACKENDS, "onnx")]
    if unknown:
        raise BackendUnavailableError(f"there is no target {unknown[0]!r}; there are {', '.join([*BACKENDS, 'onnx'])}")
    graphs = {"inference": model.inference}
    findings = list(_gradients(model)) if model.recipe else []
    if model.recipe and not findings:
        graphs["training"] = training_step(model).training
    for name in names:
        if name in BACKENDS and not is_installed(name):
            extra = BACKENDS[name][2]
            findings.append(Finding(name, "inference", "not installed", BACKENDS[name][1], 1, (),
                                    f"pip install 'isograd[{extra}]'", fails=targets != "all"))  # fmt: skip
        for kind, graph in graphs.items() if name == "onnx" or is_installed(name) else ():
            findings += _examine(graph, kind, name, opset)
    return CheckReport(model.name, names, tuple(_advised(findings, names)))


# Gradients


def _gradients(model: Model) -> Iterator[Finding]:
    """The ops on the way from the parameters to the outputs whose gradient cannot be made."""
    graph = model.training
    parameters = [p.value for p in graph.ports("parameter")]
    outputs = [p.value for p in graph.results("output") if p.value.dtype.is_float]
    if not outputs or not parameters:
        return
    reasons: dict[Any, str] = {}

    def reason(node: Node) -> str:
        key = (node.op, *(None if v is None else v.type for v in node.inputs), attribute_key(node.attributes))
        if key not in reasons:
            reasons[key] = _why_no_gradient(node)
        return reasons[key]

    nodes = [n for n in differentiated(outputs, parameters) if reason(n)]
    for group in _grouped(nodes, reason):
        advice = f"{reason(group[0])}; stop_gradient before it leaves it out."
        yield _finding("all", "training", "no gradient", group, advice)


def _why_no_gradient(node: Node) -> str:
    """What differentiating one node alone, down to its parts, raises."""
    graph = Graph(node.op.name)
    inputs = [None if v is None else graph.input(f"x{i}", v.type) for i, v in enumerate(node.inputs)]
    outputs = graph.append(node.op, tuple(inputs), node.attributes, tuple(v.type for v in node.outputs)).outputs
    floats = [v for v in outputs if v.dtype.is_differentiable]
    seeds = [graph.input(f"seed{i}", v.type) for i, v in enumerate(floats)]
    wrt = [v for v in inputs if v is not None and v.dtype.is_differentiable]
    try:
        for i, gradient in enumerate(backward(floats, seeds, wrt)):
            if gradient is not None:
                graph.output(gradient, str(i))
        decompose(graph, lambda n: False)
    except IsogradError as error:
        return str(error).splitlines()[0].rstrip(":")
    return ""


# Lowerings


def _examine(graph: Graph, kind: str, name: str, opset: int) -> list[Finding]:
    if name in ("onnx", "onnxruntime"):
        found = list(_examine_onnx(graph, kind, name, opset))
        write: Callable[[], Any] = lambda: _write_onnx(graph, opset)  # noqa: E731  # one of two, called below
    else:
        made: Any = runtime(name)
        target: Target = made.target
        nodes = missing_rules(claim(graph, target.table, target.passes, wish=target.layout), target.table)
        found = [_finding(name, kind, _NO_LOWERING, group) for group in _grouped(nodes)]
        write = lambda: emit(graph, target)  # noqa: E731
    return found if any(f.fails for f in found) else found + _unwritable(write, kind, name)


def _examine_onnx(graph: Graph, kind: str, name: str, opset: int) -> Iterator[Finding]:
    from ..ir.passes.layout import CHANNELS_FIRST
    from .onnx.legalize import legalize, refused
    from .onnx.lowering import at_opset
    from .onnx.model import NO_COMPLEX, OPSETS, complex_values

    table = at_opset(opset)
    ready = claim(graph, table, wish=CHANNELS_FIRST)
    missing = missing_rules(ready, table)
    for group in _grouped(missing):
        newer = [o for o in OPSETS if o > opset and not missing_rules(_alone(group[0]), at_opset(o))]
        yield _finding(name, kind, _NO_LOWERING, group, f"Opset {newer[0]} has it: opset={newer[0]}." if newer else "")
    impossible = dict(refused(ready, opset))
    for group in _grouped(impossible):
        yield _finding(name, kind, "element type", group, f"{impossible[group[0]]}; cast before it.")
    strange = complex_values(ready)
    if strange:
        places = _places(v.node for v in strange if v.node)
        yield Finding(name, kind, "element type", "complex tensors", len(strange), places, f"{NO_COMPLEX}.")
    if not missing and not impossible:
        for note in legalize(ready, opset)[1]:
            yield Finding(name, kind, "less exact", note, 1, (), "A cast in the model says it openly.", fails=False)


def _alone(node: Node) -> Graph:
    """A graph of one node."""
    graph = Graph(node.op.name)
    inputs: list[Value | None] = []
    for i, v in enumerate(node.inputs):
        inputs.append(None if v is None else graph.input(f"x{i}", v.type))
    graph.append(node.op, tuple(inputs), node.attributes, tuple(v.type for v in node.outputs))
    return graph


def _write_onnx(graph: Graph, opset: int) -> None:
    from .onnx.model import emit as write

    write(graph, opset=opset)


def _unwritable(write: Callable[[], Any], kind: str, name: str) -> list[Finding]:
    """What writing the program raises, once every node has a row."""
    try:
        write()
    except Exception as error:  # whatever it is, it is what a user would meet
        places = tuple(getattr(error, "__notes__", ()))
        what = f"{type(error).__name__}: {error}"
        return [Finding(name, kind, "cannot be written", what, 1, places, "isograd.specialize may help with sizes.")]
    return []


# Findings


def _grouped(nodes: Iterable[Node], key: Callable[[Node], Any] = lambda node: "") -> list[list[Node]]:
    """Nodes of one op, on one element type, for one reason."""
    groups: dict[Any, list[Node]] = {}
    for node in nodes:
        groups.setdefault((_what(node), key(node)), []).append(node)
    return list(groups.values())


def _what(node: Node) -> str:
    first = next((v for v in node.inputs if v is not None), node.outputs[0])
    return f"{node.op.name} of {first.dtype.name}"


def _finding(target: str, kind: str, problem: str, nodes: Sequence[Node], advice: str = "") -> Finding:
    return Finding(target, kind, problem, _what(nodes[0]), len(nodes), _places(nodes), advice)


def _places(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n.origin for n in nodes if n.origin))


def _advised(findings: Sequence[Finding], names: Sequence[str]) -> Iterator[Finding]:
    """Where a lowering is missing, the targets that have it."""
    missing = {(f.graph, f.what, f.target) for f in findings if f.problem == _NO_LOWERING}
    for f in findings:
        if f.problem != _NO_LOWERING or f.advice:
            yield f
            continue
        having = [n for n in names if n in BACKENDS and is_installed(n) and (f.graph, f.what, n) not in missing]
        yield replace(f, advice=f"It runs on {', '.join(having)}." if having else "Write it with other ops.")
