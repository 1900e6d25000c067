"""Every op on every sample: its type, its parts, its gradient, the gradient of that. No test here names an op."""

import inspect
from collections import Counter

import numpy as np
import pytest

from isograd.ir import TensorType
from isograd.ir.autodiff import gradients
from isograd.ir.errors import IsogradError
from isograd.ir.evaluate import run_reference
from isograd.ir.op import NO_GRADIENT, attribute_key
from isograd.ir.passes import decompose
from isograd.ir.types import DTYPES, dtype_of

STEP = 6e-6  # of central differences in float64: the cube root of eps
TOLERANCE = 2e-8

NO_SAMPLES = {
    "constant": "its attribute is the array; every differentiated graph here has one",
    "size": "its attribute is a symbolic size; test_dims has it",
}
EQUAL_SIZES: dict[str, str] = {}


def run(graph, arrays):
    return [np.asarray(a) for a in run_reference(graph, arrays)]


# What an op declares


def test_an_op_is_whole(op):
    if op.is_composite:
        assert op.gradient is None or op.gradient == NO_GRADIENT or callable(op.gradient)
        return
    assert op.reference is not None
    assert callable(op.gradient) or op.gradient == NO_GRADIENT


def test_an_op_has_samples(op):
    assert bool(op.samples) != (op.name in NO_SAMPLES)


def test_samples_use_each_attribute_at_another_value_than_its_default(op):
    for name, default in op.signature.attributes.items():
        values = {attribute_key(s.attributes[name]) for s in op.samples if name in s.attributes}
        assert op.name in NO_SAMPLES or values - {attribute_key(default)}, f"{op.name} has no sample with another {name}"


def test_samples_leave_out_each_optional_operand(op):
    names = op.signature.operands
    for name in op.signature.optional:
        place = names.index(name)
        given = {place < len(s.operands) and s.operands[place] is not None for s in op.samples}
        assert given == {True, False}, f"{op.name} needs samples with and without {name}"


def test_a_swapped_axis_would_be_seen(case):
    """Axes of one size cannot be told apart; 0 and 1 are for what happens at the edge."""
    graph, _ = case.plain()
    values = [p.value for p in (*graph.inputs, *graph.outputs)]
    equal = [v.type for v in values if max(Counter(s for s in v.shape if s > 1).values(), default=1) > 1]
    assert bool(equal) == (str(case) in EQUAL_SIZES), equal


# Type rules


@pytest.mark.parametrize("dtype", [d.name for d in DTYPES])
def test_the_reference_gives_what_the_type_rule_says(op, dtype, request):
    cases = [case for case in request.getfixturevalue("cases_of")(op)]
    for case in cases:
        try:
            graph, arrays = case.plain(dtype)
        except IsogradError:
            continue  # the op does not take this element type
        for port, array in zip(graph.outputs, run(graph, arrays), strict=True):
            assert TensorType(dtype_of(array.dtype), array.shape) == port.value.type, case


# Parts


def test_parts_compute_what_the_whole_does(case):
    graph, arrays = case.differentiated()
    parts = decompose(graph, keep=lambda node: False)
    assert not any(node.op.is_composite for node in parts.nodes)
    for port, whole, part in zip(graph.outputs, run(graph, arrays), run(parts, arrays), strict=True):
        np.testing.assert_allclose(part, whole, rtol=1e-11, atol=1e-13, err_msg=f"{port.role} {port.path}")


# Gradients


def directional(function, arrays, places, generator):
    """The derivative of a function of arrays along a random direction, by central differences, and the direction."""
    direction = [generator.normal(size=a.shape) if i in places else 0.0 for i, a in enumerate(arrays)]
    ahead, behind = ([a + s * STEP * d if i in places else a for i, (a, d) in enumerate(zip(arrays, direction, strict=True))] for s in (1, -1))
    return (function(ahead) - function(behind)) / (2 * STEP), direction


def check_gradients(graph, total, wrt, arrays):
    """Compare the gradients of `total` with differences, along a direction in each operand by itself and in all."""
    found = gradients(graph, total, wrt)
    graph.outputs = []
    for i, value in enumerate((total, *found)):
        graph.output(value, str(i))
    results = run(graph, arrays)
    generator = np.random.default_rng(2)
    places = [i for i, port in enumerate(graph.inputs) if port.value in wrt]
    for chosen in ([p] for p in places) if len(places) == 1 else [*([p] for p in places), places]:
        expected, direction = directional(lambda given: run(graph, given)[0], arrays, chosen, generator)
        slopes = [results[1 + places.index(p)] * direction[p] for p in chosen]
        scale = 1.0 + sum(np.abs(s).sum() for s in slopes)
        assert abs(sum(s.sum() for s in slopes) - expected) <= TOLERANCE * scale, f"the gradient to operand {chosen}"


def test_gradient(case):
    graph, total, wrt, arrays = case.projected()
    if total is not None:
        check_gradients(graph, total, wrt, arrays)


def test_gradient_of_the_gradient(case, weighted_sum):
    graph, total, wrt, arrays = case.projected()
    if total is None or not case.op.smooth:
        return
    slopes = gradients(graph, total, wrt)
    with graph.section("backward"):
        check_gradients(graph, weighted_sum(slopes, np.random.default_rng(3)), wrt, arrays)


def test_an_op_without_gradient_stops_it(case):
    graph, values, outputs, _ = case.apply()
    wrt = [v for v in values if v is not None and v.dtype.is_float]
    results = [v for v in outputs if v.dtype.is_float]
    if case.op.gradient == NO_GRADIENT and wrt and results:
        before = len(graph.nodes)
        from isograd.ir.autodiff import backward

        assert backward(results[:1], results[:1], wrt) == [None] * len(wrt)
        assert len(graph.nodes) == before


# The suite itself


def test_a_wrong_gradient_is_seen(case, monkeypatch):
    """Doubling what the rule gives must fail wherever the gradient is not zero."""
    graph, total, wrt, arrays = case.projected()
    if total is None:
        return
    found = gradients(graph, total, wrt)
    graph.outputs = []
    for i, value in enumerate((total, *found)):
        graph.output(value, str(i))
    if not any(np.abs(a).max(initial=0.0) > 1e-6 for a in run(graph, arrays)[1:]):
        return
    fresh, total, wrt, arrays = case.projected()
    monkeypatch.setitem(globals(), "gradients", lambda *given: [g * 2.0 for g in gradients_of(*given)])
    with pytest.raises(AssertionError):
        check_gradients(fresh, total, wrt, arrays)


gradients_of = gradients
assert inspect
