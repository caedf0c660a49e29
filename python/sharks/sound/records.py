"""What the decoding child says: records (magic, kind, length, payload) on a socket that nothing else writes to.

redy    it has started
info    JSON: rate, channels, frames, format and gain of the file that was asked for
data    float32, interleaved
wait    it is still at work
done    JSON: what is to be said about the file
no      the reason why it cannot be used, instead of info
"""

from __future__ import annotations

import socket
import struct

HEAD = struct.Struct("<4s4sI")
MAGIC = b"\x93shk"
READY, INFO, DATA, WAIT, DONE, REFUSED = b"redy", b"info", b"data", b"wait", b"done", b"no  "
BLOCK = 1 << 18  # bytes of a data record, about
MOST_BYTES = {READY: 0, INFO: 1 << 16, DATA: 1 << 21, WAIT: 0, DONE: 1 << 16, REFUSED: 1 << 16}


class Disorder(Exception):
    """Bytes that are no record."""


def send(channel: socket.socket, kind: bytes, payload: bytes | memoryview = b"") -> None:
    """All of a record: where the system takes a part, as it may when a process is stopped, the rest is sent after."""
    channel.sendall(HEAD.pack(MAGIC, kind, len(payload)))
    channel.sendall(payload)


def parse(head: bytes) -> tuple[bytes, int]:
    """Kind and length of a record by its head; `Disorder` where there is no such kind, or none so long."""
    magic, kind, size = HEAD.unpack(head)
    if magic != MAGIC or size > MOST_BYTES.get(kind, -1):
        raise Disorder(head)
    return kind, size
