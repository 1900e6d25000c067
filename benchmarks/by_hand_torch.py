"""The training steps of `step_time.py` as a person writes them in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
Step = Callable[[], float]
RATE = {"sgd": 0.05, "adam": 1e-3}


def torch_step(case: str, optimizer: str, parameters: Arrays, x: np.ndarray, y: np.ndarray) -> Step:
    import torch
    from torch import nn

    if case == "conv":
        net = nn.Sequential(nn.Conv2d(1, 16, 3, 2), nn.ReLU(), nn.Conv2d(16, 16, 3, 2), nn.ReLU(), nn.Flatten(),
                            nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))  # fmt: skip
        x = x.transpose(0, 3, 1, 2)
    elif case == "lstm":
        net = _torch_lstm()
    elif case == "transformer":
        net = _torch_transformer()
    else:
        net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    _give_torch(net, case, parameters)
    make = {
        "sgd": lambda p: torch.optim.SGD(p, lr=RATE["sgd"]),
        "adam": lambda p: torch.optim.Adam(p, lr=RATE["adam"], eps=1e-7),
    }
    update = make[optimizer](net.parameters())
    images, labels = torch.from_numpy(x.copy()), torch.from_numpy(y).long()
    criterion = nn.CrossEntropyLoss()

    def run() -> float:
        update.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        update.step()
        return float(loss.detach())

    return run


def _torch_lstm() -> Any:
    from torch import nn

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.dense = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0][:, -1])

    return Last()


def _torch_transformer() -> Any:
    import torch.nn.functional as F
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(256, 1e-3), nn.LayerNorm(256, 1e-3)
            self.query, self.key, self.value, self.out = (nn.Linear(256, 256) for _ in range(4))
            self.up, self.down = nn.Linear(256, 1024), nn.Linear(1024, 256)

        def forward(self, x: Any) -> Any:
            h = self.norm1(x)
            q, k, v = (f(h).unflatten(-1, (4, 64)).transpose(1, 2) for f in (self.query, self.key, self.value))
            x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Sequential(*(Block() for _ in range(4)))
            self.dense = nn.Linear(256, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.block(x).mean(1))

    return Encoder()


def _give_torch(net: Any, case: str, parameters: Arrays) -> None:
    """The same weights in PyTorch's layouts: filters OIHW, dense kernels transposed, flattened channels first."""
    import torch

    if case == "lstm":
        kernels = {
            "lstm.weight_ih_l0": "lstm.kernel", "lstm.weight_hh_l0": "lstm.recurrent_kernel",
            "lstm.bias_ih_l0": "lstm.bias", "dense.weight": "dense.kernel", "dense.bias": "dense.bias",
        }  # fmt: skip
        given = {name: torch.from_numpy(parameters[k].T.copy()) for name, k in kernels.items()}
        net.load_state_dict(given | {"lstm.bias_hh_l0": torch.zeros(512)})
        net.lstm.bias_hh_l0.requires_grad_(False)
        return
    if case == "transformer":
        ends = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}
        pairs = ((path.rpartition("."), a) for path, a in parameters.items())
        net.load_state_dict({f"{layer}.{ends[end]}": torch.from_numpy(a.T.copy()) for (layer, _, end), a in pairs})
        return
    names = ["conv2d", "conv2d_1", "dense", "dense_1"] if case == "conv" else ["dense", "dense_1", "dense_2"]
    layers = [m for m in net if hasattr(m, "weight")]
    for name, layer in zip(names, layers, strict=True):
        kernel = parameters[f"{name}.kernel"]
        if kernel.ndim == 4:
            weight = kernel.transpose(3, 2, 0, 1)
        elif case == "conv" and name == "dense":
            weight = kernel.reshape(6, 6, 16, 64).transpose(3, 2, 0, 1).reshape(64, 576)
        else:
            weight = kernel.T
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            layer.bias.copy_(torch.from_numpy(parameters[f"{name}.bias"].copy()))
