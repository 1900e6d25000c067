"""ONNX Runtime: run a graph as one ONNX model, with what it holds on the device."""

from __future__ import annotations

import contextlib
import ctypes
import io
import math
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from ..ir import Graph
from ..ir.errors import BackendUnavailableError, TypeMismatchError
from ..ir.evaluate import bind_shapes
from ..ir.graph import Port
from ..ir.types import bfloat16
from .onnx.builder import element_type
from .onnx.kernels import INEXACT_FUSIONS
from .onnx.model import OPSET, PROTO_BYTES, Emission, emit
from .runtime import HELD, Key, Program, Runtime
from .views import as_source, stored

LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
_SHOWN = 64  # elements of an array that the text of a model shows
_ERROR, _FATAL = 3, 4  # severities of the log


class OnnxRuntime(Runtime):
    """ONNX Runtime on the CPU and on CUDA."""

    name = "onnxruntime"

    def version(self) -> str:
        return str(ort.__version__)

    def devices(self) -> Sequence[str]:
        return ("cpu", "cuda") if _cuda_works() else ("cpu",)

    def compile(
        self,
        graph: Graph,
        *,
        device: str | None = None,
        opset: int = OPSET,
        threads: int | None = None,
        level: str = "all",
        strict: bool = False,
        **options: Any,
    ) -> OnnxRuntimeProgram:
        """A program for the graph.

        `threads` that one op may use, all cores by default; `level` of ONNX Runtime's own optimization, one of none,
        basic, extended, all; `strict`: the same bits every time, and no TF32.
        """
        if options:
            raise TypeError(f"onnxruntime has no option {', '.join(options)}; it has opset, threads, level and strict")
        if level not in LEVELS:
            raise TypeError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
        return OnnxRuntimeProgram(graph, device or "cpu", opset, session_options(threads, level, strict), strict)


def session_options(threads: int | None, level: str, strict: bool) -> Any:
    options = ort.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.use_deterministic_compute = strict
    options.log_severity_level = _ERROR
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def inexact_fusions(model: onnx.ModelProto) -> list[str]:
    """The optimizations to do without, for the element types of a model's inputs and outputs."""
    ports = (*model.graph.input, *model.graph.output, *model.graph.initializer)
    numbers = {p.data_type if isinstance(p, onnx.TensorProto) else p.type.tensor_type.elem_type for p in ports}
    names = {onnx.helper.tensor_dtype_to_np_dtype(n).name for n in numbers}
    return [fusion for name in sorted(names) for fusion in INEXACT_FUSIONS.get(name, ())]


def providers(device: str, strict: bool) -> list[Any]:
    """Execution providers for a device: `cpu`, `cuda`, `cuda:1`."""
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return ["CPUExecutionProvider"]
    if kind != "cuda" or not _cuda_works():
        raise BackendUnavailableError(
            f"onnxruntime has no device {device!r} here; it has {', '.join(OnnxRuntime().devices())}"
        )
    settings = {"device_id": number or "0", "use_tf32": "0" if strict else "1"}
    if strict:
        settings["cudnn_conv_algo_search"] = "DEFAULT"
    return [("CUDAExecutionProvider", settings), "CPUExecutionProvider"]


@lru_cache(maxsize=1)
def _cuda_works() -> bool:
    """Whether a session gets the CUDA provider; that it is listed says only that it was built."""
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        return False
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    ports = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy"]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "probe", ports[:1], ports[1:]),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    ort.set_default_logger_severity(_FATAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # what it does not find it prints
            ort.preload_dlls()
        session = ort.InferenceSession(
            model.SerializeToString(), session_options(1, "none", False), providers=["CUDAExecutionProvider"]
        )
        return "CUDAExecutionProvider" in session.get_providers()
    except Exception:  # whatever the driver or a library does not like
        return False
    finally:
        ort.set_default_logger_severity(2)


