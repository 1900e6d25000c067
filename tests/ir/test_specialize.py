"""`specialize`: symbols get numbers, inputs get values; what does not fit is an error that says what there is."""

import numpy as np
import pytest

import isograd
from isograd.backends import BACKENDS, is_installed
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.errors import TypeMismatchError
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Model
from isograd.ir.types import float32, int32
from isograd.ir.verify import verify

SPEC = {
    "name": "free",
    "input": {"x": "float32[N, T, 3]"},
    "layers": [{"conv1d": {"filters": 4, "kernel_size": 3, "strides": 2}}, "global_average_pooling1d", {"dense": 2}],
    "loss": "mse",
    "optimizer": "sgd",
}


def looked_up():
    """A model that picks rows of x, as many as an input of indices says, and scales them."""
    graph = Graph("looked_up")
    x = graph.input("x", TensorType(float32, (symbol("N"), 3)))
    rows = graph.input("rows", TensorType(int32, (symbol("K"),)))
    factor = graph.input("factor", TensorType(float32, ()))
    scaled = ops.take(x, rows, axis=0) * (factor * 2.0) / graph.size(symbol("K"), float32)
    graph.output(ops.reshape(scaled, shape=(3 * symbol("K"),)), "y")
    return Model("looked_up", lambda mode: graph, {})


def symbols_left(model):
    graph = model.inference
    return {str(n) for v in [p.value for p in graph.inputs] + [v for n in graph.nodes for v in n.outputs]
            for n in v.shape if not isinstance(n, int)}  # fmt: skip


@pytest.mark.parametrize("backend", [b for b in BACKENDS if is_installed(b)])
def test_symbols_become_numbers(backend):
    model = isograd.from_spec(SPEC)
    fixed = isograd.specialize(model, {"T": 9, "N": np.int64(2)})
    assert [str(p.value.type) for p in fixed.inputs] == ["f32[2, 9, 3]"]
    assert symbols_left(fixed) == set()
    assert fixed.inference.guards == []
    for graph in (fixed.inference, fixed.training):
        verify(graph)
    x = np.random.default_rng(0).normal(size=(2, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(fixed.compile(backend)(x), model.compile("numpy")(x), rtol=1e-5, atol=1e-6)


def test_the_model_that_was_given_stays_as_it_is():
    model = isograd.from_spec(SPEC)
    before = str(model.inference)
    assert symbols_left(isograd.specialize(model, {"T": 9})) == {"N"}
    assert str(model.inference) == before


def test_a_specialized_model_trains_and_is_saved(tmp_path):
    fixed = isograd.specialize(isograd.from_spec(SPEC), {"T": 9})
    generator = np.random.default_rng(0)
    x, y = (generator.normal(size=s).astype(np.float32) for s in ((8, 9, 3), (8, 2)))
    assert len(isograd.train(fixed, (x, y), backend="numpy", batch_size=4).losses) == 2
    fixed.save(tmp_path)
    assert str(isograd.load(tmp_path).inference) == str(fixed.inference)


def test_an_input_becomes_a_constant():
    model = looked_up()
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    fixed = isograd.specialize(model, {"rows": [2, 0], "factor": 1.5})
    verify(fixed.inference)
    assert [p.path for p in fixed.inputs] == ["x"]
    assert str(fixed.outputs[0].value.type) == "f32[6]"
    assert not any(n.op is ops.size for n in fixed.inference.nodes)
    assert 3.0 in [float(n.attributes["value"]) for n in fixed.inference.nodes
                   if n.op is ops.constant and n.outputs[0].rank == 0]  # fmt: skip
    (expected,) = run_reference(model.inference, [x, np.array([2, 0], np.int32), np.float32(1.5)])
    (found,) = run_reference(fixed.inference, [x])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"M": 3}, "the model has no input and no symbol 'M'; there are: x, rows, factor, K, N"),
        ({"row": 3}, "did you mean 'rows'?"),
        ({"N": -1}, "the size N should be a whole number of at least 0, not -1"),
        ({"N": 2.0}, "the size N should be a whole number of at least 0, not 2.0"),
        ({"N": True}, "not True"),
        ({"rows": [0.5]}, "input 'rows' should be i32[K], but the value is float64"),
        ({"rows": [2**40]}, "which does not hold"),
        ({"rows": [[1]]}, "input 'rows': expected 1 axes"),
        ({"rows": [1, 2], "K": 3}, "input 'rows': axis 0 should have size K = 3, but the array has shape (2,)"),
    ],
)  # fmt: skip
def test_what_does_not_fit(known, message):
    with pytest.raises(TypeMismatchError) as caught:
        isograd.specialize(looked_up(), known)
    assert message in str(caught.value)


def test_a_guard_that_the_numbers_break():
    with pytest.raises(TypeMismatchError, match="the model needs T >= 3, which is not true for T = 2"):
        isograd.specialize(isograd.from_spec(SPEC), {"T": 2})
