"""What all families share: the loop over time, the state as a value, and the checks of what comes in.

A step predicts the level at this position from the state, then consumes a level: the true one under teacher forcing,
the drawn one when running free. A model is two functions, `begin(state)` and `predict(state, tap) -> logits`.
"""

from __future__ import annotations

import typing

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import UsageError, did_you_mean
from ...levels import sampling
from ..spec import Spec
from .weights import Floats

State = dict[str, np.ndarray]


class Tap(typing.Protocol):
    """Notes a named value on its way and returns it."""

    def __call__(self, name: str, value: Floats) -> Floats: ...


class Model(typing.Protocol):
    """A family's step."""

    def begin(self, state: State) -> None:
        """Fill a state of zeros with what a stream starts from."""

    def predict(self, state: State, tap: Tap) -> Floats:
        """Logits (B, Q) of the level at this position. Advances rings and hidden states, not levels and position."""
        ...


class Player:
    """`streams` independent streams (B) of one model. See `spec.state()` and `spec.stages()` for the names."""

    def __init__(self, spec: Spec, model: Model, streams: int) -> None:
        if not 1 <= streams:
            raise UsageError(f"streams is {streams}; wanted at least 1")
        self.spec, self.streams = spec, streams
        self._model = model
        self._stages = {stage.name: stage for stage in spec.stages()}
        self._state: State | None = None

    def reset(self, levels: ArrayLike) -> None:
        """Start anew after the history `levels` int (B, lookback), oldest first."""
        history = self._levels(levels, self.spec.lookback)
        state = {name: np.zeros((self.streams, *shape), _judged(dtype)) for name, shape, dtype in self.spec.state()}
        state["levels"] = history
        self._model.begin(state)
        self._state = state

    def force(
        self,
        levels: ArrayLike,
        want_logits: bool = True,
        stages: typing.Iterable[str] = (),
        out: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32] | None, dict[str, NDArray[np.float32]]]:
        """Teacher forcing over `levels` int (B, T).

        Returns logits float32 (B, T, Q), where [:, t] predicts levels[:, t] from everything before, or None; and the
        stages asked for, each float32 (B, frames that began inside this call, width). `out`: an array for the logits.
        """
        levels = self._levels(levels, None)
        wanted = [*stages, *(["logits"] if want_logits else [])]
        for name in wanted:
            if name not in self._stages:
                raise UsageError(f"{self.spec.family} has no stage {name!r}{did_you_mean(name, self._stages)}")
        if out is not None and not want_logits:
            raise UsageError("out is for logits, but want_logits is False; leave one of them out")
        result = _result(out, (*levels.shape, self.spec.output_width), np.float32) if want_logits else None
        notes: dict[str, list[Floats]] = {name: [] for name in wanted}
        for column in levels.T:
            self._predict(notes)
            self._consume(column)
        taken = {name: self._as_block(name, values) for name, values in notes.items()}
        if result is not None:
            result[...] = taken["logits"]
        return result, {name: taken[name] for name in stages}

    def run(
        self,
        n: int,
        temperature: ArrayLike,
        seed: int,
        streams: ArrayLike,
        out: NDArray[np.int32] | None = None,
    ) -> NDArray[np.int32]:
        """Run free for `n` samples -> levels int32 (B, n), in `out` where it is given.

        `temperature` float (B, n), 0 or more; `seed` and the stream numbers int (B,) choose the noise, see
        `sampling`, whose step is the state's `step`.
        """
        state = self._playing()
        temperature = np.asarray(temperature, np.float32)
        if temperature.shape != (self.streams, n):
            raise UsageError(f"temperature is {temperature.shape}; wanted {(self.streams, n)}")
        wrong = temperature[~(np.isfinite(temperature) & (temperature >= 0))]
        if wrong.size:
            raise UsageError(f"temperature is {wrong[0]} somewhere; wanted a finite number, 0 or more")
        drawn = _result(out, (self.streams, n), np.int32)
        for t in range(n):
            logits = self._predict({}).astype(np.float32)
            drawn[:, t] = sampling.draw(logits, temperature[:, t], seed, streams, state["step"])
            self._consume(drawn[:, t])
            state["step"] += 1
        return drawn

    def get_state(self) -> State:
        """A copy of the state. The reference keeps its float64; other players hold float32."""
        return {name: value.copy() for name, value in self._playing().items()}

    def set_state(self, state: State) -> None:
        """Go on from `state`, which any player of the same spec and number of streams may have given."""
        table = self.spec.state()
        names = {array.name for array in table}
        if set(state) != names:
            raise UsageError(f"the state holds {sorted(state)}; wanted {sorted(names)}")
        copy: State = {}
        for name, shape, dtype in table:
            copy[name] = np.array(state[name], _judged(dtype))
            if copy[name].shape != (self.streams, *shape):
                raise UsageError(f"state {name!r} is {copy[name].shape}; wanted {(self.streams, *shape)}")
        copy["levels"] = self._levels(copy["levels"], self.spec.lookback)
        for name, value in copy.items():
            if not np.isfinite(value).all():
                raise UsageError(f"state {name!r} holds NaN or infinite values; wanted finite ones")
            if value.dtype == np.int32 and not ((value >= -1) & (value < self.spec.q_levels)).all():
                raise UsageError(f"state {name!r} is not all levels from -1 to {self.spec.q_levels - 1}")
        if len(set(copy["position"] % self.spec.lookback)) > 1:
            raise UsageError(
                f"streams stand at positions {copy['position'].tolist()}; wanted the same place of a frame of "
                f"{self.spec.lookback} samples for all"
            )
        self._state = copy

    def _predict(self, notes: dict[str, list[Floats]]) -> Floats:
        def tap(name: str, value: Floats) -> Floats:
            if name in notes:
                notes[name].append(value)
            return value

        return self._model.predict(self._playing(), tap)

    def _consume(self, levels: NDArray[np.int32]) -> None:
        state = self._playing()
        state["levels"] = np.concatenate([state["levels"][:, 1:], levels[:, None]], axis=1)
        state["position"] += 1

    def _playing(self) -> State:
        if self._state is None:
            raise UsageError("the player has no state yet; call reset or set_state first")
        return self._state

    def _as_block(self, name: str, values: list[Floats]) -> NDArray[np.float32]:
        block = np.empty((self.streams, len(values), self._stages[name].width), np.float32)
        for t, value in enumerate(values):
            block[:, t] = value
        return block

    def _levels(self, levels: ArrayLike, length: int | None) -> NDArray[np.int32]:
        """A copy of `levels` as int32 (B, length), any length where it is None."""
        levels = np.asarray(levels)
        if levels.ndim != 2 or levels.shape != (self.streams, levels.shape[1] if length is None else length):
            wanted = (self.streams, "T" if length is None else length)
            raise UsageError(f"levels are {levels.shape}; wanted {wanted}")
        if levels.dtype.kind not in "iu" or not ((levels >= 0) & (levels < self.spec.q_levels)).all():
            raise UsageError(f"levels are not all whole numbers from 0 to {self.spec.q_levels - 1}")
        return levels.astype(np.int32)


def _judged(dtype: str) -> type[np.generic] | str:
    """The type in which the reference keeps an array of the state: floats in twice the width."""
    return np.float64 if dtype == "float32" else dtype


def _result(out: typing.Any, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[typing.Any]:
    """The caller's array, refused unless it is what a new one would be; or a new one for None."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise UsageError(f"out is a {type(out).__name__}; wanted a numpy array")
    if out.dtype != dtype or out.shape != shape:
        raise UsageError(f"out is {out.dtype} of shape {out.shape}; wanted {np.dtype(dtype)} of shape {shape}")
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise UsageError("out is not contiguous or can only be read; wanted a contiguous array that may be written")
    return out
