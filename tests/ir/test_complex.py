"""Gradients by complex numbers: of every op that takes them, of whole formulas, and G26 of the semantics table."""

import numpy as np
import pytest
from draws import drawn

from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.errors import IsogradError, TypeMismatchError
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import remove_dead
from isograd.ir.types import complex64, complex128, dtype_of, float32, float64

STEP, TOLERANCE = 6e-6, 2e-8  # as of real numbers in test_ops.py


def loss_of(values):
    """A real number that depends on both parts of every element."""
    generator, total = np.random.default_rng(1), 0.0
    for v in values:
        terms = v * v.graph.constant(drawn(generator, v.shape, v.dtype.numpy), v.dtype)
        total = ops.reduce_sum(ops.real(terms) if v.dtype.kind == "complex" else terms) + total
    return total


def check(graph, loss, wrt, arrays):
    """Compare the gradients with differences along a direction in both parts of all operands."""
    found = gradients(graph, loss, wrt)
    graph.outputs = []
    for i, v in enumerate((loss, *found)):
        graph.output(v, str(i))
    generator = np.random.default_rng(2)
    places = [i for i, p in enumerate(graph.inputs) if p.value in wrt]
    steps = {i: drawn(generator, arrays[i].shape, arrays[i].dtype) for i in places}

    def at(h):
        return run_reference(graph, [a + h * steps[i] if i in steps else a for i, a in enumerate(arrays)])[0]

    slopes = run_reference(graph, arrays)[1:]
    terms = [np.real(np.conj(g) * steps[i]) for g, i in zip(slopes, places, strict=True)]
    expected, scale = (at(STEP) - at(-STEP)) / (2 * STEP), 1.0 + sum(np.abs(t).sum() for t in terms)
    assert abs(sum(t.sum() for t in terms) - expected) <= TOLERANCE * scale
    return slopes


def with_both_parts(array):
    """A complex array of a real one, whose imaginary parts are other numbers of the same range."""
    return array + 0.3j * np.resize(np.flip(array), array.shape)


def complex_case(case):
    """The op on complex operands where its sample has finite float32, or None where it does not take them."""
    graph, arrays = Graph(case.op.name), []
    if not all(np.isfinite(o).all() for o in case.sample.operands if o is not None):
        return None

    def given(i, operand):
        array = np.asarray(operand)
        array = with_both_parts(array.astype(np.float64)) if array.dtype == np.float32 else array
        arrays.append(array.astype(np.complex128) if array.dtype == np.complex64 else array)
        return graph.input(f"x{i}", TensorType(dtype_of(arrays[-1].dtype), arrays[-1].shape))

    values = [None if o is None else given(i, o) for i, o in enumerate(case.sample.operands)]
    try:
        found = graph.apply(case.op, *values, **case.sample.attributes)
    except IsogradError:
        return None
    outputs = [v for v in (found if isinstance(found, tuple) else (found,)) if v.dtype.is_differentiable]
    wrt = [v for v in values if v is not None and v.dtype.kind == "complex"]
    return (graph, outputs, wrt, arrays) if outputs and wrt else None


def test_gradient_by_complex_operands(case):
    made = complex_case(case) if case.sample.differentiable else None
    if made is not None:
        graph, outputs, wrt, arrays = made
        check(graph, loss_of(outputs), wrt, arrays)


def test_many_ops_take_complex_numbers(cases_of):
    taken = {op.name for op in ops.ALL for case in cases_of(op) if complex_case(case) is not None}
    assert len(taken) > 80
    assert taken >= {"matmul", "divide", "exp", "reshape", "scatter_add", "einsum", "fft"}


def test_gradient_of_the_gradient_by_complex_operands(case):
    smooth = case.op.smooth and case.sample.differentiable
    made = complex_case(case) if smooth else None
    if made is not None:
        graph, outputs, wrt, arrays = made
        slopes = gradients(graph, loss_of(outputs), wrt)
        with graph.section("backward"):
            check(graph, loss_of(slopes), wrt, arrays)


def given(graph, array):
    array = np.asarray(array)
    return graph.input(f"x{len(graph.inputs)}", TensorType(dtype_of(array.dtype), array.shape))


def test_G26_the_square_of_a_length():
    """Twice the number, as in PyTorch and TensorFlow; JAX's is the conjugate."""
    for square in (lambda z: ops.square(ops.complex_absolute(z)), lambda z: ops.real(z * ops.conjugate(z))):
        graph = Graph("length")
        z = given(graph, 1 + 2j)
        (slope,) = check(graph, square(z), [z], [np.asarray(1 + 2j)])
        np.testing.assert_array_equal(slope, 2 + 4j)


