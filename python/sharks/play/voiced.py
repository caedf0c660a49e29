"""A session of a model whose steps are not samples: what it draws is said by a voice, frame by frame.

All else that plays, writes and reads clips deals in samples, and finds them here: levels of 16 bits. A clip is a pure
function of the same things as any other, the voice's own noise among them, which is counted as the draws' is.
"""

from __future__ import annotations

import pathlib
import typing
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..engine.door import State
from ..engine.filters import filter_of
from ..errors import AudioError
from ..families import registry
from ..levels.quantize import codec_of
from .request import Request
from .session import Session, Spans

_LAST = "voice.last"  # the samples of the last frame, of which a clip may have only some yet


def session_of(request: Request, **on: typing.Any) -> Session:
    """The session that a request's model wants; `on` is `Session`'s."""
    kind = Session if request.pack.spec.pace == (1, 1) else VoicedSession
    return kind(request, **on)


class VoicedSession(Session):
    """As `Session`: `step`, `force`, `again` and `free` count samples."""

    def __init__(self, request: Request, **on: typing.Any) -> None:
        super().__init__(request, **on)
        self._frames = 0  # that were said
        self._pace = request.pack.spec.pace
        self._sound = request.pack.spec.sound
        self._last = np.zeros((request.n, self._pace.samples), np.int32)
        spec, tensors = request.pack.spec, request.pack.tensors
        self._voice = registry.voice(spec, tensors, request.seed, request.streams, filter_of(self.where.device))

    def begin(self) -> None:
        """Go to the first free sample: the initial state, then what the primer sounds like."""
        spec = self.request.pack.spec
        self._player.reset(np.full((self.request.n, spec.lookback), codec_of(spec).pad_level, np.int32))
        if self.request.primer is not None:
            self.force(np.broadcast_to(self.request.primer, (self.request.n, self.request.primer.shape[1])))

    def resume(self, state: State) -> None:
        state = dict(state)
        self._last = state.pop(_LAST)
        self._voice.state = {name: state.pop(name) for name in [*self._voice.state]}
        self.step = int(state["step"][0])
        self._frames = -(-self.step // self._pace.samples)
        state["step"] = np.full(self.request.n, self._frames * self._pace.steps, np.int64)
        self._player.set_state(state)

    def state(self) -> State:
        """A copy. Its `step` counts samples."""
        voice = {name: array.copy() for name, array in self._voice.state.items()}
        here = {"step": np.full(self.request.n, self.step, np.int64), _LAST: self._last.copy()}
        return self._player.get_state() | voice | here

    def force(self, levels: NDArray[np.int32]) -> None:
        """Hear the sound of `levels` int (n, samples): the last whole frames of it, as codes."""
        spec, tensors = self.request.pack.spec, self.request.pack.tensors
        tokenizer, table = registry.tokenizer(spec, tensors), self._sound.decode_table()
        over = levels.shape[1] % self._pace.samples
        alike = len(levels) > 1 and (levels == levels[0]).all()  # one primer for all
        heard = [tokenizer.encode(table[row[over:]]).reshape(-1) for row in (levels[:1] if alike else levels)]
        codes = np.ascontiguousarray(np.broadcast_to(np.stack(heard), (len(levels), heard[0].size)))
        for start, count in self._spans(codes.shape[1]):
            self._player.force(codes[:, start : start + count], want_logits=False)
        self._voice.goes_on_from(codes)

    def again(self, levels: NDArray[np.int32], path: pathlib.Path) -> None:
        """Play the clip anew, for its codes cannot be read from its sound, and see that it is the same."""
        start = 0
        for piece in self.free(levels.shape[1]):
            if not np.array_equal(piece, levels[:, start : start + piece.shape[1]]):
                raise AudioError(
                    f"{path}: is not what this computer plays; extend it on the one that made it, with the same device "
                    "and dtype, or generate a longer clip"
                )
            start += piece.shape[1]

    def free(self, samples: int) -> Iterator[NDArray[np.int32]]:
        length, end = self._pace.samples, self.step + samples
        if said := min(self._frames * length - self.step, samples):
            start = length - (self._frames * length - self.step)
            self.step += said
            yield self._last[:, start : start + said].copy()
        for _, frames in self._framewise(-(-(end - self.step) // length)):
            levels = self._say(frames)
            levels = levels[:, : end - self.step]
            self.step += levels.shape[1]
            yield levels

    def _say(self, frames: int) -> NDArray[np.int32]:
        """The samples of the next frames."""
        length, request, first = self._pace.samples, self.request, self._frames * self._pace.samples
        temperature = request.schedule.at(first, frames * length)[:, ::length]
        temperatures = np.repeat(temperature, self._pace.steps, axis=1)
        codes = self._player.run(frames * self._pace.steps, temperatures, request.seed, request.streams)
        levels = self._sound.encode(self._voice.say(codes, first))
        self._frames += frames
        self._last = levels[:, -length:].copy()
        return levels

    def _framewise(self, frames: int) -> Iterator[tuple[int, int]]:
        return Spans()(frames)
