"""The runtime: programs that hold their arrays, train in two sets of buffers, and say what is wrong."""

import numpy as np
import onnxruntime as ort
import pytest

from isograd.backends import onnxruntime
from isograd.backends.onnx import model
from isograd.backends.onnxruntime import OnnxRuntime
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import symbol
from isograd.ir.errors import BackendUnavailableError, GuardError, TypeMismatchError, UnsupportedOpError
from isograd.ir.evaluate import run_reference
from isograd.ir.types import bfloat16, float32, float64, int32

N = symbol("N")
RUNTIME = OnnxRuntime()
W, B = ("parameter", "layer 1/w"), ("state", "count")


def step_graph():
    """Least squares by gradient descent, and a counter of steps."""
    graph = Graph("step")
    x, y = (graph.input(n, TensorType(float32, s)) for n, s in (("x", (N, 3)), ("y", (N, 2))))
    w = graph.input("w", TensorType(float32, (3, 2)), *W)
    count = graph.input("count", TensorType(int32, ()), *B)
    graph.input("fixed", TensorType(float32, (4,)), "parameter", "fixed")
    loss = graph.output(ops.reduce_mean(ops.square(x @ w - y)), "loss", "loss")
    (g,) = gradients(graph, loss, [w])
    graph.output(g, "g", "gradient")
    with graph.section("update"):
        graph.output(w - 0.1 * g, W[1], W[0])
        graph.output(count + 1, B[1], B[0])
    return graph


def start():
    generator = np.random.default_rng(0)
    return {
        W: generator.normal(size=(3, 2)).astype(np.float32),
        B: np.array(0, np.int32),
        ("parameter", "fixed"): np.ones(4, np.float32),
    }


def batches(count):
    generator = np.random.default_rng(1)
    return [tuple(generator.normal(size=(3 + i % 2, k)).astype(np.float32) for k in (3, 2)) for i in range(count)]


def program(graph, **options):
    return RUNTIME.compile(graph, threads=1, **options)


def test_ten_steps_are_those_of_numpy():
    run, arrays = program(step_graph()), start()
    run.load(arrays)
    w = arrays[W].astype(np.float64)
    kept = []
    for x, y in batches(10):
        loss, g = run(x, y)
        right = 2.0 * x.T.astype(float) @ (x @ w - y) / y.size
        np.testing.assert_allclose(run.to_numpy(loss), np.mean((x @ w - y) ** 2), rtol=1e-5)
        np.testing.assert_allclose(run.to_numpy(g), right, rtol=1e-4, atol=1e-6)
        kept.append((g, right))
        w -= 0.1 * right
    after = run.arrays()
    np.testing.assert_allclose(after[W], w, rtol=1e-5)
    assert after[B] == 10
    for g, right in kept:  # results of earlier steps are not written over
        np.testing.assert_allclose(run.to_numpy(g), right, rtol=1e-4, atol=1e-6)


def test_load_copies_and_arrays_copies():
    run, arrays = program(step_graph()), start()
    run.load(arrays)
    held = {k: v.copy() for k, v in arrays.items()}
    before = run.arrays()
    for x, y in batches(3):
        run(x, y)
    for key in held:
        np.testing.assert_array_equal(arrays[key], held[key])
        np.testing.assert_array_equal(before[key], held[key])
    assert run.arrays()[B] == 3
    assert not np.array_equal(run.arrays()[W], held[W])
    arrays[W][:] = np.nan
    assert np.isfinite(run.arrays()[W]).all()
    run.load(held)
    np.testing.assert_array_equal(run.arrays()[W], held[W])


def test_a_graph_that_changes_nothing_holds_initializers():
    graph = Graph("predict")
    x = graph.input("x", TensorType(float32, (N, 3)))
    w = graph.input("w", TensorType(float32, (3, 2)), *W)
    graph.output(ops.tanh(x @ w), "y")
    run, array = program(graph), start()[W]
    run.load({W: array, ("state", "of another graph"): np.zeros(1)})
    array[:] = 0
    for size in (2, 5):
        x = np.ones((size, 3), np.float32)
        np.testing.assert_allclose(run.to_numpy(run(x)[0]), np.tanh(x @ run.arrays()[W]), rtol=1e-5)
    run.load({W: array})
    assert not run.to_numpy(run(np.ones((2, 3), np.float32))[0]).any()


def test_what_protobuf_cannot_hold_is_fed(monkeypatch):
    graph = Graph("predict")
    x = graph.input("x", TensorType(float32, (N, 3)))
    graph.output(x @ graph.input("w", TensorType(float32, (3, 2)), *W), "y")
    for module in (onnxruntime, model):
        monkeypatch.setattr(module, "PROTO_BYTES", 20)
    run, arrays = program(graph), start()
    run.load(arrays)
    for _ in range(3):
        np.testing.assert_allclose(run.to_numpy(run(np.eye(3))[0]), arrays[W], rtol=1e-6)
    np.testing.assert_array_equal(run.arrays()[W], arrays[W])
    with pytest.raises(UnsupportedOpError, match="24 bytes"):
        model.to_model(graph, initializers={W: arrays[W]})


