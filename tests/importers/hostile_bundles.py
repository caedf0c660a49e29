"""Indices of TensorFlow bundles that are wrong, each with what its sentence says. Their shard has 64 bytes."""

from __future__ import annotations

from importers import bundle_writer as writer


def table_with(entries):
    return writer.table([(b"", writer.header()), *entries])


GOOD = writer.entry(1, (2,), 0, 0, 8, None)
WRONG_INDICES = {
    "empty": (b"", "too few for the index"),
    "another file": (b"x" * 100, "does not end as the index"),
    "no header": (writer.table([(b"w", GOOD)]), "does not begin with a header"),
    "no shards": (writer.table([(b"", writer.header(0))]), "says that there are 0 shards"),
    "countless shards": (writer.table([(b"", writer.header(1 << 40))]), "says that there are 1099511627776 shards"),
    "nothing": (writer.table_of_blocks([]), "names no tensors"),
    "shard 1 of 1": (table_with([(b"w", writer.entry(1, (2,), 1, 0, 8, None))]), "lies in shard 1, there are 1"),
    "negative shape": (table_with([(b"w", writer.entry(1, (2**64 - 2,), 0, 0, 8, None))]), "cannot be meant"),
    "huge shape": (table_with([(b"w", writer.entry(1, (2**40, 2**40), 0, 0, 8, None))]), "has 8 bytes, wanted"),
    "nine dimensions": (table_with([(b"w", writer.entry(1, (1,) * 9, 0, 0, 4, None))]), "cannot be meant"),
    "beyond the shard": (table_with([(b"w", writer.entry(1, (2,), 0, 60, 8, None))]), "ends at byte 64, inside tensor"),
    "far beyond": (table_with([(b"w", writer.entry(1, (2,), 0, 2**63, 8, None))]), "ends at byte 64, inside tensor"),
    "shared bytes": (
        table_with([(b"v", GOOD), (b"w", writer.entry(1, (2,), 0, 4, 8, None))]),
        "'w' begins at byte 4, inside the one before",
    ),
    "no text": (table_with([(b"\xff", GOOD)]), "a name is no text"),
    "descending": (
        writer.table_of_blocks([(b"w", writer.block([(b"", writer.header()), (b"w", GOOD), (b"v", GOOD)]))]),
        "keys do not ascend",
    ),
    "endless number": (table_with([(b"w", b"\x08" + b"\xff" * 20)]), "a number does not end"),
    "cut message": (table_with([(b"w", GOOD[:-1])]), "ends early"),
    "group": (table_with([(b"w", b"\x0b")]), "unknown wire type 3"),
    "thousand fields": (table_with([(b"w", writer.field(1, 1) * 1000)]), "more than 64 fields"),
    "thousand dimensions": (table_with([(b"w", writer.entry(1, (1,) * 1000, 0, 0, 4, None))]), "more than 64 fields"),
    "shape is a number": (table_with([(b"w", writer.field(2, 3))]), "a shape is a number"),
}


WRONG_BLOCKS = {
    "snappy": (writer.sealed(writer.block([]), 1), "compressed with snappy"),
    "unknown compression": (writer.sealed(writer.block([]), 9), "unknown compression 9"),
    "no room for restarts": (writer.sealed(b"\0\0"), "no room for its restarts"),
    "countless restarts": (writer.sealed(b"\xff" * 8), "no room for its restarts"),
    "no restarts": (writer.sealed(bytes(4)), "no room for its restarts"),
    "restart inside an entry": (
        writer.sealed(writer.block([(b"", writer.header()), (b"w", GOOD)], restarts=[0, 1])),
        "restart lies between",
    ),
    "shares with nothing": (writer.sealed(b"\x03\x01\x00w" + writer.block([])[-8:]), "does not fit into its block"),
    "long value": (writer.sealed(b"\x00\x01\x7fw" + writer.block([])[-8:]), "does not fit into its block"),
    "long name": (writer.sealed(writer.block([(b"w" * 5000, GOOD)])), "a name has 5000 bytes"),
}


def table_around(sealed):
    """A table whose one data block is `sealed`, whatever that is."""
    metaindex = writer.sealed(writer.block([]))
    index = writer.sealed(writer.block([(b"z", writer.varint(0) + writer.varint(len(sealed) - 5))], 1))
    places = (len(sealed), len(metaindex) - 5), (len(sealed) + len(metaindex), len(index) - 5)
    return sealed + metaindex + index + writer.footer(*places)


def _endless_names():
    """Names of thousands of bytes, shared with the one before, that take ten bytes of the file each."""
    first = writer.block([(b"", writer.header()), (b"w" * 4000, GOOD)], restarts=[0])[:-8]
    more = b"".join(writer.varint(n) + b"\x01\x00w" for n in range(4000, 4095))
    last = b"".join(writer.varint(4090) + b"\x06\x00x%05d" % n for n in range(1 << 16))
    return writer.sealed(first + more + last + writer.block([])[-8:])


def _own_block():
    """An index block whose only data block is itself."""
    metaindex = writer.sealed(writer.block([]))
    length = len(writer.block([(b"w", writer.varint(len(metaindex)) + b"\x00")]))
    index = writer.block([(b"w", writer.varint(len(metaindex)) + writer.varint(length))])
    assert len(index) == length
    return metaindex + writer.sealed(index) + writer.footer((0, len(metaindex) - 5), (len(metaindex), length))


def _many_names(count):
    entries = [(b"", writer.header()), *((b"%06x" % n, b"") for n in range(count))]
    return writer.table(entries, per_block=1000)


COSTLY = {
    "endless names": lambda: table_around(_endless_names()),
    "large index": lambda: bytes(5 << 20) + writer.footer((0, 0), (0, 0)),
    "index that is its own block": _own_block,
    "countless fields": lambda: table_with([(b"w", writer.field(1, 1) * 30_000)]),
    "countless tensors": lambda: _many_names(90_000),
}
