"""`torch.compile` on request: the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from models import CONVNET, images, model

import isograd
from isograd.backends import is_installed, runtime


@pytest.mark.slow
@pytest.mark.skipif(not is_installed("torch"), reason="needs PyTorch")
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_compiled_steps_give_the_eager_losses() -> None:
    step = isograd.training_step(model(CONVNET))
    losses = []
    for compiled in (False, True):
        program = runtime("torch").compile(step.training, compile=compiled)
        program.load(step.arrays(step.training))
        losses.append([float(program.to_numpy(program(*images(16))[0])) for _ in range(4)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    np.testing.assert_allclose(
        model(CONVNET).compile("torch", compile=True)(images(4)[0]),
        model(CONVNET).compile("numpy")(images(4)[0]),
        atol=1e-5,
    )
