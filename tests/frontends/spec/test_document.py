"""Reading a spec: plain data, lines, and everything that is refused."""

import json

import numpy as np
import pytest

from isograd.frontends.spec.document import DEPTH, LIMIT, read_document
from isograd.ir.errors import SpecError


def refusal(source):
    with pytest.raises(SpecError) as caught:
        read_document(source)
    return str(caught.value)


def test_scalars_are_those_of_yaml_1_2():
    text = (
        "a: 1e-3\nb: no\nc: 010\nd: 0x1F\ne: .5\nf: -1.\ng: 1_000\nh: ~\ni: '1'\nj: 2001-01-01\nk: 1:30\nl: true\nm:\n"
    )
    assert read_document(text).data == {
        "a": 0.001, "b": "no", "c": 10, "d": 31, "e": 0.5, "f": -1.0, "g": "1_000", "h": None, "i": "1",
        "j": "2001-01-01", "k": "1:30", "l": True, "m": None,
    }  # fmt: skip


def test_a_type_within_braces_is_one_word():
    text = "input: {image: float32[N, 8, 8], mask: bool[N]}\nlist: [float32[N], a]\n"
    data = read_document(text).data
    assert data == {"input": {"image": "float32[N, 8, 8]", "mask": "bool[N]"}, "list": ["float32[N]", "a"]}


def test_lines():
    document = read_document("a: 1\nb:\n  - c\n  - {d: 1,\n     e: 2}\n\nf: |\n  text\ng: 3\n")
    places = {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "d"): 4, ("b", 1, "e"): 5, ("f",): 7, ("g",): 9}
    assert document.lines == places
    assert document.where(("b", 1, "e")) == "spec:5"
    assert document.where(("b", 1, "nothing", 3)) == "spec:4"
    assert read_document({"b": [{"d": 1}]}).where(("b", 0, "d")) == "spec: b[0].d"


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json", "YAML"])
def test_files(suffix, tmp_path):
    path = tmp_path / f"model.{suffix}"
    path.write_text('\ufeff{"a": [1, 2.5, "x", true, null],\n "b": {"c": "\\u00e9"}}\n', encoding="utf-8")
    document = read_document(path)
    assert document.data == {"a": [1, 2.5, "x", True, None], "b": {"c": "é"}}
    assert (document.name, document.base, len(document.digest)) == (str(path), tmp_path, 64)
    assert document.where(("b", "c")) == f"{path}:2"
    assert document.where(("b",), short=True) == f"model.{suffix}:2"


def test_a_dict_of_numpy_things():
    array = np.ones((2, 2))
    data = read_document({"a": (np.int64(3), np.float32(0.5)), "b": array}).data
    assert data == {"a": [3, 0.5], "b": array}
    assert type(data["a"][0]) is int


