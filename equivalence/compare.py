"""Running one program on every backend and holding what it gives to the float64 reference."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..backends import BACKENDS, Runtime, is_installed
from ..ir import Graph
from ..ir.errors import BackendUnavailableError, SpecError, TypeMismatchError
from ..ir.graph import Port
from ..ir.model import Loss, Model, Optimizer
from ..ir.text import print_graph
from ..ir.training import loss_and_gradients, training_step
from ..ir.training.step import complete_recipe
from .candidate import Candidate, Job, Outcome, open_candidate
from .environment import machine
from .examples import Examples, prepare
from .find import find_divergence, find_in_training
from .judge import Verdict, accuracy, curve_allowances, inherited, loss_curve
from .reference import HELD
from .report import Curve, Divergence, Report, Row
from .truth import Run, Truth, count_hits, hits

What = Literal["inference", "gradients", "training"]
_OBJECTS = {"keras": "keras", "tensorflow": "tensorflow", "torch": "torch", "onnx": "onnx"}  # module -> frontend


def compare(
    *models: Model, inputs: Any = None, data: Any = None, backends: str | Runtime | Sequence[str | Runtime] = "all",
    what: What | None = None, steps: int = 10, loss: Any = None, optimizer: Any = None, seed: int = 0,
    batch_size: int = 32, test_data: Any = None, device: str | None = None, isolate: bool = False, find: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Report:  # fmt: skip
    """Run models on backends and say which compute the same as the float64 reference of the first model.

    `what`: the outputs (`inference`); also loss and gradients (`gradients`); also `steps` of training, with the trained
    parameters and the test accuracy (`training`, the default where loss and optimizer are known). `data` is (x, y) or
    (x, y, sample_weight), an iterable of such batches, or a data set; without `test_data` a fifth of it is held out.
    Without data, inputs (but for `inputs`, which inference uses) and targets are made up from their types. `backends`:
    `all`, or names or runtimes. `isolate` runs each backend in a process of its own. `find` looks for the first node
    that differs. `progress` is told what runs. A backend that raises, dies or is not installed is a row that says so.
    """
    _check(models)
    plans = [_plan(m, what, loss, optimizer, data) for m in models]
    first = plans[0]
    examples = prepare(first.model, first.step, inputs, data, test_data, steps=steps, batch_size=batch_size, seed=seed)
    _check_alike(plans)
    tell = progress or (lambda text: None)
    comparison = _Comparison(first, examples, seed, tell)
    chosen = list(BACKENDS) if backends == "all" else backends
    names = [chosen] if isinstance(chosen, str | Runtime) else list(chosen)
    found = [_row(comparison, plan, backend, device, isolate, find) for plan in plans for backend in names]
    settings = _settings(first, examples, seed, steps)
    return comparison.report([row for row, _ in found], settings, [d for _, d in found if d is not None])


@dataclass(frozen=True)
class _Plan:
    """A model and the graphs that are compared."""

    model: Model
    what: What
    gradients: Model | None = None
    training: Model | None = None

    @property
    def step(self) -> Graph | None:
        """The graph whose inputs the batches are."""
        chosen = self.training or self.gradients
        return chosen.training if chosen else None


def _check(models: Sequence[Any]) -> None:
    if not models:
        raise SpecError("compare takes at least one model")
    for model in models:
        if isinstance(model, Model):
            continue
        frontend = next(
            (f for m, f in _OBJECTS.items() if any(t.__module__.split(".")[0] == m for t in type(model).__mro__)), None
        )
        hint = f": make one of it by isograd.from_{frontend}(...)" if frontend else ""
        raise TypeMismatchError(
            f"compare takes isograd models, not {type(model).__name__}{hint}; "
            "comparing with other frameworks' objects as they are is not there yet"
        )


def _plan(model: Model, what: What | None, loss: Any, optimizer: Any, data: Any) -> _Plan:
    known = (loss is not None and optimizer is not None) or model.recipe is not None
    chosen: What = what or ("training" if known else "inference")
    if chosen not in ("inference", "gradients", "training"):
        raise SpecError(f"what is inference, gradients or training, not {chosen!r}")
    if chosen == "inference":
        return _Plan(model, chosen)
    if chosen == "gradients" and optimizer is None and model.recipe is None:
        optimizer = "sgd"  # which no gradient depends on
    model = model.with_recipe(complete_recipe(model, loss, optimizer))
    gradients = loss_and_gradients(model)
    if chosen == "gradients":
        return _Plan(model, chosen, gradients)
    weighted = isinstance(data, tuple) and len(data) == 3
    return _Plan(model, chosen, gradients, training_step(model, sample_weight=weighted))


def _check_alike(plans: Sequence[_Plan]) -> None:
    first = plans[0].model
    for plan in plans[1:]:
        other = plan.model
        same = [p.value.type for p in first.inputs] == [p.value.type for p in other.inputs]
        if not same or len(first.outputs) != len(other.outputs):
            raise TypeMismatchError(f"the models {first.name} and {other.name} take or give different things")
        if plan.what != "inference" and first.parameters.keys() != other.parameters.keys():
            raise SpecError(
                f"the parameters of {first.name} and {other.name} have different names: only what='inference' compares "
                "them, until a map of their weights can be given"
            )


@dataclass
class _Comparison:
    """The reference's side: each program's truth, computed when first needed, and how candidates are held to it."""

    plan: _Plan
    examples: Examples
    seed: int
    tell: Callable[[str], None]
    named: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def outputs(self) -> Truth:
        self.tell("reference: outputs")
        graph = self.plan.model.inference
        return Truth(graph, self.plan.model.arrays(graph), self.examples.test[: self.examples.compared], self.seed)

    @cached_property
    def gradients(self) -> Truth | None:
        if self.plan.gradients is None:
            return None
        self.tell("reference: gradients")
        graph = self.plan.gradients.training
        count = len(graph.ports("input"))
        batch = self.examples.training[0][:count]
        return Truth(graph, self.plan.gradients.arrays(graph), [batch], self.seed)

    @cached_property
    def training(self) -> Truth | None:
        if self.plan.training is None:
            return None
        self.tell(f"reference: {len(self.examples.training)} training steps")
        graph = self.plan.training.training
        return Truth(graph, self.plan.training.arrays(graph), self.examples.training, self.seed)

    @cached_property
    def right(self) -> list[int] | None:
        """Test examples that the trained reference gets right, then those of each perturbed run."""
        if self.training is None or self.examples.targets is None or not _classifies(self.plan):
            return None
        graph, targets = self.plan.model.inference, self.examples.targets
        fixed = self.plan.model.arrays(graph)
        return hits(graph, [fixed | held for held in self.training.plain.held], self.examples.test, targets)

    def report(self, rows: Sequence[Row], settings: Mapping[str, str], divergences: Sequence[Divergence]) -> Report:
        curve = Curve()
        if self.training is not None:
            expected = [step[0] for step in self.training.plain.outputs]
            allowances = curve_allowances(expected, [float(np.max(e.spread)) for e in expected])
            curve = Curve(tuple(float(e.value) for e in expected), tuple(map(float, allowances)))
        tested = sum(len(chunk[0]) for chunk in self.examples.test) if self.right else 0
        return Report(
            self.plan.model.name, self.plan.what, tuple(rows), settings, machine(), curve, tested,
            self.right[0] if self.right else None, tuple(divergences),
        )  # fmt: skip


def _row(
    comparison: _Comparison, plan: _Plan, backend: str | Runtime, device: str | None, isolate: bool, find: bool
) -> tuple[Row, Divergence | None]:
    name = backend if isinstance(backend, str) else backend.name
    row = Row(plan.model.name, name)
    if isinstance(backend, str) and ":" not in backend:
        if backend not in BACKENDS:
            raise BackendUnavailableError(f"there is no backend {backend!r}; there are {', '.join(BACKENDS)}")
        if not is_installed(backend):
            return replace(row, missing=True), None
    comparison.tell(f"{plan.model.name} on {name}")
    try:
        candidate = open_candidate(backend, device, isolate)
    except Exception as error:
        return replace(row, error=_said(error)), None
    try:
        return _compared(comparison, plan, candidate, row, find)
    except Exception as error:
        return replace(row, error=_said(error)), None
    finally:
        candidate.close()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" + "".join(f"; {n}" for n in getattr(error, "__notes__", ()))


def _compared(
    comparison: _Comparison, plan: _Plan, candidate: Candidate, row: Row, find: bool
) -> tuple[Row, Divergence | None]:
    about = candidate.about()
    row = replace(row, backend=candidate.name, version=about.version, device=about.device, switches=about.switches)
    trial = _Trial(comparison, plan, candidate)
    verdicts: dict[str, tuple[Verdict, ...]] = {"outputs": tuple(trial.outputs())}
    seconds = trial.seconds
    losses: tuple[float, ...] = ()
    if comparison.gradients is not None:
        verdicts["gradients"], losses = tuple(trial.gradients(comparison.gradients)), trial.losses
        seconds = trial.seconds
    right = None
    if comparison.training is not None:
        trained, outcome = trial.training(comparison.training)
        verdicts |= trained
        seconds, losses = trial.seconds, trial.losses
        if comparison.right is not None:
            right, verdict = trial.accuracy(outcome, comparison.right)
            verdicts["accuracy"] = (verdict,)
    row = replace(row, verdicts=verdicts, losses=losses, seconds=seconds, right=right)
    return row, _found(comparison, plan, candidate, row) if find and row.status == "differs" else None


class _Trial:
    """One candidate's runs of one model's programs, held to the truth."""

    def __init__(self, comparison: _Comparison, plan: _Plan, candidate: Candidate) -> None:
        self.comparison, self.plan, self.candidate = comparison, plan, candidate
        self.seconds = float("nan")
        self.losses: tuple[float, ...] = ()

    def outputs(self) -> list[Verdict]:
        truth, graph = self.comparison.outputs, self.plan.model.inference
        found = self._run(graph, self.plan.model, truth.batches)
        ports = _given(graph)
        return _settled(truth, lambda run: _everywhere(ports, found, run))

    def gradients(self, truth: Truth) -> list[Verdict]:
        model = self.plan.gradients
        assert model is not None
        found = self._run(model.training, model, truth.batches)
        self.losses = (float(found.outputs[0][0]),)
        ports = _given(model.training)
        return _settled(truth, lambda run: _each(ports, found.outputs[0], run, ""))

    def training(self, truth: Truth) -> tuple[dict[str, tuple[Verdict, ...]], Outcome]:
        model = self.plan.training
        assert model is not None
        found = self._run(model.training, model, truth.batches)
        place = [p.role for p in _given(model.training)].index("loss")
        self.losses = tuple(float(step[place]) for step in found.outputs)

        def judged(run: Run) -> list[Verdict]:
            curve = loss_curve(self.losses, [step[place] for step in run.outputs], run.near)
            arrays = [
                inherited(f"{role} {path}", found.arrays[role, path], e, run.near)
                for (role, path), e in run.arrays.items()
            ]
            return [curve, *arrays]

        curve, *arrays = _settled(truth, judged)
        return {"loss": (curve,), "parameters": tuple(arrays)}, found

    def accuracy(self, trained: Outcome, right: Sequence[int]) -> tuple[int, Verdict]:
        model, examples = self.plan.model, self.comparison.examples
        assert examples.targets is not None
        graph = model.inference
        arrays = {k: trained.arrays.get(k, a) for k, a in model.arrays(graph).items()}
        found = self.candidate.run(Job(graph, arrays, examples.test))
        count = sum(len(chunk[0]) for chunk in examples.test)
        own = count_hits([outputs[0] for outputs in found.outputs], examples.targets)
        return own, accuracy(own, right[0], right[1:], count)

    def _run(self, graph: Graph, model: Model, batches: Sequence[Sequence[np.ndarray]]) -> Outcome:
        found = self.candidate.run(Job(graph, model.arrays(graph), batches))
        self.seconds = float(np.median(found.seconds[1:])) if len(found.seconds) > 1 else float("nan")
        return found


def _given(graph: Graph) -> list[Port]:
    """The outputs that a program gives, in order."""
    return [p for p in graph.outputs if p.role not in HELD]


def _each(
    ports: Sequence[Port], found: Sequence[np.ndarray], run: Run, word: str, batch: int = 0, where: str = ""
) -> list[Verdict]:
    triples = zip(ports, found, run.outputs[batch], strict=True)
    return [inherited(f"{word or p.role} {p.path}{where}", f, e, run.near) for p, f, e in triples]


def _everywhere(ports: Sequence[Port], found: Outcome, run: Run) -> list[Verdict]:
    """The verdicts on the outputs for each batch, in order: after the first, for the free sizes that it has instead."""
    places = ["", *[", at other sizes"] * (len(run.outputs) - 1)]
    return [v for i, w in enumerate(places) for v in _each(ports, found.outputs[i], run, "output", i, w)]


def _settled(truth: Truth, judge: Callable[[Run], list[Verdict]]) -> list[Verdict]:
    """What the plain reference says; where something differs, what the one with ties says of it."""
    verdicts = judge(truth.plain)
    return judge(truth.tied) if any(v.outcome == "differs" for v in verdicts) else verdicts


def _classifies(plan: _Plan) -> bool:
    """Whether the model has one output, which is trained to name a class."""
    losses = plan.model.recipe.loss if plan.model.recipe else {}
    named = [losses] if isinstance(losses, Loss) else list(losses.values())
    return len(plan.model.outputs) == len(named) == 1 and "crossentropy" in named[0].name


def _found(comparison: _Comparison, plan: _Plan, candidate: Candidate, row: Row) -> Divergence:
    comparison.tell(f"{candidate.name}: looking for the first node that differs")
    try:
        for kind, truth in (("outputs", comparison.outputs), ("gradients", comparison.gradients)):
            verdict = row.worst(kind)
            if truth is not None and verdict is not None and verdict.outcome == "differs":
                model = plan.model if kind == "outputs" else plan.gradients
                assert model is not None
                graph = model.inference if kind == "outputs" else model.training
                batch = row.verdicts[kind].index(verdict) // len(_given(graph))
                return find_divergence(candidate, graph, model.arrays(graph), truth.batches[batch])
        assert comparison.training is not None
        curve = row.worst("loss")
        last = len(row.losses) - 1
        step = curve.place[0] if curve is not None and curve.outcome == "differs" and curve.place else last
        return find_in_training(candidate, comparison.training, step)
    except Exception as error:
        return Divergence(candidate.name, False, f"the first divergence could not be looked for: {_said(error)}")


def _settings(plan: _Plan, examples: Examples, seed: int, steps: int) -> dict[str, str]:
    model = plan.model
    found = {"data": examples.description, "seed": str(seed)}
    if plan.what != "inference" and model.recipe is not None:
        losses = model.recipe.loss
        named = losses if isinstance(losses, Mapping) else {"": losses}
        found["loss"] = ", ".join(f"{path}: {_call(rule)}" if path else _call(rule) for path, rule in named.items())
    if plan.what == "training" and model.recipe is not None:
        optimizer = model.recipe.optimizer
        found |= {"optimizer": f"{_call(optimizer)}, by the convention of {optimizer.convention}", "steps": str(steps)}
    return found | {"model": f"{model.name}, {_size(model)}", "model hash": model_hash(model)}


def _call(rule: Loss | Optimizer) -> str:
    options = ", ".join(f"{k}={v!r}" for k, v in rule.options.items())
    return f"{rule.name}({options})" if options else rule.name


def _size(model: Model) -> str:
    return f"{len(model.parameters)} parameters of {sum(a.size for a in model.parameters.values()):,} numbers"


def model_hash(model: Model) -> str:
    """A hash of the model's graph, parameters and state."""
    digest = hashlib.sha256(print_graph(model.inference).encode())
    for store in (model.parameters, model.state):
        for path in sorted(store):
            digest.update(path.encode())
            digest.update(np.ascontiguousarray(store[path]).tobytes())
    return digest.hexdigest()[:16]