@pytest.mark.parametrize("measure", [ops.complex_absolute, ops.angle], ids=str)
def test_a_length_and_an_angle_have_no_slope_at_0(measure):
    graph = Graph("length")
    z = given(graph, np.zeros(2, complex))
    (slope,) = gradients(graph, ops.reduce_sum(measure(z)), [z])
    graph.output(slope, "slope")
    np.testing.assert_array_equal(run_reference(graph, [np.zeros(2, complex)])[0], [0, 0])


def formula(z, w, x):
    spectrum = ops.fft(z @ w, axes=(0, 1), norm="ortho") * ops.cast(ops.exp(x), dtype=complex128)
    turned = ops.ifft(ops.conjugate(spectrum) / (2.0 + ops.square(spectrum)), axes=(0,))
    half = ops.rfft(ops.angle(turned) * ops.imaginary(turned))
    return ops.reduce_sum(ops.complex_absolute(half)) + ops.reduce_sum(ops.square(ops.irfft(half, size=5)))


def torch_formula(z, w, x):
    torch = pytest.importorskip("torch")
    spectrum = torch.fft.fftn(z @ w, dim=(0, 1), norm="ortho") * torch.exp(x).to(torch.complex128)
    turned = torch.fft.ifft(spectrum.conj() / (2.0 + spectrum.square()), dim=0)
    half = torch.fft.rfft(turned.angle() * turned.imag)
    return half.abs().sum() + torch.fft.irfft(half, 5).square().sum()


def test_a_formula_has_the_gradients_of_pytorch():
    torch = pytest.importorskip("torch")
    generator, graph = np.random.default_rng(5), Graph("formula")
    arrays = [drawn(generator, s, d) for s, d in (((3, 4), complex), ((4, 5), complex), ((3, 1), float))]
    values = [given(graph, a) for a in arrays]
    found = check(graph, formula(*values), values, arrays)
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    torch_formula(*tensors).backward()
    for ours, theirs in zip(found, tensors, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-10, atol=1e-10)


def test_moves_between_conjugates_leave_one_pair():
    """The conjugate of a conjugate is not computed."""
    graph = Graph("moves")
    z = given(graph, np.ones((2, 3), complex))
    moved = ops.reshape(ops.transpose(ops.reshape(z, shape=(3, 2)), axes=(1, 0)), shape=(6,))
    (slope,) = gradients(graph, ops.reduce_sum(ops.real(moved)), [z])
    graph.output(slope, "slope")
    assert sum(node.op is ops.conjugate for node in remove_dead(graph).nodes) == 2


def test_real_graphs_have_no_conjugates(case):
    graph, _ = case.differentiated()
    takes = [v for v in (p.value for p in graph.inputs) if v.dtype.kind == "complex"]
    names = {node.op.name for node in graph.nodes}
    assert takes or case.op.name in ("complex_of", "rfft") or not names & {"conjugate", "real", "complex_of"}


REFUSED = [
    (ops.fft, TensorType(float32, (3,)), {}, "fft works on complex tensors, not on f32"),
    (ops.rfft, TensorType(complex64, (3,)), {}, "rfft works on float32 and float64 tensors"),
    (ops.rfft, TensorType(dtype_of("float16"), (3,)), {}, "rfft works on float32 and float64 tensors"),
    (ops.fft, TensorType(complex64, (3,)), {"norm": "orthogonal"}, "norms backward, ortho, forward, not 'orthogonal'"),
    (ops.fft, TensorType(complex64, (3, 2)), {"axes": (0, -2)}, "each once"),
    (ops.fft, TensorType(complex64, (3, 2)), {"axes": ()}, "one axis or several"),
    (ops.fft, TensorType(complex64, (3, 0)), {}, "1"),
    (ops.irfft, TensorType(complex64, (3,)), {"size": 6}, "3"),
    (ops.irfft, TensorType(complex64, (1,)), {}, "1"),
    (ops.real, TensorType(float64, (3,)), {}, "real works on complex tensors"),
    (ops.angle, TensorType(float64, (3,)), {}, "angle works on complex tensors"),
]


@pytest.mark.parametrize(("kind", "type", "attributes", "message"), REFUSED, ids=str)
def test_refused(kind, type, attributes, message):
    graph = Graph("refused")
    with pytest.raises(TypeMismatchError, match=message):
        kind(graph.input("x", type), **attributes)


def test_a_complex_number_has_no_gradient_of_itself():
    graph = Graph("complex loss")
    z = given(graph, 1j)
    with pytest.raises(TypeMismatchError, match="take its real part"):
        gradients(graph, z * z, [z])
