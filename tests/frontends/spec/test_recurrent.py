"""Recurrent layers with masks, and both ways, against Keras in a child process."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from isograd.frontends.spec import from_spec
from isograd.ir.errors import SpecError

_MISSING = [name for name in ("keras", "tensorflow") if importlib.util.find_spec(name) is None]
MASK = [[True, False, True, True, False], [False, True, True, False, True]]
CASES = [
    ("LSTM", {"units": 3, "return_sequences": True}, None),
    ("GRU", {"units": 3, "return_sequences": True, "zero_output_for_mask": True}, None),
    ("GRU", {"units": 3, "zero_output_for_mask": True}, None),
    ("SimpleRNN", {"units": 3, "go_backwards": True, "return_sequences": True}, None),
    ("LSTM", {"units": 3, "return_sequences": True}, "concat"),
    ("GRU", {"units": 3}, "sum"),
    ("SimpleRNN", {"units": 3}, "mul"),
    ("LSTM", {"units": 3, "return_sequences": True}, "ave"),
]
CHILD = """
    import json, sys
    import keras, numpy as np

    folder = sys.argv[1]
    given = np.load(f"{folder}/given.npz")
    results = {}
    for i, (name, options, merge) in enumerate(json.load(open(f"{folder}/cases.json"))):
        layer = getattr(keras.layers, name)(**options)
        if merge:
            layer = keras.layers.Bidirectional(layer, merge_mode=merge)
        layer.build(given["x"].shape)
        for n, variable in enumerate(layer.weights):
            variable.assign(given[f"{i}:{n}"])
        results[f"{i}"] = np.asarray(layer(given["x"], mask=given["mask"]))
    np.savez(f"{folder}/results.npz", **results)
"""


def model_of(name, options, merge):
    layer = {"bidirectional": {"layer": {name: options}, "merge_mode": merge}} if merge else {name: options}
    inputs = {"x": "float32[N, T, 4]", "mask": "bool[N, T]"}
    model = from_spec({"input": inputs, "tensors": {"y": layer | {"of": ["x", "mask"]}}})
    generator = np.random.default_rng(6)
    arrays = {p: generator.uniform(-0.7, 0.7, a.shape).astype(np.float32) for p, a in model.parameters.items()}
    return model.with_arrays(arrays, {})


@pytest.fixture(scope="module")
def keras_results(tmp_path_factory):
    if _MISSING:
        pytest.skip(f"not installed: {', '.join(_MISSING)}")
    folder = tmp_path_factory.mktemp("keras")
    given = {"x": X, "mask": np.array(MASK)}
    for i, case in enumerate(CASES):
        given |= {f"{i}:{n}": a for n, a in enumerate(model_of(*case).parameters.values())}
    np.savez(folder / "given.npz", **given)
    (folder / "cases.json").write_text(json.dumps(CASES))
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(folder)]
    child = subprocess.run(command, env=os.environ | {"KERAS_BACKEND": "tensorflow"}, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr[-4000:]
    return np.load(folder / "results.npz")


X = np.random.default_rng(3).uniform(-1, 1, (2, 5, 4)).astype(np.float32)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{CASES[i][2]}-{i}")
def test_masks_and_both_ways_are_those_of_keras(number, keras_results, run_all):
    for found in run_all(model_of(*CASES[number]), X, np.array(MASK)).values():
        np.testing.assert_allclose(found, keras_results[f"{number}"], rtol=2e-5, atol=2e-6)


def test_the_forget_gate_begins_open():
    model = from_spec({"input": "float32[N, T, 4]", "layers": [{"lstm": 2}]})
    assert model.parameters["lstm.bias"].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    plain = from_spec({"input": "float32[N, T, 4]", "layers": [{"lstm": {"units": 2, "unit_forget_bias": False}}]})
    assert not plain.parameters["lstm.bias"].any()


def test_a_sequence_has_three_axes():
    with pytest.raises(SpecError, match=r"spec: layers\[0\].*lstm: takes a tensor \[N, T, C\], not f32\[N, 4\]"):
        from_spec({"input": "float32[N, 4]", "layers": [{"lstm": 2}]})


def test_both_ways_is_not_said_twice():
    layer = {"bidirectional": {"layer": {"gru": {"units": 2, "go_backwards": True, "return_sequences": True}}}}
    with pytest.raises(SpecError, match="leave go_backwards out"):
        from_spec({"input": "float32[N, T, 4]", "layers": [layer]})
