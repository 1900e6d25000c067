"""Every op on every sample: its type, its parts, its gradient, the gradient of that. No test here names an op."""

from collections import Counter

import numpy as np
import pytest
from draws import drawn

from isograd.ir import TensorType
from isograd.ir.autodiff import backward, gradients
from isograd.ir.errors import IsogradError
from isograd.ir.evaluate import run_reference
from isograd.ir.op import NO_GRADIENT, attribute_key
from isograd.ir.passes import decompose
from isograd.ir.types import DTYPES, dtype_of

STEP = 6e-6  # of central differences in float64: the cube root of eps
TOLERANCE = 2e-8  # of a slope, relative to the sum of its parts
NO_SAMPLES = {
    "constant": "its attribute is the array itself; every differentiated graph here has one",
    "size": "its attribute is a symbolic size; test_dims runs it",
}
SQUARE_RESULTS = {"matrix_diag", "qr", "svd"}  # two axes of a result have one size, whatever the operand


def run(graph, arrays):
    return [np.asarray(a) for a in run_reference(graph, arrays)]


# What an op declares


def test_an_op_is_whole(op):
    assert op.gradient is None or op.gradient == NO_GRADIENT or callable(op.gradient)
    assert op.is_composite or (op.reference is not None and op.gradient is not None)


def test_an_op_has_samples(op):
    assert bool(op.samples) != (op.name in NO_SAMPLES)


def test_samples_use_each_attribute_at_another_value_than_its_default(op):
    for name, default in op.signature.attributes.items():
        values = {attribute_key(s.attributes[name]) for s in op.samples if name in s.attributes}
        assert op.name in NO_SAMPLES or values - {attribute_key(default)}, f"there is no sample with another {name}"


def test_samples_leave_out_each_optional_operand(op):
    for name in op.signature.optional:
        place = op.signature.operands.index(name)
        given = {place < len(s.operands) and s.operands[place] is not None for s in op.samples}
        assert given == {True, False}, f"there are no samples with and without {name}"


SQUARE = {"simple_rnn": "its recurrent kernel is square"} | dict.fromkeys(
    ("cholesky", "triangular_solve", "solve", "inverse", "determinant", "slogdet", "matrix_power", "eigh"),
    "it is of matrices",
)


def test_a_swapped_axis_would_be_seen(case):
    """Axes of one size cannot be told apart; sizes 0 and 1 are there for what happens at the edge."""
    if case.op.name in SQUARE:
        pytest.skip(SQUARE[case.op.name])
    graph, _ = case.plain()
    for port in (*graph.inputs, *(graph.outputs if case.op.name not in SQUARE_RESULTS else ())):
        sizes = Counter(size for size in port.value.shape if size > 1)
        assert max(sizes.values(), default=1) == 1, f"{port.path}: {port.value.type}"


# Type rules


@pytest.mark.parametrize("dtype", [d.name for d in DTYPES])
def test_the_reference_gives_what_the_type_rules_say(op, dtype, cases_of):
    for case in cases_of(op):
        try:
            case.plain(dtype)
        except IsogradError:
            continue  # the op does not take this element type
        graph, arrays = case.differentiated(dtype)
        for port, array in zip(graph.outputs, run(graph, arrays), strict=True):
            assert TensorType(dtype_of(array.dtype), array.shape) == port.value.type, f"{case} {port.role} {port.path}"


# Parts


def test_parts_compute_what_the_whole_does(case):
    for output in (None, 0):
        graph, arrays = case.differentiated(output=output)
        parts = decompose(graph, keep=lambda node: False)
        assert not any(node.op.is_composite for node in parts.nodes)
        for port, whole, part in zip(graph.outputs, run(graph, arrays), run(parts, arrays), strict=True):
            np.testing.assert_allclose(part, whole, rtol=1e-11, atol=1e-13, err_msg=f"{port.role} {port.path}")


# Gradients


def check_gradients(graph, total, wrt, arrays, differentiate=gradients):
    """Compare the gradients of `total` with differences, along a direction in each operand and along one in all."""
    found = differentiate(graph, total, wrt)
    graph.outputs = []
    for i, value in enumerate((total, *found)):
        graph.output(value, str(i))
    results = run(graph, arrays)
    generator = np.random.default_rng(2)
    places = [i for i, port in enumerate(graph.inputs) if port.value in wrt]
    for chosen in {(place,) for place in places} | {tuple(places)}:
        direction = {place: drawn(generator, arrays[place].shape, arrays[place].dtype) for place in chosen}
        expected = (shifted_total(graph, arrays, direction, STEP) - shifted_total(graph, arrays, direction, -STEP)) / (
            2 * STEP
        )
        slopes = [np.real(np.conj(results[1 + places.index(place)]) * d) for place, d in direction.items()]
        scale = 1.0 + sum(np.abs(s).sum() for s in slopes)
        assert abs(sum(s.sum() for s in slopes) - expected) <= TOLERANCE * scale, f"the gradient to operand {chosen}"


def shifted_total(graph, arrays, direction, step):
    return run(graph, [a + step * direction[i] if i in direction else a for i, a in enumerate(arrays)])[0]


def test_gradient(case):
    for graph, total, wrt, arrays in case.projections():
        check_gradients(graph, total, wrt, arrays)


def test_gradient_of_the_gradient(case, weighted_sum):
    for graph, total, wrt, arrays in case.projections() if case.op.smooth else ():
        slopes = gradients(graph, total, wrt)
        with graph.section("backward"):
            check_gradients(graph, weighted_sum(slopes, np.random.default_rng(3)), wrt, arrays)


def test_an_op_without_gradient_stops_it(case):
    graph, values, outputs, _ = case.apply()
    wrt = [v for v in values if v is not None and v.dtype.is_differentiable]
    if case.op.gradient == NO_GRADIENT and wrt:
        before = len(graph.nodes)
        assert backward(outputs[:1], outputs[:1], wrt) == [None] * len(wrt)
        assert len(graph.nodes) == before


def test_a_wrong_gradient_is_seen(case):
    """The check itself: what is one in a thousand off must fail, wherever the gradient is not zero."""
    graph, arrays = case.differentiated()
    if any(
        np.abs(a).max(initial=0.0) > 1e-6
        for p, a in zip(graph.outputs, run(graph, arrays), strict=True)
        if p.role == "gradient"
    ):
        graph, total, wrt, arrays = case.projected()
        with pytest.raises(AssertionError, match="the gradient to operand"):
            check_gradients(graph, total, wrt, arrays, lambda *given: [g * 1.001 for g in gradients(*given)])
