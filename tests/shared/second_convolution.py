"""Convolutions, written a second time tap by tap."""

from __future__ import annotations

import numpy as np


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


def cut(x, padding):
    """What is left of the last axes when so much is cut off at both ends; where it is negative, zeros are added."""
    lead = x.ndim - len(padding)
    result = np.zeros((*x.shape[:lead], *(n - a - b for n, (a, b) in zip(x.shape[lead:], padding, strict=True))))
    for place in np.ndindex(*result.shape[lead:]):
        source = tuple(p + a for p, (a, _) in zip(place, padding, strict=True))
        if all(0 <= p < n for p, n in zip(source, x.shape[lead:], strict=True)):
            result[(Ellipsis, *place)] = x[(Ellipsis, *source)]
    return result


def conv_transpose(x, w, *, strides, padding, dilations, groups=1, layout="NHWC", filter_layout="HWIO"):
    """Each element of x puts its multiple of the filter where it stands, `strides` apart."""
    letters = "".join(c for c in layout if c not in "NC")
    x, w = arranged(x, layout, "NC" + letters), arranged(w, filter_layout, "OI" + letters)
    each = len(w) // groups
    sizes = zip(x.shape[2:], strides, w.shape[2:], dilations, strict=True)
    reach = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in sizes]
    full = np.zeros((len(x), w.shape[1] * groups, *reach))
    for place in np.ndindex(*x.shape[2:]):
        for tap in np.ndindex(*w.shape[2:]):
            at = tuple(p * s + t * d for p, s, t, d in zip(place, strides, tap, dilations, strict=True))
            for o, i in np.ndindex(*w.shape[:2]):
                full[(slice(None), o // each * w.shape[1] + i, *at)] += x[(slice(None), o, *place)] * w[(o, i, *tap)]
    return arranged(cut(full, padding), "NC" + letters, layout)


def depthwise_conv(x, w, *, strides, padding, dilations, layout="NHWC"):
    """Each channel by itself, with filters of its own: multiples of a channel stand side by side."""
    letters = "".join(c for c in layout if c not in "NC")
    made = []
    for c, m in np.ndindex(*w.shape[-2:]):
        one = np.take(x, [c], layout.index("C"))
        made.append(
            products(
                one, w[..., c, m, None, None], None, None, strides=strides, padding=padding, dilations=dilations,
                layout=layout, filter_layout=letters + "IO",
            )
        )  # fmt: skip
    return np.concatenate(made, layout.index("C"))


def separable_conv(x, depthwise, pointwise, *, layout="NHWC", **windows):
    inner = np.moveaxis(depthwise_conv(x, depthwise, layout=layout, **windows), layout.index("C"), -1)
    return np.moveaxis(inner @ pointwise.reshape(pointwise.shape[-2:]), -1, layout.index("C"))


SECOND = {
    "conv": lambda x, w, **a: products(x, w, None, None, **a),
    "conv_input_gradient": lambda g, w, *, sizes, **a: products(None, w, g, sizes, **a),
    "conv_filter_gradient": lambda x, g, *, sizes, **a: products(x, None, g, sizes, **a),
    "conv_transpose": conv_transpose,
    "depthwise_conv": depthwise_conv,
    "separable_conv": separable_conv,
}
