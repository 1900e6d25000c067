"""Activations: each is a layer, and what the option `activation` of other layers names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from ....ir import ops
from ....ir.graph import Value
from ..options import Index, NotNegative, Number, Table, choice
from .base import Layer, Site, check_float


class Activation(Layer):
    """A function of each element, or of each vector along an axis."""

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        return self.function(x)

    def function(self, x: Value) -> Value:
        raise NotImplementedError


class _Plain(Activation):
    """An activation without options."""

    rule: ClassVar[Callable[[Value], Value]]

    def function(self, x: Value) -> Value:
        return type(self).rule(x)


def _plain(kind: str, rule: Callable[[Value], Any], *aliases: str) -> type[Activation]:
    name = "".join(part.capitalize() for part in kind.split("_"))
    body = {
        "kind": kind,
        "aliases": aliases,
        "rule": staticmethod(rule),
        "__module__": __name__,
        "__doc__": f"{kind}(x).",
    }
    return type(name, (_Plain,), body | {"__annotations__": {}})


class Relu(Activation):
    """x above the threshold, `negative_slope` times the distance below it; at most `max_value`."""

    kind = "relu"
    aliases = ("ReLU", "re_lu")
    max_value: NotNegative | None = None
    negative_slope: NotNegative = 0.0
    threshold: NotNegative = 0.0

    def function(self, x: Value) -> Value:
        if self.threshold:
            y = ops.where(x >= self.threshold, x, self.negative_slope * (x - self.threshold))
        else:
            y = ops.leaky_relu(x, alpha=self.negative_slope) if self.negative_slope else ops.relu(x)
        return y if self.max_value is None else ops.minimum(y, self.max_value)  # type: ignore[no-any-return]


class LeakyRelu(Activation):
    kind = "leaky_relu"
    main = "negative_slope"
    negative_slope: NotNegative = 0.2

    def function(self, x: Value) -> Value:
        return ops.leaky_relu(x, alpha=self.negative_slope)  # type: ignore[no-any-return]


class LeakyReluLayer(LeakyRelu):
    """As a layer, Keras's LeakyReLU; as an option its function, which has another default slope."""

    aliases = ("LeakyReLU", "leaky_re_lu")
    negative_slope: NotNegative = 0.3


class Elu(Activation):
    kind = "elu"
    aliases = ("ELU",)
    main = "alpha"
    alpha: Number = 1.0

    def function(self, x: Value) -> Value:
        return ops.elu(x, alpha=self.alpha)  # type: ignore[no-any-return]


class Gelu(Activation):
    kind = "gelu"
    main = "approximate"
    approximate: bool = False

    def function(self, x: Value) -> Value:
        return ops.gelu(x, approximate=self.approximate)  # type: ignore[no-any-return]


class Softmax(Activation):
    kind = "softmax"
    aliases = ("Softmax",)
    main = "axis"
    axis: Index = -1

    def function(self, x: Value) -> Value:
        return ops.softmax(x, axis=self.axis)  # type: ignore[no-any-return]


class LogSoftmax(Activation):
    kind = "log_softmax"
    main = "axis"
    axis: Index = -1

    def function(self, x: Value) -> Value:
        return ops.log_softmax(x, axis=self.axis)  # type: ignore[no-any-return]


def _identity(x: Value) -> Value:
    return x


_SHARED = (
    Relu, Elu, Gelu, Softmax, LogSoftmax,
    _plain("relu6", ops.relu6), _plain("selu", ops.selu), _plain("silu", ops.silu, "swish"), _plain("tanh", ops.tanh),
    _plain("sigmoid", ops.sigmoid), _plain("log_sigmoid", ops.log_sigmoid), _plain("hard_sigmoid", ops.hard_sigmoid),
    _plain("softplus", ops.softplus), _plain("softsign", ops.softsign), _plain("exponential", ops.exp),
    _plain("linear", _identity), _plain("arctan", ops.arctan), _plain("step", ops.step),
)  # fmt: skip
ACTIVATIONS: Table[Activation] = Table("activation", (*_SHARED, LeakyRelu))
ActivationOption = Annotated[Activation, choice(ACTIVATIONS)]


class ActivationLayer(Layer):
    """The activation that its option names."""

    kind = "activation"
    aliases = ("Activation",)
    main = "activation"
    activation: ActivationOption

    def build(self, site: Site, x: Value) -> Value:
        return self.activation.build(site, x)


LAYERS: tuple[type[Layer], ...] = (*_SHARED, LeakyReluLayer, ActivationLayer)
