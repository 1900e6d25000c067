"""The text of a graph: fixed examples, what reads back exactly, and what is refused."""

import numpy as np
import pytest

from isograd.ir import Graph, Op, Scope, TensorType, ops
from isograd.ir.autodiff import gradients
from isograd.ir.dims import Guard, floor_div, symbol
from isograd.ir.errors import IsogradError, ParseError, TypeMismatchError
from isograd.ir.literal import literal
from isograd.ir.op import sample
from isograd.ir.parse import parse
from isograd.ir.passes import decompose, merge_common
from isograd.ir.text import graph_arrays, origins, print_graph
from isograd.ir.types import DTYPES, bool_, complex64, dtype_of, float32, float64, int32
from isograd.ir.verify import verify

N = symbol("N")


def f32(*shape):
    return TensorType(float32, shape)


def assert_reads_back(graph, structure, **table):
    text, arrays = print_graph(graph), graph_arrays(graph)
    back = parse(text, arrays, origins(graph), **table)
    verify(back)
    assert print_graph(back) == text
    assert structure(back) == structure(graph)
    assert {k: v.tobytes() for k, v in graph_arrays(back).items()} == {k: v.tobytes() for k, v in arrays.items()}
    assert origins(back) == origins(graph)
    return back


# Fixed texts


DENSE = """\
def digits_mlp(
    image: f32[N, 8, 8],
    kernel: f32[64, 16] = parameter("dense.kernel"),
    mean: f32[16] = state("norm.mean"),
):
    guard(2*N >= 4)
    with scope("dense", kind="Dense", x=image, kernel=kernel):
        x: f32[N, 64] = reshape(image, shape=(N, 64))
        y: f32[N, 16] = matmul(x, kernel)
    with scope("norm", kind="BatchNorm"):
        _v1, _v2, _v3 = batch_norm[f32[N, 16], f32[16], f32[16]](y)
        mean2: f32[16] = multiply(mean, 0.99)
    y2: f32[N, 16] = softmax(y)
    return output("probabilities", y2), state("norm.mean", mean2)
"""


def test_a_dense_network():
    graph = Graph("digits_mlp")
    image = graph.input("image", f32(N, 8, 8))
    kernel = graph.input("kernel", f32(64, 16), "parameter", "dense.kernel")
    mean = graph.input("mean", f32(16), "state", "norm.mean")
    graph.guards.append(Guard(">=", 2 * N, 4))
    with graph.scope("dense", "Dense", {"x": image, "kernel": kernel}):
        x = ops.reshape(image, shape=(N, 64)).named("x")
        y = (x @ kernel).named("y")
    with graph.scope("norm", "BatchNorm"):
        ops.batch_norm(y)
        new = (mean * 0.99).named("mean")
    graph.output(ops.softmax(y).named("y"), "probabilities")
    graph.output(new, "norm.mean", "state")
    assert str(graph) == DENSE


GRADIENT = """\
def model(
    x: f32[4, 3],
    scale: f32[3] = parameter("scale"),
):
    with scope("norm", kind="LayerNorm"):
        v1, v2, v3 = layer_norm[f32[4, 3], f32[4, 1], f32[4, 1]](x, scale, axes=(1,))
    v4: f32[4, 3] = relu(v1)
    _loss: f32 = reduce_sum(v4)
    with section("backward"):
        v5: f32[1, 1] = reshape(constant(1.0, f32), shape=(1, 1))
        v6: f32[4, 3] = broadcast_to(v5, shape=(4, 3))
        v7: f32[4, 3] = relu_gradient(v6, v4, v1)
        with scope("norm", kind="LayerNorm"):
            _v8, d_scale = layer_norm_gradient[f32[4, 3], f32[3]]((v7, None, None), (v1, v2, v3), x, scale, None, axes=(1,))
    return gradient("scale", d_scale)
"""  # noqa: E501  # a line of a graph is not wrapped


def test_gradients_and_sections():
    graph = Graph()
    x, scale = graph.input("x", f32(4, 3)), graph.input("scale", f32(3), "parameter")
    with graph.scope("norm", "LayerNorm"):
        y = ops.layer_norm(x, scale, axes=(1,))
    found = gradients(graph, ops.reduce_sum(ops.relu(y)).named("loss"), [scale])
    graph.output(found[0], "scale", "gradient")
    assert str(graph) == GRADIENT


