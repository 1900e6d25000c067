"""PyTorch: complex numbers."""

from __future__ import annotations

import torch

from ...ir import ops

rows = {
    ops.complex_of: torch.complex,
    ops.real: torch.real,
    ops.imaginary: torch.imag,
    ops.conjugate: torch.conj_physical,
    ops.complex_absolute: torch.abs,
    ops.angle: torch.angle,
}
