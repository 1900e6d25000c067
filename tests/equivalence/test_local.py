"""The local rule: every op's samples on NumPy are within it, and what is just beyond each bound is caught."""

import numpy as np
import pytest

from isograd.backends import runtime
from isograd.equivalence.judge import worst
from isograd.equivalence.local import alone, judge_node
from isograd.ir import Graph, TensorType, ops
from isograd.ir.autodiff import backward
from isograd.ir.evaluate import run_reference
from isograd.ir.training import optimizers
from isograd.ir.types import dtype_of

generator = np.random.default_rng(5)
ULP = 2.0**-23


def node_of(op, *operands, **attributes):
    graph = Graph(op.name)
    types = [None if o is None else TensorType(dtype_of(o.dtype), o.shape) for o in operands]
    values = [None if t is None else graph.input(f"x{i}", t) for i, t in enumerate(types)]
    graph.apply(op, *values, **attributes)
    return graph.nodes[-1]


def judged(op, operands, change=lambda y: y, **attributes):
    """The verdict on the op's own float32 result, changed."""
    given = [None if o is None else np.asarray(o) for o in operands]
    graph = alone(node_of(op, *given, **attributes), given, {})
    found = run_reference(graph, [o for o in given if o is not None])
    return worst(judge_node(graph, given, [np.asarray(change(f)).astype(f.dtype) for f in found]))


@pytest.mark.parametrize("op", [*ops.ALL, *optimizers.OPS], ids=lambda op: op.name)
def test_numpy_is_within_the_bound_of_every_op(op):
    for sample in op.samples:
        given = [None if o is None else np.asarray(o) for o in sample.operands]
        graph = alone(node_of(op, *given, **sample.attributes), given, {})
        program = runtime("numpy").compile(graph)
        found = [program.to_numpy(r) for r in program(*(o for o in given if o is not None))]
        verdict = worst(judge_node(graph, given, found))
        assert verdict.ratio < 0.7, str(verdict)


def test_gradients_of_composites_are_judged_too():
    graph = Graph()
    x = graph.input("x", TensorType(dtype_of("float32"), (3, 4)))
    y = ops.softmax(ops.gelu(x))
    backward([y], [graph.input("g", y.type)], [x])
    (node,) = [n for n in graph.nodes if n.op.name == "gelu_gradient"]
    operands = [generator.normal(size=v.shape).astype(np.float32) for v in node.inputs]
    operands[1] = run_reference(alone(graph.nodes[0], [operands[2]], {}), [operands[2]])[0]
    single = alone(node, operands, {})
    assert worst(judge_node(single, operands, run_reference(single, operands))).outcome == "same"


X = generator.uniform(0.5, 2.0, (6, 300)).astype(np.float32)
Y = generator.uniform(0.5, 2.0, (300, 5)).astype(np.float32)


def off_by(count):
    return lambda y: y.astype(float) + count * np.spacing(np.abs(y)).astype(float)


@pytest.mark.parametrize(
    ("op", "operands", "within", "beyond"),
    [
        (ops.negative, [X], off_by(0), off_by(1)),
        (ops.exp, [X], off_by(5), off_by(11)),
        (ops.softmax, [X], off_by(1), lambda y: y * 1.0001),
        (ops.gelu, [X], off_by(1), lambda y: y + 3e-5),
        (ops.greater, [X, X[::-1]], lambda y: y, lambda y: np.where(np.arange(y.size).reshape(y.shape) == 3, ~y, y)),
        (ops.argmax, [X], lambda y: y, lambda y: y + 1),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_within_and_beyond_a_bound(op, operands, within, beyond):
    assert judged(op, operands, within).outcome == "same"
    assert judged(op, operands, beyond).outcome == "differs"


def test_a_product_in_half_precision_is_beyond_its_bound():
    for x, y in ((X, Y), (X - 1, Y - 1)):
        exact = judged(ops.matmul, [x, y])
        assert 0 < exact.ratio < 0.5
        rounded = judged(ops.matmul, [x, y], lambda _: x.astype(np.float16).astype(float) @ y.astype(np.float16))  # noqa: B023
        assert rounded.ratio > 3


def test_a_tf32_product_of_many_terms_is_beyond_its_bound():
    """TF32 keeps 10 bits of each operand."""
    x, y = (generator.normal(size=s).astype(np.float32) for s in ((64, 4096), (4096, 64)))

    def tf32(a):
        bits = a.view(np.uint32)
        return ((bits + np.uint32(1 << 12)) & np.uint32(0xFFFFE000)).view(np.float32).astype(float)

    assert judged(ops.matmul, [x, y]).outcome == "same"
    assert judged(ops.matmul, [x, y], lambda _: tf32(x) @ tf32(y)).outcome == "differs"


def test_sums_along_a_leading_axis_are_within_their_bound():
    x = np.full((30_000, 4), 0.1, np.float32)
    assert judged(ops.reduce_sum, [x], lambda _: x.sum(0), axes=(0,)).outcome == "same"
    assert judged(ops.reduce_sum, [x], lambda y: y * 1.01, axes=(0,)).outcome == "differs"


def test_an_unbiased_variance_is_beyond_its_bound():
    x = generator.normal(size=(2048, 3)).astype(np.float32)
    biased = judged(ops.reduce_variance, [x], axes=(0,))
    assert biased.outcome == "same"
    assert judged(ops.reduce_variance, [x], lambda y: y * 2048 / 2047, axes=(0,)).outcome == "differs"
