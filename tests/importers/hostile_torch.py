"""Files of torch that are wrong, each with what its sentence says: tensors, archives, and streams of the older form."""

from __future__ import annotations

import pickle
import struct
import zipfile

import numpy as np

from importers import pickle_writer as w
from importers import torch_writer as tw

FLOATS = np.arange(24, dtype=np.float32)


def floats(count=24):
    return FLOATS[:count].tobytes()


STORED = tw.storage("0", 24)


def saved(tensor):
    return w.dict_of(w=tensor) + b"."


WRONG_TENSORS = {
    "too large": (tw.tensor(STORED, (25,)), "reaches outside its storage of 24"),
    "too late": (tw.tensor(STORED, (24,), start=1), "reaches outside its storage of 24"),
    "before": (tw.tensor(STORED, (2,), start=-1), "reaches outside its storage of 24"),
    "wide strides": (tw.tensor(STORED, (4, 6), (7, 1)), "reaches outside its storage of 24"),
    "huge strides": (tw.tensor(STORED, (2,), (1 << 63,)), "cannot be meant"),
    "negative strides": (tw.tensor(STORED, (2,), (-1,)), "cannot be meant"),
    "negative shape": (tw.tensor(STORED, (-2, -3), (1, 1)), "cannot be meant"),
    "huge shape": (tw.tensor(STORED, (1 << 40, 1 << 40)), "reaches outside its storage of 24"),
    "expanded": (tw.tensor(STORED, (1 << 40,), (0,)), "share places"),
    "overlapping": (tw.tensor(STORED, (4, 4), (1, 1)), "share places"),
    "half overlapping": (tw.tensor(STORED, (4, 4), (3, 1)), "share places"),
    "too many dimensions": (tw.tensor(STORED, (1,) * 9), "that are none"),
    "too few strides": (tw.tensor(STORED, (4, 6), (1,)), "2 dimensions and 1 strides"),
    "no storage": (w.call("torch._utils", "_rebuild_tensor_v2", b"N", b"I0\n", b")", b")"), "that is no storage"),
    "no arguments": (w.call("torch._utils", "_rebuild_tensor_v2"), "with 0 arguments, wanted 4"),
    "evil function": (
        w.call("torch._tensor", "_rebuild_from_type_v2", w.name("torch", "load"), b"N", b")", b"N"),
        "makes a tensor with torch.load",
    ),
    "evil text": (
        w.call("torch._tensor", "_rebuild_from_type_v2", w.text("os.system"), b"N", b")", b"N"),
        "makes a tensor with 'os.system'",
    ),
    "sparse": (w.call("torch._utils", "_rebuild_sparse_tensor"), "holds torch._utils._rebuild_sparse_tensor"),
    "hub": (w.call("torch.hub", "load", w.text("x")), "holds torch.hub.load, which is no array; refused"),
    "os": (w.call("os", "system", w.text("true")), "holds os.system, which is no array; refused"),
    "getattr": (w.call("builtins", "getattr", w.text("x"), w.text("y")), "asks for an attribute of 'x'"),
    "called attribute": (
        w.call("builtins", "getattr", w.name("torch", "hub"), w.text("load")) + w.tuple_of(w.text("x")) + b"R",
        "holds torch.hub.load, which is no array; refused",
    ),
    "parameter of nothing": (w.call("torch._utils", "_rebuild_parameter", b"N"), "something that is no tensor"),
    "evil storage": (tw.tensor(tw.storage("0", 24, "system", "torch.os"), (24,)), "the class torch.os.system"),
    "quantised": (tw.tensor(tw.storage("0", 24, "QInt8Storage"), (24,)), "class torch.QInt8Storage, which is not"),
    "negative count": (tw.tensor(tw.storage("0", -1), (1,)), "describes a storage in an unknown way"),
    "huge count": (tw.tensor(tw.storage("0", 1 << 60), (1,)), "describes a storage in an unknown way"),
    "wrong count": (tw.tensor(tw.storage("0", 25), (1,)), "storage '0' has 96 bytes, wanted 100"),
    "large count": (tw.tensor(tw.storage("0", 1 << 40), (1,)), "storage '0' has 96 bytes, wanted 4398046511104"),
    "missing": (tw.tensor(tw.storage("1", 24), (1,)), "storage '1' has 0 bytes, wanted 96"),
    "out of the archive": (tw.tensor(tw.storage("../../etc/passwd", 24), (1,)), "has 0 bytes, wanted 96"),
    "two kinds": (
        w.tuple_of(STORED, tw.storage("0", 12, "DoubleStorage")),
        "describes storage '0' in two ways",
    ),
    "other id": (w.text("cuda") + b"Q", "that is no storage"),
}


