"""PyTorch as a runtime."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import torch

from ..python_runtime import PythonRuntime
from . import TARGET


class TorchRuntime(PythonRuntime):
    """PyTorch, eager; `torch.compile` where the option `compile=True` asks for it."""

    name = "torch"
    target = TARGET

    def version(self) -> str:
        return str(torch.__version__)

    def devices(self) -> Sequence[str]:
        if not torch.cuda.is_available():
            return ("cpu",)
        others = [f"cuda:{i}" for i in range(1, torch.cuda.device_count())]
        return ("cuda", *others, "cpu")

    def put(self, array: np.ndarray, device: str) -> Any:
        if array.dtype.name == "bfloat16":  # NumPy has it from elsewhere, so the two speak of it as bits only
            return torch.from_numpy(np.array(array).view(np.uint16)).view(torch.bfloat16).to(device)
        return torch.from_numpy(np.array(array)).to(device)

    def get(self, array: Any) -> np.ndarray:
        found = array.detach().cpu()
        if found.dtype == torch.bfloat16:
            return found.contiguous().view(torch.uint16).numpy().view(ml_dtypes.bfloat16)  # type: ignore[no-any-return]
        return found.numpy()  # type: ignore[no-any-return]

    def make(self, function: Callable[..., Any], device: str, options: Mapping[str, Any]) -> Callable[..., Any]:
        quiet = torch.no_grad()(function)
        chosen = torch.compile(quiet) if options.get("compile") else quiet
        if options.get("compile"):
            _make_importable(function)
        return chosen if device == "cpu" else _made_on(device, chosen)


def _make_importable(function: Callable[..., Any]) -> None:
    """`torch.compile` imports the module of what it compiles by name; a printed one is no file."""
    names = inspect.unwrap(getattr(function, "forward", function)).__globals__
    module = types.ModuleType(names["__name__"])
    module.__dict__.update(names)
    sys.modules.setdefault(module.__name__, module)


def _made_on(device: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the numbers and counts that it makes on a device: the code names none."""

    def placed(*arguments: Any) -> Any:
        with torch.device(device):
            return function(*arguments)

    return placed
