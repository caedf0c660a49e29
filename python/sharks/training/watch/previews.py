"""Short clips on the way: is it becoming music?"""

from __future__ import annotations

import json
import pathlib
import tempfile
import time
from collections.abc import Callable

from ...errors import Error
from ...files.atomic import atomically
from ...packs.pack import Pack
from ...recipes.recipe import TrainRecipe
from ..run import rundir
from .listener import Listener, Listeners

CLIPS = 2
_MOMENT = 0.25  # seconds


class Previews(Listener):
    """Plays clips with what was learnt by a step, every so many steps and at the end, and tells all of them."""

    def __init__(
        self, folder: pathlib.Path, train: TrainRecipe, seed: int, pack: Callable[[], Pack], tell: Listeners
    ) -> None:
        """`folder` of the run; `pack` gives what there is to play by now."""
        self._folder, self._train, self._seed, self._pack, self._tell = folder, train, seed, pack, tell

    def stepped(self, step: int, last: bool) -> None:
        if last or step % self._train.preview_every == 0:
            with self._tell.timed("preview"):
                self._preview(step)

    def _preview(self, step: int) -> None:
        folder = self._folder / rundir.PREVIEWS / f"{step:010d}"
        try:
            verdicts = make(self._pack(), folder, self._train.preview_seconds, self._train.temperature, self._seed)
        except (Error, OSError, MemoryError) as error:  # the training is worth more than a preview
            self._tell.say(f"step {step:,}: no previews: {error}")
            return
        if verdicts:
            self._tell.previewed(step, folder, verdicts)


def make(pack: Pack, folder: pathlib.Path, seconds: float, temperature: float, seed: int) -> list[str]:
    """Play `CLIPS` clips into `folder`, with spectrograms and health.json; the verdict of each.

    Nothing, where the compiled engine is missing: the reference would take longer than the training.
    """
    try:
        from ... import _core  # noqa: F401
    except ImportError:
        return []
    from ...play.generate import generate
    from ...sound.health import health
    from ...sound.picture import spectrogram_png
    from ...sound.wav import write_wav

    audio = generate(pack, seconds, CLIPS, temperature=temperature, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    reports = {}
    for number, samples in enumerate(audio.samples[:, 0]):
        name = f"{number:02d}_t{temperature:g}_s{seed}"
        write_wav(folder / f"{name}.wav", samples, audio.sample_rate)
        spectrogram_png(folder / f"{name}.png", samples, audio.sample_rate)
        reports[name] = health(samples, audio.sample_rate)
    with atomically(folder / "health.json") as file:
        file.write(json.dumps({name: report.to_dict() for name, report in reports.items()}, indent=1).encode())
    return [report.verdict for report in reports.values()]


def rehearse(pack: Pack, seconds: float, temperature: float, seed: int) -> float:
    """How long `make` would take, in seconds, after trying a moment of it."""
    moment, whole = min(_MOMENT, seconds), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the first also imports what is needed
            began = time.perf_counter()
            if not make(pack, pathlib.Path(folder), moment, temperature, seed):
                return 0.0
            whole = time.perf_counter() - began
    from ...play.generate import generate

    began = time.perf_counter()
    generate(pack, moment, CLIPS, temperature=temperature, seed=seed)  # alone: what grows with the length
    return whole + (time.perf_counter() - began) * (seconds / moment - 1)
