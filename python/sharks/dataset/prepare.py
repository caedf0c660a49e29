"""From a folder of songs to a dataset: decode, mix, resample, cut silence, split, and say what became of every file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import pathlib
import shutil
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from ..errors import AudioError, ResourceError, UsageError, arguments
from ..files.atomic import atomically
from ..files.locks import held, started_together
from ..levels.quantize import codec_of
from ..sound.reading import Decoder, shown
from ..sound.silence import LONGEST, SILENCE_DB
from .dataset import FORMAT, LITTLE, SPLITS, VERSION, Dataset, cost, file_counts, level_counts, load_dataset, read_table
from .pieces import Piece, Settings, fingerprint, pieces
from .replacing import PLACES, Replace, check_replacing, remember_places
from .sources import Source, find_sources
from .split import Stretch, check_names, split

__all__ = ["Dataset", "load_dataset", "prepare"]

_PARTS = "parts"  # the folder of pieces inside an unfinished dataset
_COPY = 1 << 22


def prepare(
    src: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    preset: str | None = None,
    sample_rate: int | None = None,
    channels: str = "mono",
    val_fraction: float | None = None,
    val_tracks: Sequence[str] = (),
    trim_db: float | None = None,
    longest_silence: float = LONGEST,
    replace: Replace = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Dataset:
    """Turn music into a dataset folder `out`; the same call again resumes, or returns at once when nothing changed.

    `src`: an audio file, a folder (searched recursively; files are judged by what they hold, not by name), or several.
    `preset`: takes `sample_rate` (Hz), `val_fraction` and `trim_db` from a preset unless given; else 16000, 0.06, -60.
    `channels`: "mono" mixes down, "each" makes every channel a track.
    `val_fraction`: of the music held out for validation, by whole songs, at least one; the last tenth of an only song;
    0 for none. `val_tracks` names the songs held out instead.
    `trim_db`: both ends of a song are trimmed up to the first 100 ms at or above it (dBFS RMS about the mean; a preset
    can raise it but not lower it below -60); -inf trims and cuts nothing. Silence inside, below -60 dBFS, is shortened
    to 1 s where it lasts longer than `longest_silence` seconds.
    `replace`: whether a dataset of other music may be written over that was made from another place, or from which a
    run learnt that could then not go on; or a function that is asked, with a sentence.
    `progress(done, total, name)` is told before each file, and once at the end.

    Skipped, each with its reason in `Dataset.skipped`: what is no audio, is silent, holds NaN, peaks beyond 4 x full
    scale (64 x where it holds float samples, which are turned down to full scale), repeats another track sample for
    sample, or takes its decoder down. `AudioError` if nothing usable is left, `UsageError` for bad arguments or an
    `out` that holds anything but a dataset, `ResourceError` for a full disk, and where another process prepares into
    `out`. Processes that torchrun started wait for the one that does it for all.

    >>> data = sharks.prepare("songs", "data", sample_rate=16000, val_tracks=["song1.wav"])
    >>> [(track.name, track.split) for track in data.tracks]
    [('song0.wav', 'train'), ('song1.wav', 'val')]
    """
    roots, folder, val_tracks = (
        arguments.paths("src", src),
        arguments.path("out", out),
        arguments.words("val_tracks", val_tracks),
    )
    arguments.function("progress", progress)
    if not callable(replace):
        replace = arguments.flag("replace", replace)
    settings, fraction = _settings(preset, sample_rate, channels, val_fraction, trim_db, longest_silence)
    _ours(folder)
    sources = find_sources(roots, folder)
    check_names(val_tracks, sources)
    music = [fingerprint(source, settings) for source in sources if not source.made_here]
    inputs = _digest([music, fraction, sorted(val_tracks)])
    if (there := _made_of(folder, inputs)) is not None:
        return there
    with held(folder, "prepares into it", wait=started_together()):
        if (there := _made_of(folder, inputs)) is not None:  # by whom this one waited for
            return there
        old = _ours(folder)
        try:
            for leftover in folder.glob(".*.unfinished"):  # of a call that was killed
                leftover.unlink()
            if not old:
                _write_table(folder, {"complete": False})  # first of all: it marks the folder as ours
            (folder / _PARTS).mkdir(exist_ok=True)
            made, skipped = _decode_all(sources, settings, folder / _PARTS, progress)
            if not made:
                raise AudioError(_nothing(roots, sources, skipped))
            shares = split(made, fraction, val_tracks, skipped)
            places = [os.path.realpath(root) for root in roots]
            if old and old.get("complete") and old.get("fingerprint") != _fingerprint(settings, shares):
                check_replacing(folder, old, places, {share.piece.name for share in shares}, replace)
            _write_table(folder, {"complete": False})
            rows = _write_splits(folder, shares)
            table = _table(folder, settings, inputs, rows, skipped)
            remember_places(folder, places)
            _write_table(folder, table | {"fingerprint": _fingerprint(settings, shares)})
            shutil.rmtree(folder / _PARTS, ignore_errors=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ResourceError(f"{folder}: cannot be written ({reason}); free space and run the same again") from None
        except (AudioError, UsageError):
            _abandon(folder, keep=bool(old and old.get("complete")))
            raise
        return load_dataset(folder)


def _made_of(folder: pathlib.Path, inputs: str) -> Dataset | None:
    """The dataset that is there, if it is whole and was made of just this."""
    table = _ours(folder)
    if table and table.get("complete") and table.get("inputs") == inputs:
        with contextlib.suppress(AudioError):  # whatever is damaged is made again
            return load_dataset(folder)
    return None


def _settings(
    preset: str | None,
    sample_rate: int | None,
    channels: str,
    val_fraction: float | None,
    trim_db: float | None,
    longest_silence: float,
) -> tuple[Settings, float]:
    """The numbers that were given, then those of the preset, then our own; and the validation fraction."""
    rate, fraction, trim = 16000, 0.06, SILENCE_DB
    if preset is not None:
        from ..recipes.presets import preset as spec_of
        from ..recipes.presets import recipe as recipe_of

        data = recipe_of(preset).data
        rate, fraction, trim = spec_of(preset).sample_rate, data.val_fraction, max(trim, data.trim_db)
    arguments.choice("channels", channels, ("mono", "each"))
    rate = arguments.rate("sample_rate", rate if sample_rate is None else sample_rate, 1000, 384000)
    fraction = arguments.number("val_fraction", fraction if val_fraction is None else val_fraction, 0.0, 0.9)
    trim = arguments.number("trim_db", trim if trim_db is None else trim_db, -math.inf, 0.0)
    return Settings(rate, channels, trim, arguments.number("longest_silence", longest_silence, 0.2, math.inf)), fraction


def _ours(folder: pathlib.Path) -> dict[str, typing.Any] | None:
    """The table of a dataset that is there, None for a new or empty folder; anything else there is not touched."""
    if not os.path.lexists(folder):
        return None
    if not folder.is_dir():
        raise UsageError(f"{shown(folder)}: is a file; wanted a new folder for the dataset")
    table = read_table(folder)
    if table is None and any(path.suffix != ".unfinished" for path in folder.iterdir()):
        raise UsageError(f"{shown(folder)}: holds other files and is no dataset; choose a new folder")
    return table


def _decode_all(
    sources: list[Source],
    settings: Settings,
    parts: pathlib.Path,
    progress: Callable[[int, int, str], None] | None,
) -> tuple[list[list[Piece]], list[tuple[str, str]]]:
    """The pieces of every source that has any, and all that was skipped; repeated tracks are skipped too."""
    made: list[list[Piece]] = []
    skipped: list[tuple[str, str]] = []
    names: dict[str, str] = {}  # of the first track with these samples
    with Decoder() as decoder:
        for done, source in enumerate(sources):
            if progress:
                progress(done, len(sources), source.name)
            found, refused = pieces(source, settings, parts, decoder)
            skipped += refused
            new = []
            for piece in found:
                first = names.get(piece.facts["sha256"])
                if first is None:
                    names[piece.facts["sha256"]] = piece.name
                    new.append(piece)
                else:
                    skipped.append((piece.name, f"the same samples as {first}"))
            if new:
                made.append(new)
    if progress:
        progress(len(sources), len(sources), "")
    return made, skipped


def _nothing(roots: list[typing.Any], sources: list[Source], skipped: list[tuple[str, str]]) -> str:
    where = ", ".join(shown(root) for root in roots) or "nothing"
    if not sources:
        return f"no audio found in {where}: 0 files seen; put WAV, FLAC, OGG or MP3 files there"
    name, reason = skipped[0]
    return f"no audio found in {where}: {len(sources)} files seen, none usable; the first, {name}: {reason}"


def _write_splits(folder: pathlib.Path, shares: list[Stretch]) -> list[dict[str, typing.Any]]:
    """train.i16 and val.i16, and a row per track."""
    rows = []
    for side in SPLITS:
        start = 0
        with atomically(folder / f"{side}.i16") as file:
            for piece, where, first, last in shares:
                if where != side:
                    continue
                for block in _read(piece.pcm, first, last):
                    file.write(block)
                place = {"split": side, "start": start, "length": last - first}
                rows.append({"name": piece.name, **piece.facts, **place})
                start += last - first
    return rows


def _read(pcm: pathlib.Path, first: int, last: int) -> Iterator[bytes]:
    with open(pcm, "rb") as file:
        file.seek(2 * first)
        rest = 2 * (last - first)
        while rest:
            block = file.read(min(rest, _COPY))
            rest -= len(block)
            yield block


def _table(
    folder: pathlib.Path,
    settings: Settings,
    inputs: str,
    rows: list[dict[str, typing.Any]],
    skipped: list[tuple[str, str]],
) -> dict[str, typing.Any]:
    samples = {split: sum(row["length"] for row in rows if row["split"] == split) for split in SPLITS}
    for row in rows:
        row["minutes"] = round(row["length"] / settings.sample_rate / 60, 4)
    train, val = (level_counts(file_counts(folder / f"{side}.i16"), codec_of("MU-R")) for side in SPLITS)
    order0 = {"codec": "MU-R", "q_levels": 256, "histogram": train.tolist(), "train_bits": cost(train, train)}
    order0["val_bits"] = cost(val, train, smooth=1) if samples["val"] else None
    return {
        "complete": True,
        "sample_rate": settings.sample_rate,
        "settings": {name: str(value) for name, value in asdict(settings).items()},
        "samples": samples,
        "tracks": rows,
        "skipped": [{"name": name, "reason": reason} for name, reason in skipped],
        "warnings": _warnings(samples, settings.sample_rate),
        "order0": order0,
        "inputs": inputs,
    }


def _fingerprint(settings: Settings, shares: list[Stretch]) -> str:
    """Of the dataset that these stretches become."""
    rows = [
        [share.piece.facts["sha256"], side, share.last - share.first]
        for side in SPLITS
        for share in shares
        if share.split == side
    ]
    return _digest([settings.sample_rate, rows])


def _warnings(samples: dict[str, int], rate: int) -> list[str]:
    minutes = samples["train"] / rate / 60
    warnings = []
    if minutes < LITTLE:
        warnings.append(
            f"only {minutes:.1f} min to train on: under {LITTLE:.0f} min, a model learns the music by heart "
            "rather than its style"
        )
    if not samples["val"]:
        warnings.append("nothing is held out, so training cannot tell learning from remembering")
    return warnings


def _write_table(folder: pathlib.Path, table: dict[str, typing.Any]) -> None:
    with atomically(folder / "dataset.json") as file:
        file.write(json.dumps({"format": FORMAT, "version": VERSION, **table}, indent=1).encode())


def _abandon(folder: pathlib.Path, keep: bool) -> None:
    """Leave nothing half-made behind: the dataset that was there, or none."""
    shutil.rmtree(folder / _PARTS, ignore_errors=True)
    if not keep:
        for name in ("dataset.json", PLACES, *(f"{split}.i16" for split in SPLITS)):
            (folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            folder.rmdir()


def _digest(value: typing.Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
