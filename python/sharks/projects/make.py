"""The whole walk, from a folder of songs to a song. Every step is skipped when what it makes is there already.

PROJECT/data      the dataset          PROJECT/clips     what the model played, with a manifest
PROJECT/run       the training run     PROJECT/song.wav  the song, with song.png and cuts.json
PROJECT/index.html  a page to hear it on, with its clips and an original
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import pathlib
import typing
from collections.abc import Callable

import numpy as np

from ..clips import manifest
from ..engine.devices import named
from ..errors import AudioError, UsageError, arguments
from ..files.locks import held
from ..sound.collapse import told_apart
from . import page
from .page import LEARNT

if typing.TYPE_CHECKING:
    from ..dataset.dataset import Dataset
    from ..packs.pack import Pack
    from ..play.audio import Audio
    from ..songs import Songs

Temperature = float | list[float] | list[tuple[float, float]]

SPARE = 1.5  # x the music that the songs need: some clips will not be good enough
AMPLE = 6.0  # the same, of a model whose steps are no samples: its clips cost next to nothing, and the best are chosen
_LONGER = (
    "train the model for longer (the same again with more hours goes on), choose another preset, or give it more music"
)
_DOING = "makes songs in it"  # what another process is told about the one that has the project
# settings that prepare hears, and their names there
_HEARD = {"model.sample_rate": "sample_rate", "data.val_fraction": "val_fraction", "data.trim_db": "trim_db"}
MOST_ROUNDS = 4  # of generating, each as many clips again, where too few are
FIRST = 8  # clips that are listened to before the rest is played
LEAST_MUSIC = 0.1  # of what these play; where less is fit for a song, more of it is no help


@dataclasses.dataclass(frozen=True)
class Playing:
    """What is asked of a trained model: songs of so many minutes, made of clips of so many seconds.

    `temperature` and `seed` are those of `sharks.generate`. `clips`: how many are played at first, half as many again
    as the songs need.

    >>> sharks.Playing(songs=2, minutes=(2, 3), clip_seconds=30).clips
    18
    """

    songs: int = 1
    minutes: tuple[float, float] = (3.0, 5.0)
    clip_seconds: float = 20.0
    temperature: Temperature | None = None  # the pack's own
    seed: int = 0

    def __post_init__(self) -> None:
        """`UsageError` where it cannot be meant: before music is prepared, and days are spent on a training."""
        from .. import songs
        from ..engine.door import MOST_STREAMS
        from ..play.schedule import Schedule
        from ..training.checks import MOST_SEED

        number, minutes = songs.asked(self.songs, self.minutes)
        seconds = arguments.positive("clip_seconds", self.clip_seconds)
        seed = arguments.whole("seed", self.seed, 0, MOST_SEED)
        for name, value in {"songs": number, "minutes": minutes, "clip_seconds": seconds, "seed": seed}.items():
            object.__setattr__(self, name, value)
        if not MOST_ROUNDS * AMPLE * 60 * minutes[1] * number / seconds <= MOST_STREAMS:
            arguments.refuse("clip_seconds", seconds, f"longer clips: {MOST_STREAMS} at most can be played")
        if self.temperature is not None:
            if np.iterable(self.temperature) and not any(map(np.iterable, self.temperature)):
                why = "one for each of so many clips as curation will need"
                raise UsageError(f"is {self.temperature}, {why}; wanted a number, or points in time", "temperature")
            Schedule(self.temperature, self.clips, 1)

    @property
    def clips(self) -> int:
        return self._clips(SPARE)

    def clips_of(self, pack: Pack) -> int:
        """How many clips of a pack are played at first: six times what the songs need where that costs little."""
        return self._clips(SPARE if pack.spec.pace == (1, 1) else AMPLE)

    def _clips(self, times: float) -> int:
        return math.ceil(times * 60 * self.minutes[1] * self.songs / self.clip_seconds)


def make(
    songs: str | os.PathLike[str],
    project: str | os.PathLike[str],
    *,
    preset: str | None = None,
    playing: Playing = Playing(),  # noqa: B008  frozen
    steps: int | None = None,
    hours: float | None = None,
    device: str = "auto",
    ask: Callable[[str], bool] | None = None,
    tell: Callable[[str], None] = lambda line: None,
    progress: Callable[[float, float, float], None] | None = None,
    **settings: typing.Any,
) -> Songs:
    """Prepare, train, generate, curate. The same call again goes on where the last one stopped.

    `preset`, `steps`, `hours`, `device`, `ask` and `settings` are those of `sharks.train`. `tell` is given a line
    before each step. `AudioError` where the model has not learnt enough to make a song, before minutes of hum are
    played; what is there stays, and the same call with more `hours` or `steps` goes on. `ResourceError` where another
    process makes or plays into `project`.

    >>> playing = sharks.Playing(songs=3, minutes=(3, 5))
    >>> sharks.make("songs", "project", preset="dadabots-2tier-tinny", playing=playing, hours=8)
    Traceback (most recent call last):
    sharks.errors.UsageError: unknown preset 'dadabots-2tier-tinny'; did you mean 'dadabots-2tier-tiny'?
    """
    from ..dataset.prepare import prepare
    from ..training import train
    from ..training.checks import asked
    from ..training.choice import chosen
    from ..training.run import rundir

    songs, project = arguments.path("songs", songs), arguments.path("project", project)
    _check(playing, ask=ask, tell=tell, progress=progress)
    wish, preset = preset, chosen(preset, project / "run", device, tell)
    asked(preset, steps=steps, hours=hours, device=device, **settings)
    _refuse_others(project, playing)
    rundir.refuse_others(project / "run")
    with held(project, _DOING):
        tell(f"1/4 prepare {songs}")
        data = prepare(songs, project / "data", preset=preset, **of_the_data(preset, settings))
        tell(data.report())
        preset = chosen(wish, project / "run", device, tell, data.minutes_to_learn)
        tell(f"2/4 train {preset}")
        run = train(
            project / "data",
            project / "run",
            preset,
            steps=steps,
            hours=hours,
            device=device,
            ask=ask,
            seed=playing.seed,
            **settings,
        )
        album = _played(run.path, project, playing, device, tell, progress)
    _save(album, project, run.path, tell, data)
    return album


def play(
    model: str | os.PathLike[str],
    project: str | os.PathLike[str],
    *,
    playing: Playing = Playing(),  # noqa: B008  frozen
    device: str = "auto",
    tell: Callable[[str], None] = lambda line: None,
    progress: Callable[[float, float, float], None] | None = None,
) -> Songs:
    """The second half: generate clips with a run or pack, and make songs of them.

    While what curation keeps is too little for the songs, as many clips again are generated, up to four times.
    `AudioError` where the model has not learnt enough, by its own account or by its first clips. `ResourceError` where
    another process makes or plays into `project`.
    """
    model, project = arguments.path("model", model), arguments.path("project", project)
    _check(playing, tell=tell, progress=progress)
    named(device)
    _refuse_others(project, playing)
    with held(project, _DOING):
        album = _played(model, project, playing, device, tell, progress)
    _save(album, project, model, tell)
    return album


def _check(playing: Playing, **functions: typing.Any) -> None:
    if not isinstance(playing, Playing):
        arguments.refuse("playing", playing, "a sharks.Playing")
    for name, value in functions.items():
        arguments.function(name, value)


def _refuse_others(project: pathlib.Path, playing: Playing) -> None:
    """`UsageError` where songs or a page of somebody else are in the way."""
    from ..songs import cutlist

    page.refuse_others(project)
    cutlist.refuse_others(project, {*cutlist.names(1), *cutlist.names(playing.songs)})


def _save(
    album: Songs,
    project: pathlib.Path,
    model: pathlib.Path,
    tell: Callable[[str], None],
    data: Dataset | None = None,
) -> None:
    """The songs, and the page to hear them on; told is how near they are to what was learnt."""
    from ..packs.pack import load
    from . import album_page

    album.save(project)
    with held(project, _DOING):
        for fact in album_page.write(project, album, load(model), model, data):
            tell(f"{fact.name}: {fact.value}")


def _played(
    model: str | os.PathLike[str],
    project: pathlib.Path,
    playing: Playing,
    device: str,
    tell: Callable[[str], None],
    progress: Callable[[float, float, float], None] | None,
) -> Songs:
    """Songs that are not saved yet, and the clips that they are made of, which are."""
    from ..packs.pack import load
    from ..play.generate import generate
    from ..songs import curate

    pack = load(model)
    _check_learnt(pack)
    clips = _place(project, pack, playing, device)
    given: dict[str, typing.Any] = {
        "temperature": playing.temperature,
        "seed": playing.seed,
        "device": device,
        "progress": progress,
    }
    for number in range(1, MOST_ROUNDS + 1):
        count = number * playing.clips_of(pack)
        tell(f"3/4 generate {count if number == 1 else f'more, {count} in all,'} clips of {playing.clip_seconds:g} s")
        if number == 1:
            _check_music(generate(pack, playing.clip_seconds, min(FIRST, count), out=clips, **given))
        if number > 1 or count > FIRST:
            generate(pack, playing.clip_seconds, count, out=clips, **given)
        tell(f"4/4 curate {clips}")
        try:
            album = curate(clips, songs=playing.songs, minutes=playing.minutes)
        except AudioError as error:
            if number == MOST_ROUNDS:
                raise AudioError(f"{error}, or train the model for longer") from None
            continue
        if len(album.songs) == playing.songs and all(s.seconds >= 60 * playing.minutes[0] for s in album.songs):
            break
    return album


def _check_learnt(pack: Pack) -> None:
    """`AudioError` for a pack that says of itself that guessing is as good."""
    bits, guessing = (pack.about.get(name) for name in ("nll_bits", "order0_bits"))
    if isinstance(bits, float) and isinstance(guessing, float) and bits > guessing - LEARNT:
        cost, limit = told_apart(bits, guessing - LEARNT)
        raise AudioError(
            f"{pack.path}: has learnt nothing yet: music that it has not heard costs it {cost} bits, where "
            f"guessing costs {guessing:.2f}; wanted {limit} or less; {_LONGER}"
        )


def _check_music(first: Audio) -> None:
    """`AudioError` where hardly anything of the first clips is fit for a song."""
    from ..songs import curate

    files = first.files or []
    played = first.seconds * len(files)
    try:
        album = curate(files, minutes=(0.01, max(1.0, played / 60)), crossfade=0.0)
    except AudioError as error:
        raise AudioError(f"{str(error).removesuffix('; generate others')}; {_LONGER}") from None
    music = sum(song.seconds for song in album.songs)
    if music < LEAST_MUSIC * played:
        share, limit = told_apart(100 * music / played, 100 * LEAST_MUSIC, 0)
        raise AudioError(
            f"{files[0].parent}: only {share}% of the first {len(files)} clips are music; wanted {limit}%; {_LONGER}"
        )


def _place(project: pathlib.Path, pack: Pack, playing: Playing, device: str) -> pathlib.Path:
    """Where such clips belong: "clips", or "clips-2" where the clips of another training, seed, temperature or engine
    are there. Where no temperature is asked for, that of the clips decides."""
    rows = {row.file: row for row in _rows(pack, playing, device)}
    for number in itertools.count(1):
        folder = project / ("clips" if number == 1 else f"clips-{number}")
        known = manifest.read(folder).values()
        if all((clip.pack_sha256, clip.seed) == (pack.sha256, playing.seed) for clip in known) and all(
            _asked(rows[clip.file], playing).same_music(_asked(clip, playing)) for clip in known if clip.file in rows
        ):
            return folder
    raise AssertionError("itertools.count ended")


def _rows(pack: Pack, playing: Playing, device: str) -> list[manifest.Clip]:
    """What the manifest would say of the clips, were they played now."""
    from ..play.audio import rows_of
    from ..play.request import request
    from ..play.schedule import steps
    from ..play.session import Session

    asked = request(pack, playing.clips_of(pack), temperature=playing.temperature, seed=playing.seed)
    where = Session(next(asked.parts(1)), device=device).where
    samples = steps("clip_seconds", playing.clip_seconds, pack.spec.sample_rate)
    return rows_of(asked, where, samples, include_prime=False, folder=None)


def _asked(clip: manifest.Clip, playing: Playing) -> manifest.Clip:
    return clip if playing.temperature is not None else dataclasses.replace(clip, temperature=0.0)


def dataset_of(
    source: str | os.PathLike[str], out: str | os.PathLike[str], preset: str, settings: dict[str, typing.Any]
) -> Dataset:
    """`source` if it is a dataset, else the dataset `out` that its music is prepared into."""
    from ..dataset.dataset import load_dataset
    from ..dataset.prepare import prepare

    if (pathlib.Path(source) / "dataset.json").exists():
        return load_dataset(source)
    return prepare(source, out, preset=preset, **of_the_data(preset, settings))


def of_the_data(preset: str, settings: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """What settings of a training say of the dataset, as arguments of `prepare`."""
    from ..recipes import presets
    from ..sound.silence import SILENCE_DB

    heard = {name: settings[name] for name in settings if name in _HEARD}
    spec, recipe = presets.override(presets.preset(preset), presets.recipe(preset), heard)
    values = (spec.sample_rate, recipe.data.val_fraction, max(SILENCE_DB, recipe.data.trim_db))
    return {_HEARD[name]: value for name, value in zip(_HEARD, values, strict=True) if name in heard}
