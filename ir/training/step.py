"""The training step as one graph: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import ops
from ..autodiff import gradients
from ..collection import uncollected
from ..errors import SpecError
from ..graph import Graph, Port, Value
from ..model import Loss, Model, Optimizer, Recipe, Regularizer
from ..passes.recompute import Chosen
from ..passes.recompute import recompute as computed_again
from ..rewrite import Rewriter
from ..types import TensorType, float32
from .averaging import AVERAGES
from .losses import METRICS, loss_rule, loss_value
from .optimizers import convention_of
from .schedules import as_schedule
from .update import update


@uncollected
def training_step(
    model: Model,
    loss: Loss | str | Mapping[str, Any] | None = None,
    optimizer: Optimizer | str | Mapping[str, Any] | None = None,
    *,
    sample_weight: bool = False,
    recompute: Chosen = False,
) -> Model:
    """The whole step as one model: batch, parameters, slots and state in; loss, metrics and all new values out.

    Ports of role `input` are the model's inputs, then one target for each output (`label` where it is an integer,
    else `target`), then `sample_weight` where it is asked for. Outputs have the roles loss, metric, parameter, state.
    What is not given comes from the model's recipe. `recompute`: patterns of names or kinds of layers whose inner
    values the backward computes again instead of keeping them, or True for the outermost repeated blocks. Raises
    `SpecError` where there is no recipe, or no such layer.
    """
    recipe = complete_recipe(model, loss, optimizer)
    graph, results = _forward(model.training)
    targets = _targets(graph, results, recipe)
    weights = graph.input("sample_weight", TensorType(float32, results[0].value.shape[:1])) if sample_weight else None
    total = _total_loss(graph, results, targets, weights, recipe)
    graph.output(total.named("loss"), "loss", "loss")
    _metrics(graph, results, targets, recipe)
    parameters = graph.ports("parameter")
    found = gradients(graph, total, [p.value for p in parameters])
    state = dict(model.state)
    update(graph, parameters, found, recipe.optimizer, model.parameters, state)
    graph = computed_again(graph, recompute)
    return Model(f"{model.name}_step", lambda mode: graph, model.parameters, state, recipe, model.source)


def evaluation_step(model: Model, loss: Any = None, *, sample_weight: bool = False) -> Model:
    """A model of the inference graph's loss, outputs and metrics; its inputs are those of the training step."""
    recipe = complete_recipe(model, loss, Optimizer("sgd"))
    graph, results = _forward(model.inference)
    targets = _targets(graph, results, recipe)
    weights = graph.input("sample_weight", TensorType(float32, results[0].value.shape[:1])) if sample_weight else None
    graph.output(_total_loss(graph, results, targets, weights, recipe).named("loss"), "loss", "loss")
    for port in results:
        graph.output(port.value, port.path)
    _metrics(graph, results, targets, recipe)
    return Model(f"{model.name}_evaluation", lambda mode: graph, model.parameters, model.state, recipe, model.source)


def loss_and_gradients(model: Model, loss: Any = None) -> Model:
    """A model of the training graph's loss and of its gradient to every parameter (role `gradient`, by its path)."""
    recipe = complete_recipe(model, loss, Optimizer("sgd"))
    graph, results = _forward(model.training)
    targets = _targets(graph, results, recipe)
    total = _total_loss(graph, results, targets, None, recipe)
    graph.output(total.named("loss"), "loss", "loss")
    parameters = graph.ports("parameter")
    for port, gradient in zip(parameters, gradients(graph, total, [p.value for p in parameters]), strict=True):
        graph.output(gradient, port.path, "gradient")
    return Model(f"{model.name}_gradients", lambda mode: graph, model.parameters, model.state, recipe, model.source)


def complete_recipe(model: Model, loss: Any, optimizer: Any) -> Recipe:
    """The recipe to train by: what is given, and the model's own for the rest."""
    own = model.recipe
    if (loss is None or optimizer is None) and own is None:
        raise SpecError(f"the model {model.name!r} has no recipe: say loss= and optimizer=")
    chosen_loss = own.loss if loss is None and own else as_loss(loss)
    chosen = own.optimizer if optimizer is None and own else as_optimizer(optimizer)
    if own is None:
        return Recipe(chosen_loss, chosen)
    return Recipe(chosen_loss, chosen, own.metrics, own.loss_weights, own.regularizers)


