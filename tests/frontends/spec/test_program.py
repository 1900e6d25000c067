"""Chains, named tensors, blocks and repetition: names, order, and what a model computes."""

import json

import numpy as np
import pytest

from isograd.frontends.spec import from_spec, read_spec
from isograd.ir.types import float32

X = np.random.default_rng(0).uniform(-1, 1, (3, 4)).astype(np.float32)
Z = np.random.default_rng(1).uniform(-1, 1, (3, 2)).astype(np.float32)


def relu(x):
    return np.maximum(x, 0)


def dense(p, name, x):
    return x @ p[f"{name}.kernel"] + p[f"{name}.bias"]


def test_a_chain(run):
    model = from_spec(
        {"input": "float32[N, 4]", "layers": [{"dense": {"units": 5, "activation": "relu"}}, {"Dense": 2}]}
    )
    p = model.parameters
    assert {k: v.shape for k, v in p.items()} == {
        "dense.kernel": (4, 5), "dense.bias": (5,), "dense_1.kernel": (5, 2), "dense_1.bias": (2,),
    }  # fmt: skip
    np.testing.assert_allclose(run(model, X), dense(p, "dense_1", relu(dense(p, "dense", X))), rtol=1e-5)
    assert [(q.path, str(q.value.type)) for q in model.inputs] == [("x", "f32[N, 4]")]
    assert [(q.path, str(q.value.type)) for q in model.outputs] == [("dense_1", "f32[N, 2]")]
    assert (model.name, model.state, model.recipe) == ("model", {}, None)


def test_scopes_and_origins(tmp_path):
    path = tmp_path / "mlp.yaml"
    path.write_text("input:\n  x: float32[N, 4]\nlayers:\n  - dense: 3\n  - relu\n  - dense: {units: 2, name: y}\n")
    model = from_spec(path)
    assert model.name == "mlp"
    assert model.source == f"mlp.yaml (sha256 {read_spec(path).document.digest})"
    found = [("/".join(n.scope.path), n.scope.kind, n.op.name, n.origin) for n in model.inference.nodes]
    assert found == [
        ("dense", "dense", "matmul", "mlp.yaml:4 (dense)"), ("dense", "dense", "add", "mlp.yaml:4 (dense)"),
        ("relu", "relu", "relu", "mlp.yaml:5 (relu)"),
        ("y", "dense", "matmul", "mlp.yaml:6 (dense)"), ("y", "dense", "add", "mlp.yaml:6 (dense)"),
    ]  # fmt: skip
    assert [q.value.name for q in model.inference.inputs] == ["x", "kernel", "bias", "kernel", "bias"]
    assert model.inference.outputs[0].value.name == "y"


def test_names_as_in_keras():
    layers = ["relu", {"dense": 4}, "relu", {"dense": {"units": 4, "name": "dense_1"}}, {"dense": 4}, "ReLU"]
    model = from_spec({"input": "float32[N, 4]", "layers": layers})
    scopes = list(dict.fromkeys(n.scope.name for n in model.inference.nodes))
    assert scopes == ["relu", "dense", "relu_1", "dense_1", "dense_2", "relu_2"]


TENSORS = """
input:
  a: float32[N, 4]
  b: float32[N, 2]
parameters:
  w: {shape: [4, 2], initializer: he_normal}
  c: {value: [0.5, -1]}
tensors:
  y: h * 2 + side      # needs what stands below
  h: tanh(a @ w + c)
  side: {sequential: [{dense: 3}, relu, {dense: 2}], of: b}
  total: {add: , of: [y, h, b]}
outputs: [total, h]
"""


def test_named_tensors(run):
    model = from_spec(TENSORS)
    p = model.parameters
    assert list(p) == ["w", "c", "side.dense.kernel", "side.dense.bias", "side.dense_1.kernel", "side.dense_1.bias"]
    assert p["c"].tolist() == [0.5, -1.0]
    h = np.tanh(X @ p["w"] + p["c"])
    side = dense(p, "side.dense_1", relu(dense(p, "side.dense", Z)))
    total, first = run(model, X, Z)
    np.testing.assert_allclose(first, h, rtol=1e-5)
    np.testing.assert_allclose(total, h * 2 + side + h + Z, rtol=1e-5)
    assert [q.path for q in model.outputs] == ["total", "h"]


def test_a_chain_and_tensors_know_each_other(run):
    model = from_spec({
        "input": {"x": "float32[N, 4]", "z": "float32[N, 2]"},
        "layers": [{"dense": 2, "of": "x", "name": "first"}, {"add": {"of": ["first", "scaled"], "name": "sum"}}],
        "tensors": {"scaled": "z * 3", "out": "sum - first"},
        "output": "out",
    })  # fmt: skip
    np.testing.assert_allclose(run(model, X, Z), Z * 3, atol=1e-6)


BLOCKS = """
input:
  x: float32[N, 4]
blocks:
  residual:
    arguments: {units: 8, act: relu, scale: 1}
    layers:
      - dense: {units: $units, activation: $act}
      - dense: {units: 4, name: out}
    tensors:
      result: out * $scale + x
    output: result
  twice:
    arguments: {of_units: null}
    layers:
      - residual: {units: $of_units, scale: 0.5}
        repeat: 2
layers:
  - residual
  - twice: 3
  - residual: {act: tanh, name: last}
"""


