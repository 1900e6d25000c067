"""What is compared with the reference: a backend in this process, or in a child process of its own.

Frameworks clash in one process, and some die there; a child that dies is an error with the signal's name.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np

from ..backends import Runtime, runtime
from ..ir import Graph
from ..ir.errors import IsogradError
from ..ir.text import graph_arrays, origins, print_graph
from .environment import switches
from .reference import Key

Batch = Sequence[np.ndarray]
_CHILD = "from isograd.equivalence.child import serve; serve()"


class CandidateError(IsogradError):
    """A backend raised in its own process, or its process died."""


@dataclass(frozen=True)
class Job:
    """A graph, what it holds at first, and the inputs of one run after another."""

    graph: Graph
    arrays: Mapping[Key, np.ndarray]
    batches: Sequence[Batch]


@dataclass(frozen=True)
class Outcome:
    """The outputs of each run, what is held after the last, and the time that each run took."""

    outputs: list[list[np.ndarray]]
    arrays: dict[Key, np.ndarray]
    seconds: list[float]


@dataclass(frozen=True)
class About:
    """What a candidate runs on."""

    version: str
    device: str
    switches: Mapping[str, str]


class Candidate(Protocol):
    name: str

    def about(self) -> About: ...

    def run(self, job: Job) -> Outcome: ...

    def close(self) -> None: ...


class LocalCandidate:
    """A backend in this process."""

    def __init__(self, backend: str | Runtime, device: str | None = None) -> None:
        self.runtime = named_runtime(backend) if isinstance(backend, str) else backend
        self.name, self.device = self.runtime.name, device

    def about(self) -> About:
        return About(self.runtime.version(), self.device or self.runtime.devices()[0], switches(self.name))

    def run(self, job: Job) -> Outcome:
        program = self.runtime.compile(job.graph, device=self.device)
        program.load(job.arrays)
        outputs, seconds = [], []
        for batch in job.batches:
            start = time.perf_counter()
            results = [np.array(program.to_numpy(r)) for r in program(*batch)]
            seconds.append(time.perf_counter() - start)
            outputs.append(results)
        return Outcome(outputs, program.arrays(), seconds)

    def close(self) -> None:
        pass


def named_runtime(name: str) -> Runtime:
    """The runtime of a backend; or of `module:class`, for one that is not in the table."""
    module, colon, made = name.partition(":")
    return cast(Runtime, getattr(import_module(module), made)()) if colon else runtime(name)


class ChildCandidate:
    """A backend in a process of its own."""

    def __init__(self, backend: str, device: str | None = None) -> None:
        self.name = backend
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        try:
            self.name = self._ask("open", backend, device)
        except Exception:
            self.close()
            raise

    def about(self) -> About:
        return cast(About, self._ask("about"))

    def run(self, job: Job) -> Outcome:
        text = print_graph(job.graph), graph_arrays(job.graph), origins(job.graph)
        return cast(Outcome, self._ask("run", *text, job.arrays, job.batches))

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _ask(self, *request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(request, self._process.stdin, protocol=5)
            self._process.stdin.flush()
            status, answer = pickle.load(self._process.stdout)  # from the child that we started, and from it alone
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise CandidateError(f"the process of {self.name} {self._end()}") from None
        if status == "error":
            raise CandidateError(answer)
        return answer

    def _end(self) -> str:
        code = self._process.wait(timeout=60)
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return ": ".join([how, *last])


def open_candidate(backend: str | Runtime, device: str | None, isolate: bool) -> Candidate:
    if isolate and isinstance(backend, str):
        return ChildCandidate(backend, device)
    return LocalCandidate(backend, device)
