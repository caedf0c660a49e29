"""Golden steps: a few hundred steps of a model, played by the float64 reference and kept inside its pack.

They let any backend on any machine be judged without the reference: force the same levels and compare the logits, draw
with the same noise and compare the levels. The forced part is a noisy sine, long enough to wrap a WaveNet's rings where
that is affordable; the free part follows the model's own draws.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..families.registry import reference_player
from ..families.spec import Spec
from ..levels.quantize import codec_of

MOST_STEPS = 1 << 16  # that a pack may carry

_FREE_STEPS = 128
_FORCED_STEPS = 1100  # wraps a ring of 1024
_FORCED_LOGITS = 64
_LOGITS = 1 << 16  # numbers: 256 KiB of a pack
_PRODUCTS = 2e9  # multiplications to spend: a few seconds in numpy


@dataclass(frozen=True, eq=False)
class Golden:
    """What the reference did from the initial state: a history, then levels forced, then levels drawn."""

    history: NDArray[np.int32]  # (lookback,)
    forced: NDArray[np.int32]  # (steps,)
    free: NDArray[np.int32]  # (steps,)
    logits: NDArray[np.float32]  # (steps, output_width): the predictions of all free levels and the last forced ones
    condition: NDArray[typing.Any] | None = None  # int32 (1,): a class, or float32 (1, G): a vector
    temperature: float = 1.0
    seed: int = 0
    stream: int = 0

    def tensors(self) -> dict[str, NDArray[typing.Any]]:
        """The arrays by their names in a pack."""
        names = ("history", "forced", "free", "logits", "condition")
        return {f"golden.{name}": getattr(self, name) for name in names if getattr(self, name) is not None}

    def settings(self) -> dict[str, typing.Any]:
        """The numbers that a pack keeps as metadata."""
        return {"temperature": self.temperature, "seed": self.seed, "stream": self.stream}


def play(spec: Spec, weights: dict[str, NDArray[np.float32]]) -> Golden:
    """The golden steps of a model: deterministic, by the reference; takes seconds where the model is large."""
    forced_steps, free_steps, kept = affordable(spec)
    history = np.full(spec.lookback, codec_of(spec).pad_level, np.int32)
    condition = spec.condition.example()
    player = reference_player(spec, weights, streams=1, condition=condition)
    draft = Golden(
        history,
        forced=_noisy_sine(spec, forced_steps),
        free=np.empty(free_steps, np.int32),
        logits=np.empty((kept, spec.output_width), np.float32),
        condition=condition,
    )
    free, logits = replay(player, draft, follow=True)
    return dataclasses.replace(draft, free=free, logits=logits)


def replay(player: typing.Any, golden: Golden, follow: bool = False) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Play the same steps again: (levels drawn (free,), logits (steps, output_width)).

    The logits follow the golden levels, so that they can be compared step by step, or with `follow` the drawn ones.
    """
    n, keep = len(golden.free), len(golden.logits) - len(golden.free)
    player.reset(golden.history[None])
    if keep < len(golden.forced):
        player.force(golden.forced[None, : len(golden.forced) - keep], want_logits=False)
    before, _ = player.force(golden.forced[None, len(golden.forced) - keep :])
    state = player.get_state()
    temperature = np.full((1, n), golden.temperature, np.float32)
    drawn = player.run(n, temperature, golden.seed, np.array([golden.stream], np.int64))
    player.set_state(state)
    after, _ = player.force(drawn if follow else golden.free[None])
    return drawn[0], np.concatenate([before[0], after[0]])


def layout(spec: Spec, got: dict[str, tuple[int, ...]]) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """The shapes and dtypes that golden tensors must have, by name. How many steps there are is the file's choice."""

    def steps(name: str, least: int, most: int) -> int:
        shape = got.get(f"golden.{name}", ())
        return min(max(shape[0] if shape else 0, least), most)

    forced, free = steps("forced", 1, MOST_STEPS), steps("free", 1, MOST_STEPS)
    shapes: dict[str, tuple[int, ...]] = {"history": (spec.lookback,), "forced": (forced,), "free": (free,)}
    shapes["logits"] = (steps("logits", free, free + forced), spec.output_width)
    dtypes = dict.fromkeys(shapes, "I32") | {"logits": "F32"}
    condition = spec.condition.example()
    if condition is not None:
        shapes["condition"] = condition.shape
        dtypes["condition"] = "I32" if condition.dtype == np.int32 else "F32"
    return {f"golden.{k}": v for k, v in shapes.items()}, {f"golden.{k}": v for k, v in dtypes.items()}


def validate(spec: Spec, golden: Golden) -> None:
    """ValueError where golden steps of the right shapes hold what no player can play."""
    for name in ("history", "forced", "free"):
        levels = getattr(golden, name)
        if levels.min() < 0 or levels.max() >= spec.q_levels:
            raise ValueError(f"{name} holds {levels.min()} to {levels.max()}, wanted levels below {spec.q_levels}")
    if not np.isfinite(golden.logits).all():
        raise ValueError("logits are not finite")
    if golden.condition is not None and not spec.condition.fits(golden.condition):
        raise ValueError("condition is no class and no vector")
    if not (type(golden.temperature) is float and 0 <= golden.temperature <= 100):
        raise ValueError(f"temperature is {golden.temperature!r}")
    for name, bits in (("seed", 64), ("stream", 32)):
        value = getattr(golden, name)
        if type(value) is not int or not 0 <= value < 1 << bits:
            raise ValueError(f"{name} is {value!r}")


def affordable(spec: Spec) -> tuple[int, int, int]:
    """How many steps to force, how many to draw, and how many logits to keep, given the model's size."""
    total = int(min(_FORCED_STEPS + _FREE_STEPS, max(32, _PRODUCTS / _products(spec))))
    logits = max(16, min(_FREE_STEPS + _FORCED_LOGITS, _LOGITS // spec.output_width, total))
    free = logits * _FREE_STEPS // (_FREE_STEPS + _FORCED_LOGITS)
    return total - free, free, logits


def _products(spec: Spec) -> float:
    """About how many multiplications one step takes."""
    return sum(math.prod(shape) / spec.period(name) for name, shape in spec.tensors())


def _noisy_sine(spec: Spec, steps: int) -> NDArray[np.int32]:
    q, noise = spec.q_levels, np.random.PCG64(0).random_raw(steps) % 1024 / 1024
    wave = 0.5 + 0.35 * np.sin(np.arange(steps) * (2 * np.pi / 73)) + 0.2 * (noise - 0.5)
    return np.floor(wave * q).clip(0, q - 1).astype(np.int32)