YAML_REFUSALS = {
    "a: 1\nb: !!python/object/apply:os.system ['touch hacked']\n": (
        "spec:2: the tag `!!python/object/apply:os.system` is refused: a spec is plain data and runs no code"
    ),
    "a: !custom x\n": "spec:1: the tag `!custom` is refused: a spec is plain data and runs no code",
    "a: !!str 1\n": "spec:1: the tag `!!str` is refused: a spec is plain data and runs no code",
    "a: &x [1]\nb: *x\n": (
        "spec:1: `&x`: a spec has no anchors and aliases; a block under `blocks` can be used often"
    ),
    "a: *x\n": "spec:1: `*x`: a spec has no anchors and aliases; a block under `blocks` can be used often",
    "a:\n  <<: {b: 1}\n": "spec:2: a spec has no merge keys (`<<`); a block under `blocks` can be used often",
    "a: 1\nb: 2\n\na: 3\n": "spec:4: the key 'a' stands here twice; the first is on line 1",
    "a: 1\n---\nb: 2\n": "spec:2: a spec is one document; `---` starts a second one",
    "? [1, 2]\n: 3\n": "spec:1: a key is a word, not a list or a mapping",
    "- a\n- b\n": "spec: a spec is a mapping of sections such as `input` and `layers`, not a list",
    "# nothing\n": "spec: a spec is a mapping of sections such as `input` and `layers`, not nothing",
    "a: [1, 2\nb: 3\n": "spec:2: this is not YAML: expected ',' or ']', but got ':'",
    "a: 1\n\tb: 2\n": "spec:2: this is not YAML: found character '\\t' that cannot start any token",
    "a: \x00\n": "spec: this is not YAML: unacceptable character #x0000: special characters are not allowed",
    f"a:\n  b: {'9' * 200}\n": "spec:2: the number 99999999999999999999... has 200 characters",
    f"a: {'[' * 100}\n": "spec:1: a spec nests at most 64 deep",
    "a: 1\n" * (LIMIT // 5 + 1): "spec: a spec may have 1,048,576 bytes, and this one has more",
}  # fmt: skip


@pytest.mark.parametrize("text", YAML_REFUSALS, ids=lambda text: text[:20].replace("\n", " "))
def test_yaml_that_is_refused(text):
    assert refusal(text) == YAML_REFUSALS[text]


def test_aliases_that_would_explode():
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    assert refusal("\n".join(lines)).startswith("spec:1: `&a0`: a spec has no anchors and aliases")


JSON_REFUSALS = {
    '{"a": 1,\n "a": 2}': ":2: the key 'a' stands here twice; the first is on line 1",
    '{"a": 1,\n b: 2}': ":2: this is not JSON: Expecting property name enclosed in double quotes",
    '{"a": NaN}': ": this is not JSON: NaN is not a number there",
    '{"a": -Infinity}': ": this is not JSON: -Infinity is not a number there",
    "{'a': 1}": ":1: this is not JSON: Expecting property name enclosed in double quotes",
    '{"a": ' + "[" * 70 + "]" * 70 + "}": ":1: a spec nests at most 64 deep",
    "[" * 500_000: ": a spec nests at most 64 deep",
    '{"a": ' + "9" * 5000 + "}": (
        ": this is not JSON: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; "
        "use sys.set_int_max_str_digits() to increase the limit"
    ),
    "[1]": ": a spec is a mapping of sections such as `input` and `layers`, not a list",
}


@pytest.mark.parametrize("text", JSON_REFUSALS, ids=lambda text: text[:20].replace("\n", " "))
def test_json_that_is_refused(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    assert refusal(path) == f"{path}{JSON_REFUSALS[text]}"


def test_json_with_tabs_and_long_lines(tmp_path):
    data = {"a": ["x" * 2000, {"b" * 30: list(range(1000))}], "c": "tab\t and \\ and \u2028"}
    for indent in (None, "\t", 2):
        path = tmp_path / "a.json"
        path.write_text(json.dumps(data, indent=indent))
        assert read_document(path).data == data


def test_files_that_are_none(tmp_path):
    assert refusal(tmp_path / "a.yaml") == f"{tmp_path / 'a.yaml'}: the spec cannot be read: No such file or directory"
    assert refusal("model.txt") == (
        "model.txt: a spec is a file that ends in .yaml, .yml or .json, a dict, or YAML text of several lines"
    )
    (tmp_path / "b.yaml").write_bytes(b"a: \xff\n")
    assert refusal(tmp_path / "b.yaml") == f"{tmp_path / 'b.yaml'}: a spec is UTF-8 text, but byte 3 is not"
    (tmp_path / "c.yaml").write_bytes(b"#" * (LIMIT + 1))
    assert (
        refusal(tmp_path / "c.yaml") == f"{tmp_path / 'c.yaml'}: a spec may have 1,048,576 bytes, and this one has more"
    )


def test_dicts_that_are_refused():
    assert refusal({"a": {1: 2}}) == "spec: a: a key is a word, not 1"
    assert refusal({"a": [{1, 2}]}) == "spec: a[0]: a spec holds numbers, words, lists and dicts, not a set"
    circle: dict = {}
    circle["a"] = circle
    assert refusal(circle) == f"spec: a spec nests at most {DEPTH} deep"
    wide: list = [0]
    for _ in range(20):
        wide = [wide] * 10
    assert refusal({"a": wide}) == "spec: a spec may have 1,000,000 parts, and this one has more"
