"""NumPy as a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..python_runtime import PythonRuntime
from . import TARGET


class NumpyRuntime(PythonRuntime):
    """NumPy on the CPU: needs nothing but itself."""

    name = "numpy"
    target = TARGET

    def version(self) -> str:
        return np.__version__

    def devices(self) -> Sequence[str]:
        return ("cpu",)

    def put(self, array: np.ndarray, device: str) -> Any:
        return np.array(array)

    def get(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def make(self, function: Callable[..., Any], device: str, options: Mapping[str, Any]) -> Callable[..., Any]:
        def quiet(*arguments: Any) -> Any:
            with np.errstate(all="ignore"):  # infinities and NaN are results here as on every backend
                return function(*arguments)

        return quiet
