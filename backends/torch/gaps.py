"""Where PyTorch gives another result than the graph says and the rows let it: (op, case) -> why.

Each is an exact statement about release 2.13 on the CPU, and a test fails when one is mended.
"""

GAPS = {
    ("gelu", "infinity, in a tensor of some length"): "it is NaN; one alone is infinity",
    ("take", "an index below 0 or past the end"): "it is an error; the frontends normalize indices",
    ("sparse_softmax_cross_entropy", "a label that is no class"): "it is an error, but -100, which has no loss",
}
