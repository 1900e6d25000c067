"""Programs out: the table of backends, and what can be asked of them."""

from __future__ import annotations

from functools import cache
from importlib import import_module, util

from ..ir.errors import BackendUnavailableError
from .runtime import Program, Runtime

# name -> (module and class of its runtime, the framework that it needs, the extra that installs it)
BACKENDS = {
    "numpy": ("numpy.runtime:NumpyRuntime", "numpy", ""),
    "jax": ("jax.runtime:JaxRuntime", "jax", "jax"),
    "torch": ("torch.runtime:TorchRuntime", "torch", "torch"),
    "tensorflow": ("tensorflow.runtime:TensorflowRuntime", "tensorflow", "tensorflow"),
    "onnxruntime": ("onnxruntime:OnnxRuntime", "onnxruntime", "onnxruntime"),
}


def is_installed(name: str) -> bool:
    """Whether the framework of a backend can be imported; does not import it."""
    return util.find_spec(BACKENDS[name][1]) is not None


def installed() -> list[str]:
    """The backends whose frameworks are there, in the order of the table."""
    return [name for name in BACKENDS if is_installed(name)]


@cache
def runtime(name: str) -> Runtime:
    """The runtime of a backend; imports its framework. Raises `BackendUnavailableError`."""
    if name not in BACKENDS:
        raise BackendUnavailableError(f"there is no backend {name!r}; there are {', '.join(BACKENDS)}")
    place, framework, extra = BACKENDS[name]
    if not is_installed(name):
        raise BackendUnavailableError(
            f"the backend {name!r} needs {framework}, which is not installed: pip install 'isograd[{extra}]'"
        )
    module, _, made = place.partition(":")
    return getattr(import_module(f".{module}", __package__), made)()  # type: ignore[no-any-return]


__all__ = ["BACKENDS", "Program", "Runtime", "installed", "is_installed", "runtime"]
