"""Every optimizer, schedule and convention against the library whose numbers it promises, step by step.

    python benchmarks/optimizers.py

Fifty updates in float32; the gradient of each element keeps its magnitude, from 1e-7 to 1e3, and changes its sign.
Keras runs eagerly on TensorFlow, PyTorch eagerly (`foreach=False`), Optax under `jax.jit`. Both sides run free: they
are given the same gradients and never each other's numbers. A difference is counted in ulps of the largest magnitude
that the element or a step of it has had; what is allowed after t steps are 4 t of them. With another convention and the
same hyperparameters the difference must be larger, unless the conventions are one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isograd import Optimizer
from isograd.backends import installed, runtime
from isograd.ir import Graph
from isograd.ir.graph import Port
from isograd.ir.training import OPTIMIZERS
from isograd.ir.training.update import update
from isograd.ir.types import TensorType, float32

STEPS, ULPS = 50, 4.0
SHAPES = {"vector": (33,), "matrix": (5, 7)}
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """An optimizer of ours, and the library's by its name and arguments there."""

    name: str
    convention: str
    theirs: str
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 0.01

    @property
    def optimizer(self) -> Optimizer:
        return Optimizer(self.name, {"learning_rate": self.rate, **self.options}, self.convention)  # type: ignore[arg-type]

    def __str__(self) -> str:
        told = ", ".join(f"{k}={v}" for k, v in self.arguments.items())
        return f"{self.convention}: {self.theirs}({told})"


def start() -> Arrays:
    """Parameters of magnitudes around one."""
    generator = np.random.default_rng(0)
    return {k: generator.normal(size=s).astype(np.float32) for k, s in SHAPES.items()}


def gradients(steps: int = STEPS) -> Iterator[Arrays]:
    """Gradients whose elements keep their magnitudes, spread evenly between 1e-7 and 1e3."""
    generator = np.random.default_rng(1)
    sizes = {k: 10.0 ** np.linspace(-7, 3, int(np.prod(s))).reshape(s) for k, s in SHAPES.items()}
    for _ in range(steps):
        yield {k: (generator.uniform(-0.5, 1.0, s.shape) * s).astype(np.float32) for k, s in sizes.items()}


def run_ours(optimizer: Optimizer, backend: str = "numpy", steps: int = STEPS) -> list[Arrays]:
    """The parameters after each update, by isograd's own graph on a backend."""
    graph, arrays = Graph("update"), start()
    state: Arrays = {}
    ports = [Port(graph.input(k, TensorType(float32, a.shape), "parameter"), "parameter", k) for k, a in arrays.items()]
    given = [graph.input(f"g_{k}", TensorType(float32, a.shape)) for k, a in arrays.items()]
    update(graph, ports, given, optimizer, arrays, state)
    program = runtime(backend).compile(graph)
    program.load({("parameter", k): a for k, a in arrays.items()} | {("state", k): a for k, a in state.items()})
    found = []
    for g in gradients(steps):
        program(*g.values())
        found.append({k: a for (role, k), a in program.arrays().items() if role == "parameter"})
    return found


def run_keras(name: str, arguments: Mapping[str, Any], steps: int = STEPS) -> list[Arrays]:
    import keras

    variables = {k: keras.Variable(a) for k, a in start().items()}
    optimizer = getattr(keras.optimizers, name)(**arguments)
    optimizer.build(list(variables.values()))
    found = []
    for g in gradients(steps):
        optimizer.apply([keras.ops.convert_to_tensor(a) for a in g.values()], list(variables.values()))
        found.append({k: np.array(keras.ops.convert_to_numpy(v)) for k, v in variables.items()})
    return found


def run_torch(name: str, arguments: Mapping[str, Any], steps: int = STEPS) -> list[Arrays]:
    import torch

    parameters = {k: torch.nn.Parameter(torch.from_numpy(a)) for k, a in start().items()}
    optimizer = getattr(torch.optim, name)(list(parameters.values()), foreach=False, **arguments)
    found = []
    for g in gradients(steps):
        for k, p in parameters.items():
            p.grad = torch.from_numpy(g[k])
        optimizer.step()
        found.append({k: p.detach().numpy().copy() for k, p in parameters.items()})
    return found


def run_optax(name: str, arguments: Mapping[str, Any], steps: int = STEPS) -> list[Arrays]:
    import jax
    import optax

    optimizer = getattr(optax, name)(**arguments)
    parameters: Any = start()
    state = optimizer.init(parameters)

    @jax.jit
    def step(parameters: Any, state: Any, g: Any) -> Any:
        updates, state = optimizer.update(g, state, parameters)
        return optax.apply_updates(parameters, updates), state

    found = []
    for g in gradients(steps):
        parameters, state = step(parameters, state, g)
        found.append({k: np.array(v) for k, v in parameters.items()})
    return found


