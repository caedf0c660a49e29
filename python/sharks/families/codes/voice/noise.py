"""The voice that needs no training: white noise through the envelope that the codes mean.

Every `hop` samples the envelope reaches a mel frame's, and half-way it is the mean of two, in decibels. A frame's
envelope is reached at the end of its time, so that a sample depends on no code that comes later.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ....levels import sampling
from ..spec import CodesSpec
from ..tokenizer.tokenizer import Tokenizer
from .envelope import Envelope, Floats

Filter = Callable[[NDArray[np.float32], Floats, Floats, Floats], tuple[NDArray[np.float32], Floats]]
State = dict[str, NDArray[typing.Any]]

KNEE = 0.75  # of full scale: from here on peaks are rounded, for noise has higher ones than music


class NoiseVoice:
    """`streams` voices (B) that say codes frame by frame. Their state is a value: see `state`."""

    def __init__(
        self,
        spec: CodesSpec,
        tensors: Mapping[str, NDArray[np.float32]],
        seed: int,
        streams: NDArray[np.int64],
        all_pole: Filter,
    ) -> None:
        self.spec, self._seed, self._streams, self._all_pole = spec, seed, streams, all_pole
        self._tokenizer = Tokenizer(spec, tensors)
        self._envelope = Envelope(self._tokenizer.mel, spec.order)
        B = len(streams)
        self.state: State = {
            "voice.frame": np.full((B, spec.bands), np.nan, np.float32),  # the last mel frame; NaN: none yet
            "voice.past": np.zeros((B, spec.order)),  # of the filter
        }

    def say(self, codes: NDArray[np.int32], first: int) -> NDArray[np.float32]:
        """The sound of codes (B, frames * books) that begins at sample `first`: float32 (B, samples) in [-1, 1]."""
        B, spec = len(codes), self.spec
        frames = self._tokenizer.decode(codes.reshape(B, -1, spec.books))
        predictors, gains = self._filters(frames)
        samples = frames.shape[1] * spec.hop
        noise = sampling.white(self._seed, self._streams, first, samples)
        sound, self.state["voice.past"] = self._all_pole(noise, predictors, gains, self.state["voice.past"])
        self.state["voice.frame"] = frames[:, -1].copy()
        return rounded(sound)

    def goes_on_from(self, codes: NDArray[np.int32]) -> None:
        """Begin after codes (B, frames * books) that others said: with their last frame's envelope."""
        if codes.shape[1]:
            last = codes[:, codes.shape[1] - self.spec.books :].reshape(len(codes), 1, -1)
            self.state["voice.frame"] = self._tokenizer.decode(last)[:, -1].copy()

    def _filters(self, frames: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """The filters of the two halves of each frame: (B, 2 * frames, order), and their gains."""
        last = self.state["voice.frame"]
        before = np.concatenate([np.where(np.isnan(last), frames[:, 0], last)[:, None], frames[:, :-1]], axis=1)
        halves = np.stack([(before + frames) / 2, frames], axis=2)
        predictors, gains = self._envelope.filters(halves.reshape(-1, self.spec.bands))
        return predictors.reshape(len(frames), -1, self.spec.order), gains.reshape(len(frames), -1)


def rounded(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sound within full scale: what goes beyond the knee bends towards it."""
    beyond = np.maximum(np.abs(sound) - np.float32(KNEE), 0) / np.float32(1 - KNEE)
    bent = np.copysign(np.float32(KNEE) + np.float32(1 - KNEE) * np.tanh(beyond), sound)
    return np.where(beyond > 0, bent, sound).astype(np.float32)
