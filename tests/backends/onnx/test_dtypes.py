"""Every op in every element type that it takes: with a kernel of ONNX Runtime's, or with casts that are told."""

import dataclasses

import numpy as np
import pytest
from onnxruntime.capi import _pybind_state

from isograd.backends.onnx.gaps import NOT_THERE
from isograd.backends.onnx.kernels import KERNELS
from isograd.backends.onnx.legalize import legalize
from isograd.backends.onnx.model import OPSET, ready_graph
from isograd.ir import Graph, TensorType, ops
from isograd.ir.errors import TypeMismatchError, UnsupportedOpError
from isograd.ir.evaluate import run_reference
from isograd.ir.types import DTYPES, dtype_of, float32, int64

ONNX_NAMES = {"float32": "float", "float64": "double"}
INTEGERS = [d.name for d in DTYPES if d.is_integer]


def kernels_of_the_runtime():
    found = {}
    for kernel in _pybind_state.get_registered_ep_kernel_defs("CPUExecutionProvider"):
        if kernel.domain == "" and kernel.version_range[1] > 1000:
            for name in ("T", "T1", "V"):
                found.setdefault(kernel.op_name, {}).setdefault(name, set()).update(
                    kernel.type_constraints.get(name, [])
                )
    return {op: next((v for v in by_name.values() if v), set()) for op, by_name in found.items()}


def test_the_table_of_kernels_is_the_runtimes():
    real = kernels_of_the_runtime()
    for op, dtypes in KERNELS.items():
        names = {f"tensor({ONNX_NAMES.get(d, d)})" for d in dtypes}
        have = real[op] & {f"tensor({ONNX_NAMES.get(d.name, d.name)})" for d in DTYPES}
        assert names == have, op


def integer_samples(op, dtype):
    """The op's samples with integers of all sizes for its floats."""
    generator = np.random.default_rng(5)
    limits = np.iinfo(dtype)

    def turned(operand):
        array = None if operand is None else np.asarray(operand)
        if array is None or array.dtype != np.float32:
            return operand
        drawn = generator.integers(limits.min, limits.max, array.shape, dtype, endpoint=True)
        return (drawn >> generator.integers(0, limits.bits, array.shape).astype(dtype)).astype(dtype)

    chosen = op.samples if op is not ops.bucketize else ()  # whose boundaries are in order
    return tuple(dataclasses.replace(s, operands=tuple(map(turned, s.operands))) for s in chosen)


def graph_of(op, samples):
    graph, arrays = Graph(op.name), []
    for k, sample in enumerate(samples):
        values = []
        for i, operand in enumerate(sample.operands):
            array = None if operand is None else np.asarray(operand)
            values.append(
                None if array is None else graph.input(f"s{k}.{i}", TensorType(dtype_of(array.dtype), array.shape))
            )
            arrays += [] if array is None else [array]
        results = graph.apply(op, *values, **sample.attributes)
        for j, value in enumerate(results if isinstance(results, tuple) else (results,)):
            graph.output(value, f"s{k}.out{j}")
    return graph, arrays


def takes(op, dtype):
    try:
        graph_of(op, integer_samples(op, dtype))
    except TypeMismatchError:
        return False
    return bool(op.samples) and op is not ops.bucketize and not op.binds  # whose samples say what is found


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(
    "sampled", [o for o in ops.ALL if takes(o, "int32") or takes(o, "uint32")], ids=lambda op: op.name
)
def test_integers_are_exact(sampled, dtype, run):
    if not takes(sampled, dtype):
        return  # it takes signed ones
    graph, arrays = graph_of(sampled, integer_samples(sampled, dtype))
    if NOT_THERE.get(sampled.name, (0, ""))[0] > OPSET:
        with pytest.raises(UnsupportedOpError, match="no lowering for"):  # of the op, or of what it is made of
            ready_graph(graph, OPSET)
        return
    for port, result, truth in zip(graph.outputs, run(graph, arrays), run_reference(graph, arrays), strict=True):
        assert result.dtype == truth.dtype
        tolerance = 2e-7 * (result.dtype.kind == "f")
        np.testing.assert_allclose(result, truth, rtol=tolerance, atol=tolerance, err_msg=port.path)


NEAR = [2**31 + 1, 4, 2**32 - 1, 7, 2**31 + 9, 5, 6, -(2**31) - 1, 2 - 2**32, -3, -(2**33), 2**33]


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum, ops.reduce_max, ops.reduce_min, ops.sign], ids=str)
@pytest.mark.parametrize("count", [4, len(NEAR) ** 2])
def test_int64_is_ordered_by_all_its_bits(function, count, run):
    """ONNX Runtime's own extremes of int64 are wrong for numbers that have the high 32 bits in common."""
    x, y = (np.ravel(a)[:count].copy() for a in np.meshgrid(np.array(NEAR), NEAR))
    graph = Graph()
    names = function.signature.operands
    values = [graph.input(n, TensorType(int64, x.shape)) for n in names]
    graph.output(function(*values), "z")
    for arrays in ([x, y], [-x, y]):
        given = arrays[: len(values)]
        np.testing.assert_array_equal(run(graph, given)[0], run_reference(graph, given)[0])


@pytest.mark.parametrize("gradients", [True, False])  # a row may claim what nothing differentiates
def test_float64_is_exact_but_where_it_is_told(op, gradients, sample_graph, run):
    gradients = gradients or op.name in NOT_THERE  # the gradient of some is what is not there
    graph, arrays = sample_graph(op, gradients=gradients, dtype="float64")
    _, notes = ready_graph(graph, 21)
    narrow = any(v.dtype == float32 for n in graph.nodes for v in n.outputs)  # numbers are drawn in float32
    tolerance = 1e-5 if notes or narrow else 2e-14
    for port, result, truth in zip(graph.outputs, run(graph, arrays), run_reference(graph, arrays), strict=True):
        assert result.dtype == truth.dtype
        np.testing.assert_allclose(result, truth, rtol=tolerance, atol=tolerance, err_msg=port.path)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 1e-2)])
def test_narrow_floats_run(op, dtype, tolerance, sample_graph, run):
    if op in (*ops.linalg.OPS, *ops.factorization.OPS, ops.complex_of, ops.rfft):
        with pytest.raises(TypeMismatchError, match="float32 and float64"):
            sample_graph(op, dtype=dtype)
        pytest.xfail("neither LAPACK nor complex numbers have float16, and their type rules say so")
    graph, arrays = sample_graph(op, dtype=dtype)
    if op in ops.grid.OPS:
        tolerance = 0.06  # a place is rounded before its neighbours are subtracted from it
    for port, result, truth in zip(graph.outputs, run(graph, arrays), run_reference(graph, arrays), strict=True):
        assert result.dtype == truth.dtype
        np.testing.assert_allclose(
            result.astype(float), truth.astype(float), rtol=tolerance, atol=tolerance, err_msg=port.path
        )


def test_a_cast_says_what_and_where():
    graph = Graph()
    x = graph.input("x", TensorType(dtype_of("float64"), (3,)))
    with graph.at("layer 7"):
        graph.output(ops.erf(x) + 1.0, "y")
    legal, notes = legalize(graph)
    assert notes == ["erf at layer 7 computes in float32: ONNX Runtime has no float64 Erf on the CPU"]
    assert [n.op for n in legal.nodes if n.op is not ops.constant] == [ops.cast, ops.erf, ops.cast, ops.add]
