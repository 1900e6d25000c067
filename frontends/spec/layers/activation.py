"""Activations: each is a layer, and what the option `activation` of other layers names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from ....ir import ops
from ....ir.errors import TypeMismatchError
from ....ir.graph import Value
from ....ir.op import Op
from ..initializers import ZEROS, InitializerOption
from ..options import Count, Index, NotNegative, Number, Positive, Table, Words, choice
from ..penalties import PenaltyOption
from .base import Layer, Site, check_float, fixed


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


def _optioned(kind: str, op: Op, option: str, default: Any, annotation: Any, attribute: str = "") -> type[Activation]:
    """An activation of one option, which may stand alone."""

    def function(self: Activation, x: Value) -> Value:
        return op(x, **{attribute or option: getattr(self, option)})  # type: ignore[no-any-return]

    name = "".join(part.capitalize() for part in kind.split("_"))
    body = {"kind": kind, "main": option, option: default, "function": function, "__module__": __name__}
    return type(name, (Activation,), body | {"__doc__": f"{kind}(x).", "__annotations__": {option: annotation}})


Celu = _optioned("celu", ops.celu, "alpha", 1.0, Positive)
Glu = _optioned("glu", ops.glu, "axis", -1, Index)
HardShrink = _optioned("hard_shrink", ops.hard_shrink, "threshold", 0.5, NotNegative, "limit")
SoftShrink = _optioned("soft_shrink", ops.soft_shrink, "threshold", 0.5, NotNegative, "limit")
Squareplus = _optioned("squareplus", ops.squareplus, "b", 4, Number)
Sparsemax = _optioned("sparsemax", ops.sparsemax, "axis", -1, Index)


class Threshold(Activation):
    """x above the threshold, a value elsewhere."""

    kind = "threshold"
    threshold: Number
    default_value: Number

    def function(self, x: Value) -> Value:
        return ops.threshold(x, threshold=self.threshold, value=self.default_value)  # type: ignore[no-any-return]


class PRelu(Layer):
    """x above 0, a learnt multiple below it: one for each element of an example, but along the shared axes."""

    kind = "prelu"
    aliases = ("PReLU", "p_re_lu")
    alpha_initializer: InitializerOption = ZEROS
    alpha_regularizer: PenaltyOption | None = None
    shared_axes: Annotated[Count | list[Count] | None, Words("an axis or a list of them, counted from 1")] = None

    def build(self, site: Site, x: Value) -> Value:
        check_float(x)
        shared = [self.shared_axes] if isinstance(self.shared_axes, int) else self.shared_axes or []
        if any(axis >= x.rank for axis in shared):
            raise TypeMismatchError(f"{x.type} has the axes 1 to {x.rank - 1} beside the first, not {shared}")
        shape = tuple(1 if axis in shared else fixed(x, axis) for axis in range(1, x.rank))
        return ops.prelu(x, site.parameter("alpha", shape, x.dtype, self.alpha_initializer, self.alpha_regularizer))  # type: ignore[no-any-return]


def _identity(x: Value) -> Value:
    return x


_SHARED = (
    Relu, Elu, Gelu, Softmax, LogSoftmax,
    _plain("relu6", ops.relu6), _plain("selu", ops.selu), _plain("silu", ops.silu, "swish"), _plain("tanh", ops.tanh),
    _plain("sigmoid", ops.sigmoid), _plain("log_sigmoid", ops.log_sigmoid), _plain("hard_sigmoid", ops.hard_sigmoid),
    _plain("softplus", ops.softplus), _plain("softsign", ops.softsign), _plain("exponential", ops.exp),
    _plain("mish", ops.mish), _plain("tanh_shrink", ops.tanh_shrink), _plain("hard_silu", ops.hard_swish, "hard_swish"),
    _plain("hard_tanh", ops.hard_tanh), _plain("sparse_plus", ops.sparse_plus),
    _plain("sparse_sigmoid", ops.sparse_sigmoid), Celu, Glu, HardShrink, SoftShrink, Squareplus, Sparsemax, Threshold,
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


LAYERS: tuple[type[Layer], ...] = (*_SHARED, LeakyReluLayer, PRelu, ActivationLayer)
