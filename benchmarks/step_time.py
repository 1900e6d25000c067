"""Time per training step: what isograd emits against the same written by hand, side by side in turn.

    python benchmarks/step_time.py [--steps 60] [--out benchmarks/results]

The MLP is 784-512-512-10 at batch 128; the convolutional net Conv 16 3x3 stride 2 twice, Dense 64, Dense 10 on
28x28x1 at batch 64; the LSTM 128 units over 64 steps of 32 numbers at batch 32; the transformer 4 layers of 256 numbers
and 4 heads over 64 places at batch 16; each with SGD and Adam. By hand: jitted JAX with `jax.value_and_grad`, eager
PyTorch with autograd and `torch.optim`, a `tf.function` step with GradientTape and Keras's optimizers' formulas on
variables. Medians of alternating blocks, after unmeasured calls; ONNX Runtime's step is reported against the fastest by
hand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from by_hand import BY_HAND

import isograd
from isograd.backends import is_installed, runtime
from isograd.ir.model import Loss, Optimizer, Recipe

CASES = {
    "mlp": {
        "input": {"image": "float32[N, 784]"},
        "batch": 128,
        "shape": (784,),
        "layers": [
            {"dense": {"units": 512, "activation": "relu"}},
            {"dense": {"units": 512, "activation": "relu"}},
            {"dense": 10},
        ],
    },
    "conv": {
        "input": {"image": "float32[N, 28, 28, 1]"},
        "batch": 64,
        "shape": (28, 28, 1),
        "layers": [
            {"conv2d": {"filters": 16, "kernel_size": 3, "strides": 2, "activation": "relu"}},
            {"conv2d": {"filters": 16, "kernel_size": 3, "strides": 2, "activation": "relu"}},
            "flatten",
            {"dense": {"units": 64, "activation": "relu"}},
            {"dense": 10},
        ],
    },
}
_HEADS = "shape=(N, 64, 4, 64)"
CASES["lstm"] = {
    "input": {"image": "float32[N, 64, 32]"},
    "batch": 32,
    "shape": (64, 32),
    "layers": [{"lstm": 128}, {"dense": 10}],
}
CASES["transformer"] = {
    "input": {"image": "float32[N, 64, 256]"},
    "batch": 16,
    "shape": (64, 256),
    "blocks": {
        "block": {
            "tensors": {
                "norm1": {"layer_normalization": None, "of": "x"},
                **{name: {"dense": 256, "of": "norm1"} for name in ("query", "key", "value")},
                "heads": "dot_product_attention("
                + ", ".join(f"reshape({name}, {_HEADS})" for name in ("query", "key", "value"))
                + ", layout='NTHD')",
                "merged": "reshape(heads, shape=(N, 64, 256))",
                "out": {"dense": 256, "of": "merged"},
                "y": "x + out",
                "norm2": {"layer_normalization": None, "of": "y"},
                "up": {"dense": {"units": 1024, "activation": "gelu"}, "of": "norm2"},
                "down": {"dense": 256, "of": "up"},
                "z": "y + down",
            },
            "output": "z",
        }
    },
    "layers": [{"block": None, "repeat": 4}, {"global_average_pooling1d": None}, {"dense": 10}],
}
OPTIMIZERS = {"sgd": Optimizer("sgd", {"learning_rate": 0.05}), "adam": Optimizer("adam", {"learning_rate": 1e-3})}
BLOCK = 10  # steps in a row before the other has its turn


def make_model(case: str, optimizer: str) -> isograd.Model:
    sections = {k: v for k, v in CASES[case].items() if k in ("input", "blocks", "layers")}
    spec = {"name": case, "seed": 1} | sections
    model = isograd.from_spec(spec)
    return model.with_recipe(
        Recipe(Loss("sparse_categorical_crossentropy", {"from_logits": True}), OPTIMIZERS[optimizer])
    )


def emitted(model: isograd.Model, backend: str, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """One step of the emitted program; waits for the loss."""
    step = isograd.training_step(model)
    program = runtime(backend).compile(step.training)
    program.load(step.arrays(step.training))
    batch = (
        (x, y)
        if backend in ("numpy", "onnxruntime")
        else tuple(runtime(backend).put(a, program.device) for a in (x, y))
    )  # type: ignore[attr-defined]
    return lambda: float(program.to_numpy(program(*batch)[0]))


def side_by_side(steps: dict[str, Callable[[], float]], count: int) -> dict[str, float]:
    """Median milliseconds of each, in blocks that alternate."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(3):
            step()
    for _ in range(-(-count // BLOCK)):
        for name, step in steps.items():
            step()  # the first after a change of program is not measured
            for _ in range(BLOCK):
                start = time.perf_counter()
                step()
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(t) for name, t in times.items()}


def measure(case: str, optimizer: str, backends: list[str], count: int) -> list[dict[str, Any]]:
    generator = np.random.default_rng(0)
    batch = int(CASES[case]["batch"])  # type: ignore[call-overload]
    x = generator.uniform(size=(batch, *CASES[case]["shape"])).astype(np.float32)  # type: ignore[misc]
    y = generator.integers(0, 10, batch).astype(np.int32)
    rows = []
    for backend in backends:
        model = make_model(case, optimizer)
        steps = {"isograd": emitted(model, backend, x, y)}
        if backend in BY_HAND:
            steps["by hand"] = BY_HAND[backend](case, optimizer, model.parameters, x, y)
            first = {name: step() for name, step in steps.items()}
            assert abs(first["isograd"] - first["by hand"]) < 1e-4, first  # the same program, or the ratio says nothing
        medians = side_by_side(steps, count)
        by_hand = medians.get("by hand")
        rows.append(
            {
                "case": case,
                "optimizer": optimizer,
                "backend": backend,
                "isograd_ms": medians["isograd"],
                "by_hand_ms": by_hand,
                "ratio": medians["isograd"] / by_hand if by_hand else None,
            }
        )
    fastest = min(r["by_hand_ms"] for r in rows if r["by_hand_ms"]) if any(r["by_hand_ms"] for r in rows) else None
    for row in rows:
        if row["ratio"] is None and fastest:
            row["ratio_to_fastest_by_hand"] = row["isograd_ms"] / fastest
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| case | optimizer | backend | isograd, ms | by hand, ms | ratio |", "|---|---|---|---:|---:|---:|"]
    for r in rows:
        by_hand = f"{r['by_hand_ms']:.2f}" if r["by_hand_ms"] else "-"
        fastest = r.get("ratio_to_fastest_by_hand")
        ratio = f"{r['ratio']:.2f}" if r["ratio"] else f"{fastest:.2f} of the fastest by hand" if fastest else "-"
        lines.append(
            f"| {r['case']} | {r['optimizer']} | {r['backend']} | {r['isograd_ms']:.2f} | {by_hand} | {ratio} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--backends", default="jax,torch,tensorflow,onnxruntime")
    parser.add_argument("--out", type=Path, default=None, help="a folder for step_time.md and step_time.json")
    options = parser.parse_args()
    backends = [b for b in options.backends.split(",") if is_installed(b)]
    rows = [
        r
        for case in options.cases.split(",")
        for optimizer in OPTIMIZERS
        for r in measure(case, optimizer, backends, options.steps)
    ]
    versions = {b: runtime(b).version() for b in backends}
    where = ", ".join(f"{k} {v}" for k, v in versions.items())
    machine = f"Python {platform.python_version()}, {platform.machine()}, CPU, {os.cpu_count()} cores"
    text = f"{table(rows)}\n\n{where}; {machine}."
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "step_time.md").write_text(f"# Time per training step\n\n{text}\n")
        (options.out / "step_time.json").write_text(json.dumps({"versions": versions, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
