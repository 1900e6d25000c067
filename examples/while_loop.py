"""A loop whose number of iterations depends on the data, on every backend: `while sum(x) > 1: x = tanh(x)`.

python examples/while_loop.py
"""

import numpy as np

import isograd
from isograd.ir import Graph, TensorType, control, ops
from isograd.ir.types import float32


def shrink(max_iterations: int | None = None) -> isograd.Model:
    """The loop as a model: x in; out, and their sum."""
    graph = Graph("shrink")
    x = graph.input("x", TensorType(float32, (3,)))
    (out,) = control.while_loop(
        lambda x: ops.reduce_sum(x) > 1.0, lambda x: [ops.tanh(x)], [x], max_iterations=max_iterations
    )
    graph.output(out, "out")
    graph.output(ops.reduce_sum(out), "total")
    return isograd.Model.of(graph)


def main() -> None:
    x = np.array([0.5, 1.5, -0.3], np.float32)
    loop = shrink()
    slope = isograd.grad(shrink(max_iterations=20), of="total", wrt="x")  # a bound makes it differentiable
    print(loop)
    for model in (loop, slope):
        print(isograd.compare(model, inputs=x))
    out, total = loop.compile("numpy")(x)
    print(f"{x} -> {out}, sum {total:.6f}; its gradient {slope.compile('numpy')(x)}")


if __name__ == "__main__":
    main()
