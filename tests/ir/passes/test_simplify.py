"""The numbered cases of simplify: what becomes its operand, and what must stay to keep every bit."""

import numpy as np
import pytest

from isograd.ir import Graph, TensorType, ops
from isograd.ir.dims import floor_div, symbol
from isograd.ir.evaluate import run_reference
from isograd.ir.passes import remove_dead, simplify
from isograd.ir.types import DTYPES, bool_, complex64, dtype_of, float16, float32, float64, int8, int32, int64, uint8
from isograd.ir.verify import verify

N = symbol("N")


def simplified(function, *types):
    """The expression that is left of a function of inputs x, y..."""
    graph = Graph()
    values = [graph.input(name, t) for name, t in zip("xyz", types, strict=False)]
    out = function(*values)
    graph.output(out, "out")
    after = remove_dead(simplify(graph))
    verify(after)
    assert after.outputs[0].value.type == out.type
    return written(after.outputs[0].value)


def written(value):
    if value.node is None:
        return value.name
    if value.node.op is ops.constant:
        return str(value.node.attributes["value"].tolist())
    return f"{value.node.op.name}({', '.join('None' if v is None else written(v) for v in value.node.inputs)})"


def f32(*shape):
    return TensorType(float32, shape)


CASES = [
    # 1: arithmetic
    (lambda x: x * 1.0, "x"),
    (lambda x: 1.0 * x, "x"),
    (lambda x: x / 1.0, "x"),
    (lambda x: x**1.0, "x"),
    (lambda x: x - 0.0, "x"),
    (lambda x: x + -0.0, "x"),
    (lambda x: -0.0 + x, "x"),
    (lambda x: ops.negative(-x), "x"),
    (lambda x: x * np.ones((2, 3), np.float32), "x"),
    (lambda x: ops.negative(ops.negative(-x)), "negative(x)"),
    (lambda x: x + 0.0, "add(x, 0.0)"),
    (lambda x: x - -0.0, "subtract(x, -0.0)"),
    (lambda x: 0.0 - x, "subtract(0.0, x)"),
    (lambda x: 1.0 / x, "divide(1.0, x)"),
    (lambda x: x * 0.0, "multiply(x, 0.0)"),
    (lambda x: 1.0**x, "power(1.0, x)"),
    (lambda x: x * np.array([1.0, 2.0, 1.0], np.float32), "multiply(x, [1.0, 2.0, 1.0])"),
    (
        lambda x: ops.reduce_sum(x) * np.ones((2, 3), np.float32),
        "multiply(reduce_sum(x), [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])",
    ),
    # 2: moves
    (lambda x: ops.transpose(ops.transpose(x, axes=(1, 0)), axes=(-1, -2)), "x"),
    (lambda x: ops.transpose(x, axes=(0, -1)), "x"),
    (lambda x: ops.reshape(x, shape=(2, 3)), "x"),
    (lambda x: ops.reshape(ops.reshape(x, shape=(6,)), shape=(3, 2)), "reshape(x)"),
    (lambda x: ops.reshape(ops.reshape(x, shape=(6,)), shape=(2, 3)), "x"),
    (lambda x: ops.reshape(ops.reshape(ops.reshape(x, shape=(6,)), shape=(3, 2)), shape=(1, -1)), "reshape(x)"),
    (lambda x: ops.broadcast_to(x, shape=(2, 3)), "x"),
    (lambda x: ops.broadcast_to(ops.broadcast_to(x, shape=(4, 2, 3)), shape=(5, 4, 2, 3)), "broadcast_to(x)"),
    (
        lambda x: ops.reshape(ops.broadcast_to(ops.reduce_sum(x), shape=(2, 3)), shape=(6,)),
        "broadcast_to(reduce_sum(x))",
    ),
    (lambda x: ops.reshape(ops.broadcast_to(x, shape=(4, 2, 3)), shape=(24,)), "reshape(broadcast_to(x))"),
    (lambda x: ops.cast(x, dtype=float32), "x"),
    # 4: nothing done
    (lambda x: ops.slice_(x, starts=(0, 0), stops=(2, 3), steps=(1, 1)), "x"),
    (lambda x: ops.slice_(x, starts=(0, 0), stops=(2, 2), steps=(1, 1)), "slice(x)"),
    (lambda x: ops.slice_(x, starts=(0, 0), stops=(2, 3), steps=(1, 2)), "slice(x)"),
    (lambda x: ops.pad(x, 1.0, low=(0, 0), high=(0, 0), interior=(0, 0)), "x"),
    (lambda x: ops.pad(x, 1.0, low=(0, 0), high=(0, 0), interior=(0, 1)), "pad(x, 1.0)"),
    (lambda x: ops.concatenate(x), "x"),
    (lambda x: ops.concatenate(x, x), "concatenate(x, x)"),
    (lambda x: ops.reverse(x, axes=()), "x"),
    (lambda x: ops.reverse(x, axes=(0,)), "reverse(x)"),
    (lambda x: ops.where(x > 0.0, x, x), "x"),
    (
        lambda x: ops.where(x > 0.0, ops.reduce_sum(x), ops.reduce_sum(x)),
        "where(greater(x, 0.0), reduce_sum(x), reduce_sum(x))",
    ),
    # 5: broadcasts
    (lambda x: x + ops.broadcast_to(ops.reduce_sum(x), shape=(2, 3)), "add(x, reduce_sum(x))"),
    (
        lambda x: ops.broadcast_to(x, shape=(4, 2, 3)) * ops.broadcast_to(x, shape=(4, 2, 3)),
        "broadcast_to(multiply(x, x))",
    ),
    (lambda x: ops.broadcast_to(x, shape=(4, 2, 3)) ** 2.0, "power(broadcast_to(x), 2.0)"),
    (
        lambda x: 2.0 * ops.broadcast_to(ops.broadcast_to(ops.reduce_sum(x), shape=(2, 3)), shape=(4, 2, 3)),
        "broadcast_to(multiply(2.0, reduce_sum(x)))",
    ),
    (lambda x: 1.0 * ops.broadcast_to(ops.reduce_sum(x), shape=(2, 3)) + x, "add(reduce_sum(x), x)"),
    (
        lambda x: (
            ops.broadcast_to(ops.reduce_sum(x), shape=(2, 1))
            + ops.broadcast_to(ops.reduce_sum(x, axes=(0,)), shape=(2, 3))
        ),
        "broadcast_to(add(reduce_sum(x), reduce_sum(x)))",
    ),
    (
        lambda x: 0.0 + ops.broadcast_to(ops.reshape(ops.reduce_sum(x), shape=(1, 1)), shape=(2, 3)),
        "broadcast_to(add(0.0, reduce_sum(x)))",
    ),
    (
        lambda x: ops.where(x > 0.0, ops.broadcast_to(x.graph.constant(1.0), shape=(2, 3)), x),
        "where(greater(x, 0.0), 1.0, x)",
    ),
    (lambda x: x * ops.reshape(ops.reduce_sum(x), shape=(1, 1)), "multiply(x, reduce_sum(x))"),
    (lambda x: x * ops.reshape(ops.reduce_sum(x, axes=(1,)), shape=(2, 1)), "multiply(x, reshape(reduce_sum(x)))"),
    (
        lambda x: ops.broadcast_to(ops.reshape(ops.reduce_sum(x), shape=(1, 1)), shape=(2, 3)),
        "broadcast_to(reduce_sum(x))",
    ),
    (lambda x: ops.tanh(ops.broadcast_to(x, shape=(4, 2, 3))), "tanh(broadcast_to(x))"),
    (
        lambda x: ops.reduce_sum(ops.broadcast_to(ops.reduce_sum(x), shape=(3,))),
        "reduce_sum(broadcast_to(reduce_sum(x)))",
    ),
    (lambda x: ops.stop_gradient(x), "stop_gradient(x)"),
]


