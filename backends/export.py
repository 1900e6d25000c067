"""Models as programs of a framework: functions, modules, files."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from ..ir.errors import BackendUnavailableError, TypeMismatchError
from ..ir.graph import Graph
from ..ir.model import Model
from . import BACKENDS, runtime
from .emit import emit, is_model
from .program import as_tree, execute
from .python_runtime import PythonRuntime
from .runtime import Program
from .step import step_name

VERSION = "0.1.0"
PYTHON_TARGETS = ("numpy", "jax", "torch", "tensorflow")


def source(model: Model, target: str, graph: Graph | None = None) -> str:
    """The text of a model's module for a Python target."""
    graph = graph or model.inference
    made = runtime(target)
    if not isinstance(made, PythonRuntime):
        raise BackendUnavailableError(f"{target} has no Python module; there are {', '.join(PYTHON_TARGETS)}")
    return emit(graph, made.target, head(model, graph, made.target.style))


def head(model: Model, graph: Graph, style: str) -> str:
    """What a module says at its top: what it is, where it came from, how to use it."""
    short = re.sub(r"(?<=sha256 )(\w{12})\w+", r"\1...", model.source)
    origin = f" from {short}" if short else ""
    inputs = ", ".join(p.path for p in graph.ports("input"))
    outputs = ", ".join(p.path for p in graph.outputs if p.role not in ("parameter", "state"))
    stored = [root for root, role in (("params", "parameter"), ("state", "state")) if graph.ports(role)]
    if not is_model(graph):
        use = [f"results = {step_name(graph)}(params, state, {inputs})"]
    elif style == "modules":
        use = ['model = load("weights.safetensors")'] if stored else ["model = Model()"]
        use.append(f"{outputs} = model({inputs})")
    else:
        use = [f'{", ".join(stored)} = load("weights.safetensors")'] if stored else []
        returned = f"{outputs}, state" if "state" in stored else outputs
        use.append(f"{returned} = model({', '.join([*stored, inputs])})")
    lines = "\n".join(f"    {line}" for line in use)
    return f'"""{model.name}: emitted by isograd {VERSION}{origin}.\n\nUse it so:\n\n{lines}\n"""'


class CompiledModel:
    """A model ready to run on one backend: `run(*inputs, **named)` gives NumPy arrays, one where there is one output.

    `source` is the text of what runs.
    """

    def __init__(self, model: Model, program: Program) -> None:
        self.model, self.program = model, program
        self.source = program.source

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        names = [p.path for p in self.program.graph.ports("input")]
        given = dict(zip(names, inputs, strict=False)) | named
        unknown, missing = given.keys() - set(names), [n for n in names if n not in given]
        if unknown or missing or len(inputs) > len(names):
            raise TypeMismatchError(
                f"the model takes {', '.join(names)}; missing: {', '.join(missing) or 'none'}; "
                f"unknown: {', '.join(unknown) or 'none'}"
            )
        results = [self.program.to_numpy(r) for r in self.program(*(given[n] for n in names))]
        return results[0] if len(results) == 1 else tuple(results)


def compile_model(model: Model, backend: str = "numpy", device: str | None = None, **options: Any) -> CompiledModel:
    """The inference graph on a backend. Raises `BackendUnavailableError`, `UnsupportedOpError`."""
    made = runtime(backend)
    if isinstance(made, PythonRuntime):
        options["head"] = head(model, model.inference, made.target.style)
    program = made.compile(model.inference, device=device, **options)
    program.load(model.arrays(model.inference))
    return CompiledModel(model, program)


def _stored(model: Model, graph: Graph) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    arrays = model.arrays(graph)
    return {p: a for (r, p), a in arrays.items() if r == "parameter"}, {
        p: a for (r, p), a in arrays.items() if r == "state"
    }


