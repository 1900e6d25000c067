"""Every spec that is shown builds: the examples, and each block of docs/spec.md that is one."""

import re
from pathlib import Path

import numpy as np
import pytest

from isograd.frontends.spec import from_spec, read_spec, spec_data
from isograd.ir.verify import verify

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)
DOCUMENT = (ROOT / "docs/spec.md").read_text()
BLOCKS = [m[1] for m in FENCE.finditer(DOCUMENT) if re.search(r"^(layers|tensors):", m[1], re.M)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_builds_and_fits_its_data(path, run):
    spec = read_spec(path)
    model = from_spec(spec)
    assert model.recipe is not None
    data = spec_data(spec)
    for mode in ("inference", "training"):
        verify(model.graph(mode))
        y = run(model, data.x[:5], mode=mode)
        assert y.shape[: data.y.ndim] == data.y[:5].shape
        assert np.isfinite(y).all()


@pytest.mark.parametrize("text", BLOCKS, ids=[str(DOCUMENT[: DOCUMENT.index(b)].count("\n")) for b in BLOCKS])
def test_a_block_of_the_documentation_builds(text):
    model = from_spec(text)
    verify(model.inference)
    verify(model.training)


def test_the_documentation_has_blocks():
    assert len(BLOCKS) >= 8
