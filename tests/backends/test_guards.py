"""Sizes that do not fit: said by every backend, by the printed modules alone, and written down in ONNX models."""

import numpy as np
import pytest

import isograd
from isograd.backends import BACKENDS, is_installed, runtime
from isograd.backends.emit import emit
from isograd.backends.onnx import to_model
from isograd.backends.program import execute
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import symbol
from isograd.ir.errors import GuardError, TypeMismatchError
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Model
from isograd.ir.types import float32

INSTALLED = [b for b in BACKENDS if is_installed(b)]
PYTHON = [b for b in INSTALLED if b != "onnxruntime"]
N, M, K = symbol("N"), symbol("M"), symbol("K")
GUARDS = ["N == M", "K % 3 == 0", "K >= 6"]
WRONG = [
    ((2, 3, 6), "N == M is not true for M = 3 (axis 0 of input 'y'), N = 2 (axis 0 of input 'x')"),
    ((2, 2, 7), "K % 3 == 0 is not true for K = 7 (axis 0 of input 'z')"),
    ((2, 2, 3), "K >= 6 is not true for K = 3 (axis 0 of input 'z')"),
]


def graph():
    made = Graph("guarded")
    x, y = (made.input(n, TensorType(float32, (s, 4))) for n, s in (("x", N), ("y", M)))
    z = made.input("z", TensorType(float32, (K,)))
    made.output(x + y, "sum")
    made.output(ops.reshape(z, shape=(-1, 3)), "rows")
    made.output(ops.slice_axis(z, 0, 1, 6), "part")
    return made


def arrays(n, m, k):
    return [np.ones((n, 4), np.float32), np.ones((m, 4), np.float32), np.arange(k, dtype=np.float32)]


def fixed(n, m, k):
    return isograd.specialize(Model("guarded", lambda mode: graph(), {}), {"N": n, "M": m, "K": k}).inference


def test_the_guards_are_these():
    assert [str(g) for g in graph().guards] == GUARDS


@pytest.mark.parametrize("backend", INSTALLED)
def test_each_backend_says_what_does_not_fit(backend):
    program = runtime(backend).compile(graph())
    program.load({})
    for sizes, message in WRONG:
        with pytest.raises(GuardError) as caught:
            program(*arrays(*sizes))
        assert str(caught.value) == f"these sizes do not fit: {message}"
    for sizes in ((2, 2, 6), (5, 5, 9)):
        given = arrays(*sizes)
        for found, expected in zip(program(*given), run_reference(graph(), given), strict=True):
            np.testing.assert_array_equal(program.to_numpy(found), expected)


def called(backend, made):
    """The function of a printed module, on NumPy arrays, with nothing of isograd around it."""
    target = runtime(backend).target
    names = execute(emit(made, target, '"""A module."""'), "guarded")
    return names["Model"]() if "Model" in names else names["model"], runtime(backend).put


@pytest.mark.parametrize("backend", PYTHON)
def test_a_printed_module_says_it_alone(backend):
    function, put = called(backend, graph())
    for sizes, message in WRONG:
        with pytest.raises(Exception, match="these sizes do not fit") as caught:
            function(*(put(a, "cpu") for a in arrays(*sizes)))
        condition, _, about = message.partition(" is not true for ")
        assert condition in str(caught.value)
        if backend != "tensorflow":  # which shows the two sides as it likes
            assert isinstance(caught.value, ValueError)
            assert str(caught.value).endswith(about.replace("input ", "").replace("'", ""))
    function(*(put(a, "cpu") for a in arrays(2, 2, 6)))


def test_how_the_checks_read():
    text = emit(graph(), runtime("numpy").target, '"""A module."""')
    assert "    if x.shape[0] != y.shape[0]:\n" in text
    assert "    if z.shape[0] % 3 != 0:\n" in text
    assert "    if z.shape[0] < 6:\n" in text


@pytest.mark.parametrize("backend", PYTHON)
def test_what_is_decided_is_not_checked(backend):
    text = emit(fixed(2, 2, 6), runtime(backend).target, '"""A module."""')
    assert "do not fit" not in text


@pytest.mark.parametrize("backend", INSTALLED)
def test_one_symbol_on_two_inputs(backend):
    made = Graph("two")
    x, y = (made.input(n, TensorType(float32, (N, 4))) for n in "xy")
    made.output(x + y, "sum")
    program = runtime(backend).compile(made)
    program.load({})
    with pytest.raises(TypeMismatchError) as caught:
        program(np.ones((3, 4), np.float32), np.ones((1, 4), np.float32))
    message = "input 'y': axis 0 should have size N = 3, but the array has shape (1, 4)"
    assert str(caught.value) == message


def test_a_training_step_checks_too():
    spec = {
        "input": {"x": "float32[N, T, 3]"},
        "layers": [{"conv1d": {"filters": 4, "kernel_size": 3}}, "global_average_pooling1d"],
        "loss": "mse",
        "optimizer": "sgd",
    }
    step = isograd.training_step(isograd.from_spec(spec)).training
    for backend in PYTHON:
        assert "T >= 3 is not true for" in emit(step, runtime(backend).target, '"""A module."""')


def test_an_onnx_model_names_its_axes_and_its_guards():
    model = to_model(graph())
    assert {p.key: p.value.split("\n") for p in model.metadata_props} == {"isograd.guards": GUARDS}
    named = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.input]
    assert named == [["N", 4], ["M", 4], ["K"]]
    assert len(to_model(fixed(2, 2, 6)).metadata_props) == 0
