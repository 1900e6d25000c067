"""Every op through ONNX Runtime, whole and taken apart, forward and gradient, held to its own bound. Names no op."""

import numpy as np
import pytest

from isograd.backends.onnx.gaps import NOT_THERE
from isograd.backends.onnx.model import OPSET
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.errors import UnsupportedOpError
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import decompose, widen
from isograd.ir.types import float32

EPS = 2.0**-23
KNOWN_GAPS: dict[tuple[str, str], str] = {}  # (op, whole or parts) -> reason


def absolute_sums(op, graph, arrays):
    """What the op would give if no term cancelled another: on absolute operands, or the one in which it is linear."""
    names = [port.path.partition(".")[2] for port in graph.inputs]
    taken = ("0",) if op.bound.kind == "reduction" else names
    return run_reference(
        widen(graph), [np.abs(a) if name in taken else a for name, a in zip(names, arrays, strict=True)]
    )


def apart(graph, op):
    return decompose(graph, keep=lambda node: node.op is not op and node.op.derivative_of is not op)


def allowed(op, truth, spread, sums):
    """How far a forward result may lie from the truth."""
    bound = op.bound
    if bound.kind == "exact":
        return np.zeros(np.shape(truth))
    if bound.kind == "elementwise":
        return bound.factor * np.spacing(np.abs(truth).astype(np.float32)) + bound.floor
    if bound.kind == "parts":
        return spread + 2 * EPS * np.abs(truth) + bound.floor
    return bound.factor * EPS * np.abs(sums)


CASES = [(op, form) for op in ops.ALL if op.samples for form in (("whole", "parts") if op.is_composite else ("whole",))]


@pytest.mark.parametrize(("sampled", "form"), CASES, ids=lambda v: getattr(v, "name", v))
def test_an_op_is_within_its_bound(sampled, form, request, sample_graph, expected, run):
    op = sampled
    since, reason = NOT_THERE.get(op.name, (0, ""))
    if since > OPSET:
        request.node.add_marker(pytest.mark.xfail(reason=reason, raises=UnsupportedOpError, strict=True))
    if (op.name, form) in KNOWN_GAPS:
        request.node.add_marker(pytest.mark.xfail(reason=KNOWN_GAPS[op.name, form], strict=True))
    graph, arrays = sample_graph(op)
    sums = (
        absolute_sums(op, graph, arrays)
        if op.bound.kind in ("contraction", "reduction")
        else [None] * len(graph.outputs)
    )
    found = run(apart(graph, op) if form == "parts" else graph, arrays)
    for port, result, (truth, spread), scale in zip(graph.outputs, found, expected(graph, arrays), sums, strict=True):
        assert (result.dtype, result.shape) == (port.value.dtype.numpy, port.value.shape), port.path
        limit = spread + 2 * EPS * np.abs(truth) if port.role == "gradient" else allowed(op, truth, spread, scale)
        with np.errstate(invalid="ignore"):  # of two infinities, which are equal
            off = np.abs(result - truth) if result.dtype.kind == "f" else (result != truth).astype(float)
        same = (result == truth) | (np.isnan(result) & np.isnan(truth)) if result.dtype.kind == "f" else off == 0
        assert np.all(same | (off <= limit)), (
            f"{port.path}: off by {np.max(off)}, allowed {np.max(limit)}\n{result}\n{truth}"
        )


@pytest.mark.parametrize("function", [ops.log1p, ops.expm1], ids=str)
def test_small_numbers_keep_their_digits(function, run):
    exponents = np.linspace(-40.0, 4.0, 300)
    x = np.concatenate([np.exp(exponents), -np.exp(exponents[exponents < 0]), [0.0, -0.0, np.inf]]).astype(np.float32)
    graph = Graph()
    graph.output(function(graph.input("x", TensorType(float32, x.shape))), "y")
    right = function.reference(x.astype(np.float64))
    np.testing.assert_allclose(run(graph, [x])[0], right, rtol=8 * EPS, atol=0.0)


def agrees(graph, run):
    generator = np.random.default_rng(4)
    arrays = [generator.uniform(-1, 1, p.value.shape).astype(np.float32) for p in graph.inputs]
    for found, right in zip(run(graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count_padding", [False, True])
@pytest.mark.parametrize("strides", [(1, 1), (3, 2)])
def test_averages_over_windows_that_do_and_do_not_overlap(strides, count_padding, run):
    graph = Graph()
    x = graph.input("x", TensorType(float32, (2, 7, 8, 3)))
    y = ops.average_pool(x, window=(3, 2), strides=strides, padding=((2, 0), (0, 1)), count_padding=count_padding)
    graph.output(gradients(graph, ops.reduce_sum(y * y), [x])[0], "g", "gradient")
    agrees(graph, run)


@pytest.mark.parametrize("shape", [(3,), (4, 1), (2, 4, 3)])
def test_a_layer_norm_with_weights_of_another_shape(shape, run):
    graph = Graph()
    x, scale = graph.input("x", TensorType(float32, (2, 4, 3))), graph.input("s", TensorType(float32, shape))
    graph.output(ops.layer_norm(x, scale, axes=(1, 2)), "y")
    agrees(graph, run)


def test_a_determinant_without_its_gradient(sample_graph, run):
    graph, arrays = sample_graph(ops.determinant, gradients=False)
    for found, right in zip(run(graph, arrays), run_reference(graph, arrays), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5)
