"""Writes files of torch in both forms, from pickles made step by step and any storages."""

from __future__ import annotations

import io
import struct
import zipfile

from importers.pickle_writer import call, name, number, numbers, text, tuple_of

MAGIC_NUMBER = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
PROTOCOL = b"\x80\x02M\xe9\x03."
LITTLE = b"\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03X\r\x00\x00\x00little_endianq\x02\x88u."
BIG = LITTLE.replace(b"\x88u", b"\x89u")


def archive(pickle: bytes, storages: dict[str, bytes], *, method: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    """A zip archive; `more` are further members, by name without the root."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        file.writestr("x/data.pkl", pickle)
        for key, data in storages.items():
            file.writestr(f"x/data/{key}", data)
        for member, data in {"version": b"3\n", **more}.items():
            file.writestr(f"x/{member}", data)
    return out.getvalue()


def stream(pickle: bytes, storages: dict[str, tuple[int, bytes]], system: bytes = LITTLE) -> bytes:
    """The older form: `storages` by key, each a number of elements and their bytes."""
    keys = b"\x80\x02](" + b"".join(text(key) for key in storages) + b"e."
    form = ">q" if system == BIG else "<q"
    contents = b"".join(struct.pack(form, count) + data for count, data in storages.values())
    return MAGIC_NUMBER + PROTOCOL + system + pickle + keys + contents


def storage(key: str, count: int, kind: str = "FloatStorage", module: str = "torch", legacy: bool = False) -> bytes:
    parts = [text("storage"), name(module, kind), text(key), text("cpu"), number(count)]
    return tuple_of(*parts, *([b"N"] if legacy else [])) + b"Q"


def tensor(
    stored: bytes, shape: tuple[int, ...], strides: tuple[int, ...] | None = None, start: int = 0, function: str = "_v2"
) -> bytes:
    if strides is None:
        strides = tuple(_product(shape[n + 1 :]) for n in range(len(shape)))
    args = [stored, number(start), numbers(*shape), numbers(*strides)]
    if function:
        args += [b"\x89", call("collections", "OrderedDict")]
    return call("torch._utils", f"_rebuild_tensor{function}", *args)


def _product(numbers: tuple[int, ...]) -> int:
    out = 1
    for n in numbers:
        out *= n
    return out
