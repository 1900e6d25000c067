"""Every bad spec is one clear error: the place, what is wrong, and the nearest valid name."""

import contextlib
import math
import re
from pathlib import Path

import numpy as np
import pytest

from isograd.frontends.spec import from_spec, read_spec
from isograd.ir.errors import SpecError, TypeMismatchError

VECTOR = "input: {x: float32[N, 8]}\n"
MANY = "with its blocks unfolded a spec may have 10,000 layers, and this one has more"
CASES = [
    (case["text"], case["message"])
    for section in (Path(__file__).with_name("bad_specs.txt").read_text() + "\n").split("\n==== ")[1:]
    for case in re.finditer(r"\n\n(?P<text>(?:[^\n]+\n)+?)=> (?P<message>[^\n]+)", section)
]


@pytest.mark.parametrize(("text", "message"), CASES, ids=[message[:60] for _, message in CASES])
def test_a_bad_spec(text, message, error):
    assert error(text) == message


def test_the_cases_are_read():
    assert len(CASES) > 120
    assert len({text for text, _ in CASES}) == len(CASES)


def test_blocks_that_would_explode(error):
    pairs = "".join(f"  b{i}: {{layers: [b{i + 1}, b{i + 1}]}}\n" for i in range(20))
    message = error(VECTOR + "blocks:\n" + pairs + "  b20: {layers: [relu]}\nlayers: [b0]\n")
    assert message == f"spec:21: {MANY} (in the block 'b18', used at spec:20) (in the block 'b17', used at spec:19)"


def test_blocks_that_nest_too_deep(error):
    chain = "".join(f"  b{i}: {{layers: [b{i + 1}]}}\n" for i in range(5000))
    message = error(VECTOR + "blocks:\n" + chain + "  b5000: {layers: [relu]}\nlayers: [b0]\n")
    assert message.startswith("spec:34: blocks may nest 32 deep, and these nest deeper (in the block 'b31', ")
    nested = "relu"
    for _ in range(30):
        nested = f"{{sequential: [{nested}]}}"
    assert len(from_spec(VECTOR + f"layers: [{nested}]\n").inference.nodes[0].scope.path) == 31


def test_the_file_is_named(tmp_path):
    path = tmp_path / "my-model.yaml"
    path.write_text(VECTOR + "layers:\n  - dense: 4\n")
    assert from_spec(path).name == "my_model"
    path.write_text(VECTOR + "layers:\n  - dnese: 4\n")
    with pytest.raises(SpecError) as caught:
        from_spec(path)
    assert str(caught.value) == f"{path}:3: unknown layer 'dnese'; did you mean 'dense'?"


def test_a_dict_names_the_keys(error):
    head = {"input": "float32[N, 4]"}
    assert error(head | {"layers": ["relu", {"dense": {"unit": 3}}]}) == (
        "spec: layers[1].dense.unit: dense has no option 'unit'; did you mean 'units'?"
    )
    assert error(head | {"layers": ["relu", {"conv2d": {"filters": 3, "kernel_size": 1}}]}) == (
        "spec: layers[1].conv2d: conv2d: takes a tensor [N, H, W, C], not f32[N, 4]"
    )
    assert error({"layers": ["relu"]}) == "spec: a spec needs the section 'input', such as `input: {x: float32[N, 8]}`"


def test_the_cause_is_kept():
    with pytest.raises(SpecError) as caught:
        from_spec(VECTOR + "parameters:\n  w: {shape: [9, 2]}\ntensors:\n  y: x @ w\n")
    assert isinstance(caught.value.__cause__, TypeMismatchError)
    assert caught.value.__cause__.__notes__ == ["in matmul(<x: f32[N, 8]>, <w: f32[9, 2]>)", "at spec:5 (formula)"]


def test_reading_alone_finds_what_needs_no_sizes():
    with pytest.raises(SpecError, match=r"^spec:3: unknown layer 'dnese'; did you mean 'dense'\?$"):
        read_spec(VECTOR + "layers:\n  - dnese: 4\n")
    assert read_spec(VECTOR + "layers:\n  - conv2d: {filters: 3, kernel_size: 3}\n").name == "model"


def test_the_budget_can_be_set():
    spec = {"input": "float32[N, 4]", "layers": [{"dense": 3}]}
    assert from_spec(spec, budget=15).parameters["dense.kernel"].size == 12
    with pytest.raises(SpecError, match="exceeds the 14 that are allowed"):
        from_spec(spec, budget=14)


GOOD = {
    "name": "m",
    "seed": 1,
    "input": {"x": "float32[N, 4]"},
    "parameters": {"w": {"shape": [4, 2], "initializer": "ones"}},
    "blocks": {"b": {"arguments": {"n": 2}, "layers": [{"dense": "$n"}]}},
    "layers": [{"dense": {"units": 4, "activation": "relu"}}, {"b": {"n": 3}}, {"add": {"of": ["b", "b"]}}],
    "tensors": {"y": "x @ w"},
    "output": ["add", "y"],
    "loss": {"add": "mse", "y": {"mse": None}},
    "loss_weights": {"y": 2.0},
    "optimizer": {"sgd": {"learning_rate": 0.1}},
    "metrics": ["accuracy"],
    "data": {"name": "digits"},
    "train": {"steps": 3},
}
WRONG = [
    None,
    True,
    -1,
    2.5,
    math.nan,
    "",
    "no such",
    "x",
    [],
    [[]],
    {},
    {"": 0},
    {"x": {"x": []}},
    np.zeros(2),
    10**30,
]


def test_no_spec_is_a_crash():
    """Whatever stands in the place of a part, the answer is a model or a SpecError."""
    from_spec(GOOD)
    for place in places(GOOD):
        for value in WRONG:
            spec = replaced(GOOD, place, value)
            with contextlib.suppress(SpecError):
                from_spec(spec)


def places(part, here=()):
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in items:
        yield (*here, key)
        yield from places(item, (*here, key))


def replaced(part, place, value):
    if not place:
        return value
    copy = dict(part) if isinstance(part, dict) else list(part)
    copy[place[0]] = replaced(part[place[0]], place[1:], value)
    return copy
