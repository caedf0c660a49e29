"""A folder of odd audio, made from nothing, and what must become of each file.

Measured dangers of the audio stack are rebuilt here: a FLAC whose header claims 1193 hours, an MP3 that decodes to a
thousand times full scale, files cut anywhere, rates and channels beyond sense, NaN, pipes, names that break scripts.
"""

import io
import os
import pathlib
import socket
import struct
import typing

import numpy as np
import soundfile as sf

RATE = 16000


class Odd(typing.NamedTuple):
    """`used`: seconds expected in the dataset, or None if skipped; `why`: a pattern in the notes, or in the reason."""

    used: float | None
    why: str = ""


class Corpus:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.expected: dict[str, Odd] = {}
        self._seed = 0

    def add(self, name: str, data: bytes, used: float | None, why: str = "") -> None:
        self.expected[name] = Odd(used, why)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def tune(self, seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> np.ndarray:
        """A gliding tone in noise, float32 (n, channels), never the same twice."""
        self._seed += 1
        t = np.arange(round(seconds * rate)) / rate
        noise = np.random.default_rng(self._seed).standard_normal((len(t), channels))
        tone = 0.3 * np.sin(2 * np.pi * (100 + 10 * self._seed) * t * (1 + 0.1 * t))
        return np.clip(tone[:, None] + 0.05 * noise, -0.99, 0.99).astype(np.float32)


def encode(samples: np.ndarray, form: str, subtype: str | None = None, rate: int = RATE, **more: typing.Any) -> bytes:
    buffer = io.BytesIO()
    sf.write(buffer, samples, rate, format=form, subtype=subtype, **more)
    return buffer.getvalue()


class Forward(sf.SoundFile):
    """libsndfile alone, read from the beginning to the end: where soundfile seeks, MP3 differs in its last bits."""

    def seekable(self) -> bool:
        return False


def decoded(data: bytes) -> np.ndarray:
    """What libsndfile makes of these bytes in this process: float32 (n, channels)."""
    with Forward(io.BytesIO(data)) as file:
        samples = np.zeros((file.frames, file.channels), np.float32)
        return samples[: file.buffer_read_into(samples, "float32")]


def patched(data: bytes, *changes: tuple[int, bytes]) -> bytes:
    patch = bytearray(data)
    for at, new in changes:
        patch[at : at + len(new)] = new
    return bytes(patch)


def fuzz(folder: pathlib.Path, count: int) -> list[str]:
    """Write `count` files of many formats with flipped, cut or inserted bytes; their names."""
    corpus, random = Corpus(folder), np.random.default_rng(1)
    kinds = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "MS_ADPCM"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")]
    kinds += [("OGG", "OPUS"), ("MP3", None), ("AIFF", "PCM_24"), ("CAF", "ALAC_16"), ("W64", "PCM_16"), ("AU", "ULAW")]
    wholes = [encode(corpus.tune(), *kind) for kind in kinds]
    for number in range(count):
        data = bytearray(wholes[number % len(kinds)])
        reach = len(data) if number % 3 else 200  # every third: the header only
        for at in random.integers(0, min(reach, len(data)), random.integers(1, 40)):
            data[at] = random.integers(256)
        if number % 5 == 0:
            del data[random.integers(len(data)) :]
        if number % 7 == 0:
            at = random.integers(len(data) + 1)
            data[at:at] = random.integers(0, 256, random.integers(1, 300), np.uint8).tobytes()
        corpus.add(f"fuzz/{number}.{kinds[number % len(kinds)][0].lower()}", bytes(data), None)
    return sorted(corpus.expected)


def build(folder: pathlib.Path) -> dict[str, Odd]:
    """Write the corpus below `folder`; what must become of every file, by its printable name."""
    corpus = Corpus(folder)
    for part in (_formats, _widths, _rates_and_channels, _cut, _lies, _poison, _not_audio, _names, _not_files):
        part(corpus)
    return corpus.expected


def _formats(c: Corpus) -> None:
    for form in (
        "WAV",
        "WAVEX",
        "RF64",
        "W64",
        "AIFF",
        "AU",
        "CAF",
        "FLAC",
        "VOC",
        "NIST",
        "IRCAM",
        "PAF",
        "AVR",
        "SVX",
    ):
        c.add(f"formats/{form.lower()}.{form.lower()}", encode(c.tune(), form, "PCM_16"), 1.0)
    c.add("formats/vorbis.ogg", encode(c.tune(), "OGG", "VORBIS"), 1.0)
    c.add("formats/opus.opus", encode(c.tune(), "OGG", "OPUS"), 1.0)
    c.add("formats/alac.caf", encode(c.tune(), "CAF", "ALAC_16"), 1.0)
    for mode in ("CONSTANT", "VARIABLE"):
        c.add(f"formats/{mode.lower()}.mp3", encode(c.tune(), "MP3", bitrate_mode=mode, compression_level=0.5), 1.0)
    art = (
        b"ID3\x03\x00\x00" + bytes([(8 << 20) >> s & 127 for s in (21, 14, 7, 0)]) + b"\xff\xd8 a cover".ljust(8 << 20)
    )
    c.add("formats/8 MB of art.mp3", art + encode(c.tune(), "MP3"), 1.0)


def _widths(c: Corpus) -> None:
    for subtype in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"):
        c.add(f"widths/{subtype.lower()}.wav", encode(c.tune(), "WAV", subtype), 1.0)
    for subtype in ("IMA_ADPCM", "MS_ADPCM"):  # whole blocks: a little longer
        c.add(f"widths/{subtype.lower()}.wav", encode(c.tune(2.0), "WAV", subtype), 2.0)
    c.add("widths/gsm610.wav", encode(c.tune(), "WAV", "GSM610"), 1.0)
    c.add("widths/s8.flac", encode(c.tune(), "FLAC", "PCM_S8"), 1.0)
    c.add("widths/24.flac", encode(c.tune(), "FLAC", "PCM_24"), 1.0)


def _rates_and_channels(c: Corpus) -> None:
    for rate in (1, 100, 999, 768001, 2**31 - 1):
        c.add(f"rates/{rate}.wav", encode(c.tune(0.2), "WAV", rate=rate), None, f"sample rate is {rate} Hz")
    for rate in (1000, 8000, 11025):
        c.add(f"rates/{rate}.wav", encode(c.tune(1.0, rate), "WAV", rate=rate), 1.0, f"recorded at {rate} Hz")
    for rate in (22050, 44100, 48000, 96000, 192000, 384000, 768000):
        c.add(f"rates/{rate}.wav", encode(c.tune(0.5, rate), "WAV", rate=rate), 0.5)
    whole = encode(c.tune(), "WAV")
    c.add("rates/zero.wav", patched(whole, (24, struct.pack("<I", 0))), None, "not audio that can be read")
    c.add("rates/most.wav", patched(whole, (24, b"\xff" * 4)), None, "not audio that can be read")
    for channels in (2, 6, 8, 64):
        c.add(f"channels/{channels}.wav", encode(c.tune(0.5, channels=channels), "WAV"), 0.5)
    for channels in (65, 1024):
        samples = c.tune(0.1, channels=channels)
        c.add(f"channels/{channels}.wav", encode(samples, "WAV"), None, f"it has {channels} channels; wanted 1 to 64")
    c.add("channels/none.wav", patched(whole, (22, b"\0\0")), None, "not audio that can be read")
    c.add("channels/65535.wav", patched(whole, (22, b"\xff\xff")), None, "not audio that can be read")
    x = c.tune()
    c.add("channels/antiphase.wav", encode(np.hstack([x, -x]), "WAV"), None, "channels cancel each other")
    c.add("channels/nearly antiphase.wav", encode(np.hstack([x, -0.8 * x]), "WAV"), 1.0, "partly cancel")
    c.add("channels/one side.wav", encode(np.hstack([c.tune(), 0 * x]), "WAV"), 1.0)


def _cut(c: Corpus) -> None:
    def half(form: str, subtype: str | None = None) -> bytes:
        data = encode(c.tune(4.0), form, subtype)
        return data[: len(data) // 2]

    early = "breaks off early"
    for form in ("WAV", "AIFF", "W64", "RF64", "AU"):
        c.add(f"cut/half.{form.lower()}", half(form, "PCM_16"), 2.0, early)
    c.add("cut/half float.wav", half("WAV", "FLOAT"), 2.0, early)
    c.add("cut/half adpcm.wav", half("WAV", "MS_ADPCM"), 2.0, early)
    c.add("cut/half.flac", half("FLAC"), 1.8, early)
    c.add("cut/half.ogg", half("OGG", "VORBIS"), 1.0, early)
    c.add("cut/half.opus", half("OGG", "OPUS"), 1.0, early)
    c.add("cut/half.mp3", half("MP3"), 2.0, early)
    c.add("cut/half.caf", half("CAF", "PCM_16"), None, "not audio that can be read")
    c.add("cut/44 bytes.wav", encode(c.tune(), "WAV")[:44], None, "no samples")
    c.add("cut/43 bytes.wav", encode(c.tune(), "WAV")[:43], None, "no samples")
    c.add("cut/12 bytes.wav", encode(c.tune(), "WAV")[:12], None, "damaged, or not audio")
    for form in ("FLAC", "OGG", "MP3"):
        c.add(f"cut/60 bytes.{form.lower()}", encode(c.tune(), form)[:60], None, "not audio that can be read")
    c.add("cut/first page.ogg", encode(c.tune(4.0), "OGG", "VORBIS")[:4300], None, "no samples")
    c.add("cut/no frames.wav", encode(np.zeros((0, 1), np.float32), "WAV"), None, "no samples")
    c.add("cut/one sample.wav", encode(c.tune()[:1], "WAV"), None, "too short")
    c.add("cut/50 ms.wav", encode(c.tune(0.05), "WAV"), None, "too short")


def _lies(c: Corpus) -> None:
    """Headers that claim more, less or nothing."""
    flac = bytearray(encode(c.tune(3.0), "FLAC"))
    flac[21] |= 15
    flac[22:26] = b"\xff\xff\xff\xf0"  # the 36 bits of STREAMINFO that hold the length: 2**36 samples
    c.add("lies/1193 hours.flac", bytes(flac), 3.0, "breaks off early")
    wav = encode(c.tune(), "WAV")
    c.add("lies/killed while writing.wav", patched(wav, (4, b"\x08\0\0\0"), (40, bytes(4))), 1.0)
    c.add("lies/no length at all.wav", patched(wav, (4, bytes(4)), (40, bytes(4))), None, "holds no samples")
    c.add("lies/written to a pipe.wav", patched(encode(c.tune(), "WAV"), (4, b"\xff" * 4), (40, b"\xff" * 4)), 1.0)
    c.add("lies/3 GB.wav", patched(encode(c.tune(), "WAV"), (40, struct.pack("<I", 3 << 30))), 1.0, "breaks off early")
    huge = struct.pack(">q", 2**62)
    c.add("lies/frames.caf", patched(encode(c.tune(), "CAF", "PCM_16"), (56, huge)), None, "damaged, or not audio")
    c.add("lies/really a wav.mp3", encode(c.tune(), "WAV"), 1.0)
    c.add("lies/really a flac.wav", encode(c.tune(), "FLAC"), 1.0)
    c.add("lies/really an ogg.txt", encode(c.tune(), "OGG"), 1.0)
    c.add("lies/no suffix", encode(c.tune(), "WAV"), 1.0)
    c.add("lies/headerless.raw", encode(c.tune(), "RAW", "PCM_16"), None, "not audio that can be read")


def _poison(c: Corpus) -> None:
    for name, value in (("nan", np.nan), ("inf", np.inf), ("minus inf", -np.inf)):
        x = c.tune(2.0)
        x[30000] = value
        c.add(f"poison/{name}.wav", encode(x, "WAV", "FLOAT"), None, "NaN or infinite")
    c.add("poison/all nan.wav", encode(np.full((RATE, 1), np.nan), "WAV", "DOUBLE"), None, "NaN or infinite")
    c.add("poison/huge double.wav", encode(c.tune().astype(float) * 1e300, "WAV", "DOUBLE"), None, "NaN or infinite")
    c.add("poison/peak 1055.wav", encode(c.tune() * 3000, "WAV", "FLOAT"), None, r"peak is \d+(\.\d+)?x.*corrupt")
    c.add("poison/flipped.mp3", _flipped_mp3(c), None, r"peak is [0-9.e+]+x.*corrupt")
    c.add("poison/int scale.wav", encode(c.tune() * 32768, "WAV", "FLOAT"), None, "corrupt")
    c.add("poison/a little over.wav", encode(c.tune() * 2.5, "WAV", "FLOAT"), 1.0, "full scale; what lay beyond")
    c.add("poison/clipped.wav", encode(np.clip(c.tune() * 8, -1, 1), "WAV"), 1.0)
    c.add("poison/dc.wav", encode(np.full((RATE, 1), 0.5), "WAV"), None, "silent")
    c.add("poison/music on dc.wav", encode(c.tune() * 0.5 + 0.3, "WAV"), 1.0, r"DC offset of \+0\.3")
    c.add("poison/silence.wav", encode(np.zeros((RATE, 2)), "WAV"), None, "silent")
    c.add("poison/silence.flac", encode(np.zeros((60 * RATE, 1)), "FLAC"), None, "silent")
    c.add("poison/hiss.wav", encode(c.tune() * 0.0003, "WAV", "FLOAT"), None, "silent")
    c.add("poison/quiet.wav", encode(c.tune() * 0.01, "WAV", "FLOAT"), 1.0)
    gap = np.concatenate([np.zeros((8000, 1)), c.tune(), np.zeros((10 * RATE, 1)), c.tune(), np.zeros((8000, 1))])
    c.add("poison/gaps.wav", encode(gap, "WAV"), 3.2, r"9\.0 s of silence inside")


def _flipped_mp3(c: Corpus) -> bytes:
    """An MP3 with flipped bytes that decodes, without an error, to far beyond full scale."""
    whole = encode(c.tune(3.0), "MP3")
    for seed in range(200):
        random = np.random.default_rng(seed)
        data = np.frombuffer(whole, np.uint8).copy()
        data[random.integers(200, len(data), 60)] = random.integers(0, 256, 60)
        try:
            decoded, _ = sf.read(io.BytesIO(data.tobytes()))
        except (sf.LibsndfileError, AssertionError):
            continue
        if np.abs(decoded).max(initial=0) > 1000:
            return data.tobytes()
    raise AssertionError("no flip found that decodes beyond 1000 times full scale")


def _not_audio(c: Corpus) -> None:
    unread = "not audio that can be read"
    c.add("not audio/text.mp3", b"this is not music\n" * 500, None, unread)
    c.add("not audio/download failed.mp3", b"<!DOCTYPE html><html><body>404</body></html>", None, unread)
    c.add("not audio/cover.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(5000), None, unread)
    c.add("not audio/archive.wav", b"PK\x03\x04" + bytes(range(256)) * 20, None, unread)
    c.add("not audio/phone.m4a", b"\0\0\0 ftypM4A \0\0\0\0M4A mp42isom" + bytes(5000), None, "M4A, .*ffmpeg")
    c.add("not audio/riff.wav", b"RIFF\xff\xff\xff\xffAVI LIST" + bytes(100), None, "AVI, .*ffmpeg")
    c.add("not audio/zeros.mp3", bytes(100_000), None, unread)
    noise = np.random.default_rng(5).integers(0, 256, 50_000, np.uint8).tobytes()
    c.add("not audio/random.bin", noise, None, unread)
    c.add("not audio/empty.wav", b"", None, r"is empty \(0 bytes\)")
    c.add("not audio/empty.mp3", b"", None, r"is empty \(0 bytes\)")


def _names(c: Corpus) -> None:
    for name in (
        "-rf.wav",
        "ünïcødé 海.wav",
        "two  spaces .wav",
        "a'quote\".wav",
        "%s {} $HOME.wav",
        "x" * 250 + ".wav",
    ):
        c.add(f"names/{name}", encode(c.tune(), "WAV"), 1.0)
    c.add("names/.hidden.wav", encode(c.tune(), "WAV"), None, "hidden")
    c.expected["names/.git"] = Odd(None, "hidden")
    (c.folder / "names/.git").mkdir()
    (c.folder / "names/.git/a.wav").write_bytes(encode(c.tune(), "WAV"))
    same = encode(c.tune(), "WAV")
    c.add("names/same.wav", same, 1.0)
    c.add("names/the same.wav", same, None, "same samples as")
    if os.name == "posix":
        (c.folder / "names/two\nlines.wav").write_bytes(encode(c.tune(), "WAV"))
        c.expected[r"names/two\nlines.wav"] = Odd(1.0)
    try:
        (c.folder / os.fsdecode(b"names/not utf8 \xff.wav")).write_bytes(encode(c.tune(), "WAV"))
        c.expected[r"names/not utf8 \udcff.wav"] = Odd(1.0)
    except OSError:  # a file system that wants UTF-8
        pass


def _not_files(c: Corpus) -> None:
    if os.name != "posix":
        return
    c.add("links/target.wav", encode(c.tune(), "WAV"), 1.0)
    links = c.folder / "links"
    (links / "to itself").symlink_to("to itself")
    (links / "broken.wav").symlink_to("nowhere.wav")
    (links / "zloop").symlink_to("..")  # a folder that holds itself
    (links / "z copy.wav").symlink_to("target.wav")
    (links / "device.wav").symlink_to("/dev/zero")
    c.expected["links/to itself"] = Odd(None, "cannot be opened")
    c.expected["links/broken.wav"] = Odd(None, "cannot be opened")
    c.expected["links/z copy.wav"] = Odd(None, "same samples as links/target.wav")
    c.expected["links/device.wav"] = Odd(None, "pipe, socket or device")
    os.mkfifo(c.folder / "links/pipe.wav")
    c.expected["links/pipe.wav"] = Odd(None, "pipe, socket or device")
    here = os.getcwd()
    os.chdir(links)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.wav")
    finally:
        os.chdir(here)
    c.expected["links/socket.wav"] = Odd(None, "pipe, socket or device")
    c.add("links/unreadable.wav", encode(c.tune(), "WAV"), 1.0)
    (links / "unreadable.wav").chmod(0)
    if not os.access(links / "unreadable.wav", os.R_OK):  # root reads everything
        c.expected["links/unreadable.wav"] = Odd(None, "cannot be opened")