class OnnxRuntimeProgram(Program):
    """A graph as one ONNX model.

    A graph that changes nothing is built when it is loaded, with what it holds as initializers (if protobuf can hold
    them), which ONNX Runtime folds and packs. Otherwise what is held are inputs, and what changes has two sets of
    buffers: a run reads one, writes the other, and they swap.
    """

    def __init__(self, graph: Graph, device: str, opset: int, options: Any, strict: bool) -> None:
        super().__init__(graph)
        self.device = device
        self._opset, self._options, self._providers = opset, options, providers(device, strict)
        kind, _, number = device.partition(":")
        self._place = (kind, int(number or 0))
        self._emission = emit(graph, opset=opset)
        self.notes = self._emission.notes  # what is computed less exactly than the graph says
        self._changed = _changed(graph)
        self._results = [i for i in range(len(graph.outputs)) if i not in self._changed.values()]
        self._result_names = [self._emission.outputs[i] for i in self._results]
        self._inputs, self._held = graph.ports("input"), [p for p in graph.inputs if p.role in HELD]
        self._input_names = [n for n, p in zip(self._emission.inputs, graph.inputs, strict=True) if p.role == "input"]
        self._session: Any = None
        self._sets: list[dict[Key, Any]] = [{}]
        self._bindings: list[Any] = []
        self._seen: Any = None

    @cached_property
    def source(self) -> str:  # type: ignore[override]  # made when it is asked for
        return model_text(self._emission.model)

    @property
    def model(self) -> onnx.ModelProto:
        """The model, with parameters and state as inputs."""
        return self._emission.model

    # what is held

    def load(self, arrays: Mapping[Key, np.ndarray]) -> None:
        held = {(p.role, p.path): _checked(p, arrays) for p in self._held}
        if self._changed or sum(a.nbytes for a in held.values()) > PROTO_BYTES:
            self._load_buffers(held)
            return
        self._session = self._open(emit(self.graph, opset=self._opset, initializers=held))
        self._sets = [held]
        self._bindings = [self._session.io_binding()]

    def _load_buffers(self, held: Mapping[Key, np.ndarray]) -> None:
        self._session = self._session or self._open(self._emission)
        laid = {k: stored(a, self._emission.views.get(k)) for k, a in held.items()}
        first = {k: self._put(a) for k, a in laid.items()}
        second = {k: self._put(laid[k]) if k in self._changed else v for k, v in first.items()}
        self._sets = [first, second]
        self._bindings = [self._bound(first, second), self._bound(second, first)]

    def _open(self, emission: Emission) -> Any:
        try:
            return ort.InferenceSession(
                emission.model.SerializeToString(), self._options, providers=self._providers,
                disabled_optimizers=inexact_fusions(emission.model),
            )  # fmt: skip
        except Exception as error:
            error.add_note(f"in the ONNX model of {self.graph.name!r} on {self.device}")
            raise

    def _bound(self, before: Mapping[Key, Any], after: Mapping[Key, Any]) -> Any:
        """A binding that reads one set of buffers and writes what changes to the other."""
        binding = self._session.io_binding()
        for name, port in zip(self._emission.inputs, self.graph.inputs, strict=True):
            if port.role in HELD:
                binding.bind_ortvalue_input(name, before[port.role, port.path])
        for i, name in enumerate(self._emission.outputs):
            port = self.graph.outputs[i]
            if i in self._changed.values():
                binding.bind_ortvalue_output(name, after[port.role, port.path])
            else:
                binding.bind_output(name, *self._place)
        return binding

    def _put(self, array: np.ndarray) -> Any:
        """A copy on the device: of an array ONNX Runtime would only borrow the memory."""
        if array.dtype.name == "bfloat16":
            return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array.copy(), element_type(bfloat16))
        value = ort.OrtValue.ortvalue_from_shape_and_type(array.shape, array.dtype.type, *self._place)
        value.update_inplace(array)
        return value

    def arrays(self) -> dict[Key, np.ndarray]:
        views = self._emission.views
        return {
            k: as_source(self.to_numpy(v), views.get(k)) if isinstance(v, ort.OrtValue) else v.copy()
            for k, v in self._sets[0].items()
        }

    # running

    def __call__(self, *inputs: Any) -> list[Any]:
        if self._session is None:
            self.load({})
        self._check(inputs)
        binding = self._bindings[0]
        for port, name, given in zip(self._inputs, self._input_names, inputs, strict=True):
            self._bind(binding, name, given, port)
        for name in self._result_names:
            binding.bind_output(name, *self._place)  # anew each time: else it would write over the last results
        self._session.run_with_iobinding(binding)
        found = binding.get_outputs()
        if self._changed:
            self._sets.reverse()
            self._bindings.reverse()
        return [found[i] for i in self._results]

    def _bind(self, binding: Any, name: str, given: Any, port: Port) -> None:
        if isinstance(given, ort.OrtValue):
            binding.bind_ortvalue_input(name, given)
            return
        array = np.asarray(given, port.value.dtype.numpy, order="C")
        if array.dtype.name == "bfloat16":
            binding.bind_ortvalue_input(name, self._put(array))
        else:
            binding.bind_cpu_input(name, array)

    def _check(self, inputs: Sequence[Any]) -> None:
        if len(inputs) != len(self._inputs):
            names = ", ".join(p.path for p in self._inputs)
            raise TypeMismatchError(f"{self.graph.name} takes {len(self._inputs)} inputs ({names}), not {len(inputs)}")
        shapes = tuple(tuple(v.shape()) if isinstance(v, ort.OrtValue) else np.shape(v) for v in inputs)
        if shapes == self._seen:
            return
        bind_shapes(self.graph, self._inputs, shapes)
        self._seen = shapes

    def to_numpy(self, array: Any) -> np.ndarray:
        """A copy: `OrtValue.numpy` lends the memory that the next run may write to."""
        if array.data_type() != "tensor(bfloat16)":
            return np.array(array.numpy())
        if self._place[0] != "cpu":
            raise BackendUnavailableError("onnxruntime cannot read bfloat16 from a GPU; cast the output to float32")
        size = math.prod(array.shape()) * 2
        return np.frombuffer(ctypes.string_at(array.data_ptr(), size), bfloat16.numpy).reshape(array.shape())


def _changed(graph: Graph) -> dict[Key, int]:
    """What the graph gives a new value, with the number of the output that is it."""
    held = {(p.role, p.path) for p in graph.inputs if p.role in HELD}
    return {(p.role, p.path): i for i, p in enumerate(graph.outputs) if (p.role, p.path) in held}


def _checked(port: Port, arrays: Mapping[Key, np.ndarray]) -> np.ndarray:
    """A copy of the array of a port."""
    found = arrays.get((port.role, port.path))
    t = port.value.type
    if found is None or found.dtype != t.dtype.numpy or found.shape != t.shape:
        what = "is missing" if found is None else f"is {found.dtype.name}{list(found.shape)}"
        raise TypeMismatchError(f"{port.role} {port.path!r} should be {t}, but {what}")
    return np.array(found, order="C")


def model_text(model: onnx.ModelProto) -> str:
    """A model as ONNX's own text; of large arrays only the types."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    for tensor in shown.graph.initializer:
        if math.prod(tensor.dims) > _SHOWN:
            for data in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(data)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="elements", value=str(math.prod(tensor.dims)))
    return str(onnx.printer.to_text(shown))