def good_archive():
    return tw.archive(saved(tw.tensor(STORED, (24,))), {"0": floats()})


def bomb(claimed=None):
    """50 MB of zeros in 50 kB, whatever the directory says of them."""
    count = 50_000_000 // 4
    data = tw.archive(
        saved(tw.tensor(tw.storage("0", count if claimed is None else claimed // 4), (1,))),
        {"0": bytes(4 * count)},
        method=zipfile.ZIP_DEFLATED,
    )
    if claimed is not None:
        data = data.replace(struct.pack("<L", 4 * count), struct.pack("<L", claimed))
    return data


def changed(old, new, count=-1):
    good = good_archive()
    assert old in good
    return good.replace(old, new, count)


def directory_of(data):
    end = data.rindex(b"PK\x05\x06")
    return struct.unpack_from("<L", data, end + 16)[0]


def repeated():
    """The same member twice in the directory."""
    data = good_archive()
    start, end = directory_of(data), data.rindex(b"PK\x05\x06")
    directory = data[start:end]
    first = directory[: directory.index(b"PK\x01\x02", 4)]
    count = struct.unpack_from("<H", data, end + 10)[0] + 1
    ending = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory) + len(first), start, 0)
    return data[:start] + first + directory + ending


def evil_name():
    return changed(b"x/data.pkl", b"\xff\n\0\x1b/a.pkl")


def directory_with(offset, form, value, archive=None):
    """A good archive whose first directory entry has another value at `offset`."""
    data = bytearray(archive or good_archive())
    struct.pack_into(form, data, directory_of(bytes(data)) + offset, value)
    return bytes(data)


def end_with(offset, form, value):
    data = bytearray(good_archive())
    struct.pack_into(form, data, bytes(data).rindex(b"PK\x05\x06") + offset, value)
    return bytes(data)


WRONG_ARCHIVES = {
    "cut": (lambda: good_archive()[:-30], "without an end"),
    "something behind": (lambda: good_archive() + b"x", "something behind its end"),
    "bomb": (bomb, "asks for more than"),
    "bomb that lies": (lambda: bomb(400), "has another size than its 400 bytes"),
    "no data.pkl": (lambda: changed(b"x/data.pkl", b"x/data.pky"), "an archive without data.pkl"),
    "repeated": (repeated, "appears twice, or lies over others"),
    "encrypted": (lambda: directory_with(8, "<H", 1), "is encrypted"),
    "unknown compression": (lambda: directory_with(10, "<H", 99), "compressed in an unknown way"),
    "stored in other size": (lambda: directory_with(24, "<L", 7), "bytes, wanted 7"),
    "elsewhere": (lambda: directory_with(42, "<L", 1), "not where the directory says"),
    "far away": (lambda: directory_with(42, "<L", 1 << 31), "the file has"),
    "beyond 4 GB without an extra field": (lambda: directory_with(42, "<L", 0xFFFFFFFF), "the file has"),
    "long name": (lambda: directory_with(28, "<H", 0xFFFF), "the archive's directory is damaged"),
    "wrong signature": (lambda: directory_with(0, "<L", 1), "the archive's directory is damaged"),
    "wrong checksum": (lambda: directory_with(16, "<L", 1), "is damaged: its checksum"),
    "many members": (lambda: end_with(10, "<H", 0xFFFE), "is said to have 65534 members"),
    "zip64 without": (lambda: end_with(10, "<H", 0xFFFF), "without the zip64 end"),
    "long directory": (lambda: end_with(12, "<L", 1 << 30), "is said to have"),
    "directory far away": (lambda: end_with(16, "<L", 1 << 30), "is said to have"),
    "few members": (lambda: end_with(10, "<H", 1), "goes on after its last member"),
    "second of two": (lambda: end_with(4, "<H", 1), "spread over files"),
    "byte order": (
        lambda: tw.archive(saved(tw.tensor(STORED, (24,))), {"0": floats()}, byteorder=b"odd"),
        "an unknown byte order",
    ),
    "evil name": (lambda: directory_with(8, "<H", 1, evil_name()), "encrypted"),
}


OLD_STORED = tw.storage("0", 24, legacy=True)
OLD = saved(tw.tensor(OLD_STORED, (24,)))


def view_of_a_storage():
    parts = [w.text("storage"), w.name("torch", "FloatStorage"), w.text("0"), w.text("cpu"), w.number(24)]
    stored = w.tuple_of(*parts, w.tuple_of(w.text("1"), w.number(3), w.number(4))) + b"Q"
    return tw.stream(saved(tw.tensor(stored, (4,))), {"0": (24, floats())})


WRONG_STREAMS = {
    "empty": (b"", "is no file of torch"),
    "text": (b"PK but no archive", "is no file of torch"),
    "pickle": (pickle.dumps({"a": 1}), "is no file of torch"),
    "other protocol": (tw.MAGIC_NUMBER + b"\x80\x02M\xe8\x03.", "is no file of torch"),
    "cut": (tw.stream(OLD, {"0": (24, floats())})[:-1], "storage '0' is said to lie|wanted"),
    "cut in the pickle": (tw.stream(OLD, {})[:200], "ends early|line without end"),
    "something behind": (tw.stream(OLD, {"0": (24, floats())}) + b"x", "it was cut, or something was added"),
    "other count": (tw.stream(OLD, {"0": (25, floats())}), "storage '0' has 25 numbers, wanted 24"),
    "negative count": (tw.stream(OLD, {"0": (-1, floats())}), "wanted 24"),
    "missing": (tw.stream(OLD, {}), "lists other storages than its tensors use"),
    "listed twice": (
        tw.stream(OLD, {"0": (24, floats())}).replace(w.text("0") + b"e.", w.text("0") * 2 + b"e."),
        "lists",
    ),
    "view of a storage": (view_of_a_storage(), "holds a view of a storage"),
    "tar": (b"sys_info".ljust(257, b"\0") + b"ustar  \0" + bytes(300), "torch's oldest form, a tar archive"),
    "system": (tw.MAGIC_NUMBER + tw.PROTOCOL + b"cos\nsystem\n(S'true'\ntR.", "holds os.system"),
    "keys": (
        tw.stream(OLD, {"0": (24, floats())}).replace(b"](" + w.text("0") + b"e.", b"cos\nsystem\n."),
        "os.system",
    ),
}


def parts_of(depth, inner):
    """Modules that each hold the next one twice: 2^depth names for one tensor, or for none."""
    out = b"N" + w.record("m", "Net", w.dict_of(_parameters=w.dict_of(w=inner))) + w.put(0) + b"0"
    for level in range(depth):
        both = w.dict_of(a=w.get(level), b=w.get(level))
        out += w.record("m", "Net", w.dict_of(_modules=both)) + w.put(level + 1) + b"0"
    return out + b"0" + w.get(depth) + b"."


def many_names():
    """One storage of a megabyte under a hundred names."""
    count = 1 << 18
    views = {f"w{n}": tw.tensor(tw.storage("0", count), (count,)) for n in range(100)}
    return tw.archive(w.dict_of(**views) + b".", {"0": bytes(4 * count)})
