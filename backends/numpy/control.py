"""NumPy: loops and branches as Python's own."""

from __future__ import annotations

from ...ir import ops
from ..flow import python_cond, python_scan, python_while
from ..rules import Statement

rows = {
    ops.scan: Statement(python_scan("np.stack({})", "{}", "{}[::-1]")),
    ops.while_loop: Statement(python_while),
    ops.cond: Statement(python_cond),
}
