"""What any file or folder is that sharks makes or takes, and what to do with it next.

Nothing is run of a file, and nothing is changed. Facts are plain values; their texts may be anybody's, so whoever
prints them has to make them harmless.
"""

from __future__ import annotations

import json
import pathlib
import shlex
import typing
from collections.abc import Callable

from ..clips import manifest
from ..dataset.dataset import read_table
from ..dataset.own_work import CONFIG
from ..errors import AudioError, Error, PackError
from ..files.tensorfile import PACK_START
from ..songs import cutlist
from .inside import LOG, Facts, part_of

if typing.TYPE_CHECKING:
    from ..sound.reading import Decoder


def what(path: pathlib.Path) -> Facts:
    """`kind` first, what there is to know, and `next`, a command, where there is one. `Error` for nothing of ours."""
    for look in _LOOKS:
        if facts := look(path):
            return facts
    raise AudioError(f"{path}: is nothing that sharks makes or takes; wanted music, a pack, a run, clips or a dataset")


def _preset(path: pathlib.Path) -> Facts | None:
    from ..recipes.presets import guide, preset, presets, recipe

    name = str(path)
    if not (name in presets() and not path.exists() or path.suffix == ".toml" and path.is_file()):
        return None
    spec = preset(name)
    return {
        "kind": "preset",
        "about": recipe(name).about,
        "what for": guide(name).use,
        "family": spec.family,
        "sample_rate": spec.sample_rate,
        "next": f"sharks make FOLDER -o PROJECT -p {_quoted(path)}",
    }


def _experiment(path: pathlib.Path) -> Facts | None:
    import tomllib

    from .sweep import read

    if path.suffix != ".toml" or not path.is_file():  # opening a pipe could wait for ever
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    if "value" not in table:
        return None
    asked = read(path)
    facts = {
        "kind": "experiment",
        "question": asked.question,
        "preset": asked.preset,
        "values": ", ".join(asked.values),
    }
    return facts | {"next": f"sharks sweep {_quoted(path)} DATA"}


def _dataset(path: pathlib.Path) -> Facts | None:
    if not (path / "dataset.json").is_file() or read_table(path) is None:
        return None
    from ..dataset.dataset import load_dataset

    data = load_dataset(path)
    return {
        "kind": "dataset",
        "sample_rate": data.sample_rate,
        "hours": round(data.hours, 4),
        "tracks": len(data.tracks),
        "skipped": len(data.skipped),
        "entropy_bits": round(data.entropy_bits, 3),
        "fingerprint": data.fingerprint,
        "learnt from": ", ".join(track.name for track in data.of("train")),
        "held out": ", ".join(track.name for track in data.of("val")),
        "next": f"sharks train {_quoted(path)}",
    }


def _run(path: pathlib.Path) -> Facts | None:
    if not (path / CONFIG).is_file() or not (path / LOG).is_file():
        return None
    import tomllib

    table = tomllib.loads((path / CONFIG).read_text(encoding="utf-8"))
    facts = {"kind": "run", "preset": table.get("run", {}).get("preset"), "step": _last_step(path / LOG)}
    facts["of steps"] = table.get("train", {}).get("steps")
    try:
        pack = _pack_facts(path)
    except PackError:
        return facts | {"state": "no checkpoint yet", "next": f"sharks train DATA -o {_quoted(path)}"}
    return {**facts, **pack, **facts, "best step": pack.get("step"), "next": f"sharks generate {_quoted(path)}"}


def _last_step(log: pathlib.Path) -> int:
    last = 0
    for line in log.read_bytes().splitlines():
        try:
            last = max(last, int(json.loads(line)["step"]))
        except (ValueError, TypeError, KeyError):
            continue
    return last


def _project(path: pathlib.Path) -> Facts | None:
    done = [name for name in ("data", "run") if (path / name).is_dir()]
    if not done or not (read_table(path / "data") is not None or (path / "run" / CONFIG).is_file()):
        return None
    clips = sorted(folder.name for folder in path.glob("clips*") if manifest.read(folder))
    songs = [entry["file"] for entry in _cuts(path) if (path / entry["file"]).exists()]
    state = [*done, *clips, *songs]
    page = path / "index.html"
    following = f"sharks make FOLDER -o {_quoted(path)}" if not songs else f"sharks generate {_quoted(path / 'run')}"
    return {
        "kind": "project",
        "there": ", ".join(state),
        "step": _last_step(path / "run" / LOG) if (path / "run" / LOG).is_file() else 0,
        **({"listen": str(page)} if page.exists() else {}),
        "next": following,
    }


def _album(path: pathlib.Path) -> Facts | None:
    songs = {entry["file"]: entry.get("seconds") for entry in _cuts(path)}
    if not songs:
        return None
    return {"kind": "album", "songs": ", ".join(f"{file} ({seconds} s)" for file, seconds in songs.items())}


