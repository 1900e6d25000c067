"""Running sums, products and extremes, written a second time with `itertools.accumulate`."""

from __future__ import annotations

import itertools
import math
import operator

import numpy as np


def running(function, first=None):
    def of(x, *, axis=-1, exclusive=False, reverse=False):
        def of_row(row):
            row = list(row)[::-1] if reverse else list(row)
            given = [first, *row[:-1]] if exclusive else row
            found = list(itertools.accumulate(given, function))
            return found[::-1] if reverse else found

        return np.apply_along_axis(of_row, axis, x)

    return of


def latest(best):
    """The place of the running extreme: of equals the one met last."""

    def of(x, *, axis=-1, reverse=False, dtype=None):
        def of_row(row):
            from_the_last_met = [range(i, len(row)) if reverse else range(i, -1, -1) for i in range(len(row))]
            return [next(k for k in met if row[k] == best(row[j] for j in met)) for met in from_the_last_met]

        return np.apply_along_axis(of_row, axis, x)

    return of


SECOND = {
    "cumulative_sum": running(operator.add, 0),
    "cumulative_product": running(operator.mul, 1),
    "cumulative_maximum": running(max),
    "cumulative_minimum": running(min),
    "cumulative_argmax": latest(max),
    "cumulative_argmin": latest(min),
    "cumulative_log_sum_exp": running(lambda a, b: max(a, b) + math.log1p(math.exp(-abs(a - b)))),
}