RUNS: dict[str, Callable[..., list[Arrays]]] = {"keras": run_keras, "torch": run_torch, "optax": run_optax}
RATE_NAMES = {"keras": "learning_rate", "torch": "lr", "optax": "learning_rate"}


def run_theirs(case: Case) -> list[Arrays]:
    return RUNS[case.convention](case.theirs, {RATE_NAMES[case.convention]: case.rate, **case.arguments})


def ulps(ours: list[Arrays], theirs: list[Arrays]) -> np.ndarray:
    """For each step the largest difference, in ulps of the largest magnitude that the element or a step has had."""
    before = start()
    largest = {k: np.abs(a) for k, a in before.items()}
    found = []
    for a, b in zip(ours, theirs, strict=True):
        largest = {k: np.maximum(largest[k], np.maximum(np.abs(b[k]), np.abs(b[k] - before[k]))) for k in largest}
        before = b
        found.append(max(float(np.max(np.abs(a[k].astype(np.float64) - b[k]) / np.spacing(largest[k]))) for k in a))
    return np.array(found)


def within(differences: np.ndarray) -> bool:
    """Whether after each step t the difference is at most 4 t ulps."""
    return bool(np.all(differences <= ULPS * np.arange(1, len(differences) + 1)))


# Conventions that are one rule, given the same hyperparameters: (optimizer, options that must be absent) -> them.
ONE_RULE: dict[str, list[tuple[set[str], set[str]]]] = {
    "sgd": [({"keras", "torch", "optax"}, {"dampening"})],  # momentum differs where the rate changes
    "rmsprop": [({"keras", "optax"}, {"nesterov", "epsilon_in_root"})],
    "adagrad": [({"keras", "optax"}, set())],
    "adadelta": [({"keras", "torch", "optax"}, {"weight_decay"}), ({"torch", "optax"}, set())],
    "adamax": [({"torch", "optax"}, set())],
    "lion": [({"keras", "optax"}, set())],
    "lamb": [({"keras", "optax"}, {"weight_decay"})],
}
# What other conventions do differently with their epsilon does not show beside an accumulator that begins at 0.1, or
# where epsilon is 1e-30.
HIDDEN = {("adagrad", "keras", "torch"), ("adagrad", "optax", "torch"), ("adafactor", "keras", "torch")}
PLACES = {"epsilon_in_root", "amsgrad", "decoupled_weight_decay"}  # what a convention says, and no number


def is_one_rule(case: Case, other: str) -> bool:
    """Whether another convention is the same rule for the options of a case."""
    return ((case.name, case.convention, other) in HIDDEN and not case.options) or any(
        {case.convention, other} <= conventions and not case.options.keys() & absent
        for conventions, absent in ONE_RULE.get(case.name, ())
    )


def in_convention(case: Case, other: str) -> Optimizer:
    """The optimizer of a case by another convention, with all the numbers that the two share."""
    defaults = OPTIMIZERS[case.name].defaults
    own = dict(defaults[case.convention]) | dict(case.optimizer.options)
    options = {k: v for k, v in own.items() if k in defaults[other] and k not in PLACES}
    return Optimizer(case.name, options, other)  # type: ignore[arg-type]


def _three(name: str, names: tuple[str | None, str | None, str | None], **rate: float) -> list[Case]:
    return [Case(name, c, n, **rate) for c, n in zip(("keras", "torch", "optax"), names, strict=True) if n]  # type: ignore[arg-type]