def _clips(path: pathlib.Path) -> Facts | None:
    rows = list(manifest.read(path).values()) if path.is_dir() else []
    if not rows:
        return None
    heard = [row for row in rows if row.samples and (path / row.file).exists()]
    return {
        "kind": "clips",
        "clips": len(heard),
        "not begun, or gone": len(rows) - len(heard),
        "seconds": round(sum(row.samples / row.sample_rate for row in heard), 1),
        "seeds": ", ".join(map(str, sorted({row.seed for row in rows}))),
        "packs": ", ".join(sorted({row.pack or row.pack_sha256[:12] for row in rows})),
        "next": f"sharks curate {_quoted(path)}",
    }


def _pack(path: pathlib.Path) -> Facts | None:
    from ..packs import box
    from ..packs.pack import BEST, SUFFIX

    if not (path.suffix == SUFFIX and path.is_file() or box.meant(path, BEST) or (path / BEST).is_file()):
        return None
    try:
        return _pack_facts(path) | {"next": f"sharks generate {_quoted(path)}"}
    except PackError as error:
        return _other_safetensors(path, error)


def _pack_facts(path: pathlib.Path) -> Facts:
    from ..families.spec import parameters, to_dict
    from ..packs.pack import load

    pack = load(path)
    facts = {"kind": "pack", "parameters": parameters(pack.spec), "sha256": pack.sha256, **pack.about}
    return {**facts, **{f"spec.{name}": value for name, value in to_dict(pack.spec).items()}}


def _other_safetensors(path: pathlib.Path, error: PackError) -> Facts:
    """What another program keeps in a safetensors file: such a header, and none of our digests."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = file.read(min(size, _MOST_HEADER))
        names = [] if header.startswith(PACK_START) else [name for name in json.loads(header) if name != "__metadata__"]
    except (OSError, ValueError, TypeError):
        raise error from None
    if not names:  # a pack of ours that is damaged, or nothing at all
        raise error from None
    return {
        "kind": "safetensors of another program",
        "tensors": len(names),
        "such as": ", ".join(names[:3]),
        "what to do": "sharks cannot play it, and imports no safetensors; save it as that program's own checkpoint",
    }


def _checkpoint(path: pathlib.Path) -> Facts | None:
    """Another program's, of a kind that `sharks import` knows."""
    from ..importers.containers import open_checkpoint
    from ..importers.kinds import fitting

    if not (path.suffix in _CHECKPOINTS or any(path.glob("*.index"))):
        return None
    try:
        found = open_checkpoint(path)
    except Error:
        return None
    kinds = fitting(found.container, set(found.tensors))
    facts: Facts = {"kind": "checkpoint of another program", "container": found.container}
    facts["tensors"] = len(found.tensors)
    if kinds:
        facts |= {"as of": " or ".join(kinds), "next": f"sharks import {_quoted(path)}"}
    return facts


def _sound(path: pathlib.Path) -> Facts | None:
    if not path.is_file():
        return None
    from ..sound.reading import info

    sound = info(path)
    facts: Facts = {
        "kind": "sound",
        "format": sound.format,
        "sample_rate": sound.rate,
        "channels": sound.channels,
        "seconds": round(sound.seconds, 3),
    }
    row = manifest.read(path.parent).get(path.name)
    if row is not None:
        facts |= {"kind": "clip", "pack": row.pack or row.pack_sha256[:12], "seed": row.seed, "stream": row.stream}
        facts |= {"temperature": row.temperature, "next": f"sharks extend {_quoted(path)} --to 1m"}
        return facts
    if any(entry["file"] == path.name for entry in _cuts(path.parent)):
        return facts | {"kind": "song"}
    return facts


def _music(path: pathlib.Path) -> Facts | None:
    """A folder of the musician's own; which of it is music, `prepare` says of each file."""
    from ..dataset.sources import find_sources
    from ..sound.reading import Decoder

    if not path.is_dir():
        return None
    files = [source for source in find_sources([path], path / "data") if not source.problem and not source.made_here]
    with Decoder() as decoder:
        if not any(_can_be_heard(decoder, source.path) for source in files[:_MOST_HEARD]):
            return None
    facts: Facts = {
        "kind": "folder of music",
        "files": len(files),
        "first": ", ".join(source.name for source in files[:3]),
    }
    return facts | {"next": f"sharks make {_quoted(path)} -o PROJECT"}


def _can_be_heard(decoder: Decoder, path: pathlib.Path) -> bool:
    try:
        decoder.header(path)
    except AudioError:
        return False
    return True


def _cuts(folder: pathlib.Path) -> list[dict[str, typing.Any]]:
    """Of the songs that sharks made in a folder; none where the list is of somebody else."""
    try:
        return cutlist.read(folder)
    except Error:
        return []


def _quoted(path: pathlib.Path) -> str:
    return shlex.quote(str(path))


_MOST_HEADER = 1 << 26  # bytes
_MOST_HEARD = 20  # files of a folder of which one must be a sound
_CHECKPOINTS = (".pt", ".pth", ".pkl", ".index", ".ckpt")
_LOOKS: tuple[Callable[[pathlib.Path], Facts | None], ...] = (
    *(part_of, _experiment, _preset, _dataset, _run, _project, _pack, _album, _clips, _checkpoint, _sound, _music),
)
