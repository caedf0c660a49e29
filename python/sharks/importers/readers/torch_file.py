"""Files of `torch.save` without torch: today's zip archives, and the older stream of pickles and storages.

    archive       X/data.pkl, X/byteorder, and one member X/data/KEY for each storage
    stream        five pickles: magic number, protocol version, system, object, keys of the storages; then each
                  storage: the number of its elements in 8 bytes, and the elements

The pickles go through unpickle.py, so nothing in them runs. Modules that were saved whole come as inert records, whose
parameters `state_dict_of` collects. Storages are read, and the archive's checksums verified, when they are asked for.
"""

from __future__ import annotations

import io
import os
import typing

import numpy as np
from numpy.typing import NDArray

from ...errors import PackError
from ...files.tensorfile import short
from . import zip_members
from .checkpoint_file import MOST_EXTRA_BYTES, CheckpointFile
from .torch_tensors import CONSTRUCTORS, Storage, Tensor, kind_of
from .unpickle import Global, Record, Unpickler

__all__ = ["Tensor", "read_torch", "state_dict_of"]

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MOST_COUNT = 1 << 40
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "module")
_MOST_NAMES = 1 << 15
_LONGEST_NAME = 1 << 10
_NAME_WEIGHTS = "name a file that holds a state_dict, or a module that was saved whole"

_Order = typing.Literal["<", ">"]
_Locate = typing.Callable[[Storage], bytes]


def read_torch(path: str | os.PathLike[str]) -> typing.Any:
    """What `torch.save` put into this file; tensors are `Tensor`s, which read themselves on `.numpy()`.

    Raises `PackError`, one sentence, where the file is damaged, no file of torch, or holds what could run code.
    """
    with CheckpointFile(path) as file:
        start = file.read_at(0, min(file.size, 512), "the start")
        if start.startswith(zip_members.MAGIC):
            return _archive(file)
        if start[257:262] == b"ustar":
            raise file.error("is of torch's oldest form, a tar archive", "open it in torch and save it anew")
        if not start.startswith(b"\x80"):
            raise file.error("is no file of torch", "name a .pt or .pth file that torch.save has written")
        return _stream(file)


def state_dict_of(saved: typing.Any, path: str | os.PathLike[str] = "the checkpoint") -> dict[str, NDArray[typing.Any]]:
    """name -> array of a state_dict, a module saved whole, or a dict that holds either ("state_dict", "model", ...).

    `saved` is what `read_torch` returned; names keep their prefixes. `path` is for sentences.
    Raises `PackError` where there are no tensors, or more than the file can mean.
    """
    weights = _unwrapped(saved)
    if not isinstance(weights, dict | Record):
        raise PackError(f"{path}: holds no weights by name; {_NAME_WEIGHTS}")
    try:
        found = dict(_tensors(weights))
    except ValueError as error:
        raise PackError(f"{path}: {error} than any network; use another checkpoint") from None
    if not found:
        raise PackError(f"{path}: holds no tensors by name; {_NAME_WEIGHTS}")
    lazy = [tensor for tensor in found.values() if isinstance(tensor, Tensor)]
    if lazy and sum(tensor.bytes for tensor in lazy) > 2 * lazy[0].storage.file.size + MOST_EXTRA_BYTES:
        raise PackError(
            f"{path}: its tensors are far larger than the file, for they share storage; use another checkpoint"
        )
    return {name: tensor.numpy() if isinstance(tensor, Tensor) else tensor for name, tensor in found.items()}


# The two forms


