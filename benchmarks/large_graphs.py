"""How long large graphs take: built, verified, differentiated, simplified, printed, parsed, and written as modules.

    python benchmarks/large_graphs.py --out benchmarks/results

Each graph has so many nodes as it is built; then once more twice as many, and the ratio of the two times. The first
three rows of a case are what the language does; `emit` is what a target does to a training graph of so many nodes in
all: take it apart, simplify it, write the module. The step is that of a transformer encoder with Adam.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import isograd
from isograd.backends.emit import emit
from isograd.backends.python_runtime import PythonRuntime
from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.autodiff import gradients
from isograd.ir.control import scan
from isograd.ir.dims import symbol
from isograd.ir.parse import parse
from isograd.ir.passes import optimize
from isograd.ir.text import graph_arrays, print_graph
from isograd.ir.types import float32
from isograd.ir.verify import verify

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "shared"))
from encoder import Encoder

NODES = 10_000
LANGUAGE = ("build", "verify", "differentiate", "simplify", "print", "parse")
TARGETS = ("jax", "torch")
Times = dict[str, float]


def chain(nodes: int) -> Graph:
    """A deep perceptron: a matrix product, a bias and an activation for each layer."""
    graph = Graph("chain")
    x = graph.input("x", TensorType(float32, (symbol("N"), 8)))
    for i in range(nodes // 3):
        path = f"layer.{i}"
        with graph.scope(path, "Dense", {"x": x}):
            kernel = graph.input("kernel", TensorType(float32, (8, 8)), "parameter", f"{path}.kernel")
            bias = graph.input("bias", TensorType(float32, (8,)), "parameter", f"{path}.bias")
            x = ops.relu(x @ kernel + bias)
    graph.output(x, "y")
    return graph


def loops(nodes: int) -> Graph:
    """Many scans, one after the other, each of a few nodes inside: those of the bodies are counted too."""
    graph = Graph("loops")
    x = graph.input("x", TensorType(float32, (6, symbol("N"), 4)))
    for i in range(nodes // 8):
        w = graph.input("w", TensorType(float32, (4, 4)), "parameter", f"layer.{i}.w")
        with graph.scope(f"layer.{i}", "Recurrence"):
            _, (x,) = scan(_step, [_first(x)], [x], [w])
    graph.output(x, "y")
    return graph


def _first(x: Value) -> Value:
    n = x.shape[1]
    return ops.reshape(ops.slice_(x, starts=(0, 0, 0), stops=(1, n, 4), steps=(1, 1, 1)), shape=(n, 4))


def _step(h: Value, x: Value, w: Value) -> tuple[list[Value], list[Value]]:
    new = ops.tanh(h @ w + x) * 0.5
    return [new], [new + x]


def encoder(nodes: int) -> Encoder:
    """The encoder with so many blocks as make so many nodes."""
    one, two = (len(Encoder(layers=n).graph().nodes) for n in (1, 2))
    return Encoder(layers=max((nodes - one) // (two - one), 1))


def size_of(graph: Graph) -> int:
    """The nodes of a graph and of the bodies of its loops."""
    bodies = [a for n in graph.nodes for a in n.attributes.values() if isinstance(a, Graph)]
    return len(graph.nodes) + sum(map(size_of, bodies))


class Clock:
    """Seconds by the name of what took them, and how many nodes there were."""

    def __init__(self) -> None:
        self.times: Times = {}
        self.nodes: dict[str, int] = {}

    def count(self, graph: Graph, *names: str) -> None:
        self.nodes |= dict.fromkeys(names, size_of(graph))

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        gc.collect()
        start = time.perf_counter()
        yield
        self.times[name] = time.perf_counter() - start


def with_gradients(graph: Graph) -> Graph:
    """The graph with the gradients of the sum of its output."""
    total = ops.reduce_sum(graph.outputs[0].value, axes=tuple(range(graph.outputs[0].value.rank)))
    parameters = graph.ports("parameter")
    for port, g in zip(parameters, gradients(graph, total, [p.value for p in parameters]), strict=True):
        graph.output(g, port.path, "gradient")
    return graph


def _of_graph(build: Callable[[int], Graph]) -> Callable[[int, Clock], Graph]:
    def measured(nodes: int, clock: Clock) -> Graph:
        with clock.of("build"):
            graph = build(nodes)
        clock.count(graph, "build", "verify")
        with clock.of("verify"):
            verify(graph)
        with clock.of("differentiate"):
            return with_gradients(graph)

    return measured


def _step_of_encoder(nodes: int, clock: Clock) -> Graph:
    made = encoder(nodes)
    with clock.of("build"):
        model = made.model()
        graph = model.training
    clock.count(graph, "build", "verify")
    with clock.of("verify"):
        verify(graph)
    with clock.of("differentiate"):
        return isograd.training_step(model).training


CASES: dict[str, Callable[[int, Clock], Graph]] = {
    "chain": _of_graph(chain), "encoder step": _step_of_encoder, "scans": _of_graph(loops),
}  # fmt: skip


def measure(case: str, nodes: int) -> tuple[Times, dict[str, int]]:
    """The seconds of each phase, and how many nodes it had."""
    clock = Clock()
    full = CASES[case](nodes, clock)
    clock.count(full, "differentiate", "simplify")
    with clock.of("simplify"):
        small = optimize(full)
    with clock.of("print"):
        text = print_graph(small)
    clock.count(small, "print", "parse")
    arrays = graph_arrays(small)
    with clock.of("parse"):
        parse(text, arrays)
    trained = CASES[case](nodes * nodes // size_of(full), Clock())
    del full, small
    for target in TARGETS:
        made = isograd.backends.runtime(target)
        assert isinstance(made, PythonRuntime)
        clock.count(trained, f"emit {target}")
        with clock.of(f"emit {target}"):
            emit(trained, made.target, '"""A large module."""')
    return clock.times, clock.nodes


def table(results: dict[str, list[tuple[Times, dict[str, int]]]]) -> str:
    lines = ["| graph | phase | nodes | s | twice the nodes, s | ratio |", "|---|---|---:|---:|---:|---:|"]
    for case, ((one, counts), (two, _)) in results.items():
        for phase, seconds in one.items():
            numbers = f"{counts[phase]} | {seconds:.2f} | {two[phase]:.2f} | {two[phase] / seconds:.2f}"
            lines.append(f"| {case} | {phase} | {numbers} |")
        a, b = (sum(t[p] for p in LANGUAGE) for t in (one, two))
        lines.append(f"| {case} | **all but emit** | | **{a:.2f}** | **{b:.2f}** | **{b / a:.2f}** |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--out", type=Path, default=None, help="a folder for large_graphs.md")
    options = parser.parse_args()
    results = {}
    for case in options.cases.split(","):
        measure(case, 100)  # what is imported and made once
        results[case] = [measure(case, options.nodes), measure(case, 2 * options.nodes)]
    machine = f"Python {platform.python_version()}, {platform.machine()}, CPU, {os.cpu_count()} cores"
    versions: Any = ", ".join(f"{t} {isograd.backends.runtime(t).version()}" for t in TARGETS)
    text = f"{table(results)}\n\n{versions}; {machine}."
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "large_graphs.md").write_text(f"# Large graphs\n\n{text}\n")


if __name__ == "__main__":
    main()
