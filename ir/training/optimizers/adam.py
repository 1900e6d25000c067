"""Adam and its kin: two moments, corrected for their start at zero."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ...graph import Value
from ...op import sample
from .rule import RATE, Hyper, OptimizerRule, correction, like_parameter, moved, update_op

_CONVENTIONS = ("keras", "torch", "optax")
_HALF = np.full((2, 3), 0.5, np.float32)
_SCALE = np.float32(0.2)


def _moments(m: Value, v: Value, g: Value, beta_1: float, beta_2: float, convention: str) -> tuple[Value, Value]:
    return (
        moved(m, g, 1.0 - beta_1, convention).named("m"),
        moved(v, ops.square(g), 1.0 - beta_2, convention).named("v"),
    )


def _root(v: Value, scale: Value | None, convention: str, epsilon_root: float = 0.0) -> Value:
    """The root of the second moment: uncorrected in Keras, corrected after the root in PyTorch, before it in Optax."""
    if convention == "keras" or scale is None:
        return ops.sqrt(v)  # type: ignore[no-any-return]
    if convention == "torch":
        return ops.sqrt(v) / scale  # type: ignore[no-any-return]
    return ops.sqrt(v / scale + epsilon_root if epsilon_root else v / scale)  # type: ignore[no-any-return]


def _adam_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    rate: Value,
    scale: Value | None = None,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    epsilon_root: float = 0.0,
    convention: str = "keras",
) -> tuple[Value, Value, Value]:
    """`rate` and `scale` carry the corrections of the step (see `_adam_scalars`)."""
    m, v = _moments(m, v, g, beta_1, beta_2, convention)
    return p - rate * m / (_root(v, scale, convention, epsilon_root) + epsilon), m, v


def _adamw_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    decay: Value,
    rate: Value,
    scale: Value | None = None,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    epsilon_root: float = 0.0,
    convention: str = "keras",
) -> tuple[Value, Value, Value]:
    """Adam on a parameter less its weight decay: `decay` is the learning rate times the weight decay."""
    m, v = _moments(m, v, g, beta_1, beta_2, convention)
    left = p * (1.0 - decay) if convention == "torch" else p - p * decay
    return left - rate * m / (_root(v, scale, convention, epsilon_root) + epsilon), m, v


def _amsgrad_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    largest: Value,
    rate: Value,
    scale: Value | None = None,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    convention: str = "keras",
) -> tuple[Value, Value, Value, Value]:
    """Optax keeps the largest of the corrected moments, Keras and PyTorch that of the uncorrected."""
    m, v = _moments(m, v, g, beta_1, beta_2, convention)
    corrected = v / scale if convention == "optax" and scale is not None else v
    largest = ops.maximum(largest, corrected).named("largest")
    root = ops.sqrt(largest) if convention == "optax" else _root(largest, scale, convention)
    return p - rate * m / (root + epsilon), m, v, largest


def _adamax_parts(
    p: Value,
    g: Value,
    m: Value,
    norm: Value,
    rate: Value,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    convention: str = "keras",
) -> tuple[Value, Value, Value]:
    """Keras adds epsilon to the norm where it divides, PyTorch and Optax to the gradient that enters the norm."""
    m = moved(m, g, 1.0 - beta_1, convention).named("m")
    keras = convention == "keras"
    norm = ops.maximum(beta_2 * norm, ops.absolute(g) if keras else ops.absolute(g) + epsilon).named("norm")
    return p - rate * m / (norm + epsilon if keras else norm), m, norm


def _nadam_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    rate: Value,
    gradient_rate: Value,
    scale: Value,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    convention: str = "keras",
) -> tuple[Value, Value, Value]:
    """The rates carry the momentum's schedule (see `_nadam_scalars`); Keras takes 1 - beta in single precision."""
    if convention == "keras":
        beta_1, beta_2 = (1.0 - float(np.float32(1.0) - np.float32(b)) for b in (beta_1, beta_2))
    m, v = _moments(m, v, g, beta_1, beta_2, convention)
    return p - (rate * m + gradient_rate * g) / (ops.sqrt(v / scale) + epsilon), m, v


def _radam_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    rate: Value,
    rectified: Value,
    scale: Value,
    trusted: Value,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    convention: str = "torch",
) -> tuple[Value, Value, Value]:
    """The second moment counts once its variance can be trusted; `rectified` is the rate from then on."""
    m, v = _moments(m, v, g, beta_1, beta_2, convention)
    root = ops.sqrt(v / scale) + epsilon if convention == "optax" else (ops.sqrt(v) + epsilon) / ops.sqrt(scale)
    return p - ops.where(trusted, rectified * m / root, rate * m), m, v


