"""Loops, branches and recurrent layers, written a second time: as what they are short for, one sample at a time."""

from __future__ import annotations

import numpy as np


def cell(h, x, w, v):
    new = np.tanh(x + h @ (w @ v))
    return [new], [new * x]


def powers(x, a):
    return [x * a], []


def two(x, s):
    return [np.tanh(x) * s, s + np.linalg.norm(x) ** 2], []


BODIES = {"cell": cell, "powers": powers, "two": two}


def unrolled(*operands, body, carries, xs=0, reverse=False, length=None):
    """A scan, written as what it is short for: the body again and again."""
    carry, sequences, captured = operands[:carries], operands[carries : carries + xs], operands[carries + xs :]
    steps = list(zip(*sequences, strict=True)) if xs else [()] * length
    stacked = []
    for elements in steps[::-1] if reverse else steps:
        carry, row = BODIES[body.name](*carry, *elements, *captured)
        stacked.append(row)
    columns = [np.array(c) for c in zip(*(stacked[::-1] if reverse else stacked), strict=True)]
    return (*carry, *columns)


def shrunk(x, factors, limit, *, condition, body, carries, max_iterations=None):
    """The loop of the samples: how many steps it takes, then one power."""
    steps = next(n for n in range(99) if n == max_iterations or np.sum((x * factors**n) ** 2) <= limit)
    return x * factors**steps


def branch(predicate, x, y, *, then, otherwise):
    return (2 * x, x * y) if predicate else (x**2, np.tanh(y))


SHAPES = {
    "tanh": np.tanh,
    "sigmoid": lambda v: 0.5 + 0.5 * np.tanh(0.5 * v),
    "relu": lambda v: np.maximum(v, 0),
    "hard_sigmoid": lambda v: np.clip(v / 6 + 0.5, 0, 1),
    "softsign": lambda v: v / (1 + np.abs(v)),
}


def over_time(cell, x, states, mask, reverse, zero_output, time_axis):
    """Each sample of the batch by itself, one step after the other."""
    sequences = x if time_axis else x.swapaxes(0, 1)
    masks = np.ones(sequences.shape[:2], bool) if mask is None else (mask if time_axis else mask.T)
    outputs, finals = [], []
    for n, sequence in enumerate(sequences):
        state, last = [s[n] for s in states], np.zeros_like(states[0][n])
        rows = [None] * len(sequence)
        for t in range(len(sequence))[:: -1 if reverse else 1]:
            if masks[n, t]:
                state = cell(sequence[t], *state)
                last = state[0]
            rows[t] = last if masks[n, t] or not zero_output else np.zeros_like(last)
        outputs.append(rows)
        finals.append(state)
    outputs = np.array(outputs)
    return (outputs if time_axis else outputs.swapaxes(0, 1), *map(np.array, zip(*finals, strict=True)))


def parts_of(matrix, order):
    return dict(zip(order, np.split(matrix, len(order), -1), strict=True))


def lstm(
    x, h, c, kernel, recurrent, bias, mask=None, *, activation="tanh", recurrent_activation="sigmoid", reverse=False,
    zero_output=False, time_axis=1, gates="ifgo",
):  # fmt: skip
    act, gate = SHAPES[activation], SHAPES[recurrent_activation]

    def cell(x, h, c):
        z = parts_of(x @ kernel + h @ recurrent + (0 if bias is None else bias), gates)
        c = gate(z["f"]) * c + gate(z["i"]) * act(z["g"])
        return gate(z["o"]) * act(c), c

    return over_time(cell, x, (h, c), mask, reverse, zero_output, time_axis)


def gru(
    x, h, kernel, recurrent, bias, recurrent_bias=None, mask=None, *, activation="tanh", recurrent_activation="sigmoid",
    reset_after=True, reverse=False, zero_output=False, time_axis=1, gates="zrn",
):  # fmt: skip
    act, gate = SHAPES[activation], SHAPES[recurrent_activation]
    w, u = parts_of(kernel, gates), parts_of(recurrent, gates)
    b = parts_of(np.zeros(kernel.shape[1]) if bias is None else bias, gates)
    v = parts_of(np.zeros(kernel.shape[1]) if recurrent_bias is None else recurrent_bias, gates)

    def cell(x, h):
        z, r = (gate(x @ w[k] + b[k] + h @ u[k] + v[k]) for k in "zr")
        inner = r * (h @ u["n"] + v["n"]) if reset_after else (r * h) @ u["n"] + v["n"]
        new = act(x @ w["n"] + b["n"] + inner)
        return (new + z * (h - new),)

    return over_time(cell, x, (h,), mask, reverse, zero_output, time_axis)


def simple_rnn(
    x, h, kernel, recurrent, bias, mask=None, *, activation="tanh", reverse=False, zero_output=False, time_axis=1
):
    def cell(x, h):
        return (SHAPES[activation](x @ kernel + h @ recurrent + (0 if bias is None else bias)),)

    return over_time(cell, x, (h,), mask, reverse, zero_output, time_axis)


SECOND = {
    "scan": unrolled,
    "while_loop": shrunk,
    "cond": branch,
    "lstm": lstm,
    "gru": gru,
    "simple_rnn": simple_rnn,
}
