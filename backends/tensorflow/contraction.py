"""TensorFlow: products that sum."""

from __future__ import annotations

import operator

from ...ir import ops

rows = {ops.matmul: operator.matmul}