def _archive(file: CheckpointFile) -> typing.Any:
    members = zip_members.members(file)
    roots = [name.removesuffix("/data.pkl") for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(roots) != 1:
        raise file.error("is an archive without data.pkl", "name a .pt or .pth file that torch.save has written")
    root = roots[0]
    if f"{root}/constants.pkl" in members:
        raise file.error("is a compiled TorchScript program", "save the state_dict of the model that it was made of")
    orders: dict[bytes, _Order] = {b"little": "<", b"big": ">"}
    name = f"{root}/byteorder"
    order = orders.get(zip_members.read_member(file, name, members[name]) if name in members else b"little")
    if order is None:
        raise file.error("has an unknown byte order")

    def read(storage: Storage) -> bytes:
        name = f"{root}/data/{storage.key}"
        return zip_members.read_member(file, name, members[name])

    storages = _Storages(file, read, order)
    pickle = zip_members.read_member(file, f"{root}/data.pkl", members[f"{root}/data.pkl"])
    saved = Unpickler(file, io.BytesIO(pickle), CONSTRUCTORS, storages.of_id).load()
    for storage in storages.found.values():
        name = f"{root}/data/{storage.key}"
        wanted = storage.count * storage.itemsize
        got = members[name].size if name in members else 0
        if got != wanted:
            raise file.error(f"storage {short(storage.key)} has {got} bytes, wanted {wanted}")
    return saved


def _stream(file: CheckpointFile) -> typing.Any:
    file.stream.seek(0)

    def load(persistent: typing.Callable[[typing.Any], object] | None = None) -> typing.Any:
        return Unpickler(file, file.stream, CONSTRUCTORS, persistent).load()

    if load() != _MAGIC_NUMBER or load() != _PROTOCOL:
        raise file.error("is no file of torch", "name a .pt or .pth file that torch.save has written")
    system = load()
    little = system.get("little_endian", True) if isinstance(system, dict) else True

    def read(storage: Storage) -> bytes:
        length = storage.count * storage.itemsize
        file.charge(length)
        return file.read_at(places[storage.key], length, f"storage {short(storage.key)}")

    storages = _Storages(file, read, "<" if little else ">")
    saved = load(storages.of_id)
    keys = load()
    places = _places(file, keys, storages.found)
    return saved


def _places(file: CheckpointFile, keys: typing.Any, storages: dict[str, Storage]) -> dict[str, int]:
    """Where each storage's elements begin, in a stream whose keys have just been read."""
    if type(keys) is not list or not all(type(key) is str for key in keys) or sorted(keys) != sorted(storages):
        raise file.error("lists other storages than its tensors use")
    places: dict[str, int] = {}
    at = file.stream.tell()
    for key in keys:
        storage = storages[key]
        count = int.from_bytes(
            file.read_at(at, 8, f"storage {short(key)}"), "little" if storage.order == "<" else "big"
        )
        if count != storage.count:
            raise file.error(f"storage {short(key)} has {count} numbers, wanted {storage.count}")
        places[key] = at + 8
        at += 8 + count * storage.itemsize
    if at != file.size:
        raise file.error(f"has {file.size} bytes, wanted {at}: it was cut, or something was added")
    return places


class _Storages:
    """The storages that a pickle refers to by persistent ids."""

    def __init__(self, file: CheckpointFile, read: _Locate, order: _Order) -> None:
        self.found: dict[str, Storage] = {}
        self._file, self._read, self._order = file, read, order

    def of_id(self, name: typing.Any) -> object:
        """("storage", class, key, device, count[, None]), or ("module", class, source file, source), of old streams."""
        if type(name) is tuple and len(name) == 4 and name[0] == "module" and type(name[1]) is Global:
            return name[1]
        if type(name) is not tuple or len(name) not in (5, 6) or name[0] != "storage":
            raise ValueError("refers to something outside it that is no storage")
        _, storage_class, key, _, count = name[:5]
        if type(key) is not str or type(count) is not int or not 0 <= count <= _MOST_COUNT:
            raise ValueError("describes a storage in an unknown way")
        if len(name) == 6 and name[5] is not None:
            raise self._file.error(
                "holds a view of a storage, of a torch before 0.4", "save it anew with a later torch"
            )
        kind = kind_of(storage_class)
        known = self.found.setdefault(key, Storage(self._file, self._read, key, kind, count, self._order))
        if (known.kind, known.count) != (kind, count):
            raise ValueError(f"describes storage {short(key)} in two ways")
        return known


# What was saved


def _unwrapped(saved: typing.Any) -> typing.Any:
    """The state_dict or module inside: `saved` itself, or what one of the usual names holds."""
    while (inner := next((saved[key] for key in _WRAPPERS if _holds_weights(saved, key)), None)) is not None:
        saved = inner
    return saved


def _holds_weights(saved: typing.Any, key: str) -> bool:
    return type(saved) is dict and type(saved.get(key)) in (dict, Record)


def _tensors(saved: typing.Any) -> typing.Iterator[tuple[str, typing.Any]]:
    """(name, tensor), in the order that torch's own state_dict has. Raises `ValueError` for too many or too long."""
    count = 0
    waiting = [("", saved)]
    while waiting:
        prefix, module = waiting.pop()
        own, inner = _contents(module) if isinstance(module, Record) else (module, {})
        count += len(own) + len(inner)  # small files can share modules so that there are thousands of thousands
        if count > _MOST_NAMES or len(prefix) > _LONGEST_NAME:
            raise ValueError("has more and longer names")
        for name, value in own.items():
            if isinstance(value, Tensor | np.ndarray) and isinstance(name, str):
                yield f"{prefix}{name}", value
        waiting += [(f"{prefix}{name}.", m) for name, m in reversed(inner.items()) if isinstance(m, Record)]


def _contents(module: Record) -> tuple[dict[str, typing.Any], dict[str, typing.Any]]:
    """(parameters and lasting buffers, modules) of a module, by name."""
    attributes = module.state if isinstance(module.state, dict) else {}
    parameters, buffers, modules = (
        found if isinstance(found := attributes.get(name), dict) else {}
        for name in ("_parameters", "_buffers", "_modules")
    )
    temporary = attributes.get("_non_persistent_buffers_set")
    if isinstance(temporary, set):
        buffers = {name: buffer for name, buffer in buffers.items() if name not in temporary}
    return parameters | buffers, modules
