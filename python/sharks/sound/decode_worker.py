"""The child process that decodes: a file that crashes, hangs or swells a decoder takes down this process only.

It reads one JSON pair per line from standard input, a path and whether its header alone is wanted, and answers in
records (kind, length, payload) on standard output: "info" (JSON) first, "data" (float32, interleaved) as often as
needed, "done" (JSON) at the end, or "no" (a reason) instead. Run by `audio.Decoder`, never by hand; it imports nothing
of sharks.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import struct
import sys
import typing

RECORD = struct.Struct("<4sI")
MEMORY = 448 << 20  # bytes of address space
UNKNOWN = 1  # libsndfile: no format recognised
PATIENCE = 4.0  # seconds for one block, or for opening
LEAST_RATE, MOST_RATE = 1000, 768000  # Hz
MOST_CHANNELS = 64
BLOCK = 1 << 18  # bytes per record of samples, about
KEPT = 0.95  # of the frames a header names; it may be a guess, but not by more
READ = 4096  # frames per call of the decoder: no more than these are lost where a file breaks off


def main() -> None:
    import soundfile

    class Forward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
        def seekable(self) -> bool:
            return False  # else soundfile seeks after every read, which fails early where a header lies

    _limit_memory()
    with open(os.devnull, "w") as nowhere:
        for line in sys.stdin.buffer:
            faulthandler.dump_traceback_later(PATIENCE, exit=True, file=nowhere)
            path, header_alone = json.loads(line)
            try:
                with _unnamed(path) as raw, Forward(raw) as file:
                    if _told(file) and not header_alone:
                        _decode(raw, file, nowhere, soundfile.LibsndfileError)
            except soundfile.LibsndfileError as error:
                _refuse(
                    "not audio that can be read" if error.code == UNKNOWN else "damaged, or not audio that can be read"
                )
            except OSError as error:
                _refuse(f"cannot be opened ({error.strerror})")
            except MemoryError:
                _refuse(f"decoding wants more than {MEMORY >> 20} MB of memory")
            faulthandler.cancel_dump_traceback_later()


def _unnamed(path: str) -> typing.BinaryIO:
    """The file without its name, so that what it holds decides: soundfile would ask back about a name in .raw."""
    return open(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb", buffering=0)


def _told(file: typing.Any) -> bool:
    """Say what the header says, or refuse."""
    rate, channels = file.samplerate, file.channels
    if not LEAST_RATE <= rate <= MOST_RATE:
        _refuse(f"its sample rate is {rate} Hz; wanted {LEAST_RATE} to {MOST_RATE}")
        return False
    if not 1 <= channels <= MOST_CHANNELS:
        _refuse(f"it has {channels} channels; wanted 1 to {MOST_CHANNELS}")
        return False
    facts = {"rate": rate, "channels": channels, "frames": file.frames, "format": f"{file.format} {file.subtype}"}
    _send(b"info", json.dumps(facts).encode())
    return True


def _decode(raw: typing.BinaryIO, file: typing.Any, nowhere: typing.TextIO, broken: type[Exception]) -> None:
    channels, promise = file.channels, _promise(file.extra_info)
    step = 4 * channels * READ
    block = memoryview(bytearray(step * max(1, BLOCK // step)))
    frames, failure = 0, None
    while failure is None:
        faulthandler.dump_traceback_later(PATIENCE, exit=True, file=nowhere)
        filled = 0
        while filled < len(block):
            try:
                got = file.buffer_read_into(block[filled : filled + step], "float32")
            except broken as error:
                failure = str(error).strip(" .") or "decoding error"
                break
            frames += got
            filled += 4 * channels * got
            if 4 * channels * got < step:
                failure = ""  # the end
                break
        faulthandler.cancel_dump_traceback_later()  # waiting for the reader is no fault of the file
        _send(b"data", block[:filled])
    cut = bool(failure) or promise or frames < KEPT * file.frames or _ogg_breaks_off(raw)
    _send(b"done", json.dumps({"cut": cut}).encode())


def _promise(log: str) -> bool:
    """Whether the header promises more bytes than the file holds, by libsndfile's log of opening it.

    A length of 0xffffffff promises nothing: whoever wrote to a pipe could not know it.
    """
    pairs = re.findall(r": (\d+) \(should be (\d+)\)", log)
    return any(int(got) < int(said) < 2**32 - 256 for said, got in pairs)


def _ogg_breaks_off(raw: typing.BinaryIO) -> bool:
    """Whether an Ogg file lacks the page that says it is the last."""
    raw.seek(0)
    if raw.read(4) != b"OggS":
        return False
    raw.seek(-min(1 << 16, raw.seek(0, os.SEEK_END)), os.SEEK_END)
    tail = raw.read(1 << 16)
    last = tail.rfind(b"OggS")
    return last < 0 or last + 5 >= len(tail) or not tail[last + 5] & 4


def _refuse(reason: str) -> None:
    _send(b"no  ", reason.encode(errors="replace"))


def _send(kind: bytes, payload: bytes | memoryview) -> None:
    out = sys.stdout.buffer
    out.write(RECORD.pack(kind, len(payload)))
    out.write(payload)
    out.flush()


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):  # Windows has no such limits, macOS ignores or refuses them
        pass


if __name__ == "__main__":
    main()
