"""Building graphs: operators, numbers, scopes and sections, and errors that name the op and the place."""

import numpy as np
import pytest

from isograd.ir import DType, Graph, TensorType, Value, ops
from isograd.ir.autodiff import backward, gradients
from isograd.ir.dims import Guard, symbol
from isograd.ir.errors import TypeMismatchError, UnsupportedOpError
from isograd.ir.evaluate import run_reference
from isograd.ir.graph import SECTIONS
from isograd.ir.op import Op, Signature
from isograd.ir.types import (
    DTYPES,
    bfloat16,
    bool_,
    complex64,
    dtype_of,
    float16,
    float32,
    float64,
    holds,
    int8,
    int32,
    int64,
    uint8,
)


def graph_with(*types, names="xyz"):
    graph = Graph()
    return graph, *(graph.input(name, t) for name, t in zip(names, types, strict=False))


def f32(*shape):
    return TensorType(float32, shape)


# Building


def test_operators_are_ops():
    graph, x, y = graph_with(f32(2, 2), f32(2, 2))
    made = [x + y, 1 + x, x - y, 1 - x, x * y, 2 * x, x / y, 1 / x, x**y, x @ y, -x, x < y, x <= 1, x > y, x >= 1]
    assert [v.node.op.name for v in made] == [
        "add", "add", "subtract", "subtract", "multiply", "multiply", "divide", "divide", "power", "matmul", "negative",
        "less", "less_equal", "greater", "greater_equal",
    ]  # fmt: skip
    assert all(isinstance(v, Value) and v.graph is graph for v in made)


def test_numpy_scalars_leave_operators_to_values():
    _, x = graph_with(f32(2))
    assert (np.float32(2.0) * x).node.op is ops.multiply


def test_a_number_takes_the_element_type_of_its_op():
    for dtype in (float16, float64, int64, uint8):
        _, x = graph_with(TensorType(dtype, (2,)))
        assert (x + 1).node.inputs[1].dtype == dtype
    _, condition, x = graph_with(TensorType(bool_, (2,)), f32(2))
    assert ops.where(condition, x, 0).node.inputs[2].dtype == float32


def test_equal_numbers_are_one_node_outside_of_all_scopes():
    graph, x = graph_with(f32(2))
    with graph.section("backward"), graph.scope("a", "A"):
        y = x * 2.0
    z = y + 2.0
    two = z.node.inputs[1]
    assert y.node.inputs[1] is two
    assert (two.node.scope, two.node.section) == (None, SECTIONS[0])
    assert (x * -0.0).node.inputs[1] is not (x * 0.0).node.inputs[1]
    assert (x.node, x.graph.constant(2, int32)) != (two.node, two)


def test_constants():
    graph = Graph()
    assert graph.constant(1.5).type == f32()
    assert graph.constant(2).type == TensorType(int64, ())
    assert graph.constant([1, 2], "f32").type == f32(2)
    assert graph.constant(True).type == TensorType(bool_, ())
    for number, dtype in ((300, uint8), (-1, uint8), (0.5, int32), (float("nan"), int32), (2**70, int64)):
        with pytest.raises((TypeMismatchError, OverflowError)):
            graph.constant(number, dtype)


def test_guards_are_kept_once_also_where_the_list_was_changed():
    n, m = symbol("N"), symbol("M")
    graph, x, y = graph_with(f32(n), f32(m))
    for _ in range(2):
        ops.add(x, y)
    assert list(map(str, graph.guards)) == ["N == M"]
    graph.guards = [Guard(">=", n, 2)]
    for _ in range(2):
        ops.add(x, y)
    assert list(map(str, graph.guards)) == ["N >= 2", "N == M"]


def test_a_value_has_no_truth_value():
    _, x = graph_with(f32())
    with pytest.raises(TypeError, match="no truth value"):
        bool(x > 0.0)


def test_scopes_and_sections():
    graph, x = graph_with(f32(2))
    with graph.scope("block", "Block", {"x": x}) as outer, graph.scope("", "relu"), graph.section("backward"):
        y = ops.relu(x)
    z = -y
    assert y.node.scope.ancestry == (outer, y.node.scope)
    assert (y.node.scope.path, y.node.section) == (("block",), "backward")
    assert (z.node.scope, z.node.section) == (None, "forward")
    with graph.like(y.node):
        assert (-y).node.scope is y.node.scope


def test_a_node_says_where_it_was_made():
    graph, x = graph_with(f32(2))
    assert "test_graph.py:" in ops.relu(x).node.origin
    with graph.at("model.layers.3"):
        assert ops.relu(x).node.origin == "model.layers.3"


