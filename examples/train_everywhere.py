"""Train one model on every backend that is installed, and see the same losses."""

import isograd
from isograd.backends import installed
from isograd.frontends.data import load_data

data = load_data("digits")
model = isograd.from_spec(
    {
        "name": "digits",
        "seed": 1,
        "input": {"image": "float32[N, 8, 8]"},
        "layers": [
            "flatten",
            {"dense": {"units": 32, "activation": "relu"}},
            {"dense": {"units": 10, "activation": "softmax"}},
        ],
        "loss": "sparse_categorical_crossentropy",
        "optimizer": {"adam": {"learning_rate": 0.01}},
    }
)

for backend in installed():
    history = isograd.train(model, (data.x, data.y), backend=backend, steps=50)
    print(f"{backend:12}", " ".join(f"{loss:.6f}" for loss in history.losses[::10]))
