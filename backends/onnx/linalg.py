"""ONNX: linear algebra, of which there is the determinant; `gaps.MISSING` says what is not."""

from __future__ import annotations

from ...ir import ops
from .lowering import op

rows = {ops.determinant: op("Det")}