def test_representations_are_short():
    graph, x = graph_with(f32(2))
    assert repr(x) == "<x: f32[2]>"
    assert repr((x + 1.0).node) == "f32[2] = add(<x: f32[2]>, <_: f32[]>)"
    assert repr(graph) == "<graph model: 1 inputs, 2 nodes, 0 outputs>"


def test_attributes_are_complete_and_frozen():
    _, x = graph_with(f32(2, 3))
    node = ops.reduce_sum(x, axes=[np.int64(1)]).node
    assert node.attributes == {"axes": (1,), "keepdims": False}
    assert type(node.attributes["axes"][0]) is int


# Errors


def failing(act):
    with pytest.raises((TypeMismatchError, UnsupportedOpError)) as caught:
        act()
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


def test_an_error_names_the_op_its_operands_and_the_place():
    graph, x, y = graph_with(f32(2, 3), f32(4, 3))
    with graph.at("encoder/dense_1 (dense.py:7)"):
        message = failing(lambda: ops.add(x, y))
    assert "the sizes do not fit: 2 == 4 is false" in message
    assert "in add(<x: f32[2, 3]>, <y: f32[4, 3]>)" in message
    assert "at encoder/dense_1 (dense.py:7)" in message


ERRORS = [
    (lambda x, y: ops.add(x), "add takes the operands (x, y), not 1 of them"),
    (lambda x, y: ops.relu(x, y), "relu takes the operands (x), not 2 of them"),
    (lambda x, y: ops.relu(x, alpha=1.0), "relu has no attribute alpha; it has none"),
    (lambda x, y: ops.reduce_sum(x, axis=1), "reduce_sum has no attribute axis; it has axes, keepdims"),
    (lambda x, y: ops.reshape(x), "reshape needs the attribute shape"),
    (lambda x, y: ops.add(x, ops.cast(y, dtype=int32)), "must have one element type, not f32[2, 3] and i32[2, 3]"),
    (lambda x, y: ops.relu(ops.cast(x, dtype=int32)), "relu works on float tensors, not on i32[2, 3]"),
    (lambda x, y: x @ y, "matmul of f32[2, 3] and f32[2, 3]"),
    (lambda x, y: ops.reduce_sum(x, axes=(2,)), "there is no axis 2 in a tensor of rank 2"),
    (lambda x, y: ops.reduce_sum(x, axes=(0, -2)), "name one axis twice"),
    (lambda x, y: ops.reshape(x, shape=(4, 2)), "f32[2, 3] cannot take the shape (4, 2): 6 elements are not 8"),
    (lambda x, y: ops.transpose(x, axes=(0, 0)), "name one axis twice"),
    (lambda x, y: ops.one_hot(x, depth=3), "indices are integers, not f32[2, 3]"),
    (lambda x, y: ops.where(x, x, y), "where works on bool tensors"),
    (lambda x, y: ops.batch_norm_inference(x, None, None, None, None), "needs its operand mean, variance"),
    (lambda x, y: ops.add(1.0, 2.0), "at least one operand must be a value of a graph"),
    (lambda x, y: x + Graph().input("other", f32(2, 3)), "<other: f32[2, 3]> belongs to another graph"),
    (lambda x, y: x.graph.apply(ops.add, 1.0, 2.0), "no operand says which element type the number 1.0 has"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "text"), ERRORS, ids=[text[:40] for _, text in ERRORS])
def test_an_error_says_what_is_wrong(act, text):
    _, x, y = graph_with(f32(2, 3), f32(2, 3))
    assert text in failing(lambda: act(x, y))


def test_every_op_refuses_what_does_not_fit(op):
    """Too many operands, and an attribute that it does not have, are errors that name the op."""
    graph = Graph()
    x = graph.input("x", f32(2))
    assert f"{op.name} has no attribute zzz" in failing(
        lambda: graph.apply(op, *[x] * len(op.signature.operands), zzz=1)
    )
    if not op.signature.variadic:
        assert f"{op.name} takes the operands" in failing(
            lambda: graph.apply(op, *[x] * (len(op.signature.operands) + 1))
        )


# Differentiation


def test_only_a_number_has_a_gradient():
    graph, x = graph_with(f32(2))
    assert "the gradient is that of one number, but the output is f32[2]" in failing(
        lambda: gradients(graph, x * 2.0, [x])
    )


def test_all_ops_without_a_rule_are_listed():
    graph, x = graph_with(f32())
    bare = Op("bare", lambda x: x, np.tanh)
    with graph.at("here"):
        y = bare(x)
    with graph.at("there"):
        y = bare(y)
    assert "no gradient rule:\n  bare at here\n  bare at there" in failing(lambda: gradients(graph, y, [x]))