def test_literals_of_every_kind():
    graph = Graph()
    x, k, z = (
        graph.input("x", f32(2)),
        graph.input("k", TensorType(int32, (2,))),
        graph.input("z", TensorType(complex64, (2,))),
    )
    outputs = [
        x * 0.1, 1.0 - x, x * -0.0, ops.maximum(x, float("-inf")), x + float("nan"), k + 3, z * (1 - 2j),
        ops.where(graph.constant(True), x, 1e-30), x * graph.constant(0.1, float32), ops.cast(x, dtype=float64) * 0.1,
        ops.pad(x, 0.5, low=(N,), high=(floor_div(N + 1, 2),), interior=(0,)), graph.size(N, float32),
    ]  # fmt: skip
    for i, value in enumerate(outputs):
        graph.output(value, str(i))
    lines = [line.strip().partition(" = ")[2] for line in str(graph).splitlines() if " = " in line]
    assert lines == [
        "multiply(x, 0.1)", "subtract(1.0, x)", "multiply(x, -0.0)", "maximum(x, -inf)", "add(x, nan)", "add(k, 3)",
        "multiply(z, complex(1.0, -2.0))", "where(constant(True, bool), x, 1e-30)", "multiply(x, 0.1)",
        "cast(x, dtype=f64)", "multiply(v10, 0.1)", "pad(x, 0.5, low=(N,), high=(floor((N + 1)/2),), interior=(0,))",
        "size(dim=N, dtype=f32)",
    ]  # fmt: skip


def test_numbers_that_their_op_would_not_type():
    graph = Graph()
    two, half = graph.constant(2, int32), graph.constant(0.5, float32)
    graph.output(ops.add(two, two), "a")
    graph.output(ops.where(graph.constant(True), half, half), "b")
    graph.output(half, "c")
    text = str(graph)
    assert "add(constant(2, i32), 2)" in text
    assert "where(constant(True, bool), constant(0.5, f32), 0.5)" in text
    assert 'output("c", constant(0.5, f32))' in text
    assert str(parse(text)) == text


# Reading back


def test_every_sample_reads_back(case, structure):
    for graph, _ in case.graphs():
        assert_reads_back(graph, structure)
        assert_reads_back(merge_common(graph), structure)