def test_inputs_may_be_ort_values_or_of_another_type():
    graph = Graph()
    graph.output(graph.input("x", TensorType(float32, (2, 3))) * 2.0, "y")
    run = program(graph)
    for given in (
        np.ones((2, 3), np.float32),
        np.ones((3, 2), np.float64).T,
        ort.OrtValue.ortvalue_from_numpy(np.ones((2, 3), np.float32)),
    ):
        np.testing.assert_array_equal(run.to_numpy(run(given)[0]), np.full((2, 3), 2, np.float32))
    np.testing.assert_array_equal(run.to_numpy(run(run(np.ones((2, 3)))[0])[0]), np.full((2, 3), 4))


def test_bfloat16_goes_in_and_out(op, sample_graph):
    if op in (*ops.linalg.OPS, *ops.factorization.OPS, ops.complex_of, ops.rfft):
        with pytest.raises(TypeMismatchError, match="float32 and float64"):
            sample_graph(op, dtype="bfloat16")
        pytest.xfail("neither LAPACK nor complex numbers have bfloat16, and their type rules say so")
    graph, arrays = sample_graph(op, dtype="bfloat16")
    run = program(graph)
    tolerance = 0.3 if op in ops.grid.OPS else 0.06  # a place is rounded before its neighbours are subtracted from it
    for port, result, right in zip(graph.outputs, run(*arrays), run_reference(graph, arrays), strict=True):
        found = run.to_numpy(result)
        assert found.dtype == port.value.dtype.numpy
        np.testing.assert_allclose(
            found.astype(float), np.asarray(right).astype(float), rtol=tolerance, atol=tolerance, err_msg=port.path
        )


def test_a_bfloat16_parameter_trains():
    graph = Graph()
    w = graph.input("w", TensorType(bfloat16, (3,)), *W)
    graph.output(w + 1.0, W[1], W[0])
    run = program(graph)
    run.load({W: np.zeros(3, bfloat16.numpy)})
    run()
    run()
    np.testing.assert_array_equal(run.arrays()[W].astype(float), [2, 2, 2])


def test_source_is_readable_and_elides_large_arrays():
    graph = step_graph()
    graph.output(graph.constant(np.zeros((50, 50), np.float32)), "zeros")
    source = program(graph).source
    assert '"layer 1/w.new" = Sub ("layer 1/w", "update/Mul")' in source
    assert '"elements": "2500"' in source
    assert len(source) < 5000


def test_what_is_computed_less_exactly_is_noted():
    graph = Graph()
    graph.output(ops.erf(graph.input("x", TensorType(float64, (2,)))), "y")
    assert [n.partition(" at ")[0] for n in program(graph).notes] == ["erf"]
    assert program(step_graph()).notes == ()


# What is wrong is said


def test_inputs_are_checked():
    run = program(step_graph())
    run.load(start())
    x, y = batches(1)[0]
    with pytest.raises(TypeMismatchError, match=r"takes 2 inputs \(x, y\), not 1"):
        run(x)
    with pytest.raises(TypeMismatchError, match="input 'y': axis 0"):
        run(x, y[:-1])
    with pytest.raises(TypeMismatchError, match=r"parameter 'layer 1/w' should be f32\[3, 2\], but is missing"):
        run.load({})
    with pytest.raises(TypeMismatchError, match=r"but is float32\[2\]"):
        run.load(start() | {W: np.zeros(2, np.float32)})


def test_guards_hold():
    graph = Graph()
    x = graph.input("x", TensorType(float32, (N, 4)))
    graph.output(ops.slice_(x, starts=(2, 0), stops=(N, 4), steps=(1, 1)), "y")
    run = program(graph)
    assert run.to_numpy(run(np.ones((3, 4)))[0]).shape == (1, 4)
    with pytest.raises(GuardError, match="N"):
        run(np.ones((1, 4)))


def test_devices_and_options():
    assert RUNTIME.version() == ort.__version__
    assert RUNTIME.devices()[0] == "cpu"
    for device in ("cuda", "cuda:7", "tpu"):
        if device not in RUNTIME.devices() and not (device.startswith("cuda") and len(RUNTIME.devices()) > 1):
            with pytest.raises(BackendUnavailableError, match=r"no device .* here; it has cpu"):
                program(step_graph(), device=device)
    with pytest.raises(TypeError, match="no option colour"):
        program(step_graph(), colour=1)
    with pytest.raises(TypeError, match="one of none, basic"):
        program(step_graph(), level="fast")


@pytest.mark.parametrize(
    "options", [{"level": "none"}, {"level": "basic"}, {"level": "extended"}, {"strict": True}, {"opset": 18}]
)
def test_options_change_no_number_much(options):
    plain, other = program(step_graph()), program(step_graph(), **options)
    for run in (plain, other):
        run.load(start())
        for x, y in batches(4):
            run(x, y)
    np.testing.assert_allclose(plain.arrays()[W], other.arrays()[W], rtol=1e-6)
