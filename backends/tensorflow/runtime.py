"""TensorFlow as a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..python_runtime import PythonRuntime
from . import TARGET


class TensorflowRuntime(PythonRuntime):
    """TensorFlow, as a graph (`tf.function`)."""

    name = "tensorflow"
    target = TARGET
    closes_over = True

    def version(self) -> str:
        return str(tf.__version__)

    def devices(self) -> Sequence[str]:
        count = len(tf.config.list_logical_devices("GPU"))
        return (*(f"cuda:{i}" if i else "cuda" for i in range(count)), "cpu")

    def _device(self, name: str) -> str:
        kind, _, index = name.partition(":")
        return f"{'GPU' if kind == 'cuda' else 'CPU'}:{index or 0}"

    def put(self, array: np.ndarray, device: str) -> Any:
        with tf.device(self._device(device)):
            return tf.identity(tf.constant(array))

    def hold(self, array: np.ndarray, device: str) -> Any:
        with tf.device(self._device(device)):
            return tf.Variable(array)

    def get(self, array: Any) -> np.ndarray:
        return np.asarray(array.numpy())  # of a bfloat16 scalar, TensorFlow's own conversion makes no array

    def make(self, function: Callable[..., Any], device: str, options: Mapping[str, Any]) -> Callable[..., Any]:
        graph = (
            function
            if hasattr(function, "get_concrete_function")
            else tf.function(function, reduce_retracing=True, autograph=False)
        )
        place = self._device(device)

        def placed(*arguments: Any) -> Any:
            with tf.device(place):
                return graph(*arguments)

        return placed
