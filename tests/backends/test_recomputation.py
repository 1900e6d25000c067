"""Recomputation on request: the same numbers from less that is kept, on every backend, in a step that reads well."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from encoder import Encoder

import isograd
from isograd.backends import installed, is_installed, runtime
from isograd.backends.export import source
from isograd.ir import Graph, TensorType, Value, ops
from isograd.ir.errors import SpecError
from isograd.ir.model import Loss, Model, Optimizer, Recipe
from isograd.ir.passes import optimize
from isograd.ir.types import float32

BLOCKS = {
    "input": {"x": "float32[N, 8]"},
    "blocks": {
        "part": {
            "arguments": {"units": None},
            "layers": [
                {"dense": {"units": "$units", "activation": "gelu"}},
                {"dropout": 0.25},
                "batch_normalization",
                {"dense": {"units": 8, "activation": "tanh"}},
            ],
        }
    },
    "layers": [{"dense": 8}, {"part": 16, "repeat": 3}, {"dense": 3}],
    "loss": {"sparse_categorical_crossentropy": {"from_logits": True}},
    "optimizer": {"sgd": {"learning_rate": 0.1}},
}
ROWS = 5


def blocks() -> tuple[Model, tuple[np.ndarray, ...]]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(ROWS, 8)).astype(np.float32)
    return isograd.from_spec(BLOCKS), (x, generator.integers(0, 3, ROWS).astype(np.int32))


def encoder() -> tuple[Model, tuple[np.ndarray, ...]]:
    made = Encoder(layers=3)
    return made.model(Optimizer("sgd", {"learning_rate": 0.1})), made.batch()


def chain(depth: int) -> Model:
    """So many parts of three products each, of 128 rows."""
    graph, generator, arrays = Graph("chain"), np.random.default_rng(0), {}
    x = graph.input("x", TensorType(float32, (128, 16)))
    for i in range(depth):
        with graph.scope(f"part.{i}", "Part"):
            for name in "abc":
                path = f"part.{i}.{name}.kernel"
                arrays[path] = generator.normal(size=(16, 16)).astype(np.float32)
                with graph.scope(name, "Dense"):
                    kernel = graph.input("kernel", TensorType(float32, (16, 16)), "parameter", path)
                    x = ops.tanh(ops.matmul(x, kernel))
    graph.output(x, "y")
    return Model.of(graph, arrays, recipe=Recipe(Loss("mean_squared_error"), Optimizer("sgd")))


def most_alive(graph: Graph) -> int:
    """The largest number of bytes that results of nodes take at one time, where each is freed after its last use."""
    memory = {p.value: p.value for p in graph.inputs}  # whose memory a value is in: a barrier makes none
    last: dict[Value, int] = {}
    for i, node in enumerate(graph.nodes):
        for v, of in zip(node.outputs, node.inputs if node.op is ops.barrier else node.outputs, strict=True):
            memory[v] = memory.get(of, v)
        last |= {memory[v]: i for v in (*node.inputs, *node.outputs) if v is not None}
    last |= {memory[p.value]: len(graph.nodes) for p in graph.outputs}
    ends: dict[int, list[Value]] = {}
    for v, i in last.items():
        ends.setdefault(i, []).append(v)
    alive = most = 0
    for i, node in enumerate(graph.nodes):
        alive += sum(_bytes(v) for v in node.outputs if memory[v] is v)
        most = max(most, alive)
        alive -= sum(_bytes(v) for v in ends.get(i, ()) if v.node is not None)
    return most


def _bytes(value: Value) -> int:
    return math.prod(value.shape) * value.dtype.numpy.itemsize


def three_steps(step: Model, batch: tuple[np.ndarray, ...], backend: str) -> dict[object, np.ndarray]:
    """The losses, and what parameters and state are in the end."""
    program = runtime(backend).compile(step.training)
    program.load(step.arrays(step.training))
    losses = [program.to_numpy(program(*batch)[0]) for _ in range(3)]
    return {"losses": np.array(losses), **program.arrays()}


@pytest.mark.parametrize("backend", installed())
@pytest.mark.parametrize(("make", "chosen"), [(blocks, "part*"), (encoder, "Block"), (encoder, True)])
def test_the_numbers_are_the_same(make, chosen, backend: str) -> None:
    model, batch = make()
    plain, again = isograd.training_step(model), isograd.training_step(model, recompute=chosen)
    assert sum(n.op is ops.barrier for n in again.training.nodes) == 3
    expected, found = (three_steps(step, batch, backend) for step in (plain, again))
    assert expected.keys() == found.keys()
    for key, array in expected.items():
        if backend == "numpy":
            np.testing.assert_array_equal(found[key], array, err_msg=str(key))
        else:
            np.testing.assert_allclose(found[key], array, rtol=1e-4, atol=2e-6, err_msg=str(key))


def test_less_is_kept() -> None:
    model = chain(12)
    plain = optimize(isograd.training_step(model).training)
    again = optimize(isograd.training_step(model, recompute=True).training)
    assert sum(n.op is ops.tanh for n in plain.nodes) == 36
    assert sum(n.op is ops.tanh for n in again.nodes) == 72  # nothing has merged the copies with what they are of
    assert most_alive(again) < 0.5 * most_alive(plain)  # kept: one result a part, and those of one


def test_states_change_once_and_masks_are_drawn_again() -> None:
    graph = isograd.training_step(blocks()[0], recompute="part*").training
    drawn = [n for n in graph.nodes if n.op is ops.random_mask or n.op is ops.dropout]
    assert {n.section for n in drawn} == {"forward", "backward"}
    assert all(p.value.node.section == "forward" for p in graph.results("state") if "moving" in p.path)
    assert any("moving" in p.path for p in graph.results("state"))


@pytest.mark.parametrize("target", [t for t in ("jax", "torch") if is_installed(t)])
def test_the_printed_step_has_loops(target: str) -> None:
    step = isograd.training_step(Encoder().model(), recompute="Block")
    text = source(step, target, step.training)
    assert len(text.splitlines()) <= 270
    forward, backward = text.split("# backward")
    assert re.search(r"for i, p in enumerate\(tree\[.layer.\]\):", forward)
    assert re.search(r"for i in reversed\(range\(12\)\):\n.* = block_backward\(.*layers\[i\], bias, g\)", backward)


def test_equal_blocks_stay_one_function() -> None:
    step = isograd.training_step(blocks()[0], recompute="part*")
    text = source(step, "numpy", step.training)
    assert re.findall(r"def (part_backward\w*)", text) == ["part_backward"]


def test_one_pattern_of_several_or_all_of_them() -> None:
    model = encoder()[0]

    def barriers(chosen: object) -> int:
        return sum(n.op is ops.barrier for n in isograd.training_step(model, recompute=chosen).training.nodes)

    assert barriers(("layer.0", "layer.2")) == 2
    assert barriers(["layer.*", "Attention"]) == 3  # what lies within another is part of it
    assert barriers("layer.1/attention") == 1
    assert barriers(False) == barriers(()) == 0


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("Blok", "'Blok' fits no layer; did you mean 'Block'?"),
        (["Block", "stage*"], "'stage*' fits no layer; there are"),
    ],
)
def test_a_pattern_that_fits_nothing_is_an_error(chosen, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        isograd.training_step(encoder()[0], recompute=chosen)


def test_blocks_that_are_not_there_are_an_error() -> None:
    with pytest.raises(SpecError, match=r"no layer that has layers within is repeated; .* Dense"):
        isograd.training_step(chain(1), recompute=True)


@pytest.mark.skipif(not is_installed("jax"), reason="of JAX")
def test_jax_is_told_not_to_merge() -> None:
    import jax

    step = isograd.training_step(chain(4), recompute=True)
    names: dict[str, object] = {}
    exec(source(step, "jax", step.training), names)
    arrays = step.arrays(step.training)
    parts = [{p: a for (r, p), a in arrays.items() if r == role} for role in ("parameter", "state")]
    batch = np.ones((128, 16), np.float32)
    assert jax.jit(names["train_step"]).lower(*parts, batch, batch).as_text().count("optimization_barrier") == 4


@pytest.mark.skipif(not is_installed("onnxruntime"), reason="of ONNX Runtime")
def test_onnx_runtime_does_not_merge(tmp_path) -> None:
    import onnx
    import onnxruntime

    model = chain(4)
    isograd.export(model, "onnx", tmp_path, training=isograd.training_step(model, recompute=True))
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(tmp_path / "train_step.onnx", options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(tmp_path / "optimized.onnx").graph.node
    assert sum(n.op_type == "Tanh" for n in nodes) == 24
