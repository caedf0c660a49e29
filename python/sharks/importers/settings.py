"""A program's own settings: a JSON file, the arguments it was started with (`args.pkl`), or its run folder's name.

They lie beside the checkpoint, or the user names them. What they say is read with care, and only ever compared with the
tensors or used where tensors cannot tell.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import typing

from ..errors import PackError, UsageError
from ..errors.arguments import path as as_path
from ..files.tensorfile import short
from .readers.checkpoint_file import CheckpointFile
from .readers.unpickle import read_pickle

MOST_BYTES = 1 << 20
MOST_FILES = 64

_WORDS = {"t": True, "true": True, "f": False, "false": False}
_ADVICE = "name the config that this checkpoint was trained with"
_LIKELY = ("*config*.json", "*params*.json", "default.json", "args.pkl")  # names that programs and people give them
# Arguments glued together: -dim1024-rnn_typeLSTM is soroushmehr's and dadabots' way, -dim:1024-n_rnn:2 is deepsound's.
_TAG = re.compile(
    r"(?:^|-)(exp|n_frames|seq_len|big_frame_size|frame_sizes?|weight_norm|emb_size|skip_conn|dim|n_rnn|rnn_type|"
    r"learn_h0|q_levels|q_type|batch_size|which_set|dataset|val_frac|test_frac|lr):?(mu-law|a-law|[^-]*)"
)
_TAG_HAS = ("dim", "n_rnn", "frame_size", "frame_sizes", "q_type")


class Settings:
    """Names and plain values. `.origin` says where they come from, "" if there are none; `.asked`: what for."""

    def __init__(self, values: typing.Mapping[str, typing.Any] | None = None, origin: str = "") -> None:
        self.values = dict(values or {})
        self.origin = origin
        self.asked: set[str] = set()

    def get(self, name: str, kind: type) -> typing.Any:
        """The value as `kind` (int, bool, str, list of int), None if nothing is said. Raises `PackError`."""
        self.asked.add(name)
        value = self.values.get(name)
        if value is None:
            return None
        try:
            return _READ[kind](value)
        except (ValueError, KeyError, AttributeError, OverflowError, TypeError):
            raise PackError(f"{self.origin}: {name} is {short(value)}, wanted {_NAMES[kind]}; {_ADVICE}") from None

    def joined(self, other: Settings) -> Settings:
        """These and `other`, which has the last word."""
        origins = [said.origin for said in (self, other) if said.values]
        return Settings(self.values | other.values, " and ".join(origins))


def given(config: str | os.PathLike[str] | typing.Mapping[str, typing.Any]) -> Settings:
    """The settings that the user names: a file, or the values themselves."""
    if isinstance(config, typing.Mapping):
        return Settings(config, "config")
    if not isinstance(config, str | os.PathLike):
        raise UsageError(f"is a {type(config).__name__}; wanted a path or a dict of settings", argument="config")
    path = as_path("config", config)
    values = _parsed(path)
    if values is None:
        raise PackError(f"{path}: holds no settings; wanted a JSON object, or the args.pkl of the run")
    return Settings(values, path.name)


def beside(path: pathlib.Path, keys: typing.Iterable[tuple[str, ...]]) -> Settings:
    """The settings near a checkpoint that hold one of the sets of `keys`; none if there are none, or no telling which.

    Looked through are the checkpoint's folder, then the one above it, then the names of three folders.
    """
    folder = path if path.is_dir() else path.parent
    for place in dict.fromkeys((folder, folder.resolve().parent)):
        fitting = [Settings(values, str(file)) for file, values in _files(place) if _has(values, keys)]
        stem = path.name.split(".")[0]
        named = [found for found in fitting if pathlib.Path(found.origin).name.startswith(stem)]
        for choice in (named, fitting):
            if len(choice) == 1:
                return Settings(choice[0].values, pathlib.Path(choice[0].origin).name)
    for parent in [folder.resolve(), *folder.resolve().parents][:3]:
        values = tag(parent.name)
        if values:
            return Settings(values, f"the folder's name {short(parent.name, quote=False)}")
    return Settings()


def tag(name: str) -> dict[str, typing.Any]:
    """The settings in the name of a run's folder, as soroushmehr, dadabots and deepsound build it; mostly none."""
    found = dict(_TAG.findall(name))
    return found if sum(key in found for key in _TAG_HAS) > 1 else {}


def arguments(words: typing.Sequence[str]) -> dict[str, typing.Any]:
    """What a command line says: `--name value ...`, `--name=value`, `--name`; the script's name as "script"."""
    found: dict[str, typing.Any] = {"script": words[0].replace("\\", "/").rsplit("/", 1)[-1]} if words else {}
    name = None
    for word in words[1:]:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found[name] = [value] if equals else []
        elif name is not None:
            found[name].append(word)
    return {k: v if isinstance(v, str) else (v[0] if len(v) == 1 else v or True) for k, v in found.items()}


def _has(values: typing.Mapping[str, typing.Any], keys: typing.Iterable[tuple[str, ...]]) -> bool:
    return any(all(name in values for name in names) for names in keys)


def _files(folder: pathlib.Path) -> typing.Iterator[tuple[pathlib.Path, dict[str, typing.Any]]]:
    """Files of a folder that hold settings, by names that are likely."""
    try:
        names = sorted({file for likely in _LIKELY for file in folder.glob(likely)})
    except OSError:
        return
    for file in names[:MOST_FILES]:
        try:
            values = _parsed(file)
        except PackError:
            continue  # not what it seemed
        if values is not None:
            yield file, values


def _parsed(path: pathlib.Path) -> dict[str, typing.Any] | None:
    with CheckpointFile(path) as file:
        if file.size > MOST_BYTES:
            raise file.error(f"has {file.size} bytes, a config has {MOST_BYTES} at most", _ADVICE)
        text = file.read_at(0, file.size, "the config")
        if path.suffix in (".pkl", ".pickle"):
            found = read_pickle(path)
            if type(found) is list and all(type(word) is str for word in found):
                return arguments(found)
        else:
            try:
                found = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise file.error(f"is not JSON ({short(error, quote=False)})", _ADVICE) from None
    return found if type(found) is dict and all(type(key) is str for key in found) else None


def _int(value: typing.Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    number = int(value)
    if abs(number) > 1 << 40:
        raise ValueError
    return number


def _ints(value: typing.Any) -> list[int]:
    """[16, 4], 16, "16,4"."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    return [_int(part) for part in parts]


def _bool(value: typing.Any) -> bool:
    return value if isinstance(value, bool) else _WORDS[value.lower()]


def _str(value: typing.Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


_READ: dict[type, typing.Callable[[typing.Any], typing.Any]] = {int: _int, bool: _bool, str: _str, list: _ints}
_NAMES = {int: "a whole number", bool: "true or false", str: "a word", list: "a list of whole numbers"}
