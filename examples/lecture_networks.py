"""The three networks of the lectures: on MNIST where its files are given, on scikit-learn's digits otherwise.

python examples/lecture_networks.py [--mnist FOLDER_OR_NPZ] [--backend jax] [--steps 300]
"""

import argparse

import isograd
from isograd.frontends.data import load_data

NETWORKS = {
    "softmax regression": {
        "layers": ["flatten", {"dense": {"units": 10, "activation": "softmax"}}],
        "optimizer": {"sgd": {"learning_rate": 0.5}},
    },
    "perceptron": {
        "layers": [
            "flatten",
            {"dense": {"units": 16, "activation": "relu"}},
            {"dense": {"units": 16, "activation": "relu"}},
            {"dense": {"units": 10, "activation": "softmax"}},
        ],
        "optimizer": {"sgd": {"learning_rate": 0.1}},
    },
    "convolutional": {
        "layers": [
            {"conv2d": {"filters": 16, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"}},
            {"conv2d": {"filters": 16, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"}},
            "flatten",
            {"dense": {"units": 64, "activation": "relu"}},
            {"dense": {"units": 10, "activation": "softmax"}},
        ],
        "optimizer": {"sgd": {"learning_rate": 0.1}},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", default=None, help="mnist.npz, or the folder of the four gzipped idx files")
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    data = load_data("mnist", path=options.mnist) if options.mnist else load_data("digits")
    size = data.x.shape[1]
    for name, network in NETWORKS.items():
        shape = [{"reshape": [size, size, 1]}] if name == "convolutional" else []
        spec = {
            "name": name.replace(" ", "_"),
            "seed": 1,
            "input": {"image": f"float32[N, {size}, {size}]"},
            "loss": "sparse_categorical_crossentropy",
            **network,
            "layers": [*shape, *network["layers"]],
        }
        model = isograd.from_spec(spec)
        history = isograd.train(model, (data.x, data.y), backend=options.backend, steps=options.steps, batch_size=100)
        predicted = history.model.compile(options.backend)(data.x_test).argmax(-1)
        accuracy = (predicted == data.y_test).mean()
        print(f"{data.name}: {name:18} loss {history.losses[-1]:.3f}, test accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