def _lamb_parts(
    p: Value,
    g: Value,
    m: Value,
    v: Value,
    rate: Value,
    first: Value,
    second: Value,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float = 0.0,
    convention: str = "keras",
) -> tuple[Value, Value, Value]:
    """A step as long as the parameter; `weight_decay` is within the step (Optax)."""
    m, v = _moments(m, v, g, beta_1, beta_2, convention)
    step = m / first / (ops.sqrt(v / second) + epsilon)
    if weight_decay and convention == "optax":
        step = step + weight_decay * p
    long, short = (ops.sqrt(ops.reduce_sum(ops.square(x))) for x in (p, step))
    known = ops.logical_and(long > 0.0, short > 0.0)
    trust = ops.where(known, long / ops.where(known, short, 1.0), 1.0)
    return p - trust * rate * step, m, v


def _three(*between: object, conventions: tuple[str, ...] = _CONVENTIONS, **more: object) -> tuple[Any, ...]:
    given: dict[str, Any] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, **more}
    return tuple(sample((2, 3), (2, 3), (2, 3), _HALF, *between, convention=c, **given) for c in conventions)


def _scaled(*between: object) -> tuple[Any, ...]:
    return _three(*between, RATE, conventions=("keras",)) + _three(
        *between, RATE, _SCALE, conventions=("torch", "optax")
    )


_ROOTED: dict[str, Any] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "epsilon_root": 1e-3, "convention": "optax"}
adam = update_op(
    "adam",
    _adam_parts,
    ("m", "v"),
    (*_scaled(), sample((2, 3), (2, 3), (2, 3), _HALF, RATE, _SCALE, **_ROOTED)),
)
adamw = update_op(
    "adamw",
    _adamw_parts,
    ("m", "v"),
    (*_scaled(np.float32(0.01)), sample((2, 3), (2, 3), (2, 3), _HALF, np.float32(0.01), RATE, _SCALE, **_ROOTED)),
)
amsgrad = update_op("amsgrad", _amsgrad_parts, ("m", "v", "largest"), _scaled(1.5 * _HALF))
adamax = update_op("adamax", _adamax_parts, ("m", "norm"), _three(RATE))
nadam = update_op("nadam", _nadam_parts, ("m", "v"), _three(RATE, np.float32(0.05), _SCALE))
radam = update_op(
    "radam",
    _radam_parts,
    ("m", "v"),
    _three(RATE, np.float32(0.02), _SCALE, np.array(True), conventions=("torch", "optax"))
    + _three(RATE, np.float32(0.02), _SCALE, np.array(False), conventions=("torch",)),
)
lamb = update_op(
    "lamb",
    _lamb_parts,
    ("m", "v"),
    _three(RATE, _SCALE, np.float32(0.3), conventions=("keras", "optax"), weight_decay=0.1),
)

OPS = (adam, adamw, amsgrad, adamax, nadam, radam, lamb)


def _adam_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    """The rate with its corrections, and what scales the second moment: sqrt(1 - beta_2^t), or its square for Optax."""
    first, second = (correction(hyper[b], t, convention) for b in ("beta_1", "beta_2"))
    if convention == "keras":
        return {"rate": (rate * ops.sqrt(second) / first).named("rate")}
    scale = ops.sqrt(second) if convention == "torch" else second
    return {"rate": (rate / first).named("rate"), "scale": scale.named("scale")}


def _adamw_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    decay = rate * hyper["weight_decay"]
    decay = t.graph.constant(decay, t.dtype) if isinstance(decay, float) else decay.named("decay")
    return _adam_scalars(t, rate, hyper, convention, shared) | {"decay": decay}


def _adamax_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    return {"rate": (rate / correction(hyper["beta_1"], t, convention)).named("rate")}


def _nadam_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    """Keras's and PyTorch's momentum grows with t and its product is kept; Optax's is Adam's, one step ahead."""
    b, scale = hyper["beta_1"], correction(hyper["beta_2"], t, convention)
    if convention == "optax":
        ahead = rate * b / correction(b, t + 1.0, convention)
        return {
            "rate": ahead.named("rate"),
            "gradient_rate": (rate * (1.0 - b) / correction(b, t, convention)).named("gradient_rate"),
            "scale": scale.named("scale"),
        }
    now, following = (b * (1.0 - 0.5 * ops.exp(math.log(0.96) * n)) for n in _momentum_times(t, hyper))
    product = shared["momentum_product"] * now
    return {
        "rate": (rate * following / (1.0 - product * following)).named("rate"),
        "gradient_rate": (rate * (1.0 - now) / (1.0 - product)).named("gradient_rate"),
        "scale": scale.named("scale"),
        "momentum_product": product.named("momentum_product"),
    }


def _momentum_times(t: Value, hyper: Hyper) -> tuple[Value, Value]:
    decay = hyper.get("momentum_decay", 1.0)
    return (t, t + 1.0) if decay == 1.0 else (t * decay, (t + 1.0) * decay)


