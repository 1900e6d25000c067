"""Complex numbers by `cmath` and Fourier transforms as sums over points, written a second time."""

from __future__ import annotations

import cmath
import math

import numpy as np


def of_numbers(function, result):
    def applied(*arrays):
        return np.vectorize(function, otypes=[result])(*arrays) if np.broadcast(*arrays).size else np.zeros((0, 3))

    return applied


def along(x, axis, weights):
    """The sums over an axis, of weights[new][old]."""
    lines = np.moveaxis(np.asarray(x, complex), axis, -1)
    sums = np.empty((*lines.shape[:-1], len(weights)), complex)
    for place in np.ndindex(*sums.shape):
        terms = [w * v for w, v in zip(weights[place[-1]], lines[place[:-1]], strict=True)]
        sums[place] = complex(math.fsum(t.real for t in terms), math.fsum(t.imag for t in terms))
    return np.moveaxis(sums, -1, axis)


def transform(x, axes, norm, sign):
    divides = "forward" if sign < 0 else "backward"
    for axis in axes:
        n = x.shape[axis]
        scale = {divides: 1 / n, "ortho": 1 / math.sqrt(n)}.get(norm, 1.0)
        x = along(x, axis, [[scale * cmath.exp(sign * 2j * math.pi * j * k / n) for j in range(n)] for k in range(n)])
    return x


def fft(x, *, axes=(-1,), norm="backward"):
    return transform(x, axes, norm, -1)


def ifft(x, *, axes=(-1,), norm="backward"):
    return transform(x, axes, norm, 1)


def rfft(x, *, axes=(-1,), norm="backward"):
    return np.take(fft(x, axes=axes, norm=norm), range(x.shape[axes[-1]] // 2 + 1), axis=axes[-1])


def irfft(x, *, size=None, axes=(-1,), norm="backward"):
    """The inverse of the whole spectrum, of which the half that is missing is the mirror image, conjugate."""
    last = axes[-1]
    turned = ifft(x, axes=axes[:-1], norm=norm)
    size = 2 * x.shape[last] - 2 if size is None else size
    mirrored = np.take(turned, [min(k, size - k) for k in range(size)], axis=last)
    behind = np.arange(size) > size // 2
    shaped = behind.reshape([-1 if a == last % x.ndim else 1 for a in range(x.ndim)])
    whole = np.where(shaped, np.conj(mirrored), mirrored)
    return ifft(whole, axes=(last,), norm=norm).real


SECOND = {
    "complex_of": of_numbers(complex, complex),
    "real": of_numbers(lambda z: abs(z) * math.cos(cmath.phase(z)), float),
    "imaginary": of_numbers(lambda z: abs(z) * math.sin(cmath.phase(z)), float),
    "conjugate": of_numbers(lambda z: cmath.rect(abs(z), -cmath.phase(z)), complex),
    "complex_absolute": of_numbers(lambda z: math.sqrt((z * z.conjugate()).real), float),
    "angle": of_numbers(lambda z: cmath.log(z).imag, float),
    "fft": fft,
    "ifft": ifft,
    "rfft": rfft,
    "irfft": irfft,
}
