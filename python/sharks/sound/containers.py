"""Sound that libsndfile does not read, known by its first bytes, and read through the `ffmpeg` on the PATH."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import struct
import subprocess
import typing
from array import array
from collections.abc import Callable, Iterator

PATIENCE = 30.0  # seconds in which ffmpeg must say something
_TICK = 0.5
_MOST_LOG = 1 << 16  # bytes
_AU = struct.Struct(">4sIIIII")  # magic, offset of the samples, their bytes, encoding, rate, channels
_AU_FLOAT = 6
_TROUBLE = re.compile(rb"error|invalid|partial file|corrupt|truncat", re.IGNORECASE)


class Container(typing.NamedTuple):
    name: str
    suffix: str
    demuxer: str  # ffmpeg's: naming it keeps playlists and the like out


_BY_FIRST_BYTES = (
    (rb"....ftyp(M4A|M4B)", Container("M4A", "m4a", "mov")),
    (rb"....ftypqt|....(moov|wide)", Container("MOV", "mov", "mov")),
    (rb"....ftyp3g", Container("3GP", "3gp", "mov")),
    (rb"....ftyp", Container("MP4", "mp4", "mov")),
    (rb"\x1aE\xdf\xa3.{0,60}webm", Container("WebM", "webm", "matroska")),
    (rb"\x1aE\xdf\xa3", Container("Matroska", "mkv", "matroska")),
    (rb"\x0bw...[\x00-\x57]", Container("AC3", "ac3", "ac3")),
    (rb"\x0bw...[\x58-\x87]", Container("E-AC3", "eac3", "eac3")),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container("WMA", "wma", "asf")),
    (rb"\xff[\xf0\xf1\xf8\xf9]", Container("AAC", "aac", "aac")),
    (rb"RIFF....AVI ", Container("AVI", "avi", "avi")),
    (rb"FLV\x01", Container("FLV", "flv", "flv")),
    (rb"G.{187}G", Container("MPEG-TS", "ts", "mpegts")),
    (rb"\x00\x00\x01\xba", Container("MPEG video", "mpg", "mpeg")),
    (rb"\.RMF", Container("RealAudio", "rm", "rm")),
    (rb"#!AMR", Container("AMR", "amr", "amr")),
    (rb"wvpk", Container("WavPack", "wv", "wv")),
    (rb"MAC ", Container("Monkey's Audio", "ape", "ape")),
    (rb"MPCK", Container("Musepack", "mpc", "mpc8")),
    (rb"MP\+", Container("Musepack", "mpc", "mpc")),
    (rb"TTA1", Container("TTA", "tta", "tta")),
    (rb"DSD ", Container("DSF", "dsf", "dsf")),
    (rb"FRM8", Container("DSDIFF", "dff", "iff")),
)


def recognise(first: bytes) -> Container | None:
    """The container of a file by its first 200 bytes, an ID3 tag left out."""
    for pattern, container in _BY_FIRST_BYTES:
        if re.match(pattern, first, re.DOTALL):
            return container
    return None


class Unreadable(Exception):
    """The sentence says why ffmpeg gives no sound of a file."""


class Stream:
    """What ffmpeg makes of the first sound in a file: `rate`, `channels`, `codec`, `frames` by the header (0 unknown).

    `Unreadable` where it makes nothing. Iterate for native float32 bytes, interleaved, whole frames; then `trouble`
    says whether the sound broke off. A context manager, which ends ffmpeg.
    """

    def __init__(self, path: str, container: Container, alive: Callable[[], None]) -> None:
        program = shutil.which("ffmpeg")
        if program is None or not os.path.isabs(program):  # one in the current folder is the music's, not the system's
            file = f"X.{container.suffix}"
            raise Unreadable(
                f"{container.name}, which needs ffmpeg; install it, or convert the file: ffmpeg -i {file} X.flac"
            )
        self.trouble = False
        self._log = bytearray()
        command = [program, "-nostdin", "-hide_banner", "-nostats", "-protocol_whitelist", "file,pipe"]
        command += ["-threads", "1", "-f", container.demuxer, "-i", f"file:{path}"]
        command += ["-map", "0:a:0", "-threads", "1", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise Unreadable(f"{container.name}, and {program} cannot be started ({error.strerror})") from None
        self._blocks = self._output(alive)
        try:
            self._begin(container)
        except BaseException:
            self.close()
            raise

    def _begin(self, container: Container) -> None:
        head = self._take(_AU.size)
        fields = _AU.unpack(head) if len(head) == _AU.size else (b"", 0, 0, 0, 0, 0)
        magic, offset, _, encoding, self.rate, self.channels = fields
        if magic != b".snd" or encoding != _AU_FLOAT or not _AU.size <= offset < 1 << 16:
            raise Unreadable(f"{container.name}, and ffmpeg finds no sound in it; the file is damaged or has none")
        self._take(offset - _AU.size)
        codec = re.search(rb"Audio: (\w+)", self._log)
        self.codec = f"{container.name} {codec[1].decode()}" if codec else container.name
        clock = re.search(rb"Duration: (\d+):(\d\d):(\d\d\.\d+)", self._log)
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else 0.0
        self.frames = round(seconds * self.rate)

    def __iter__(self) -> Iterator[bytes]:
        step = 4 * self.channels
        rest, frames = b"", 0
        for block in self._blocks:
            rest += block
            whole = array("f", rest[: len(rest) // step * step])
            rest = rest[len(whole) * 4 :]
            frames += len(whole) // self.channels
            if struct.pack("=I", 1) != struct.pack(">I", 1):
                whole.byteswap()
            yield whole.tobytes()
        failed = self._process.wait() != 0
        self.trouble = failed or (frames < 0.95 * self.frames and bool(_TROUBLE.search(self._log)))

    def _take(self, count: int) -> bytes:
        """So many bytes of the output, or fewer where it ends."""
        taken = b""
        while len(taken) < count:
            block = next(self._blocks, b"")
            if not block:
                break
            taken += block
        more, blocks = taken[count:], self._blocks
        self._blocks = (block for part in ([more] if more else [], blocks) for block in part)
        return taken[:count]

    def _output(self, alive: Callable[[], None]) -> Iterator[bytes]:
        """What ffmpeg writes, as it comes; the beginning of what it says is kept."""
        out, log = self._process.stdout, self._process.stderr
        assert out is not None and log is not None
        silent = 0.0
        with selectors.DefaultSelector() as both:
            both.register(out, selectors.EVENT_READ)
            both.register(log, selectors.EVENT_READ)
            while both.get_map():
                ready = both.select(_TICK)
                alive()
                silent = 0.0 if ready else silent + _TICK
                if silent > PATIENCE:
                    raise Unreadable(f"ffmpeg said nothing for {PATIENCE:.0f} s; the file is damaged")
                for key, _ in ready:
                    block = os.read(key.fd, 1 << 16)
                    if not block:
                        both.unregister(key.fileobj)
                    elif key.fileobj is out:
                        yield block
                    else:
                        self._log += block[: _MOST_LOG - len(self._log)]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
