"""PyTorch: functions made of logarithms, exponentials and angles."""

from __future__ import annotations

import torch

from ...ir import ops

rows = {
    ops.exp2: torch.exp2,
    ops.log2: torch.log2,
    ops.log10: torch.log10,
    ops.sinc: torch.sinc,
    ops.logit: torch.logit,
    ops.arctan2: torch.atan2,
    ops.hypot: torch.hypot,
    ops.logaddexp: torch.logaddexp,
    ops.xlogy: torch.xlogy,
    ops.xlog1py: torch.special.xlog1py,
}