def test_a_rule_that_gives_another_type_is_an_error_of_the_op():
    graph, x = graph_with(f32(2, 3))
    wrong = Op("wrong", lambda x: x, np.tanh, lambda g, out, x: (ops.reduce_sum(g),))
    y = ops.reduce_sum(wrong(x))
    assert "the gradient of wrong should be f32[2, 3], but its rule gave f32[]" in failing(
        lambda: gradients(graph, y, [x])
    )


def test_what_has_no_influence_has_a_gradient_of_zeros():
    graph, x, y = graph_with(f32(2), f32(3))
    total = ops.reduce_sum(x)
    assert backward([total], [graph.constant(1.0)], [y]) == [None]
    (zeros,) = gradients(graph, total, [y])
    graph.output(zeros, "y")
    assert run_reference(graph, [np.ones(2), np.ones(3)])[0].tolist() == [0.0, 0.0, 0.0]


def test_a_sum_of_gradients_is_in_the_scope_that_the_users_share():
    graph, x = graph_with(f32(2))
    with graph.scope("block", "Block") as block:
        with graph.scope("left", "Left"):
            left = ops.tanh(x)
        with graph.scope("right", "Right"):
            right = ops.sin(x)
    (found,) = gradients(graph, ops.reduce_sum(left * right), [x])
    assert found.node.op is ops.add
    assert (found.node.scope, found.node.section, found.name) == (block, "backward", "d_x")
    assert [v.node.scope.name for v in found.node.inputs] == ["right", "left"]
    assert [v.name for v in found.node.inputs] == ["", ""]  # only the sum is the gradient


def test_gradients_stand_in_the_section_that_is_set():
    graph, x = graph_with(f32(2))
    total = ops.reduce_sum(ops.tanh(x))
    for section, expected in (("forward", "backward"), ("backward", "backward"), ("update", "update")):
        with graph.section(section):
            (found,) = backward([total], [graph.constant(1.0)], [x])
        assert found.node.section == expected
    with graph.section("update"):
        later = ops.reduce_sum(ops.sin(found))
    assert backward([later], [graph.constant(1.0)], [x])[0].node.section == "update"


def test_a_symbolic_shape_is_differentiated_without_guards():
    graph, x = graph_with(f32(symbol("N"), 3))
    gradients(graph, ops.reduce_mean(ops.softmax(x) * x), [x])
    assert graph.guards == []


# Types


def test_names_of_element_types():
    assert (
        [dtype_of(d.name) for d in DTYPES] == [dtype_of(d.short) for d in DTYPES] == [dtype_of(d.numpy) for d in DTYPES]
    )
    assert [d.kind for d in (bool_, int8, uint8, bfloat16, complex64)] == ["bool", "int", "uint", "float", "complex"]
    with pytest.raises(TypeError, match="no element type 'float8'"):
        dtype_of("float8")
    assert DType("float32", "f32") == float32


def samples_of(dtype):
    """Numbers at the ends of an element type."""
    if dtype.kind == "bool":
        return [False, True]
    if dtype.is_integer:
        info = np.iinfo(dtype.numpy)
        return [info.min, info.max, info.max - 1, 1]
    info = np.finfo(dtype.numpy) if dtype != bfloat16 else __import__("ml_dtypes").finfo(bfloat16.numpy)
    numbers = [float(n) for n in (info.max, info.tiny, info.smallest_subnormal, info.eps)]
    return [1.0 + numbers[3], *numbers, *([complex(numbers[0], numbers[1])] if dtype.kind == "complex" else [])]


@pytest.mark.parametrize("source", DTYPES, ids=str)
@pytest.mark.parametrize("to", DTYPES, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:Casting complex")
def test_a_type_holds_what_comes_back_from_it(source, to):
    numbers = np.array(samples_of(source), source.numpy)
    back = numbers.astype(to.numpy).astype(source.numpy)
    exact = numbers.tobytes() == back.tobytes() and (to.kind != "bool" or source.kind == "bool")
    if to.is_integer and source.is_integer:
        exact = exact and (numbers.astype(object) == numbers.astype(to.numpy).astype(object)).all()
    assert holds(to, source) == exact


def test_a_schema_is_read_off_the_type_rule():
    def rule(
        x: TensorType, scale: TensorType | None, y: TensorType, *rest: TensorType, axis: int = 0, size: int
    ) -> TensorType:
        return x

    assert Signature.of(rule).operands == ("x", "scale", "y", "rest")
    assert (Signature.of(rule).optional, Signature.of(rule).variadic) == ({"scale"}, True)
    assert list(Signature.of(rule).attributes) == ["axis", "size"]
