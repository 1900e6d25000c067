"""What every op computes, written a second time: element by element, by other means than the op's own reference.

The reference is what all backends are compared with, so nothing else would see an error in it.
"""

import itertools
import math
import operator
import statistics

import numpy as np
import pytest
import second_control
from elementwise_values import SECOND as ELEMENTWISE

from isograd.ir import ops
from isograd.ir.evaluate import reference_of, run_reference
from isograd.ir.types import bool_

NO_OPERANDS_TO_TRY = {"constant", "size"}


def each(function):
    """A function of numbers as one of arrays."""
    return lambda *arrays: np.vectorize(function, otypes=[float])(*arrays) if np.broadcast(*arrays).size else 0.0


def normal_cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def gelu(x, *, approximate=False):
    if approximate:
        return each(lambda v: v / (1.0 + math.exp(-2.0 * math.sqrt(2.0 / math.pi) * (v + 0.044715 * v**3))))(x)
    return each(lambda v: v * normal_cdf(v))(x)


def rows(x, axis):
    """The vectors along an axis, as a list, and how to put vectors in their places."""
    moved = np.moveaxis(x, axis, -1)
    flat = moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])
    return list(flat), lambda made: np.moveaxis(np.array(made).reshape(moved.shape), -1, axis)


def softmax(x, *, axis=-1):
    vectors, back = rows(x, axis)
    return back([[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in vectors])


def gathered(x, axes):
    """For each place that is left, the elements that a reduction sees there, in order."""
    axes = tuple(range(x.ndim)) if axes is None else tuple(a % x.ndim for a in axes)
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = [x.shape[i] for i in kept]
    found = np.empty(shape, object)
    for place in itertools.product(*map(range, shape)):
        index = [slice(None)] * x.ndim
        for axis, i in zip(kept, place, strict=True):
            index[axis] = i
        found[place] = list(x[tuple(index)].ravel())
    return found, tuple(1 if i in axes else n for i, n in enumerate(x.shape))


def reduction(function):
    def reduced(x, *, axes=None, keepdims=False):
        found, kept_shape = gathered(np.asarray(x), axes)
        result = np.array([float(function(v)) for v in found.ravel()]).reshape(found.shape)
        return result.reshape(kept_shape) if keepdims else result

    return reduced


def variance(v):
    return math.fsum((a - math.fsum(v) / len(v)) ** 2 for a in v) / len(v)


def position(best):
    def found(x, *, axis=-1, dtype=None):
        elements, _ = gathered(x, (axis,))
        return np.array([v.index(best(v)) for v in elements.ravel()]).reshape(elements.shape)

    return found


def matmul(x, y):
    shape = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = np.broadcast_to(x, (*shape, *x.shape[-2:])), np.broadcast_to(y, (*shape, *y.shape[-2:]))
    result = np.zeros((*shape, x.shape[-2], y.shape[-1]))
    for place in np.ndindex(*result.shape):
        *stack, i, j = place
        result[place] = math.fsum(x[(*stack, i, k)] * y[(*stack, k, j)] for k in range(x.shape[-1]))
    return result


def taps(sizes, kernel, strides, padding, dilations):
    """Each window position, with the place in the kernel and in the input of each of its elements that is inside."""
    counts = [
        (n + a + b - ((k - 1) * d + 1)) // s + 1
        for n, k, s, (a, b), d in zip(sizes, kernel, strides, padding, dilations, strict=True)
    ]
    for out in np.ndindex(*counts):
        for tap in np.ndindex(*kernel):
            place = tuple(
                o * s + t * d - a for o, s, t, d, (a, _) in zip(out, strides, tap, dilations, padding, strict=True)
            )
            if all(0 <= p < n for p, n in zip(place, sizes, strict=True)):
                yield out, tap, place


def arranged(x, source, target):
    return np.einsum(x, [source.index(c) for c in source], [source.index(c) for c in target])


def products(x, w, g, sizes, *, strides, padding, dilations, groups=1, layout="NHWC", filter_layout="HWIO"):
    """The sum of x w g over all that a convolution multiplies, with one of the three left out (None): its gradient."""
    letters = "".join(c for c in layout if c not in "NC")
    x = None if x is None else arranged(x, layout, "NC" + letters)
    w = None if w is None else arranged(w, filter_layout, "OI" + letters)
    g = None if g is None else arranged(g, layout, "NC" + letters)
    image = sizes if x is None else x.shape[2:]
    kernel = sizes if w is None else w.shape[2:]
    n = (g if x is None else x).shape[0]
    outputs = (g if w is None else w).shape[0 if w is not None else 1]
    inputs = x.shape[1] // groups if w is None else w.shape[1]
    positions = [
        (m + a + b - (k - 1) * d - 1) // s + 1
        for m, k, s, (a, b), d in zip(image, kernel, strides, padding, dilations, strict=True)
    ]
    shapes = (n, inputs * groups, *image), (outputs, inputs, *kernel), (n, outputs, *positions)
    result = np.zeros(shapes[[x is None, w is None, g is None].index(True)])
    for out, tap, place in taps(image, kernel, strides, padding, dilations):
        for o in range(outputs):
            group = o // (outputs // groups)
            for i in range(inputs):
                c = group * inputs + i
                if g is None:
                    result[(slice(None), o, *out)] += x[(slice(None), c, *place)] * w[(o, i, *tap)]
                elif w is None:
                    result[(o, i, *tap)] += (x[(slice(None), c, *place)] * g[(slice(None), o, *out)]).sum()
                else:
                    result[(slice(None), c, *place)] += w[(o, i, *tap)] * g[(slice(None), o, *out)]
    source, target = ("OI" + letters, filter_layout) if w is None else ("NC" + letters, layout)
    return arranged(result, source, target)


def windows(x, *, window, strides, padding, layout="NHWC", **_):
    """x with its spatial axes last, and for each window position what is inside, as places in x, row-major."""
    letters = "".join(c for c in layout if c not in "NC")
    found = {}
    moved = arranged(x, layout, "NC" + letters)
    for out, _, place in taps(moved.shape[2:], window, strides, padding, (1,) * len(window)):
        found.setdefault(out, []).append(place)
    counts = [
        (m + a + b - k) // s + 1 for m, k, s, (a, b) in zip(moved.shape[2:], window, strides, padding, strict=True)
    ]
    return moved, found, counts, ("NC" + letters, layout)


def largest(moved, places, n, c):
    return max(places, key=lambda p: moved[(n, c, *p)])


def max_pool(x, **a):
    return max_pool_select(x, x, **a)


def max_pool_select(t, x, **a):
    moved, found, counts, names = windows(x, **a)
    chosen = arranged(t, names[1], names[0])
    result = np.zeros((*moved.shape[:2], *counts))
    for out, places in found.items():
        for n, c in np.ndindex(*moved.shape[:2]):
            result[(n, c, *out)] = chosen[(n, c, *largest(moved, places, n, c))]
    return arranged(result, *names)


def max_pool_gradient(g, x, **a):
    moved, found, _, names = windows(x, **a)
    g = arranged(g, names[1], names[0])
    result = np.zeros(moved.shape)
    for out, places in found.items():
        for n, c in np.ndindex(*moved.shape[:2]):
            result[(n, c, *largest(moved, places, n, c))] += g[(n, c, *out)]
    return arranged(result, *names)


def average_pool(x, *, count_padding=False, **a):
    moved, found, counts, names = windows(x, **a)
    result = np.zeros((*moved.shape[:2], *counts))
    for out, places in found.items():
        share = math.prod(a["window"]) if count_padding else len(places)
        result[(slice(None), slice(None), *out)] = sum(moved[(slice(None), slice(None), *p)] for p in places) / share
    return arranged(result, *names)


def average_pool_gradient(g, *, sizes, count_padding=False, **a):
    layout = a.get("layout", "NHWC")
    known = dict(zip("".join(c for c in layout if c not in "NC"), sizes, strict=True))
    x = np.zeros([known.get(c, g.shape[i]) for i, c in enumerate(layout)])
    moved, found, _, names = windows(x, **a)
    g, every = arranged(g, names[1], names[0]), slice(None)
    for out, places in found.items():
        share = math.prod(a["window"]) if count_padding else len(places)
        for p in places:
            moved[(every, every, *p)] += g[(every, every, *out)] / share
    return arranged(moved, *names)


def moved_elements(x, shape, source):
    """An array of a shape whose element at each place comes from `source(place)` in x."""
    result = np.zeros(shape, x.dtype)
    for place in np.ndindex(*shape):
        result[place] = x[source(place)]
    return result


def transpose(x, *, axes):
    axes = [a % x.ndim for a in axes]
    shape = tuple(x.shape[a] for a in axes)
    return moved_elements(x, shape, lambda place: tuple(place[axes.index(i)] for i in range(x.ndim)))


def broadcast_to(x, *, shape):
    def source(place):
        return tuple(i if n > 1 else 0 for i, n in zip(place[len(shape) - x.ndim :], x.shape, strict=True))

    return moved_elements(x, shape, source)


def sliced(x, *, starts, stops, steps):
    shape = tuple(len(range(a, b, c)) for a, b, c in zip(starts, stops, steps, strict=True))
    return moved_elements(x, shape, lambda p: tuple(a + i * c for a, i, c in zip(starts, p, steps, strict=True)))


def padded(x, value, *, low, high, interior):
    shape = [n + a + b + max(n - 1, 0) * i for n, a, b, i in zip(x.shape, low, high, interior, strict=True)]
    result = np.full(shape, value)
    for place in np.ndindex(*x.shape):
        result[tuple(a + p * (i + 1) for a, p, i in zip(low, place, interior, strict=True))] = x[place]
    return result


def reversed_along(x, *, axes):
    axes = {a % x.ndim for a in axes}
    return moved_elements(
        x,
        x.shape,
        lambda p: tuple(n - 1 - i if a in axes else i for a, (i, n) in enumerate(zip(p, x.shape, strict=True))),
    )


def take(x, indices, *, axis=0):
    axis %= x.ndim
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    end = axis + indices.ndim
    return moved_elements(x, shape, lambda p: (*p[:axis], indices[p[axis:end]], *p[end:]))


def scatter_add(g, indices, *, axis=0, size):
    end = axis + indices.ndim
    result = np.zeros((*g.shape[:axis], size, *g.shape[end:]))
    for place in np.ndindex(*g.shape):
        result[(*place[:axis], indices[place[axis:end]], *place[end:])] += g[place]
    return result


def normalized(x, mean, variance, scale, offset, epsilon):
    y = (x - mean) / np.sqrt(variance + epsilon)
    return y * (1.0 if scale is None else scale) + (0.0 if offset is None else offset)


def along(v, x, axis):
    return None if v is None else np.asarray(v).reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def batch_norm_inference(x, scale, offset, mean, variance, *, axis=-1, epsilon=1e-3):
    return normalized(x, *(along(v, x, axis) for v in (mean, variance, scale, offset)), epsilon)


def batch_norm(x, scale=None, offset=None, *, axis=-1, epsilon=1e-3):
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, spread = reduction(lambda v: math.fsum(v) / len(v))(x, axes=others), reduction(variance)(x, axes=others)
    return batch_norm_inference(x, scale, offset, mean, spread, axis=axis, epsilon=epsilon), mean, spread


def layer_norm(x, scale=None, offset=None, *, axes=(-1,), epsilon=1e-3):
    mean = reduction(lambda v: math.fsum(v) / len(v))(x, axes=axes, keepdims=True)
    return normalized(x, mean, reduction(variance)(x, axes=axes, keepdims=True), scale, offset, epsilon)


def cross_entropy(logits, targets):
    return -(targets * np.log(softmax(logits))).sum(-1)


def one_hot(labels, *, depth, dtype=None):
    return np.array([[float(label == i) for i in range(depth)] for label in labels.ravel()]).reshape(
        *labels.shape, depth
    )


def squares32(counter, key):
    """Widynski's, in Python's own integers."""
    mask = 2**64 - 1
    x = y = counter * key & mask
    z = y + key & mask
    for addend in (y, z, y):
        x = x * x + addend & mask
        x = x >> 32 | x << 32 & mask
    return (x * x + z & mask) >> 32


def philox4x32(counter, key):
    """Salmon's, in Python's own integers: the words of one block, the lowest first."""
    mask, (a, b) = 2**32 - 1, (key & 2**32 - 1, key >> 32)
    w = [counter >> 32 * i & mask for i in range(4)]
    for _ in range(10):
        p, q = w[0] * 0xD2511F53, w[2] * 0xCD9E8D57
        w = [q >> 32 ^ w[1] ^ a, q & mask, p >> 32 ^ w[3] ^ b, p & mask]
        a, b = a + 0x9E3779B9 & mask, b + 0xBB67AE85 & mask
    return w


def threefry2x32(high, low, key):
    mask, keys = 2**32 - 1, [key & 2**32 - 1, key >> 32]
    keys.append(keys[0] ^ keys[1] ^ 0x1BD11BDA)
    x, y = high + keys[0] & mask, low + keys[1] & mask
    for i, turn in enumerate((13, 15, 26, 6, 17, 29, 16, 24) * 3):
        if i % 4 == 0 and i:
            x, y = x + keys[i // 4 % 3] & mask, y + keys[(i // 4 + 1) % 3] + i // 4 & mask
        if i == 20:
            return x, y
        x = x + y & mask
        y = x ^ (y << turn & mask | y >> 32 - turn)


def whole(words):
    return sum(int(w) << 32 * i for i, w in enumerate(words))


def random_words(key, counter, shape, generator="squares"):
    key, start = whole(key), whole(counter)
    draw = {
        "squares": lambda i: squares32((start + i) % 2**64, key),
        "philox": lambda i: philox4x32((start + i // 4) % 2**128, key)[i % 4],
        "threefry": lambda i: operator.xor(*threefry2x32((start + i >> 32) % 2**32, (start + i) % 2**32, key)),
    }[generator]
    return np.array([draw(i) for i in range(math.prod(shape))], np.uint64).reshape(shape)


def random_bits(key, counter, *, shape, width=32, generator="squares"):
    return random_words(key, counter, shape, generator) // np.uint64(2 ** (32 - width))


def random_uniform(key, counter, *, shape, generator="squares"):
    drawn = random_words(key, counter, shape, generator)
    if generator == "philox":
        return (drawn % np.uint64(2**23)) / 2.0**23
    bits = {"squares": 24, "threefry": 23}[generator]
    return np.floor(drawn / 2.0 ** (32 - bits)) / 2.0**bits


def random_mask(key, counter, *, shape, rate, generator="squares"):
    if generator == "threefry":
        return random_uniform(key, counter, shape=shape, generator=generator) < np.float32(1.0 - rate)
    if generator == "philox":
        return random_uniform(key, counter, shape=shape, generator=generator) >= np.float32(rate)
    return random_words(key, counter, shape).astype(float) >= round(rate * 2**32)


def threefry_2x32(key, high, low):
    drawn = [threefry2x32(int(a), int(b), whole(key)) for a, b in zip(high.ravel(), low.ravel(), strict=True)]
    return np.array(drawn).T.reshape(2, *high.shape)


def dropout(x, key, counter, *, rate, shared=(), generator="squares"):
    shape = [1 if i - x.ndim in shared or i in shared else n for i, n in enumerate(x.shape)]
    kept = random_mask(key, counter, shape=shape, rate=rate, generator=generator)
    return np.where(kept, x / (1.0 - rate) if rate < 1.0 else 0.0, 0.0)


def random_normal(key, counter, *, shape, generator="squares"):
    if generator == "philox":
        count = math.prod(shape)
        u, v = random_uniform(key, counter, shape=(count + 1 & ~1,), generator=generator).reshape(-1, 2).T
        turned = np.stack([np.sin(2 * np.pi * v), np.cos(2 * np.pi * v)], 1)
        return (turned * np.sqrt(-2 * np.log(np.maximum(u, 1e-7)))[:, None]).ravel()[:count].reshape(shape)
    if generator == "threefry":
        u = 2 * random_uniform(key, counter, shape=shape, generator=generator) - (1 - 2.0**-24)
        return np.vectorize(statistics.NormalDist().inv_cdf, otypes=[float])((u + 1) / 2)
    u, v = random_uniform(key, counter, shape=(2, *shape), generator=generator)
    return -np.cos(np.pi * v) * np.sqrt(2 * np.log(1 / (1 - u)))


def alpha_dropout(x, key, counter, *, rate, generator="squares"):
    """As Keras writes it."""
    kept = random_mask(key, counter, shape=x.shape, rate=rate, generator=generator)
    lowest = -1.7580993408473766
    a = ((1 - rate) * (1 + rate * lowest**2)) ** -0.5
    return a * np.where(kept, x, lowest) - a * lowest * rate


def random_categorical(logits, key, counter, *, axis=-1, generator="squares"):
    u = random_uniform(key, counter, shape=logits.shape, generator=generator)
    return np.argmax(np.exp(logits) / -np.log(u), axis)


def advance_counter(counter, *, amount):
    total = int(counter[0]) + (int(counter[1]) << 32) + amount
    return np.array([total % 2**32, total // 2**32 % 2**32])


def sloped(negative):
    return lambda x, *, alpha=None: each(lambda v: v if v > 0 else negative(v, alpha))(x)


SELU = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


SECOND = {
    **second_control.SECOND,
    "add": each(lambda x, y: math.fsum((x, y))),
    "subtract": each(lambda x, y: math.fsum((x, -y))),
    "multiply": each(lambda x, y: x / (1.0 / y)),
    "divide": each(lambda x, y: x * (1.0 / y)),
    "power": each(lambda x, y: math.exp(y * math.log(x))),
    "maximum": each(max),
    "minimum": each(min),
    "negative": each(lambda x: 0.0 - x),
    "absolute": each(math.fabs),
    "sign": each(lambda x: (x > 0) - (x < 0)),
    "floor": each(math.floor),
    "ceil": each(math.ceil),
    "round": each(round),
    "square": each(lambda x: math.pow(x, 2)),
    "sqrt": each(lambda x: math.exp(0.5 * math.log(x))),
    "rsqrt": each(lambda x: math.exp(-0.5 * math.log(x))),
    "reciprocal": each(lambda x: x**-1),
    **{
        name: each(getattr(math, name))
        for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh")
    },
    "arcsin": each(math.asin),
    "arccos": each(math.acos),
    "arctan": each(math.atan),
    "tanh": each(math.tanh),
    "erf": each(lambda x: 1.0 - math.erfc(x)),
    "sigmoid": each(lambda x: 0.5 + 0.5 * math.tanh(0.5 * x)),
    "equal": each(lambda x, y: x - y == 0),
    "not_equal": each(lambda x, y: x - y != 0),
    "less": each(lambda x, y: y - x > 0),
    "less_equal": each(lambda x, y: y - x >= 0),
    "greater": each(lambda x, y: x - y > 0),
    "greater_equal": each(lambda x, y: x - y >= 0),
    "logical_and": each(min),
    "logical_or": each(max),
    "logical_xor": each(lambda x, y: abs(int(x) - int(y))),
    "logical_not": each(lambda x: 1 - int(x)),
    "isnan": each(math.isnan),
    "isfinite": each(math.isfinite),
    "where": each(lambda c, x, y: x if c else y),
    "arange": lambda *, size, dtype: np.array(list(range(size))),
    "reshape": lambda x, *, shape: np.array(list(x.flat)).reshape(shape),
    "transpose": transpose,
    "broadcast_to": broadcast_to,
    "concatenate": lambda *xs, axis=0: np.array(
        [v for moved in (np.moveaxis(x, axis, 0) for x in xs) for v in moved]
    ).swapaxes(0, axis),
    "slice": sliced,
    "pad": padded,
    "reverse": reversed_along,
    "cast": lambda x, *, dtype: each(bool if dtype == bool_ else int if dtype.is_integer else float)(x),
    "stop_gradient": each(float),
    "reduce_sum": reduction(math.fsum),
    "reduce_max": reduction(max),
    "reduce_min": reduction(min),
    "reduce_mean": reduction(lambda v: math.fsum(v) / len(v)),
    "reduce_variance": reduction(variance),
    "log_sum_exp": reduction(lambda v: math.log(math.fsum(map(math.exp, v)))),
    "argmax": position(max),
    "argmin": position(min),
    "matmul": matmul,
    "conv": lambda x, w, **a: products(x, w, None, None, **a),
    "conv_input_gradient": lambda g, w, *, sizes, **a: products(None, w, g, sizes, **a),
    "conv_filter_gradient": lambda x, g, *, sizes, **a: products(x, None, g, sizes, **a),
    "max_pool": max_pool,
    "max_pool_gradient": max_pool_gradient,
    "max_pool_select": max_pool_select,
    "average_pool": average_pool,
    "average_pool_gradient": average_pool_gradient,
    "take": take,
    "scatter_add": scatter_add,
    "one_hot": one_hot,
    "relu": sloped(lambda v, alpha: 0.0),
    "relu6": each(lambda x: sorted((0.0, x, 6.0))[1]),
    "hard_sigmoid": each(lambda x: sorted((0.0, x / 6.0 + 0.5, 1.0))[1]),
    "silu": each(lambda x: x / (1.0 + math.exp(-x))),
    "softplus": each(lambda x: math.log(1.0 + math.exp(x))),
    "log_sigmoid": each(lambda x: -math.log(1.0 + math.exp(-x))),
    "softsign": each(lambda x: x / (1.0 + abs(x))),
    "step": each(lambda x: x > 0),
    "selu": each(lambda x: SELU[1] * (x if x > 0 else SELU[0] * (math.exp(x) - 1.0))),
    "leaky_relu": sloped(lambda v, alpha: (0.01 if alpha is None else alpha) * v),
    "elu": sloped(lambda v, alpha: (1.0 if alpha is None else alpha) * (math.exp(v) - 1.0)),
    "gelu": gelu,
    "softmax": softmax,
    "log_softmax": lambda x, *, axis=-1: np.log(softmax(x, axis=axis)),
    "maxout": lambda x, *, pieces: np.array(
        [max(v[i : i + pieces]) for v in rows(x, -1)[0] for i in range(0, x.shape[-1], pieces)]
    ).reshape(*x.shape[:-1], -1),
    "batch_norm": batch_norm,
    "batch_norm_inference": batch_norm_inference,
    "layer_norm": layer_norm,
    "softmax_cross_entropy": cross_entropy,
    "sparse_softmax_cross_entropy": lambda x, labels: cross_entropy(x, one_hot(labels, depth=x.shape[-1])),
    "sigmoid_cross_entropy": each(
        lambda x, t: -t * math.log(1.0 / (1.0 + math.exp(-x))) - (1.0 - t) * math.log(1.0 / (1.0 + math.exp(x)))
    ),
    "random_mask": random_mask,
    "random_bits": random_bits,
    "random_uniform": random_uniform,
    "threefry_2x32": threefry_2x32,
    "random_range": lambda key, counter, *, low, high, **how: low + (high - low) * random_uniform(key, counter, **how),
    "random_normal": random_normal,
    "random_integers": lambda key, counter, *, shape, low, high, **how: (
        low + np.fmod(random_words(key, counter, shape, **how).astype(float), high - low)
    ),
    "random_bernoulli": lambda p, *source, **how: random_uniform(*source, shape=p.shape, **how) < p,
    "random_categorical": random_categorical,
    "random_permutation": lambda key, counter, *, size, **how: np.argsort(
        random_words(key, counter, (size,), **how), kind="stable"
    ),
    "gaussian_noise": lambda x, *source, deviation, **how: x + deviation * random_normal(*source, shape=x.shape, **how),
    "gaussian_dropout": lambda x, *source, rate, **how: (
        x * (1 + (rate / (1 - rate)) ** 0.5 * random_normal(*source, shape=x.shape, **how))
    ),
    "alpha_dropout": alpha_dropout,
    "advance_counter": advance_counter,
    "dropout": dropout,
} | ELEMENTWISE


def test_every_op_is_written_twice():
    assert SECOND.keys() | NO_OPERANDS_TO_TRY == {op.name for op in ops.ALL}


def test_the_reference_computes_what_is_written_here(case):
    graph, arrays = case.plain()
    given = iter(arrays)
    operands = [None if o is None else next(given) for o in case.sample.operands]
    expected = SECOND[case.op.name](*operands, **case.sample.attributes)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for found, right in zip(run_reference(graph, arrays), expected, strict=False):
        close = 1e-6 if found.dtype == np.float32 else 1e-12  # what is drawn in float32 is not widened
        np.testing.assert_allclose(np.asarray(found, float), np.asarray(right, float), rtol=close, atol=close)


KNOWN = [  # published numbers, to the digits that are given
    (ops.gelu, {}, 1.0, 0.8413447460685429),
    (ops.gelu, {"approximate": True}, 1.0, 0.8411919906082768),
    (ops.selu, {}, -1.0, -1.1113307378125625),
    (ops.erf, {}, 1.0, 0.8427007929497149),
    (ops.softplus, {}, 0.0, 0.6931471805599453),
    (ops.sigmoid, {}, 2.0, 0.8807970779778823),
]


@pytest.mark.parametrize(("known", "attributes", "x", "expected"), KNOWN)
def test_known_numbers(known, attributes, x, expected):
    complete = {**known.signature.attributes, **attributes}
    assert math.isclose(float(reference_of(known)(np.asarray(x), **complete)), expected, rel_tol=1e-15)
