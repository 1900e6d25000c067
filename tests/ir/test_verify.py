"""The verifier: good graphs pass, and each invariant that is broken on purpose is caught, with the place."""

import pytest

from isograd.ir import Graph, Op, Port, Scope, TensorType, Value, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import Guard, symbol
from isograd.ir.errors import VerificationError
from isograd.ir.types import float32, int32
from isograd.ir.verify import verify

N, M = symbol("N"), symbol("M")


def f32(*shape):
    return TensorType(float32, shape)


@pytest.fixture
def graph():
    graph = Graph()
    x = graph.input("x", f32(N, 3))
    kernel = graph.input("kernel", f32(3, 2), "parameter")
    with graph.at("layers/dense"), graph.scope("dense", "Dense", {"x": x}):
        y = (x @ kernel).named("y")
    with graph.at("layers/norm"):
        y = ops.layer_norm(ops.softmax(y) * 2.0)
    for port, value in zip(graph.inputs, gradients(graph, ops.reduce_sum(y).named("loss"), [x, kernel]), strict=True):
        graph.output(value, port.path, "gradient")
    graph.output(y, "y")
    return graph


def node_of(graph, op):
    return next(n for n in graph.nodes if n.op is op)


def test_every_graph_of_the_ops_is_good(case):
    for graph, _ in case.graphs():
        verify(graph)


def test_a_good_graph_passes(graph):
    verify(graph)


def test_the_error_says_what_and_where(graph):
    node_of(graph, ops.softmax).attributes["axis"] = 5
    with pytest.raises(VerificationError) as caught:
        verify(graph)
    assert str(caught.value) == "a node softmax breaks its type rule: there is no axis 5 in a tensor of rank 2"
    assert caught.value.__notes__ == [
        "in f32[N, 2] = softmax(<y: f32[N, 2]>)",
        "at layers/norm",
        "  y: f32[N, 2] = matmul(x, kernel)\n"
        "> v1: f32[N, 2] = softmax(y, axis=5)\n"
        "  v2: f32[N, 2] = multiply(v1, 2.0)\n"
        "  v3, v4, v5 = layer_norm[f32[N, 2], f32[N, 1], f32[N, 1]](v2)",
    ]


# Each breaks one invariant of the graph above; with what the verifier says.


def used_before_defined(graph):
    graph.nodes[0], graph.nodes[1] = graph.nodes[1], graph.nodes[0]


def node_twice(graph):
    graph.nodes.append(graph.nodes[0])


def input_twice(graph):
    graph.inputs.append(Port(graph.inputs[0].value, "input", "again"))


def input_of_a_node(graph):
    graph.inputs.append(Port(graph.nodes[0].outputs[0], "input", "y"))


def value_of_another_graph(graph):
    node_of(graph, ops.softmax).inputs = (Graph().input("foreign", f32(N, 2)),)


def output_of_another_graph(graph):
    graph.outputs.append(Port(Graph().input("foreign", f32(N, 2)), "output", "foreign"))


def output_that_forgot_its_node(graph):
    graph.nodes[0].outputs[0].node = graph.nodes[1]


def output_with_a_wrong_index(graph):
    node = node_of(graph, ops.layer_norm)
    node.outputs = node.outputs[1::-1] + node.outputs[2:]
    node.outputs[0].type, node.outputs[1].type = node.outputs[1].type, node.outputs[0].type


def no_output(graph):
    graph.nodes.append(ops.softmax(graph.inputs[0].value).node)
    graph.nodes.pop()
    graph.nodes[-1].outputs = ()


def too_many_operands(graph):
    node_of(graph, ops.softmax).inputs *= 2


def operand_left_out(graph):
    node_of(graph, ops.multiply).inputs = (None, *node_of(graph, ops.multiply).inputs[1:])


def attribute_missing(graph):
    del node_of(graph, ops.softmax).attributes["axis"]


def attribute_too_many(graph):
    node_of(graph, ops.softmax).attributes["epsilon"] = 1.0


def attribute_of_a_strange_kind(graph):
    node_of(graph, ops.softmax).attributes["axis"] = [1]


def type_changed(graph):
    graph.nodes[0].outputs[0].type = f32(N, 3)


def operand_type_changed(graph):
    graph.inputs[1].value.type = TensorType(int32, (3, 2))


def guard_missing(graph):
    ops.add(graph.inputs[0].value, graph.input("z", f32(M, 3)))
    graph.guards.clear()


def section_unknown(graph):
    graph.nodes[0].section = "later"


def section_too_early(graph):
    graph.nodes[-1].section = "forward"


def scope_argument_from_later(graph):
    late = graph.nodes[-1].outputs[0]
    graph.nodes[0].scope = Scope(Scope(None, "outer", "Block", 0, (("late", late),)), "dense", "Dense")


