"""Free sizes in what a user gets: ONNX models, exported PyTorch modules, TensorFlow signatures, jitted functions."""

import numpy as np
import pytest

import isograd
from isograd.backends.onnx import to_model
from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import ceil_div, floor_div, maximum, symbol
from isograd.ir.types import float32, int64

N, T = symbol("N"), symbol("T")
SPEC = {
    "name": "line",
    "input": {"x": "float32[N, T, 3]"},
    "layers": [
        {"conv1d": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"}},
        {"max_pooling1d": {"pool_size": 2}},
        "global_average_pooling1d",
        {"dense": 2},
    ],
}
SIZES = ((2, 8), (3, 11))


def line():
    return isograd.from_spec(SPEC)


def given(n, t):
    return np.random.default_rng(n).normal(size=(n, t, 3)).astype(np.float32)


def expected(model, x):
    return model.compile("numpy")(x)


def sliced(build):
    graph = Graph()
    x = graph.input("x", TensorType(float32, (N, T, 3)))
    graph.output(build(x), "y")
    return to_model(graph)


def counted(model, op_type):
    return sum(n.op_type == op_type for n in model.graph.node)


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (lambda x: ops.slice_axis(x, 1, 1, T), 0),
        (lambda x: ops.slice_axis(x, 1, 1, T - 1), 0),
        (lambda x: ops.slice_axis(x, 1, T - 2, T), 0),
        (lambda x: ops.slice_axis(x, 1, 0, maximum(T - 4, 0)), 1),
        (lambda x: ops.reshape(x, shape=(N, 3 * T)), 0),
        (lambda x: ops.reshape(x, shape=(-1, 3)), 0),
        (lambda x: ops.reshape(x, shape=(N, T, 3, 1)), 0),
        (lambda x: ops.reshape(ops.transpose(x, axes=(1, 0, 2)), shape=(T, 3 * N)), 0),
        (lambda x: ops.reshape(ops.transpose(x, axes=(1, 0, 2)), shape=(3, T, N)), 2),
        (lambda x: ops.broadcast_to(x, shape=(2, N, T, 3)), 0),
        (lambda x: ops.broadcast_to(ops.reduce_sum(x, axes=(1,), keepdims=True), shape=(N, T, 3)), 1),
        (lambda x: ops.concatenate(x, x, axis=1), 0),
        (lambda x: x / x.graph.size(T, float32) + x.graph.size(T, float32), 1),
    ],
)  # fmt: skip
def test_onnx_reads_the_fewest_shapes(build, shapes):
    model = sliced(build)
    assert counted(model, "Shape") == shapes, [n.op_type for n in model.graph.node]


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "tensorflow", "onnxruntime"])
def test_slices_count_from_either_end(backend):
    runtime = pytest.importorskip("isograd.backends").runtime(backend)
    graph = Graph()
    x = graph.input("x", TensorType(float32, (T,)))
    cuts = [(1, T, 1), (T - 2, T, 1), (1, T - 1, 2), (0, floor_div(T, 2), 1), (floor_div(T, 2), ceil_div(T, 2) + 1, 1),
            (T - 4, T - 3, 1)]  # fmt: skip
    for i, cut in enumerate(cuts):
        graph.output(ops.slice_axis(x, 0, *cut), f"y{i}")
    graph.output(ops.arange.append(graph, (), {"size": 2 * T - 1, "dtype": int64}), "count")
    program = runtime.compile(graph)
    program.load({})
    for t in (4, 7):
        array = np.arange(t, dtype=np.float32)
        *found, count = (program.to_numpy(r) for r in program(array))
        for result, (a, b, c) in zip(found, cuts, strict=True):
            a, b = (n if isinstance(n, int) else isograd.ir.dims.evaluate_dim(n, {"T": t}) for n in (a, b))
            np.testing.assert_array_equal(result, array[a:b:c])
        np.testing.assert_array_equal(count, np.arange(2 * t - 1))


@pytest.mark.parametrize("target", ["numpy", "jax", "torch", "tensorflow"])
def test_slices_are_pythons_own(target):
    from isograd.backends import runtime
    from isograd.backends.emit import emit

    graph = Graph()
    x = graph.input("x", TensorType(float32, (N, T, 3)))
    graph.output(ops.slice_axis(x, 1, 1, T), "tail")
    graph.output(ops.slice_axis(x, 1, 2, T - 1, 2), "middle")
    text = emit(graph, runtime(target).target, '"""A module."""')
    size = "tf.shape(x)[1]" if target == "tensorflow" else "x.shape[1]"
    assert f"return x[:, 1:], x[:, 2:{size} - 1:2]" in text


def test_an_onnx_model_has_dynamic_axes_by_name():
    (x,) = isograd.to_onnx(line()).graph.input
    assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == ["N", "T", 3]


def test_a_module_exported_by_pytorch_keeps_its_sizes_free():
    """With no pooling and no padding: `torch.export` fixes the length that its own `max_pool1d` takes, and cannot
    prove of a length with a remainder in it that it is not one, which its mean asks.
    """
    torch = pytest.importorskip("torch")
    model = isograd.from_spec(
        {**SPEC, "layers": [{"conv1d": {"filters": 4, "kernel_size": 3, "strides": 2}}, *SPEC["layers"][2:]]}
    )
    module = isograd.to_torch(model).eval()
    batch, time = torch.export.Dim("batch", min=2), torch.export.Dim("time", min=8)  # PyTorch assumes no size of one
    exported = torch.export.export(
        module, (torch.from_numpy(given(5, 21)),), dynamic_shapes=({0: batch, 1: time},)
    ).module()
    for sizes in SIZES:
        x = given(*sizes)
        np.testing.assert_allclose(exported(torch.from_numpy(x)).detach().numpy(), expected(model, x), atol=1e-5)


def test_tensorflow_traces_once():
    tf = pytest.importorskip("tensorflow")
    model = line()
    module = isograd.to_tensorflow(model)
    function = tf.function(module.__call__, input_signature=[tf.TensorSpec([None, None, 3])])
    for sizes in SIZES:
        x = given(*sizes)
        np.testing.assert_allclose(function(x).numpy(), expected(model, x), atol=1e-5)
    assert function.experimental_get_tracing_count() == 1


def test_a_jitted_function_takes_each_size():
    jax = pytest.importorskip("jax")
    model = line()
    function, params = isograd.to_jax(model)
    for sizes in SIZES:
        x = given(*sizes)
        np.testing.assert_allclose(jax.jit(function)(params, x), expected(model, x), atol=1e-5)
