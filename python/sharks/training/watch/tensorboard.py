"""The run for TensorBoard, for those who use it: losses, speed, and previews as audio and pictures. An extra."""

from __future__ import annotations

import pathlib
import typing

import numpy as np

from ...errors import ResourceError
from .forecast import Forecast
from .listener import Listener

FOLDER = "tb"
_EVERY = 10  # steps between losses


class TensorBoard(Listener):
    """Writes to RUN/tb; look at it with `tensorboard --logdir RUN/tb`."""

    def __init__(self, run: pathlib.Path, step: int, forecast: Forecast) -> None:
        """Goes on after `step`: what an interrupted run had written beyond it is not shown."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ResourceError(
                "this needs tensorboard; install it with `pip install 'sharks-audio[train]'`, or leave it out"
            ) from None
        self._writer: typing.Any = SummaryWriter(str(run / FOLDER), purge_step=step + 1)
        self._forecast = forecast

    def learnt(self, step: int, nll: float, rate: float) -> None:
        if step % _EVERY == 0:
            self._writer.add_scalar("bits/training", nll, step)
            self._writer.add_scalar("learning rate", rate, step)
            self._writer.add_scalar("samples per second", self._forecast.samples_per_second, step)

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        self._writer.add_scalar("bits/validation", nll, step)
        for name, bits in tracks.items():
            self._writer.add_scalar(f"held out/{name}", bits, step)

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        from PIL import Image

        from ...sound.reading import read_audio

        for number, path in enumerate(sorted(folder.glob("*.wav"))):
            samples, rate = read_audio(path)
            self._writer.add_audio(f"preview/{number}", samples[0], step, rate)
            with Image.open(path.with_suffix(".png")) as picture:
                self._writer.add_image(f"preview/{number}", np.asarray(picture.convert("RGB")), step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()
