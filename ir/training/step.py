"""The training step as one graph: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..autodiff import gradients
from ..errors import SpecError
from ..graph import Graph, Port, Value
from ..model import Loss, Model, Optimizer, Recipe, Regularizer
from ..rewrite import Rewriter
from ..types import TensorType, float32
from .losses import METRICS, complete_options, loss_rule, mean_loss
from .optimizers import STEP, count_step, optimizer_rule


def training_step(
    model: Model,
    loss: Loss | str | Mapping[str, Any] | None = None,
    optimizer: Optimizer | str | Mapping[str, Any] | None = None,
    *,
    sample_weight: bool = False,
) -> Model:
    """The whole step as one model: batch, parameters, slots and state in; loss, metrics and all new values out.

    Ports of role `input` are the model's inputs, then one target for each output (`label` where it is an integer,
    else `target`), then `sample_weight` where it is asked for. Outputs have the roles loss, metric, parameter, state.
    What is not given comes from the model's recipe. Raises `SpecError` where there is none.
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
    with graph.section("update"):
        _update(graph, parameters, found, recipe.optimizer, model, state)
    return Model(f"{model.name}_step", lambda mode: graph, model.parameters, state, recipe, model.source)


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
    """An optimizer by name, or `{name: options}`, where the option `convention` says whose."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str):
        return Optimizer(optimizer)
    if isinstance(optimizer, Mapping) and len(optimizer) == 1:
        ((name, options),) = optimizer.items()
        rest = {k: v for k, v in options.items() if k != "convention"}
        return Optimizer(name, rest, options.get("convention", "keras"))
    raise SpecError(f"an optimizer is a name or {{name: options}}, not {optimizer!r}")


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
        rule = loss_rule(loss.name)
        term = mean_loss(
            rule.values(values[path], targets[path], **complete_options(loss.name, rule, loss.options)), weights
        )
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


def _update(
    graph: Graph,
    parameters: Sequence[Port],
    found: Sequence[Value],
    optimizer: Optimizer,
    model: Model,
    state: dict[str, np.ndarray],
) -> None:
    rule, hyper = optimizer_rule(optimizer)
    scalars: tuple[Value, ...] = ()
    if rule.scalars is not None:
        state.setdefault(STEP, np.zeros((), np.int32))
        step, t = count_step(graph)
        scalars = rule.scalars(t, hyper["learning_rate"], hyper, optimizer.convention)
        graph.output(step, STEP, "state")
    for port, g in zip(parameters, found, strict=True):
        p = port.value
        rate = graph.constant(hyper["learning_rate"], p.dtype)
        slots = []
        for slot in rule.slots(hyper):
            path = f"{slot}.{port.path}"
            state.setdefault(path, np.zeros_like(model.parameters[port.path]))
            slots.append(graph.input(slot, p.type, "state", path))
        p, g = _decayed(p, g, hyper, rate, optimizer.convention)
        new = rule.update(p, g, slots, [_as(s, p.dtype) for s in scalars] or [rate], hyper, optimizer.convention)
        graph.output(new[0], port.path, "parameter")
        for slot, value in zip(rule.slots(hyper), new[1:], strict=True):
            graph.output(value, f"{slot}.{port.path}", "state")


def _as(scalar: Value, dtype: Any) -> Value:
    return scalar if scalar.dtype == dtype else ops.cast(scalar, dtype=dtype)


def _decayed(p: Value, g: Value, hyper: Mapping[str, Any], rate: Value, convention: str) -> tuple[Value, Value]:
    """Weight decay: added to the gradient (PyTorch), or taken off the parameter itself (Keras, Optax)."""
    decay = hyper.get("weight_decay", 0.0)
    if not decay:
        return p, g
    return (p, g + decay * p) if convention == "torch" else (p - p * (decay * rate), g)
