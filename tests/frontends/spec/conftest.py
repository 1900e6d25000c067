"""What the tests of specs share: running a model by its ops' references, and the error of a bad spec."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from isograd.frontends.spec import from_spec
from isograd.ir.errors import SpecError
from isograd.ir.evaluate import run_reference
from isograd.ir.model import Model
from isograd.ir.verify import verify


def _run(model: Model, *inputs: Any, mode: str = "inference") -> dict[tuple[str, str], np.ndarray]:
    graph = model.graph(mode)
    verify(graph)
    given, arrays = iter(inputs), model.arrays(graph)
    values = [next(given) if p.role == "input" else arrays[p.role, p.path] for p in graph.inputs]
    return {(p.role, p.path): a for p, a in zip(graph.outputs, run_reference(graph, values), strict=True)}


@pytest.fixture
def run_all() -> Callable[..., dict[tuple[str, str], np.ndarray]]:
    """Every output of a model's graph, by role and path."""
    return _run


@pytest.fixture
def run() -> Callable[..., Any]:
    """The output of a model, or a tuple of them."""

    def outputs(model: Model, *inputs: Any, mode: str = "inference") -> Any:
        found = [a for (role, _), a in _run(model, *inputs, mode=mode).items() if role == "output"]
        return found[0] if len(found) == 1 else tuple(found)

    return outputs


@pytest.fixture
def layer(run: Callable[..., Any]) -> Callable[..., Any]:
    """`layer(item, *arrays)` applies one layer to arrays."""

    def apply(item: Any, *arrays: Any, mode: str = "inference", **changed: Any) -> Any:
        model = single(item, *arrays)
        return run(model.with_arrays(changed, {}), *arrays, mode=mode)

    return apply


def single(item: Any, *arrays: Any) -> Model:
    """A model of one layer, whose inputs have the arrays' types, the first axis being free."""
    names = [f"x{i}" for i in range(len(arrays))]
    types = {
        n: f"{a.dtype.name}[{', '.join(('N', *map(str, a.shape[1:])))}]" for n, a in zip(names, arrays, strict=True)
    }
    use = {item: None} if isinstance(item, str) else dict(item)
    return from_spec({"input": types, "tensors": {"y": use | {"of": names}}})


@pytest.fixture
def error() -> Callable[[Any], str]:
    """The whole message of a bad spec's error."""

    def message(spec: Any) -> str:
        with pytest.raises(SpecError) as caught:
            from_spec(spec)
        return str(caught.value)

    return message
