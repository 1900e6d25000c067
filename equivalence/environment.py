"""What the numbers depend on besides the program: versions, devices, threads, and the switches of fast modes."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "XLA_FLAGS")


def machine() -> dict[str, str]:
    """This machine and interpreter, and the variables that set threads."""
    found = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
    }
    return found | {name: os.environ[name] for name in _THREADS if name in os.environ}


def switches(backend: str) -> dict[str, str]:
    """The switches of a backend's framework that change its numbers, as they are in this process."""
    read = _READERS.get(backend)
    if read is None:
        return {}
    found = {}
    for name, value in read().items():
        try:
            found[name] = str(value())
        except (AttributeError, RuntimeError, KeyError):  # another release names it differently
            found[name] = "unknown"
    return found


Reader = dict[str, Callable[[], Any]]


def _numpy() -> Reader:
    return {"blas": _blas}


def _blas() -> str:
    built: Any = np.show_config(mode="dicts")
    blas = built["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def _torch() -> Reader:
    torch = sys.modules["torch"]
    return {
        "threads": lambda: torch.get_num_threads(),
        "TF32 in products": lambda: torch.backends.cuda.matmul.allow_tf32,
        "TF32 in cuDNN": lambda: torch.backends.cudnn.allow_tf32,
        "float32 product precision": lambda: torch.get_float32_matmul_precision(),
        "deterministic algorithms": lambda: torch.are_deterministic_algorithms_enabled(),
        "oneDNN": lambda: torch.backends.mkldnn.is_available(),
    }


def _tensorflow() -> Reader:
    config = sys.modules["tensorflow"].config
    return {
        "threads": lambda: config.threading.get_intra_op_parallelism_threads() or "all",
        "TF32": lambda: config.experimental.tensor_float_32_execution_enabled(),
        "oneDNN": lambda: os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "flushes denormals": lambda: True,
    }


def _jax() -> Reader:
    config = sys.modules["jax"].config
    return {
        "product precision": lambda: config.jax_default_matmul_precision or "default",
        "64-bit types": lambda: config.jax_enable_x64,
        "flushes denormals": lambda: config.jax_platforms in (None, "", "cpu"),
    }


def _onnxruntime() -> Reader:
    session = sys.modules["onnxruntime"]
    return {"providers": lambda: ", ".join(session.get_available_providers())}


_READERS: dict[str, Callable[[], Reader]] = {
    "numpy": _numpy,
    "torch": _torch,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "onnxruntime": _onnxruntime,
}
