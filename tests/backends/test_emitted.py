"""Emitted modules: fixed texts, and that they run without isograd."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from encoder import Encoder
from models import CONVNET, PERCEPTRON, SEQUENCES, images, model

import isograd
from isograd.backends import is_installed
from isograd.backends.export import PYTHON_TARGETS, source

GOLDEN = Path(__file__).parent.parent / "golden"
TARGETS = [t for t in PYTHON_TARGETS if is_installed(t)]

MODELS = {
    "perceptron": lambda: model(PERCEPTRON),
    "convnet": lambda: model(CONVNET),
    "sequences": lambda: model(SEQUENCES),
    "encoder": lambda: Encoder().model(),
}
LINES = {"encoder": 120, "encoder_step": 250}  # of twelve equal blocks

ALONE = """
import sys
sys.path.insert(0, {folder!r})
class Refuse:
    def find_spec(self, name, path=None, target=None):
        assert name.partition('.')[0] != 'isograd', 'the emitted module imports isograd'
sys.meta_path.insert(0, Refuse())
import numpy as np
x = np.load({folder!r} + '/x.npy')
"""
USES = {
    "numpy": "import {name} as m; y = m.model(m.load({weights!r}), x)",
    "jax": "import {name} as m; y = m.model(m.load({weights!r}), x)",
    "torch": "import {name} as m, torch; y = m.load({weights!r})(torch.from_numpy(x)).detach().numpy()",
    "tensorflow": "import {name} as m; y = m.load({weights!r})(x)",
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", [f"{m}{end}" for m in MODELS for end in ("", "_step")])
def test_texts_are_the_fixed_ones(name: str, target: str) -> None:
    """A change of style shows as a diff; ISOGRAD_GOLDEN=write makes the files anew."""
    made = MODELS[name.removesuffix("_step")]()
    step = isograd.training_step(made)
    text = source(step, target, step.training) if name.endswith("_step") else source(made, target)
    file = GOLDEN / f"{name}.{target}.py.txt"
    if os.environ.get("ISOGRAD_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()
    assert len(text.splitlines()) <= LINES.get(name, 1000)


@pytest.mark.parametrize("target", TARGETS)
def test_module_runs_without_isograd(target: str, tmp_path: Path) -> None:
    made = model(PERCEPTRON)
    isograd.export(made, target, tmp_path)
    x = images(3)[0]
    np.save(tmp_path / "x.npy", x)
    use = USES[target].format(name="perceptron", weights=str(tmp_path / "weights.safetensors"))
    code = ALONE.format(folder=str(tmp_path)) + use + f"\nnp.save({str(tmp_path / 'y.npy')!r}, np.asarray(y))"
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=120, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""}
    )
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), made.compile("numpy")(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_modules_are_formatted(target: str, tmp_path: Path) -> None:
    """Long lines broken, nothing unused, nothing undefined: ruff finds nothing to say."""
    for name, make in MODELS.items():
        made = make()
        step = isograd.training_step(made)
        (tmp_path / f"{name}.py").write_text(source(made, target))
        (tmp_path / f"{name}_step.py").write_text(source(step, target, step.training))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "E,F,I",
            "--line-length",
            "120",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