@pytest.mark.parametrize(("function", "expected"), CASES, ids=[f"{i}-{e[:30]}" for i, (_, e) in enumerate(CASES)])
def test_a_matrix(function, expected):
    assert simplified(function, f32(2, 3)) == expected


@pytest.mark.parametrize("dtype", [int32, uint8])
def test_1_integers(dtype):
    t = TensorType(dtype, (2,))
    for function in (lambda x: x + 0, lambda x: 0 + x, lambda x: x - 0, lambda x: x * 1, lambda x: ops.negative(-x)):
        assert simplified(function, t) == "x"


def test_1_complex_numbers_stay():
    t = TensorType(complex64, (2,))
    assert simplified(lambda x: x * 1.0, t).startswith("multiply")
    assert simplified(lambda x: x / 1.0, t).startswith("divide")


def test_1_why_a_float_plus_zero_stays():
    graph = Graph()
    x = graph.input("x", f32())
    graph.output(1.0 / (x + 0.0), "y")
    assert run_reference(simplify(graph), [np.float32(-0.0)]) == [np.inf]
    assert run_reference(graph, [np.float32(-0.0)]) == [np.inf]


def test_2_transposes_make_one():
    def function(x):
        return ops.transpose(ops.transpose(ops.transpose(x, axes=(1, 2, 0)), axes=(1, 2, 0)), axes=(0, 2, 1))

    graph = Graph()
    graph.output(function(graph.input("x", f32(2, 3, 4))), "y")
    (node,) = remove_dead(simplify(graph)).nodes
    assert node.attributes == {"axes": (2, 1, 0)}
    assert (
        simplified(
            lambda x: ops.transpose(ops.transpose(ops.transpose(x, axes=(1, 2, 0)), axes=(1, 2, 0)), axes=(1, 2, 0)),
            f32(2, 3, 4),
        )
        == "x"
    )