def as_loss(loss: Any) -> Loss | Mapping[str, Loss]:
    """A loss by name, `{name: options}`, or a dict of them by output."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        return Loss(loss)
    if isinstance(loss, Mapping) and all(isinstance(v, Loss | str) for v in loss.values()):
        return {k: v if isinstance(v, Loss) else Loss(v) for k, v in loss.items()}
    if isinstance(loss, Mapping) and len(loss) == 1:
        ((name, options),) = loss.items()
        return Loss(name, dict(options))
    raise SpecError(f"a loss is a name, {{name: options}} or a dict by output, not {loss!r}")


def as_optimizer(optimizer: Any) -> Optimizer:
    """An optimizer by name, or `{name: options}`, where `convention` and the parts of `Optimizer` are options too."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str):
        return Optimizer(optimizer, {}, convention_of(optimizer))
    if isinstance(optimizer, Mapping) and len(optimizer) == 1:
        ((name, options),) = optimizer.items()
        return optimizer_with(name, dict(options or {}))
    raise SpecError(f"an optimizer is a name or {{name: options}}, not {optimizer!r}")


def optimizer_with(name: str, options: dict[str, Any]) -> Optimizer:
    """An optimizer from all its options by name."""
    schedule = options.pop("schedule", None)
    parts = {k: options.pop(k) for k in ("clip", "accumulate", "groups") if k in options}
    average = {k: options.pop(k) or {} for k in AVERAGES if k in options}
    convention = options.pop("convention", convention_of(name))
    return Optimizer(
        name, options, convention, None if schedule is None else as_schedule(schedule), average=average, **parts
    )


def _forward(training: Graph) -> tuple[Graph, list[Port]]:
    """The training graph in a new graph, its state outputs kept; the ports of its outputs."""
    rewriter = Rewriter(training)
    for node in training.nodes:
        rewriter.copy(node)
    results = [Port(rewriter.values[p.value], p.role, p.path) for p in training.results("output")]
    graph = rewriter.new
    for port in training.results("state"):
        graph.output(rewriter.values[port.value], port.path, "state")
    return graph, results


def _losses(results: Sequence[Port], recipe: Recipe) -> dict[str, Loss]:
    if isinstance(recipe.loss, Loss):
        if len(results) > 1:
            raise SpecError(
                f"the model has {len(results)} outputs: give a loss for each by name: "
                f"{', '.join(p.path for p in results)}"
            )
        return {results[0].path: recipe.loss}
    unknown = recipe.loss.keys() - {p.path for p in results}
    if unknown:
        raise SpecError(
            f"there is no output {', '.join(sorted(unknown))}; the outputs are {', '.join(p.path for p in results)}"
        )
    return dict(recipe.loss)


def _targets(graph: Graph, results: Sequence[Port], recipe: Recipe) -> dict[str, Value]:
    losses = _losses(results, recipe)
    targets = {}
    for port in results:
        if port.path in losses:
            t = loss_rule(losses[port.path].name).target(port.value.type)
            name = "label" if t.dtype.is_integer else "target"
            targets[port.path] = graph.input(name if len(losses) == 1 else f"{port.path}_{name}", t)
    return targets


def _total_loss(
    graph: Graph, results: Sequence[Port], targets: Mapping[str, Value], weights: Value | None, recipe: Recipe
) -> Value:
    values = {p.path: p.value for p in results}
    total: Value | None = None
    for path, loss in _losses(results, recipe).items():
        term = loss_value(loss.name, loss.options, values[path], targets[path], weights)
        factor = recipe.loss_weights.get(path, 1.0)
        term = term if factor == 1.0 else term * factor
        total = term if total is None else total + term
    for penalty in recipe.regularizers:
        assert total is not None
        total = total + _penalty(graph, penalty)
    assert total is not None
    return total


def _penalty(graph: Graph, penalty: Regularizer) -> Value:
    w = next(p.value for p in graph.ports("parameter") if p.path == penalty.parameter)
    terms = []
    if penalty.l1:
        terms.append(penalty.l1 * ops.reduce_sum(ops.absolute(w)))
    if penalty.l2:
        terms.append(penalty.l2 * ops.reduce_sum(ops.square(w)))
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]  # type: ignore[no-any-return]


def _metrics(graph: Graph, results: Sequence[Port], targets: Mapping[str, Value], recipe: Recipe) -> None:
    for name in recipe.metrics:
        if name not in METRICS:
            raise SpecError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
        for port in results:
            if port.path in targets:
                path = name if len(targets) == 1 else f"{port.path}_{name}"
                graph.output(METRICS[name](port.value, targets[port.path]).named(path), path, "metric")
