"""The command line, as a user types it: output, files, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isograd.backends import is_installed
from isograd.cli import app

ROOT = Path(__file__).parents[1]
DIGITS = str(ROOT / "examples" / "digits.yaml")


def isograd(*arguments: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "isograd.cli", *arguments], capture_output=True, text=True, cwd=cwd,
                          timeout=300, check=False, env={**os.environ, "COLUMNS": "120"})  # fmt: skip
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def test_train_on_numpy_and_save(tmp_path: Path) -> None:
    done = isograd("train", DIGITS, "--backend", "numpy", "--steps", "60", "--output", "trained", cwd=tmp_path)
    assert "60 steps" in done.stdout
    assert "test accuracy" in done.stdout
    shown = isograd("show", "trained", cwd=tmp_path)
    assert "matmul(" in shown.stdout


def test_train_as_json(tmp_path: Path) -> None:
    result = json.loads(isograd("train", DIGITS, "-b", "numpy", "--steps", "40", "--json", cwd=tmp_path).stdout)
    assert len(result["losses"]) == 40
    assert result["test_accuracy"] > 0.5


def test_show_code_of_the_step(tmp_path: Path) -> None:
    text = isograd("show", DIGITS, "--to", "numpy", "--training", cwd=tmp_path).stdout
    compile(text, "step", "exec")
    assert "def train_step(params, state, image, label):" in text


@pytest.mark.parametrize(("target", "file"), [("numpy", "digits.py"), ("onnx", "model.onnx")])
def test_convert(target: str, file: str, tmp_path: Path) -> None:
    done = isograd("convert", DIGITS, "--to", target, "--output", "out", "--training", cwd=tmp_path)
    assert (tmp_path / "out" / file).exists()
    assert done.stdout.count("wrote") == len(list((tmp_path / "out").iterdir()))
    assert not [p for p in (tmp_path / "out").iterdir() if p.name.startswith(".")]


def test_compare_two_backends_and_exit_codes(tmp_path: Path) -> None:
    other = "onnxruntime" if is_installed("onnxruntime") else "numpy"
    done = isograd("compare", DIGITS, "--backends", f"numpy,{other}", "--steps", "20", "--html", "r.html", cwd=tmp_path)
    assert done.stdout.count("same") == 2
    assert "<svg" in (tmp_path / "r.html").read_text()


class Differs:
    """A report of backends that do not compute the same."""

    ok, table = False, "all differ"

    def to_html(self, path: Path) -> None:
        """Write nothing."""


def test_what_differs_is_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isograd.equivalence.compare", lambda *a, **k: Differs())
    result = CliRunner().invoke(app, ["compare", DIGITS, "--html", str(tmp_path / "r.html")])
    assert (result.exit_code, "all differ" in result.stdout) == (1, True)


def test_backends_lists_what_is_there(tmp_path: Path) -> None:
    rows = json.loads(isograd("backends", "--json", cwd=tmp_path).stdout)
    assert {r["backend"] for r in rows} == {"numpy", "jax", "torch", "tensorflow", "onnxruntime"}
    assert next(r for r in rows if r["backend"] == "numpy")["devices"] == ["cpu"]


BAD = {
    "unknown layer": ("layers: [flatten, {dence: 3}]", "dense"),
    "misspelt key": ("layers: [flatten, {dense: {unit: 3}}]", "units"),
    "wrong shape": ("layers: [{conv2d: {filters: 2, kernel_size: 3}}]", "conv2d"),
    "missing input": ("tensors: {h: {dense: 3, of: y}}", "'y'"),
    "cycle": ("tensors: {a: b + 1, b: a + 1}", "need each other"),
    "code": ("layers: !!python/object/apply:os.system ['touch hacked']", "tag"),
    "aliases": ("layers: &a [*a, *a, *a]", "alias"),
    "huge": ("layers: [flatten, {dense: 100000000000}]", "elements"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_spec_is_one_clear_error(case: str, tmp_path: Path) -> None:
    text, words = BAD[case]
    (tmp_path / "bad.yaml").write_text(f"name: bad\ninput: {{x: 'float32[N, 8, 8]'}}\n{text}\n")
    done = isograd("show", "bad.yaml", cwd=tmp_path, code=2)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert "bad.yaml:3" in done.stderr
    assert words in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.yaml"]


def test_a_missing_file_and_an_unknown_backend(tmp_path: Path) -> None:
    assert "no file" in isograd("show", "nothing.yaml", cwd=tmp_path, code=2).stderr
    assert "numpy" in isograd("train", DIGITS, "--backend", "nunpy", cwd=tmp_path, code=2).stderr
    assert isograd("convert", DIGITS, "--to", "fortran", cwd=tmp_path, code=2).stderr.startswith("error: ")


def test_check_says_what_would_fail(tmp_path: Path) -> None:
    done = isograd("check", DIGITS, "--target", "numpy", "--target", "onnx", cwd=tmp_path)
    assert done.stdout == "numpy: ok\nonnx: ok\n"
    result = json.loads(isograd("check", DIGITS, "-t", "onnx", "--json", cwd=tmp_path).stdout)
    assert result == {"model": "digits", "ok": True, "targets": ["onnx"], "findings": []}
    assert "there is no target" in isograd("check", DIGITS, "-t", "caffe", cwd=tmp_path, code=2).stderr


def test_check_fails_where_something_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isograd.backends.check.is_installed", lambda name: False)
    done = CliRunner().invoke(app, ["check", DIGITS, "-t", "jax"])
    assert done.exit_code == 1
    assert "fails: not installed: jax in inference. pip install 'isograd[jax]'" in done.stdout