_M = {"momentum": 0.9}
_MN = {"momentum": 0.9, "nesterov": True}
_W = {"weight_decay": 0.1}
CASES = [
    *_three("sgd", ("SGD", "SGD", "sgd")),
    *(Case("sgd", c, n, _M, _M) for c, n in (("keras", "SGD"), ("torch", "SGD"), ("optax", "sgd"))),
    *(Case("sgd", c, n, _MN, _MN) for c, n in (("keras", "SGD"), ("torch", "SGD"), ("optax", "sgd"))),
    Case("sgd", "torch", "SGD", _M | {"dampening": 0.3}, _M | {"dampening": 0.3}),
    Case("sgd", "keras", "SGD", _W, _W),
    Case("sgd", "torch", "SGD", _W, _W),
    *_three("adam", ("Adam", "Adam", "adam")),
    Case("adam", "keras", "Adam", {"amsgrad": True}, {"amsgrad": True}),
    Case("adam", "torch", "Adam", {"amsgrad": True}, {"amsgrad": True}),
    Case("adam", "torch", "Adam", _W, _W),
    Case("adam", "keras", "Adam", _W, _W),
    Case("adam", "optax", "adam", {"epsilon_root": 1e-6}, {"eps_root": 1e-6}),
    Case("amsgrad", "optax", "amsgrad"),
    *_three("adamw", ("AdamW", "AdamW", "adamw")),
    *(Case("adamw", c, n, _W, _W) for c, n in (("keras", "AdamW"), ("torch", "AdamW"), ("optax", "adamw"))),
    *_three("rmsprop", ("RMSprop", "RMSprop", "rmsprop")),
    *(Case("rmsprop", c, n, _M, _M) for c, n in (("keras", "RMSprop"), ("torch", "RMSprop"), ("optax", "rmsprop"))),
    *(
        Case("rmsprop", c, n, {"centered": True}, {"centered": True})
        for c, n in (("keras", "RMSprop"), ("torch", "RMSprop"), ("optax", "rmsprop"))
    ),
    Case("rmsprop", "optax", "rmsprop", _MN, _MN),
    Case("rmsprop", "optax", "rmsprop", {"epsilon_in_root": False, "initial_scale": 0.5},
         {"eps_in_sqrt": False, "initial_scale": 0.5}),
    *_three("adagrad", ("Adagrad", "Adagrad", "adagrad")),
    Case("adagrad", "torch", "Adagrad", {"learning_rate_decay": 0.1}, {"lr_decay": 0.1}),
    Case("adagrad", "keras", "Adagrad", {"initial_accumulator": 0.0}, {"initial_accumulator_value": 0.0}),
    *_three("adadelta", ("Adadelta", "Adadelta", "adadelta"), rate=1.0),
    Case("adadelta", "optax", "adadelta", _W, _W, 1.0),
    *_three("adamax", ("Adamax", "Adamax", "adamax")),
    *_three("nadam", ("Nadam", "NAdam", "nadam")),
    Case("nadam", "torch", "NAdam", _W | {"decoupled_weight_decay": True}, _W | {"decoupled_weight_decay": True}),
    *_three("radam", (None, "RAdam", "radam")),
    *_three("adafactor", ("Adafactor", "Adafactor", "adafactor")),
    Case("adafactor", "optax", "adafactor", {"least_factored_size": 4, "weight_decay": 0.01},
         {"min_dim_size_to_factor": 4, "weight_decay_rate": 0.01}),
    Case("adafactor", "torch", "Adafactor", _W, _W),
    *_three("lion", ("Lion", None, "lion")),
    *_three("lamb", ("Lamb", None, "lamb")),
    Case("lamb", "optax", "lamb", _W, _W),
    *_three("ftrl", ("Ftrl", None, None), rate=0.1),
    Case("ftrl", "keras", "Ftrl", {"l1": 0.01, "l2": 0.1, "l2_shrinkage": 0.01, "beta": 0.1},
         {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.1,
          "l2_shrinkage_regularization_strength": 0.01, "beta": 0.1}),
]  # fmt: skip


def rows(backends: list[str]) -> Iterator[list[str]]:
    """For each case: its name, the largest difference on each backend, and with each other convention."""
    for case in CASES:
        theirs = run_theirs(case)
        found = [ulps(run_ours(case.optimizer, b), theirs) for b in backends]
        others = [c for c in OPTIMIZERS[case.name].defaults if c != case.convention]
        wrong = {c: ulps(run_ours(in_convention(case, c)), theirs) for c in others}
        yield [
            str(case),
            *(f"{f.max():.2g}{'' if within(f) else ' (too much)'}" for f in found),
            ", ".join(f"{c}: {'one rule' if within(f) else f'{f.max():.2g}'}" for c, f in wrong.items()),
        ]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--backends", nargs="*", default=list(installed()))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args(arguments)
    lines = [
        "# Optimizers against the libraries whose numbers they promise\n",
        f"Largest difference over {STEPS} updates, in float32 ulps (of the largest magnitude that the element or a "
        "step of it has had); both sides run free. Allowed are 4 t after t updates. The last column "
        "is the same optimizer by another convention, with the same numbers; `one rule` where it is within bounds too. "
        "Made by `benchmarks/optimizers.py`.\n",
        f"| the library's optimizer | {' | '.join(options.backends)} | another convention |",
        f"|---|{'---|' * (len(options.backends) + 1)}",
    ]
    for cells in rows(options.backends):
        lines.append(f"| {' | '.join(cells)} |")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "optimizers.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