def test_2_symbolic_reshapes():
    assert simplified(lambda x: ops.reshape(ops.reshape(x, shape=(2 * N,)), shape=(N, 2)), f32(N, 2)) == "x"
    assert simplified(lambda x: ops.reshape(ops.reshape(x, shape=(-1,)), shape=(2, -1)), f32(N, 2)) == "reshape(x)"
    half = floor_div(N, 2)
    graph = Graph()
    x = graph.input("x", f32(N))
    graph.output(ops.reshape(ops.reshape(x, shape=(2 * half,)), shape=(-1, 2)), "y")  # a guard says that N is even
    after = remove_dead(simplify(graph))
    verify(after)
    assert [run_reference(g, [np.ones(4, np.float32)])[0].shape for g in (graph, after)] == [(2, 2), (2, 2)]
    assert after.guards == graph.guards != []


def test_3_casts_of_casts():
    def cast(*dtypes):
        def function(x):
            for dtype in dtypes:
                x = ops.cast(x, dtype=dtype)
            return x

        return function

    for source, dtypes, expected in [
        (float32, (float64, float32), "x"),
        (float32, (float64, float16), "cast(x)"),
        (float32, (float16, float32), "cast(cast(x))"),
        (int32, (int64, int32), "x"),
        (int32, (float64, int32), "x"),
        (int32, (float64, int8), "cast(cast(x))"),
        (int32, (int64, int8), "cast(x)"),
        (int32, (float32, float64), "cast(cast(x))"),
        (uint8, (float32, float64), "cast(x)"),
        (bool_, (float32, int8), "cast(x)"),
        (float32, (float64, int32), "cast(cast(x))"),
        (float32, (int32, float32), "cast(cast(x))"),
        (float16, (float32, float64, float32, float16), "x"),
    ]:
        assert simplified(cast(*dtypes), TensorType(source, (2,))) == expected, (source, dtypes)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_3_casts_keep_every_bit():
    """All triples of element types, on the ends of the first."""
    for source in DTYPES:
        info = np.iinfo(source.numpy) if source.is_integer else None
        numbers = (
            [0.0, 1.5, -2.0, np.inf, np.nan, 3e38, 1e-45, 65519.0] if info is None else [info.min, info.max, 0, 1, 129]
        )
        with np.errstate(all="ignore"):
            x = np.array(numbers).astype(source.numpy)
        for middle in DTYPES:
            for to in DTYPES:
                graph = Graph()
                graph.output(
                    ops.cast(ops.cast(graph.input("x", TensorType(source, x.shape)), dtype=middle), dtype=to), "y"
                )
                after = simplify(graph)
                a, b = (run_reference(g, [x])[0] for g in (graph, after))
                assert a.tobytes() == b.tobytes(), (source, middle, to)


def test_dtypes_are_all_tried():
    assert dtype_of("bf16") in DTYPES
