"""The child process of a candidate: it takes requests on its standard input and answers on its standard output."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

from ..ir import ops
from ..ir.parse import parse
from ..ir.training import OPS as TRAINING_OPS
from .candidate import Job, LocalCandidate

_TABLE = ops.BY_NAME | {op.name: op for op in TRAINING_OPS}


def serve() -> None:
    """Answer until the parent closes the pipe. What a framework prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    candidate: LocalCandidate | None = None
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)  # from the parent that started this process
        except EOFError:
            return
        try:
            if request[0] == "open":
                candidate = LocalCandidate(*request[1:])
            assert candidate is not None
            answer: Any = ("ok", _answer(candidate, *request))
        except Exception as error:
            notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
            answer = ("error", f"{type(error).__name__}: {error}{notes}")
        pickle.dump(answer, answers, protocol=5)
        answers.flush()


def _answer(candidate: LocalCandidate, request: str, *arguments: Any) -> Any:
    if request == "open":
        return candidate.name
    if request == "about":
        return candidate.about()
    text, constants, places, arrays, batches = arguments
    return candidate.run(Job(parse(text, constants, places, _TABLE), arrays, batches))