def _radam_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    first, second = (correction(hyper[b], t, convention) for b in ("beta_1", "beta_2"))
    limit = 2.0 / (1.0 - hyper["beta_2"]) - 1.0
    length = _radam_length(t, hyper["beta_2"])
    if convention == "optax":  # in single precision, as Optax has it: up to a hundredth off while t is small
        length = limit - 2.0 * t * (1.0 - second) / second
    trusted = length >= hyper["threshold"] if convention == "optax" else length > 5.0
    safe = ops.maximum(length, 4.5)  # no root of a negative number where the value is not used
    factor = ops.sqrt((safe - 4.0) * (safe - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * safe))
    plain = (rate / first).named("rate")
    return {
        "rate": plain,
        "rectified": (plain * factor).named("rectified"),
        "scale": second.named("scale"),
        "trusted": trusted.named("trusted"),
    }


def _radam_length(t: Value, beta: float) -> Value:
    """2/(1-b) - 1 - 2t b^t/(1-b^t), whose terms nearly cancel while t is small: there by the series of x/expm1(x)."""
    c, limit = -math.log(beta), 2.0 / (1.0 - beta) - 1.0
    x = c * t
    square = ops.square(x)
    near = (limit - 2.0 / c) + t * (1.0 - x * (1.0 / 6.0 - square * (1.0 / 360.0 - square * (1.0 / 15120.0))))
    return ops.where(x < 0.5, near, limit - 2.0 * t / ops.expm1(x))  # type: ignore[no-any-return]


def _lamb_scalars(t: Value, rate: Any, hyper: Hyper, convention: str, shared: Any) -> dict[str, Value]:
    names = {"first": "beta_1", "second": "beta_2"}
    scalars = {n: correction(hyper[b], t, convention).named(n) for n, b in names.items()}
    return scalars if isinstance(rate, float) else scalars | {"rate": rate}


def _decoupled(hyper: Hyper, convention: str) -> str:
    return "parameter" if convention != "torch" or hyper.get("decoupled_weight_decay") else "gradient"


def _each(rate: float, **more: Any) -> dict[str, dict[str, Any]]:
    base = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "weight_decay": 0.0, **more}
    torch = base | {"learning_rate": rate, "epsilon": 1e-8}
    return {"keras": base | {"epsilon": 1e-7}, "torch": torch, "optax": base | {"epsilon": 1e-8}}


_PLAIN = _each(0.001)
_ADAM = {c: d | ({"epsilon_root": 0.0} if c == "optax" else {"amsgrad": False}) for c, d in _PLAIN.items()}
_DECAYS = {"keras": 0.004, "torch": 0.01, "optax": 1e-4}
_NADAM = _each(0.002)


def _is_amsgrad(hyper: Hyper) -> bool:
    return bool(hyper.get("amsgrad"))


def _adam_slots(hyper: Hyper, shape: tuple[int, ...], convention: str) -> Any:
    return like_parameter("m", "v", *["largest"] * _is_amsgrad(hyper))(hyper, shape, convention)


RULES = {
    "adam": OptimizerRule(
        _ADAM,
        lambda hyper: amsgrad if _is_amsgrad(hyper) else adam,
        _adam_slots,
        _adam_scalars,
    ),
    "adamw": OptimizerRule(
        {c: d | {"weight_decay": _DECAYS[c]} for c, d in _ADAM.items()},
        lambda hyper: amsgrad if _is_amsgrad(hyper) else adamw,
        _adam_slots,
        _adamw_scalars,
        decay=lambda hyper, convention: "parameter" if _is_amsgrad(hyper) else "own",
    ),
    "amsgrad": OptimizerRule(_PLAIN, lambda hyper: amsgrad, like_parameter("m", "v", "largest"), _adam_scalars),
    "adamax": OptimizerRule(_each(0.002), lambda hyper: adamax, like_parameter("m", "norm"), _adamax_scalars),
    "nadam": OptimizerRule(
        _NADAM | {"torch": _NADAM["torch"] | {"momentum_decay": 0.004, "decoupled_weight_decay": False}},
        lambda hyper: nadam,
        like_parameter("m", "v"),
        _nadam_scalars,
        {c: {"momentum_product": 1.0} for c in ("keras", "torch")},
        _decoupled,
    ),
    "radam": OptimizerRule(
        {"torch": _PLAIN["torch"] | {"decoupled_weight_decay": False}, "optax": _PLAIN["optax"] | {"threshold": 5.0}},
        lambda hyper: radam,
        like_parameter("m", "v"),
        _radam_scalars,
        decay=_decoupled,
    ),
    "lamb": OptimizerRule(
        {"keras": _PLAIN["keras"], "optax": _PLAIN["optax"] | {"epsilon": 1e-6}},
        lambda hyper: lamb,
        like_parameter("m", "v"),
        _lamb_scalars,
        decay=lambda hyper, convention: "own" if convention == "optax" else "parameter",
    ),
}
