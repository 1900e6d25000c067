"""A generator and a discriminator: two recipes over shared data, each step trains one with the other as it is by then.

The generator makes points of noise, the discriminator tells them from points of a circle. Each is a model whose
parameters are its own; those of the other are inputs. One loop trains the pair on any backend.

python examples/adversarial.py
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import isograd
from isograd.backends import installed, runtime

SHAPES = {
    "generator": {"g1": [2, 16], "b1": [16], "g2": [16, 2], "b2": [2]},
    "discriminator": {"d1": [2, 16], "c1": [16], "d2": [16, 1], "c2": [1]},
}
MADE = {"hidden": "tanh(noise @ g1 + b1)", "made": "hidden @ g2 + b2"}
OPTIMIZER = {"adam": {"learning_rate": 0.005, "beta_1": 0.5}}
LOSS = {"binary_crossentropy": {"from_logits": True}}


def judged(points: str) -> str:
    return f"leaky_relu({points} @ d1 + c1, alpha=0.2) @ d2 + c2"


def model(name: str, inputs: dict[str, str], tensors: dict[str, str], output: str) -> isograd.Model:
    """A model in which the parameters of `name` are parameters, and those of the other are inputs."""
    (other,) = SHAPES.keys() - {name}
    given = {k: f"float32{shape}" for k, shape in SHAPES[other].items()}
    own = {k: {"shape": s, "initializer": "glorot_uniform" if len(s) > 1 else "zeros"} for k, s in SHAPES[name].items()}
    spec = {"name": name, "seed": 1, "input": inputs | given, "parameters": own, "tensors": tensors, "output": output}
    return isograd.from_spec(spec | {"loss": LOSS, "optimizer": OPTIMIZER})


NOISE, POINTS = {"noise": "float32[N, 2]"}, {"points": "float32[N, 2]"}
GENERATOR = model("generator", NOISE, MADE | {"score": judged("made")}, "score")
BOTH = {"all": "concatenate(points, made, axis=0)", "score": judged("all")}
DISCRIMINATOR = model("discriminator", NOISE | POINTS, MADE | BOTH, "score")


def batches(steps: int, size: int = 32) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Noise, and points of a circle."""
    random = np.random.default_rng(0)
    for _ in range(steps):
        angle = random.uniform(0, 2 * np.pi, size)
        yield random.normal(size=(size, 2)).astype(np.float32), np.c_[np.cos(angle), np.sin(angle)].astype(np.float32)


Step = Callable[..., float]  # what a training step takes -> its loss
Player = tuple[Step, Callable[[], Sequence[Any]]]  # a step, and the parameters as they are by now


def play(generator: Player, discriminator: Player, steps: int) -> list[float]:
    """The losses of discriminator and generator, in turn."""
    losses = []
    for noise, points in batches(steps):
        real, made = (np.full((len(noise), 1), target, np.float32) for target in (1, 0))
        losses.append(discriminator[0](noise, points, *generator[1](), np.concatenate([real, made])))
        losses.append(generator[0](noise, *discriminator[1](), real))  # made points should pass for real
    return losses


def player(model: isograd.Model, backend: str) -> Player:
    """A model's training step on a backend, which keeps parameters and slots there."""
    step = isograd.training_step(model)
    program = runtime(backend).compile(step.training)
    program.load(step.arrays(step.training))

    def parameters() -> list[np.ndarray]:
        held = program.arrays()
        return [held["parameter", name] for name in model.parameters]

    return lambda *inputs: float(program.to_numpy(program(*inputs)[0])), parameters


def main() -> None:
    for backend in installed():
        losses = play(player(GENERATOR, backend), player(DISCRIMINATOR, backend), 100)
        print(f"{backend:12}", " ".join(f"{loss:.6f}" for loss in losses[::20]))


if __name__ == "__main__":
    main()