def test_blocks(run):
    model = from_spec(BLOCKS)
    p = model.parameters

    def residual(name, x, act=relu, scale=1.0):
        return dense(p, f"{name}.out", act(dense(p, f"{name}.dense", x))) * scale + x

    x = residual("residual", X)
    x = residual("twice.residual.1", residual("twice.residual.0", x, scale=0.5), scale=0.5)
    np.testing.assert_allclose(run(model, X), residual("last", x, act=np.tanh), rtol=1e-5)
    assert p["twice.residual.1.dense.kernel"].shape == (4, 3)
    assert p["residual.dense.kernel"].shape == (4, 8)
    scopes = [n.scope for n in model.inference.nodes if n.scope is not None and n.scope.name == "dense"]
    assert {"/".join(s.path): s.kind for s in scopes}["twice/residual.0/dense"] == "dense"
    assert {s.parent.kind for s in scopes} == {"residual"}


def test_a_block_of_several_inputs(run):
    model = from_spec({
        "inputs": {"q": "float32[N, 4]", "k": "float32[N, 4]"},
        "blocks": {"bilinear": {
            "inputs": ["left", "right"], "parameters": {"m": {"shape": [4, "$n"]}}, "arguments": {"n": 2},
            "tensors": {"y": "(left @ m) * (right @ m)"},
        }},
        "tensors": {"z": {"bilinear": 3, "of": ["q", "k"]}},
    })  # fmt: skip
    m = model.parameters["z.m"]
    np.testing.assert_allclose(run(model, X, -X), (X @ m) * (-X @ m), rtol=1e-5)


def test_repetition(run):
    model = from_spec(
        {"input": "float32[N, 4]", "layers": [{"dense": 4, "repeat": 3, "name": "d"}, {"add": {"of": ["d", "x"]}}]}
    )
    p = model.parameters
    assert list(p) == [f"d.{i}.{n}" for i in range(3) for n in ("kernel", "bias")]
    np.testing.assert_allclose(run(model, X), dense(p, "d.2", dense(p, "d.1", dense(p, "d.0", X))) + X, rtol=1e-5)


def test_several_inputs_of_several_types(run):
    model = from_spec({
        "input": {"ids": "int32[N, T]", "scale": "float32[]"},
        "tensors": {"e": {"embedding": {"input_dim": 5, "output_dim": 3}, "of": "ids"}, "y": "e * scale"},
    })  # fmt: skip
    ids = np.array([[0, 4], [2, 2]], np.int32)
    assert np.array_equal(run(model, ids, np.float32(2)), 2 * model.parameters["e.embeddings"][ids])
    assert str(model.outputs[0].value.type) == "f32[N, T, 3]"


def test_json_yaml_and_dict_are_the_same_model(tmp_path):
    data = {"name": "m", "seed": 3, "input": {"x": "float32[N, 4]"}, "layers": [{"dense": {"units": 2}}, "softmax"]}
    (tmp_path / "m.json").write_text(json.dumps(data, indent=2))
    (tmp_path / "m.yml").write_text("name: m\nseed: 3\ninput: {x: float32[N, 4]}\nlayers: [{dense: 2}, softmax]\n")
    models = [from_spec(s) for s in (data, tmp_path / "m.json", str(tmp_path / "m.yml"), read_spec(data))]
    for other in models[1:]:
        assert np.array_equal(models[0].parameters["dense.kernel"], other.parameters["dense.kernel"])
        assert str(models[0]) == str(other)


def test_element_types(run):
    model = from_spec({"input": "float64[N, 4]", "layers": [{"dense": 2}, "batch_normalization"]})
    assert {a.dtype for a in (*model.parameters.values(), *model.state.values())} == {np.dtype("float64")}
    assert run(model, X.astype(np.float64)).dtype == np.float64
    half = from_spec(
        {
            "input": "float32[N, 4]",
            "parameters": {"w": {"shape": [4, 2], "dtype": "float16"}},
            "tensors": {"y": "x @ cast(w, dtype='float32')"},
        }
    )
    assert half.parameters["w"].dtype == np.float16


def test_a_value_may_be_an_array(run):
    w = np.arange(8.0).reshape(4, 2)
    model = from_spec({"input": "float32[N, 4]", "parameters": {"w": {"value": w}}, "tensors": {"y": "x @ w"}})
    assert model.parameters["w"].dtype == float32.numpy
    np.testing.assert_allclose(run(model, X), X @ w, rtol=1e-5)


def test_big_models_are_quick():
    model = from_spec({"input": "float32[N, 4]", "layers": [{"dense": 4, "repeat": 2000}]})
    assert len(model.training.nodes) == 4000


CONVOLUTIONS = [
    {"conv2d": {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}},
    "batch_normalization",
    {"max_pooling2d": {}},
    {"conv2d": {"filters": 2, "kernel_size": [1, 2], "padding": "same"}},
    "global_average_pooling2d",
]


@pytest.mark.parametrize("mode", ["inference", "training"])
def test_free_sizes_give_what_fixed_ones_give(mode, run):
    free, fixed = (from_spec({"input": f"float32[{s}]", "layers": CONVOLUTIONS}) for s in ("N, H, W, 2", "2, 9, 6, 2"))
    x = np.random.default_rng(3).uniform(-1, 1, (2, 9, 6, 2)).astype(np.float32)
    np.testing.assert_allclose(run(free, x, mode=mode), run(fixed, x, mode=mode), rtol=1e-5)


def test_what_is_repeated_takes_further_tensors_as_they_are(run):
    spec = {
        "input": {"x": "float32[N, 4]", "bias": "float32[4]"},
        "blocks": {"a": {"input": ["p", "q"], "tensors": {"y": "2 * p + q"}}},
        "tensors": {"y": {"a": None, "repeat": 3, "of": ["x", "bias"]}},
    }
    x, bias = np.ones((2, 4), np.float32), np.arange(4, dtype=np.float32)
    np.testing.assert_allclose(run(from_spec(spec), x, bias), 8 * x + 7 * bias)
