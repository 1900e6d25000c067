"""Where TensorFlow gives another result than the graph says and the rows let it: (op, case) -> why.

Each is an exact statement about release 2.21 on the CPU, and a test fails when one is mended.
"""

GAPS = {
    ("softmax", "a NaN or an infinity in a row"): "what lies infinitely below the largest is 0, not NaN",
    ("argmax", "a NaN"): "it is passed over: the largest number wins, not the first NaN",
    ("argmin", "a NaN"): "it is passed over: the smallest number wins, not the first NaN",
    ("max_pool", "a NaN in a window"): "it is passed over",
    ("max_pool", "a window of -inf alone"): "its largest element is the lowest finite number",
    ("pooling", "float64 over three axes"): "there is no kernel for it, and the program says so",
    ("take", "an index below 0 or past the end"): "it is an error, as in PyTorch; the frontends normalize indices",
    ("sparse_softmax_cross_entropy", "a label that is no class"): "it is an error",
}
