"""What kind of file a checkpoint is, TensorFlow's bundle, torch's archive or stream, or a pickle, and its tensors."""

from __future__ import annotations

import pathlib
import typing

import numpy as np

from ..errors import PackError
from ..files.tensorfile import MOST_HEADER_BYTES, PACK_START, short
from .readers.checkpoint_file import CheckpointFile
from .readers.tf_bundle import read_bundle
from .readers.torch_file import read_torch, state_dict_of
from .readers.unpickle import Record, read_pickle
from .settings import Settings
from .source import Array

BUNDLE, TORCH, PICKLE = "a TensorFlow checkpoint", "a torch file", "a pickle of arrays"

_TORCH_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
_PICKLE_STARTS = b"\x80(}]c"
_BUNDLE_PARTS = (".index", ".meta")
_PLAIN = (str, int, float, bool)


class Found(typing.NamedTuple):
    """The tensors of a checkpoint by their names in the file, and settings that the file itself holds."""

    container: str
    tensors: typing.Mapping[str, Array]
    settings: Settings


def open_checkpoint(path: pathlib.Path) -> Found:
    """Whatever is at `path`: a file, the prefix of a TensorFlow checkpoint, or a folder of one. Raises `PackError`."""
    if path.is_dir() or _is_bundle(path):
        return Found(BUNDLE, read_bundle(path), Settings())
    start = _start(path)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= MOST_HEADER_BYTES:
        raise PackError(_of_safetensors(path, start))
    if start[:2] == b"PK" or start[257:262] == b"ustar" or _TORCH_MAGIC in start[:64]:
        saved = read_torch(path)
        return Found(TORCH, state_dict_of(saved, path), Settings(_own_settings(saved), "the checkpoint itself"))
    if start[:1] and start[:1] in _PICKLE_STARTS:
        return Found(PICKLE, _arrays(path, read_pickle(path)), Settings())
    raise PackError(f"{path}: is no checkpoint; wanted {BUNDLE} (name its prefix or .index), {TORCH} or {PICKLE}")


def _of_safetensors(path: pathlib.Path, start: bytes) -> str:
    if PACK_START in start:
        return f"{path}: is a file of sharks already; nothing is left to import"
    return (
        f"{path}: is a safetensors file, which says nothing of how its numbers are played; wanted the checkpoint "
        f"that it was made from: {BUNDLE}, {TORCH} or {PICKLE}"
    )


def _is_bundle(path: pathlib.Path) -> bool:
    if path.suffix in _BUNDLE_PARTS or ".data-" in path.name:
        return True
    return not path.exists() and path.with_name(f"{path.name}.index").exists()


def _start(path: pathlib.Path) -> bytes:
    with CheckpointFile(path) as file:
        return file.read_at(0, min(file.size, 512), "the start")


def _arrays(path: pathlib.Path, value: typing.Any) -> dict[str, Array]:
    if type(value) is dict and value and all(type(name) is str for name in value):
        strange = next((name for name, array in value.items() if not isinstance(array, np.ndarray)), None)
        if strange is None:
            return value
        raise PackError(
            f"{path}: holds {short(strange)}, which is no array; name the file of parameters (params_*.pkl) of a run"
        )
    raise PackError(f"{path}: holds no dict of arrays; name the file of parameters (params_*.pkl) of a run")


def _own_settings(saved: typing.Any) -> dict[str, typing.Any]:
    """The plain attributes of a module that was saved whole, or the hyper-parameters beside a state_dict."""
    if isinstance(saved, Record):
        found = saved.state
    elif isinstance(saved, dict):
        module = next((value for value in saved.values() if isinstance(value, Record)), None)
        found = module.state if module is not None else saved.get("hyper_parameters")
    else:
        found = None
    if type(found) is not dict:
        return {}
    inner = [found[name] for name in ("dataset", "model") if type(found.get(name)) is dict]
    return {
        name: value
        for section in (*inner, found)
        for name, value in section.items()
        if type(name) is str and type(value) in _PLAIN
    }
