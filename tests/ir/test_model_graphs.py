"""The graphs of whole models and training steps: verified, printed, read back."""

from __future__ import annotations

import pytest
from models import CONVNET, PERCEPTRON, model

import isograd
from isograd.ir.parse import parse
from isograd.ir.passes import decompose, optimize
from isograd.ir.text import graph_arrays, print_graph
from isograd.ir.training import loss_and_gradients
from isograd.ir.verify import verify


def graphs():
    for spec in (PERCEPTRON, CONVNET):
        made = model(spec)
        yield from (made.inference, made.training)
        yield from (isograd.training_step(made).training, loss_and_gradients(made).training)


@pytest.mark.parametrize("index", range(8))
def test_verified_and_read_back(index: int) -> None:
    graph = list(graphs())[index]
    for changed in (graph, optimize(graph), optimize(decompose(graph, lambda node: False))):
        verify(changed)
        text = print_graph(changed)
        again = parse(text, graph_arrays(changed))
        verify(again)
        assert print_graph(again) == text