def test_a_gradient_of_a_gradient_reads_back(case, structure, weighted_sum):
    graph, total, wrt, _ = case.projected("float32")
    if total is None:
        return
    slopes = gradients(graph, total, wrt)
    with graph.section("backward"):
        for i, g in enumerate(gradients(graph, weighted_sum(slopes, np.random.default_rng(0)), wrt)):
            graph.output(g, str(i), "gradient")
    assert_reads_back(graph, structure)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_any_bits_of_a_number_read_back(dtype, structure):
    """Special values and random bits, of which some are NaNs that only an array can hold."""
    bits = np.random.default_rng(0).bytes(40 * dtype.bits // 8)
    numbers = np.frombuffer(bits, np.uint8) % 2 == 1 if dtype == bool_ else np.frombuffer(bits, dtype.numpy)
    special = [0, 1] if not dtype.is_differentiable else [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1.0, 1 / 3]
    graph = Graph()
    x = graph.input("x", TensorType(dtype, (2,)))
    for i, number in enumerate([*np.array(special).astype(dtype.numpy), *numbers]):
        number = ops.constant.append(graph, (), {"value": np.asarray(number, dtype.numpy)})
        graph.output(ops.equal(x, number), str(i))
        graph.output(number, f"{i} itself")
    back = assert_reads_back(graph, structure)
    assert [p.value.type for p in back.outputs] == [p.value.type for p in graph.outputs]


def test_a_literal_is_the_shortest():
    assert [literal(np.float32(x), float32) for x in (0.1, 1e-3, 1e-7, 123456.0, 1e22, 1 / 3)] == [
        "0.1", "0.001", "1e-07", "123456.0", "1e+22", "0.33333334",
    ]  # fmt: skip
    assert literal(16777216.0, float32) == "16777216.0"


def test_names():
    graph = Graph("2 models/a")
    names = ["image:0", "image:0", "image_0", "inf", "lambda", "N", "v3", "", "_x", "größe", "0"]
    values = [graph.input(name, f32(N), path=f"p{i}") for i, name in enumerate(names)]
    assert [line.split(":")[0].strip() for line in str(graph).splitlines()[1:12]] == [
        "image_0", "image_0_2", "image_0_3", "inf2", "lambda_", "N2", "v1", "v2", "x", "gr__e", "v_0",
    ]  # fmt: skip
    graph.output(values[0], 'a "quoted" \\ path\n', "metric")
    assert str(graph).splitlines()[0] == "def v_2_models_a("
    assert parse(str(graph)).name == "2 models/a"
    assert parse(str(graph)).outputs[0].path == 'a "quoted" \\ path\n'
    assert [p.path for p in parse(str(graph)).inputs] == [f"p{i}" for i in range(len(names))]


def test_a_text_that_was_wrapped_reads_back():
    wrapped = DENSE.replace("(N, 64))", "(\n            N,\n            64,\n        ))").replace(
        "f32[N, 64]", "f32[\n  N, 64]"
    )
    assert wrapped.count("\n") == DENSE.count("\n") + 4
    assert str(parse(wrapped)) == DENSE


@pytest.mark.parametrize("name", ["model", "class", "größe", "a b", "", "1", "name"])
def test_the_name_of_a_graph_comes_back(name):
    graph = Graph(name)
    graph.output(graph.input("x", f32()), "y")
    assert parse(str(graph)).name == name
    assert str(parse(str(graph))) == str(graph)


def test_names_come_back_as_hints():
    graph = Graph()
    x = graph.input("x", f32(2))
    for name in ("a", "", "a", "_b", "a2"):
        x = ops.relu(x).named(name)
    graph.output(ops.reduce_sum(x), "y")
    assert [v.name for n in parse(str(graph)).nodes for v in n.outputs] == ["a", "", "a2", "b", "a2_2", ""]


def test_inputs_after_a_parameter_have_a_default_too():
    graph = Graph()
    graph.input("w", f32(), "parameter")
    graph.input("x", f32())
    assert [line.strip() for line in str(graph).splitlines()[1:3]] == [
        'w: f32 = parameter("w"),',
        'x: f32 = input("x"),',
    ]
    assert [p.role for p in parse(str(graph)).inputs] == ["parameter", "input"]


def test_scopes_keep_their_identity(structure):
    graph = Graph()
    x = graph.input("x", f32(2))
    outer = Scope(None, "block", "Block", 0, (("x", x), ("kind", x), ("not a name", x), ("class", graph.constant(2.0))))
    twins = [Scope(outer, "", "relu"), Scope(outer, "", "relu"), Scope(None, "", "relu"), Scope(outer, "", "tanh")]
    for i in (0, 1, 0, 3, 2, 1):
        with graph.scope_set(twins[i]):
            x = ops.relu(x)
    graph.output(x, "y")
    text = str(graph)
    assert text.count("with ") == 8
    assert (
        'with scope("block", kind="Block", x=x, **{"kind": x}, **{"not a name": x}, **{"class": constant(2.0, f32)}):'
        in text
    )
    assert text.count('with scope("", kind="relu", call=2):') == 2
    assert_reads_back(graph, structure)


def test_arrays_are_named_once():
    graph = Graph()
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    for i, array in enumerate((a, a + 1, a.copy(), a.T, a.astype(np.float64), a[:0], a[:, :0])):
        graph.output(graph.constant(array), str(i))
    arrays = graph_arrays(graph)
    assert list(arrays) == ["c0", "c1", "c2", "c3", "c4", "c5"]
    assert str(graph).count('constant(value=array("c0"))') == 2
    back = parse(str(graph), arrays)
    assert [v.node.attributes["value"].tolist() for v in (p.value for p in back.outputs)] == [
        p.value.node.attributes["value"].tolist() for p in graph.outputs
    ]


def test_graphs_in_attributes_are_nested_definitions(structure):
    def loop_type(*xs, body, count=1):
        return tuple(p.value.type for p in body.outputs)

    loop = Op("loop", loop_type, None, "no gradient", lambda *xs, body, count: xs)
    body = Graph("body")
    carry = body.input("carry", f32(3))
    body.output(carry * body.constant(np.ones(3, np.float32)), "0")
    graph = Graph()
    x = graph.input("x", f32(3))
    for _ in range(2):
        with graph.scope("rnn", "RNN"):
            x = loop(x, body=body)
    graph.output(x, "y")
    assert str(graph).splitlines()[3:11] == [
        '    with scope("rnn", kind="RNN"):',
        "        def body(",
        "            carry: f32[3],",
        "        ):",
        '            v1: f32[3] = constant(value=array("c0"))',
        "            v2: f32[3] = multiply(carry, v1)",
        '            return output("0", v2)',
        "        v1: f32[3] = loop(x, body=body)",
    ]
    back = parse(str(graph), graph_arrays(graph), table={**ops.BY_NAME, "loop": loop})
    assert str(back) == str(graph)
    assert structure(back.nodes[0].attributes["body"]) == structure(body)
    with pytest.raises(ParseError, match="there is no op loop"):
        parse(str(graph), graph_arrays(graph))


def test_a_variadic_composite_and_its_gradient_read_back(structure):
    total = Op(
        "total",
        lambda *xs, scale=1.0: xs[0],
        None,
        None,
        lambda *xs, scale: sum(xs[1:], xs[0]) * scale,
        samples=(sample((2,)),),
    )
    graph = Graph()
    xs = [graph.input(n, f32(3)) for n in "abc"]
    y = ops.reduce_sum(total(*xs, scale=2.0))
    for i, g in enumerate(gradients(graph, y, xs)):
        graph.output(g, str(i), "gradient")
    assert "= total_gradient[f32[3], f32[3], f32[3]](v3, _v1, a, b, c, scale=2.0)".replace("_v1", "v1").replace(
        "v3", "v4"
    ) in str(graph)
    assert_reads_back(graph, structure, table={"total": total, **ops.BY_NAME})


# What is refused


GOOD = """\
def model(
    x: f32[2],
):
    y: f32[2] = relu(x)
    return output("y", y)
"""


def test_the_good_text_is_good():
    assert str(parse(GOOD)) == GOOD


REFUSED = [
    ("relu(x)", "__import__('os').system('true')", "line 4: expected a name"),
    ("relu(x)", "open(x)", "line 4: there is no op open"),
    ("relu(x)", "relu(*x)", "line 4: expected a name or a number"),
    ("relu(x)", "relu(x)(x)", "line 4: expected a name"),
    ("relu(x)", "relu(y)", "line 4: there is no value y"),
    ("relu(x)", "relu(x if x else x)", "line 4: expected a name or a number"),
    ("relu(x)", "relu(lambda: x)", "line 4: expected a name or a number"),
    ("relu(x)", "relu_gradient(x)", "line 4: there is no op relu_gradient"),
    ("relu(x)", "tanh_gradient(x, x, x)", "line 4: there is no op tanh_gradient: tanh is not a composite"),
    ("relu(x)", "x.relu()", "line 4: expected a name"),
    ("relu(x)", "tanh", "line 4: not a statement"),
    ("y: f32[2] = relu(x)", "x: f32[2] = relu(x)", "line 4: x is defined twice"),
    ("y: f32[2] = relu(x)", "nan: f32[2] = relu(x)", "line 4: nan is a number"),
    ("y: f32[2] = relu(x)", "y: f32[3] = relu(x)", r"line 4: relu gives f32\[2\], but the text says f32\[3\]"),
    ("y: f32[2] = relu(x)", "y: f33[2] = relu(x)", "line 4: there is no element type f33"),
    ("y: f32[2] = relu(x)", "y: f32[2] = relu(x, **{x: 1})", "line 4: not an argument"),
    ("y: f32[2] = relu(x)", "y: f32[2] = constant(value=array('c7'))", "line 4: there is no array c7"),
    ("y: f32[2] = relu(x)", "y: f32[2**999999999] = relu(x)", "line 4: not a size"),
    ("y: f32[2] = relu(x)", "y: f32[[i for i in x]] = relu(x)", "line 4: not a size"),
    ("y: f32[2] = relu(x)", "import os", "line 4: not a statement of a graph: import os"),
    ("y: f32[2] = relu(x)", "for y in x: pass", "line 4: not a statement"),
    ("y: f32[2] = relu(x)", "with open('x'): y: f32[2] = relu(x)", "line 4: neither a scope nor a section"),
    ("y: f32[2] = relu(x)", "with section('later'): y: f32[2] = relu(x)", "line 4: neither a scope nor a section"),
    ("y: f32[2] = relu(x)", "with scope('a', kind=3): y: f32[2] = relu(x)", "line 4: the kind of a scope"),
    ("y: f32[2] = relu(x)", "with scope('a', kind='A', x=3): y: f32[2] = relu(x)", "line 4: expected a value, not 3"),
    ("y: f32[2] = relu(x)", "guard(N > 3)", "line 4: not a statement"),
    ("y: f32[2] = relu(x)", "y, z = relu(x)", "line 4: not a statement"),
    ("y: f32[2] = relu(x)", "y: f32[2] = relu(" + "-" * 3000 + "x)", "line 4: |this is not the text"),
    ("y: f32[2] = relu(x)", "y: f32[2] = relu(" + "(" * 3000 + "x", "this is not the text of a graph"),
    ("y: f32[2] = relu(x)", "y: f32[2] = relu(" + "+".join("x" * 3000) + ")", "line 4: |this is not the text"),
    ('output("y", y)', 'output("y", 1.0)', "line 5: expected a value, not 1.0"),
    ('output("y", y)', 'outputs("y", y)', "line 5: not a port"),
    ('output("y", y)', 'output("y", y, y)', "line 5: not a port"),
    ('return output("y", y)', "pass", "line 5: not a statement"),
    ('\n    return output("y", y)', "", "line 1: the function model returns nothing"),
    ("x: f32[2],", "x,", "line 1: an input has a type"),
    ("x: f32[2],", "*, x: f32[2],", "line 1: the inputs of a graph are plain"),
    ("x: f32[2],", "x: f32[2] = 3,", "line 1: not a port"),
    ("def model(", "class model(", "this is not the text of a graph"),
    ("def model(", "import os\ndef model(", "the text of a graph is one function"),
    ("def model(", "\0def model(", "this is not the text of a graph"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), REFUSED, ids=[new[:40] for _, new, _ in REFUSED])
def test_a_text_of_something_else_is_refused(old, new, message):
    assert old in GOOD
    with pytest.raises(ParseError, match=message):
        parse(GOOD.replace(old, new))


def test_what_does_not_fit_an_op_is_the_ops_error():
    text = GOOD.replace("relu(x)", "relu(x, alpha=0.1)")
    with pytest.raises(TypeMismatchError, match="relu has no attribute alpha") as caught:
        parse(text)
    assert "in line 4 of the graph's text" in caught.value.__notes__


@pytest.mark.parametrize("seed", range(8))
def test_a_text_that_was_damaged_gives_a_graph_or_an_error_of_ours(seed, cases_of):
    """Random edits of good texts: whatever comes out, nothing else escapes."""
    generator = np.random.default_rng(seed)
    texts = [print_graph(case.differentiated("float32")[0]) for op in ops.ALL[seed::8] for case in cases_of(op)]
    pieces = [
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "-",
        "0",
        "9",
        "x0",
        "None",
        "nan",
        "f32",
        "N",
        "*",
        "=",
        '"',
        "\n",
        " ",
        ":",
        "relu",
        "True",
    ]
    for text in texts:
        for _ in range(4):
            at, length = generator.integers(len(text)), generator.integers(3)
            damaged = text[:at] + generator.choice(pieces) + text[at + length :]
            try:
                parse(damaged, {"c0": np.zeros(2, np.float32)})
            except IsogradError:
                continue


def test_types_of_every_kind_read_back():
    for dtype in DTYPES:
        graph = Graph()
        graph.output(graph.input("x", TensorType(dtype, (2, N, 2 * N + 1))), "y")
        graph.output(graph.input("s", TensorType(dtype, ())), "z")
        assert [p.value.type for p in parse(str(graph)).inputs] == [p.value.type for p in graph.inputs]
        assert dtype_of(dtype.short) == dtype


def test_decomposed_graphs_print_their_composites():
    graph = Graph()
    x = graph.input("x", f32(3))
    graph.output(ops.silu(x), "y")
    assert str(decompose(graph, keep=lambda node: False)).splitlines()[3:6] == [
        '    with scope("", kind="silu", x=x):',
        "        v1: f32[3] = sigmoid(x)",
        "        v2: f32[3] = multiply(x, v1)",
    ]
