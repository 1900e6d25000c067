"""PyTorch: loops and branches as Python's own."""

from __future__ import annotations

from ...ir import ops
from ..flow import python_cond, python_scan, python_while
from ..rules import Statement

rows = {
    ops.scan: Statement(python_scan("torch.stack({})", "{}", "{}.flip(0)")),
    ops.while_loop: Statement(python_while),
    ops.cond: Statement(python_cond),
}
