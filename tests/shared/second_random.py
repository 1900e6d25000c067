"""Random numbers, written a second time in Python's own integers."""

from __future__ import annotations

import math
import operator
import statistics

import numpy as np


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


SECOND = {
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
}
