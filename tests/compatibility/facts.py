"""Bytes as facts that can be written down and compared: one digest per thing, so that a difference has a name."""

from __future__ import annotations

import hashlib
import json
import pathlib
import typing

import numpy as np


def of_bytes(data: bytes) -> str:
    """The beginning of the SHA-256: enough to tell any two of these apart."""
    return hashlib.sha256(data).hexdigest()[:24]


def of_array(array: np.ndarray) -> str:
    """Of type, shape and every number."""
    return of_bytes(f"{array.dtype.str} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())


def of_arrays(arrays: typing.Mapping[str, np.ndarray]) -> str:
    """Of names, their order and every number."""
    return of_bytes("".join(f"{name} {of_array(array)}\n" for name, array in arrays.items()).encode())


def of_folder(folder: pathlib.Path) -> dict[str, str]:
    """The digest of every file, by its path in the folder; hidden ones too."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): of_bytes(path.read_bytes()) for path in files}


def tensor_file(path: pathlib.Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """(metadata, arrays by name) of a safetensors file, read by nothing of sharks."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I32": "<i4", "I64": "<i8"}
    metadata, arrays = header.pop("__metadata__"), {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        flat = np.frombuffer(data[start + first : start + last], types[entry["dtype"]])
        arrays[name] = flat.reshape(entry["shape"])
    return metadata, arrays
