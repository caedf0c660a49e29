"""The child process that decodes: a file that crashes, hangs or swells a decoder takes down this process only.

It reads one JSON pair per line from its socket, a path and whether its header alone is wanted, and answers with the
`records` about that file. Run by `child.Child`, never by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
import typing
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np

from . import containers, id3, records
from .bounds import LOUDEST, LOUDEST_FLOAT
from .header import Format, Refusal, check_format, ogg_breaks_off, unheard
from .parts import parts_of
from .spliced import Part

MEMORY = 448 << 20  # bytes of address space
LARGEST_OUTPUT = 1 << 20  # bytes of any file that this process, or what it starts, may write: it writes none
UNKNOWN = 1  # libsndfile: no format recognised
PATIENCE = 4.0  # seconds of CPU time for one block, or for opening; and of silence
KEPT = 0.95  # of the frames a header names; it may be a guess, but not by more
READ = 4096  # frames per call of the decoder: no more than these are lost where a file breaks off


class Worker:
    """Answers about one file after the other. `libsndfile` is the module soundfile."""

    def __init__(self, channel: socket.socket, libsndfile: typing.Any) -> None:
        self._channel, self._broken = channel, libsndfile.LibsndfileError
        self._said = time.monotonic()

        class Forward(libsndfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
            def seekable(self) -> bool:
                return False  # else soundfile seeks after every read, which fails early where a header lies

        self._open = Forward
        self._at_once: typing.Any = None

    def answer(self, path: str, header_alone: bool) -> None:
        self._alive()
        try:
            with _unnamed(path) as raw:
                try:
                    self._decode(raw, header_alone)
                except self._broken as error:
                    self._through_ffmpeg(path, raw, error.code, header_alone)
        except Refusal as reason:
            self._send(records.REFUSED, str(reason).encode(errors="replace"))
        except OSError as error:
            self._send(records.REFUSED, f"cannot be opened ({error.strerror})".encode())
        except MemoryError:
            self._send(records.REFUSED, f"decoding wants more than {MEMORY >> 20} MB of memory".encode())
        self._at_once = None
        _patience(0)

    def _decode(self, raw: typing.BinaryIO, header_alone: bool) -> None:
        parts = parts_of(raw, self._alive)
        with ExitStack() as stack:
            if len(parts) == 1:  # opened once: a damaged file gets no second chance to do harm
                self._at_once = stack.enter_context(self._open(parts[0].file))
                formats: list[Format | None] = [Format.of(self._at_once)]
            else:
                formats = [self._format(part) for part in parts]
            self._send_file(raw, parts, formats, header_alone)

    def _send_file(
        self, raw: typing.BinaryIO, parts: list[Part], formats: list[Format | None], header_alone: bool
    ) -> None:
        first = next((form for form in formats if form is not None), None)
        if first is None:
            raise Refusal("damaged, or not audio that can be read")
        check_format(first.rate, first.channels)
        notes = [part.note for part in parts if part.note]
        heard = []
        for number, (part, form) in enumerate(zip(parts, formats, strict=True), start=1):
            if form is not None and form.key == first.key:
                heard.append((part, form))
            else:
                notes.append(f"part {number} of {len(parts)} {unheard(form)} and is left out")
        frames = sum(form.frames if part.frames is None else part.frames for part, form in heard)
        facts = {"rate": first.rate, "channels": first.channels, "frames": frames, "format": first.name}
        facts["gain"] = self._gain(heard) if first.is_float and not header_alone else 1.0
        self._send(records.INFO, json.dumps(facts).encode())
        if header_alone:
            self._done(False, notes)
            return
        cut = False
        for part, form in heard:
            cut |= self._send_samples(part, form)
        self._done(cut or ogg_breaks_off(raw), notes)

    def _format(self, part: Part) -> Format | None:
        try:
            with self._opened(part) as file:
                return Format.of(file)
        except self._broken:
            return None

    @contextlib.contextmanager
    def _opened(self, part: Part) -> Iterator[typing.Any]:
        """A part from its beginning: the file that is open for it, once, or a new one."""
        self._alive()
        file, self._at_once = self._at_once, None
        if file is not None:
            yield file
            return
        part.file.seek(0)
        with self._open(part.file) as file:
            yield file

    def _send_samples(self, part: Part, form: Format) -> bool:
        """Send all samples of a part; whether it breaks off early."""
        frames, failure = 0, ""
        for block, trouble in self._blocks(part, form):
            frames, failure = frames + len(block) // (4 * form.channels), trouble
            self._send(records.DATA, block)
        promised = form.frames if part.frames is None else part.frames
        return bool(failure) or form.promises_more or frames < KEPT * promised

    def _blocks(self, part: Part, form: Format) -> Iterator[tuple[memoryview, str]]:
        """Interleaved float32 bytes, block by block, and what went wrong in the last of them."""
        step = 4 * form.channels * READ
        block = memoryview(bytearray(step * max(1, records.BLOCK // step)))
        with self._opened(part) as file:
            failure = None
            while failure is None:
                self._alive()
                filled = 0
                while filled < len(block):
                    try:
                        got = file.buffer_read_into(block[filled : filled + step], "float32")
                    except self._broken as error:
                        failure = str(error).strip(" .") or "decoding error"
                        break
                    filled += 4 * form.channels * got
                    if 4 * form.channels * got < step:
                        failure = ""  # the end
                        break
                _patience(0)  # waiting for the reader is no fault of the file
                yield block[:filled], failure or ""

    def _gain(self, heard: list[tuple[Part, Format]]) -> float:
        """What brings float samples that go far beyond full scale back to it: 1 for all others."""
        peak = 0.0
        for part, form in heard:
            for block, _ in self._blocks(part, form):
                samples = np.frombuffer(block, np.float32)
                peak = max(peak, float(np.abs(samples).max(initial=0.0)))
        return 1 / peak if LOUDEST < peak <= LOUDEST_FLOAT else 1.0

    def _through_ffmpeg(self, path: str, raw: typing.BinaryIO, code: int, header_alone: bool) -> None:
        """What libsndfile does not read, if its first bytes say what it is."""
        raw.seek(id3.behind(raw))
        container = containers.recognise(raw.read(200))
        if container is None:
            raise Refusal("not audio that can be read" if code == UNKNOWN else "damaged, or not audio that can be read")
        try:
            with containers.Stream(path, container, self._alive) as stream:
                check_format(stream.rate, stream.channels)
                facts = {"rate": stream.rate, "channels": stream.channels, "frames": stream.frames, "gain": 1.0}
                self._send(records.INFO, json.dumps(facts | {"format": stream.codec}).encode())
                for block in stream if not header_alone else ():
                    self._send(records.DATA, block)
                    _patience(PATIENCE)
                self._done(stream.trouble, [])
        except containers.Unreadable as reason:
            raise Refusal(str(reason)) from None

    def _done(self, cut: bool, notes: list[str]) -> None:
        self._send(records.DONE, json.dumps({"cut": cut, "notes": notes}).encode())

    def _send(self, kind: bytes, payload: bytes | memoryview = b"") -> None:
        self._said = time.monotonic()
        records.send(self._channel, kind, payload)

    def _alive(self) -> None:
        """A new patience for what comes next; told to the parent where it has heard nothing for a second."""
        _patience(PATIENCE)
        if time.monotonic() - self._said > 1:
            self._send(records.WAIT)


def _unnamed(path: str) -> typing.BinaryIO:
    """The file without its name, so that what it holds decides: soundfile would ask back about a name in .raw."""
    return open(os.open(path, os.O_RDONLY), "rb", buffering=0)


def _patience(seconds: float) -> None:
    """The system ends this process after so much CPU time; 0 for no end. A process that is stopped spends none."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):  # macOS ignores or refuses them
        pass


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)  # ffmpeg has no business with it
    import soundfile

    _limit()
    worker = Worker(channel, soundfile)
    records.send(channel, records.READY)
    try:
        for line in channel.makefile("rb"):
            worker.answer(*json.loads(line))
    except (BrokenPipeError, ConnectionError):  # the parent is gone
        pass


if __name__ == "__main__":
    main()
