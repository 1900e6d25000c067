"""TensorFlow: padding with what lies at the border."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...ir import Node, ops
from ..fold import pairs
from ..rules import When


def _reflect(x: Any, *, low: Any, high: Any) -> Any:
    return tf.pad(x, pairs(low, high), "REFLECT")


def _symmetric(x: Any, *, low: Any, high: Any) -> Any:
    return tf.pad(x, pairs(low, high), "SYMMETRIC")


def _is(mode: str) -> Any:
    def condition(node: Node) -> bool:
        return bool(node.attributes["mode"] == mode)

    return condition


rows = {ops.pad_border: (When(_is("reflect"), _reflect), When(_is("symmetric"), _symmetric))}
