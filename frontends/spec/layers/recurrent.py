"""Layers over time, with Keras's names, options and defaults; the mask, where there is one, is a second operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.types import DType
from ..initializers import GLOROT_UNIFORM, ORTHOGONAL, ZEROS, Initializer, InitializerOption, Shape
from ..options import Count, Table, choice
from ..penalties import PenaltyOption
from ..stream import Array, Stream
from .base import Layer, Site, check_axes, check_float, fixed

RecurrentActivation = Literal[
    "tanh", "sigmoid", "relu", "hard_sigmoid", "elu", "softsign", "softplus", "leaky_relu", "linear"
]


class ForgetBias(Initializer):
    """Ones for the forget gate, the second of four; the rest by another initializer."""

    kind = "forget_bias"
    rest: Any

    def draw(self, shape: Shape, dtype: DType, stream: Stream) -> Array:
        drawn = self.rest.draw(shape, dtype, stream)
        drawn[shape[0] // 4 : shape[0] // 2] = 1.0
        return drawn  # type: ignore[no-any-return]


class Recurrent(Layer):
    """A layer over [N, time, features]: the last output, or all of them."""

    most: ClassVar[int | None] = 2
    units: Count
    activation: RecurrentActivation = "tanh"
    use_bias: bool = True
    kernel_initializer: InitializerOption = GLOROT_UNIFORM
    recurrent_initializer: InitializerOption = ORTHOGONAL
    bias_initializer: InitializerOption = ZEROS
    kernel_regularizer: PenaltyOption | None = None
    recurrent_regularizer: PenaltyOption | None = None
    bias_regularizer: PenaltyOption | None = None
    return_sequences: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False
    gates: ClassVar[int] = 1

    def apply(self, site: Site, operands: Sequence[Value]) -> Value:
        x, mask = (*operands, None)[:2]
        assert x is not None
        outputs, last = self.run(site, x, mask, reverse=self.go_backwards, zero_output=self.zero_output_for_mask)
        if not self.return_sequences:
            return last
        return ops.reverse(outputs, axes=(1,)) if self.go_backwards else outputs

    def run(self, site: Site, x: Value, mask: Value | None, *, reverse: bool, zero_output: bool) -> tuple[Value, Value]:
        """All outputs, where their inputs lie, and the last one."""
        check_axes(x, "NTC")
        check_float(x)
        columns = self.units * self.gates
        kernel = site.parameter("kernel", (fixed(x, -1), columns), x.dtype, self.kernel_initializer,
                                self.kernel_regularizer)  # fmt: skip
        recurrent = site.parameter("recurrent_kernel", (self.units, columns), x.dtype, self.recurrent_initializer,
                                   self.recurrent_regularizer)  # fmt: skip
        start = ops.broadcast_to(x.graph.constant(0.0, x.dtype), shape=(x.shape[0], self.units))
        common = {"activation": self.activation, "reverse": reverse, "zero_output": zero_output}
        outputs, *states = self.layer(site, (x, start, kernel, recurrent), mask, common)
        if mask is None or not zero_output:
            return outputs, states[0]
        end = 0 if reverse else outputs.shape[1] - 1  # a last step that is masked gives zeros, not the state
        return outputs, ops.squeeze(ops.slice_axis(outputs, 1, end, end + 1), 1)

    def layer(self, site: Site, given: Sequence[Value], mask: Value | None, common: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def bias(self, site: Site, shape: tuple[int, ...], dtype: DType, initializer: Initializer) -> Value | None:
        return site.parameter("bias", shape, dtype, initializer, self.bias_regularizer) if self.use_bias else None


class SimpleRNN(Recurrent):
    """activation(x @ kernel + state @ recurrent_kernel + bias), step by step."""

    kind = "simple_rnn"
    aliases = ("SimpleRNN",)
    main = "units"

    def layer(self, site: Site, given: Sequence[Value], mask: Value | None, common: Mapping[str, Any]) -> Any:
        bias = self.bias(site, (self.units,), given[0].dtype, self.bias_initializer)
        return ops.simple_rnn(*given, bias, mask, **common)


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997)."""

    kind = "lstm"
    aliases = ("LSTM",)
    main = "units"
    gates = 4
    recurrent_activation: RecurrentActivation = "sigmoid"
    unit_forget_bias: bool = True

    def layer(self, site: Site, given: Sequence[Value], mask: Value | None, common: Mapping[str, Any]) -> Any:
        initial = ForgetBias(rest=self.bias_initializer) if self.unit_forget_bias else self.bias_initializer
        bias = self.bias(site, (4 * self.units,), given[0].dtype, initial)
        x, start, *kernels = given
        return ops.lstm(x, start, start, *kernels, bias, mask, recurrent_activation=self.recurrent_activation, **common)


class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014); `reset_after` as in cuDNN, with two rows of biases."""

    kind = "gru"
    aliases = ("GRU",)
    main = "units"
    gates = 3
    recurrent_activation: RecurrentActivation = "sigmoid"
    reset_after: bool = True

    def layer(self, site: Site, given: Sequence[Value], mask: Value | None, common: Mapping[str, Any]) -> Any:
        shape = (2, 3 * self.units) if self.reset_after else (3 * self.units,)
        bias = self.bias(site, shape, given[0].dtype, self.bias_initializer)
        rows = [bias, None]
        if bias is not None and self.reset_after:
            rows = [ops.squeeze(ops.slice_axis(bias, 0, i, i + 1), 0) for i in range(2)]
        return ops.gru(*given, *rows, mask, recurrent_activation=self.recurrent_activation,
                       reset_after=self.reset_after, **common)  # fmt: skip


RECURRENT: Table[Recurrent] = Table("recurrent_layer", (SimpleRNN, LSTM, GRU))


class Bidirectional(Layer):
    """A recurrent layer forwards, and one like it backwards; their outputs are merged."""

    kind = "bidirectional"
    aliases = ("Bidirectional",)
    main = "layer"
    most: ClassVar[int | None] = 2
    layer: Annotated[Recurrent, choice(RECURRENT)]
    merge_mode: Literal["concat", "sum", "mul", "ave"] = "concat"

    def apply(self, site: Site, operands: Sequence[Value]) -> Value:
        x, mask = (*operands, None)[:2]
        assert x is not None
        found = []
        for name in ("forward_layer", "backward_layer"):
            arguments = {"x": x} | ({} if mask is None else {"mask": mask})
            with site.part(name, self.layer.kind, arguments) as inner:
                backwards = (name == "backward_layer") != self.layer.go_backwards
                zeros = self.layer.return_sequences  # Keras forces this
                outputs, last = self.layer.run(inner, x, mask, reverse=backwards, zero_output=zeros)
                found.append(outputs if self.layer.return_sequences else last)
        if self.layer.go_backwards and self.layer.return_sequences:
            raise TypeMismatchError("bidirectional runs both ways already: leave go_backwards out of its layer")
        return self._merged(*found)

    def _merged(self, a: Value, b: Value) -> Value:
        if self.merge_mode == "concat":
            return ops.concatenate(a, b, axis=-1)  # type: ignore[no-any-return]
        if self.merge_mode == "mul":
            return a * b
        return a + b if self.merge_mode == "sum" else (a + b) / 2.0


LAYERS: tuple[type[Layer], ...] = (SimpleRNN, LSTM, GRU, Bidirectional)