def to_jax(model: Model) -> tuple[Any, ...]:
    """`(function, params)`, or `(function, params, state)` where the model has state.

    `function(params, *inputs)` gives the outputs, `function(params, state, *inputs)` outputs and state; both are pure,
    can be jitted and differentiated, and params is a tree by the source's names.
    """
    made = runtime("jax")
    assert isinstance(made, PythonRuntime)
    text = source(model, "jax")
    printed = execute(text, model.name)["model"]
    parameters, state = _stored(model, model.inference)

    def without_params(params: Any, *rest: Any) -> Any:
        return printed(*rest)

    function: Any = printed if parameters else without_params  # the printed text takes no tree that is empty
    function.source = text
    trees = [as_tree({k: made.put(v, made.devices()[0]) for k, v in arrays.items()}) for arrays in (parameters, state)]
    return (function, *trees) if state else (function, trees[0])


def _module(model: Model, target: str) -> Any:
    made = runtime(target)
    assert isinstance(made, PythonRuntime)
    text = source(model, target)
    module = execute(text, model.name)["Model"]()
    arrays = {path: a for store in _stored(model, model.inference) for path, a in store.items()}
    made.target.options["assign"](module, {k: made.put(v, "cpu") for k, v in arrays.items()}, "cpu")
    return module


def to_torch(model: Model) -> Any:
    """A `torch.nn.Module` with real parameters; its `state_dict` has the source's names and arrays, as they lie there.

    A filter that PyTorch wants with other axes is permuted where it is used, which costs no copy of the parameter.
    """
    return _module(model, "torch")


def to_tensorflow(model: Model) -> Any:
    """A `tf.Module` with real variables; `tf.saved_model.save` gives a SavedModel."""
    return _module(model, "tensorflow")


def to_onnx(model: Model, opset: int = 21) -> Any:
    """An `onnx.ModelProto` with the parameters as initializers by the source's names."""
    from .onnx import to_model

    return to_model(model.inference, name=model.name, opset=opset, initializers=model.arrays(model.inference))


def export(model: Model, target: str, folder: str | os.PathLike[str], *, training: Model | None = None) -> list[Path]:
    """Write the readable module and `weights.safetensors`, or `model.onnx`, into a folder; the files written.

    With `training` (of `training_step`), its step is written beside it as `train_step.py` (or `train_step.onnx`).
    Nothing is left half written: files are made in a folder beside it and moved when all are there.
    """
    if target not in (*BACKENDS, "onnx"):
        raise BackendUnavailableError(
            f"there is no target {target!r}; there are {', '.join([*PYTHON_TARGETS, 'onnx'])}"
        )
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".isograd-", dir=place))
    try:
        writers = (
            _onnx_files(model, training)
            if target in ("onnx", "onnxruntime")
            else _python_files(model, target, training)
        )
        for name, write in writers.items():
            write(draft / name)
        for name in writers:
            os.replace(draft / name, place / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [place / name for name in writers]


def _python_files(model: Model, target: str, training: Model | None) -> Mapping[str, Callable[[Path], Any]]:
    arrays = {path: np.ascontiguousarray(a) for (_, path), a in model.arrays(model.inference).items()}
    text = source(model, target)
    files: dict[str, Callable[[Path], Any]] = {f"{_identifier(model.name)}.py": lambda p: p.write_text(text)}
    if arrays:
        files["weights.safetensors"] = lambda p: save_file(arrays, p)
    if training is not None:
        step = source(training, target, training.training)
        files["train_step.py"] = lambda p: p.write_text(step)
    return files


def _onnx_files(model: Model, training: Model | None) -> Mapping[str, Callable[[Path], Any]]:
    import onnx

    from .onnx import to_model

    proto = to_onnx(model)
    files: dict[str, Callable[[Path], Any]] = {"model.onnx": lambda p: onnx.save_model(proto, p)}
    if training is not None:
        step = to_model(training.training, name=training.name)
        files["train_step.onnx"] = lambda p: onnx.save_model(step, p)
    return files


def _identifier(name: str) -> str:
    text = "".join(c if c.isalnum() else "_" for c in name)
    return text if text.isidentifier() else f"model_{text}"