def role_unknown(graph):
    graph.inputs[0] = Port(graph.inputs[0].value, "weights", "x")


def output_role_unknown(graph):
    graph.outputs[0] = Port(graph.outputs[0].value, "input", "x")


def path_twice(graph):
    graph.input("another", f32(2), path="x")


def output_path_twice(graph):
    graph.outputs.append(graph.outputs[0])


def symbol_of_no_input(graph):
    ops.broadcast_to(graph.inputs[1].value, shape=(M, 3, 2))


def symbol_in_an_expression_alone(graph):
    graph.input("z", f32(M + 1))


def guard_on_an_unknown_symbol(graph):
    graph.guards.append(Guard(">=", M, 2))


def symbol_that_is_a_type(graph):
    graph.input("z", f32(symbol("f32")))


def symbol_that_is_no_name(graph):
    graph.input("z", f32(symbol("batch size")))


def broken_body(graph):
    body = Graph("body")
    body.output(Value(body, f32(), None), "y")
    Op("loop", lambda x, *, body: x, None)(graph.inputs[0].value, body=body)


BREAKS = {
    used_before_defined: r"uses <y: f32\[N, 2\]>, which is not defined before it is used",
    node_twice: "defines .* again",
    input_twice: "the input 'again' is defined twice",
    input_of_a_node: "the input 'y' is no input value",
    value_of_another_graph: "which belongs to another graph",
    output_of_another_graph: "the output 'foreign' is no value of the graph",
    output_that_forgot_its_node: "does not know its place",
    output_with_a_wrong_index: "does not know its place|has outputs of type",
    no_output: "has outputs of type",
    too_many_operands: r"takes the operands \(x\), not 2",
    operand_left_out: "lacks its operand x",
    attribute_missing: r"has the attributes \(\), not \(axis\)",
    attribute_too_many: r"has the attributes \(axis, epsilon\), not \(axis\)",
    attribute_of_a_strange_kind: r"axis = \[1\], which no text can hold",
    type_changed: r"has outputs of type f32\[N, 3\], but its type rule gives f32\[N, 2\]",
    operand_type_changed: "breaks its type rule: matmul: the operands must have one element type",
    guard_missing: "needs the guard N == M",
    section_unknown: "is in the section 'later'",
    section_too_early: "of the section forward uses a value of a later one",
    scope_argument_from_later: "whose argument late is not defined before it",
    role_unknown: "'x' has the role 'weights'",
    output_role_unknown: "'x' has the role 'input'",
    path_twice: "two of input 'x'",
    output_path_twice: "two of gradient 'x'",
    symbol_of_no_input: "M in the attribute shape of broadcast_to is the size of no axis",
    symbol_in_an_expression_alone: "M in the inputs is the size of no axis",
    guard_on_an_unknown_symbol: "M in the guards is the size of no axis",
    symbol_that_is_a_type: "a size cannot be called 'f32'",
    symbol_that_is_no_name: "a size cannot be called 'batch size'",
    broken_body: "the output 'y' is no value of the graph",
}


@pytest.mark.parametrize("broken", BREAKS, ids=lambda f: f.__name__)
def test_what_is_broken_is_caught(graph, broken):
    broken(graph)
    with pytest.raises(VerificationError, match=BREAKS[broken]):
        verify(graph)


def test_a_node_that_breaks_the_printer_is_shown_all_the_same(graph):
    node = node_of(graph, ops.softmax)
    node.attributes["axis"] = object()
    node.outputs[0].type = "no type"
    with pytest.raises(VerificationError) as caught:
        verify(graph)
    assert any("softmax" in note for note in caught.value.__notes__)


def test_a_variadic_op_may_have_any_number_but_not_less_than_its_own():
    total = Op("total", lambda x, *rest: x, None)
    graph = Graph()
    x = graph.input("x", f32(2))
    total(x)
    total(x, x, x)
    verify(graph)
    graph.nodes[-1].inputs = ()
    with pytest.raises(VerificationError, match=r"takes the operands \(x, rest\), not 0"):
        verify(graph)


def test_sections_may_stand_mixed_if_no_earlier_one_uses_a_later_one():
    graph = Graph()
    x = graph.input("x", f32(2))
    (d_x,) = gradients(graph, ops.reduce_sum(ops.tanh(x)), [x])
    graph.output(ops.sin(x), "forward again")
    verify(graph)
    graph.output(ops.sin(d_x), "of the gradient")
    with pytest.raises(VerificationError, match="of the section forward uses a value of a later one"):
        verify(graph)


def test_a_body_may_use_the_sizes_around_it():
    loop = Op("loop", lambda x, *, body: x, None)
    body = Graph("body")
    body.output(ops.broadcast_to(body.input("x", f32()), shape=(N,)), "y")
    graph = Graph()
    loop(graph.input("x", f32(N)), body=body)
    verify(graph)
