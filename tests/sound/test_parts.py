"""Sound that lies behind the end which a file's first header names is heard, or what was not read is named."""

import struct

import numpy as np
import pytest

import odd_audio
from sharks.errors import AudioError
from sharks.sound import mpeg
from sharks.sound.reading import Decoder, info, read_audio
from sharks.sound.spliced import Spliced, patched

RATE = 22050


def tune(seconds, loud=0.3, rate=RATE, seed=0):
    """A gliding tone in noise, float32 (n,)."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return (loud * (np.sin(2 * np.pi * 220 * t * (1 + 0.1 * t)) + 0.3 * noise)).astype(np.float32)


def encode(samples, form, subtype=None, rate=RATE, **more):
    return odd_audio.encode(samples, form, subtype, rate, **more)


def mp3(samples, rate=RATE, **more):
    return encode(samples, "MP3", None, rate, **more)


def vbr(samples, quality=0.3):
    """An MP3 of variable bitrate as it comes from a radio or a cutter: without the frame that says how long it is."""
    data = mp3(samples, bitrate_mode="VARIABLE", compression_level=quality)
    assert b"Xing" in data[:200]
    return data[mpeg.parse(data).size :]


def heard(tmp_path, data):
    """(the recording, its samples float32 (channels, n)) of a file with these bytes."""
    (tmp_path / "a").write_bytes(data)
    with Decoder() as decoder:
        recording = decoder.open(tmp_path / "a")
        return recording, np.concatenate(list(recording), axis=1)


def reference(data):
    return odd_audio.decoded(data).T


def is_whole(recording, samples, seconds):
    assert samples.shape[1] / recording.rate == pytest.approx(seconds, abs=0.15)  # delays of two encoders
    assert recording.info.seconds == pytest.approx(seconds, abs=0.2)
    return not recording.cut


# --- MP3


@pytest.mark.parametrize("tail", [np.zeros(10 * RATE, np.float32), tune(10, 0.01, seed=2)], ids=["silence", "soft"])
@pytest.mark.parametrize("loud_first", [True, False])
def test_mp3_of_variable_bitrate_without_its_length(tmp_path, tail, loud_first):
    music = tune(4, 0.6)
    whole = np.concatenate([music, tail] if loud_first else [tail, music])
    recording, samples = heard(tmp_path, vbr(whole))
    assert is_whole(recording, samples, 14) and not recording.notes
    # The end is there, not only the length: the loud part lies where it was, but for the delay of the encoder.
    power = np.square(samples[0]).reshape(-1)[: 13 * RATE].reshape(13, RATE).mean(axis=1)
    assert list(np.flatnonzero(power > 0.05)) == ([0, 1, 2, 3] if loud_first else [10, 11, 12])


def test_joined_mp3(tmp_path):
    one, other = mp3(tune(3)), mp3(tune(4, seed=1))
    recording, samples = heard(tmp_path, one + other)
    assert is_whole(recording, samples, 7)
    assert np.array_equal(samples, np.concatenate([reference(one), reference(other)], axis=1))


def test_joined_mp3_with_tags_between_and_behind(tmp_path):
    tag = b"ID3\x03\x00\x00\x00\x00\x10\x00" + b"\xff\xfb cover".ljust(2048, b"\0")
    parts = [mp3(tune(2, seed=k)) for k in range(3)]
    data = tag + parts[0] + b"TAG".ljust(128, b"x") + tag + tag + parts[1] + tag + parts[2] + b"TAG".ljust(128, b"\0")
    recording, samples = heard(tmp_path, data)
    assert is_whole(recording, samples, 6)


def test_joined_mp3_whose_second_part_has_no_header(tmp_path):
    recording, samples = heard(tmp_path, mp3(tune(3)) + vbr(tune(5, seed=1)))
    assert is_whole(recording, samples, 8)


def test_mp3_with_a_long_gap_inside(tmp_path):
    data = mp3(tune(6), bitrate_mode="CONSTANT")
    frame, half = mpeg.parse(data).size, len(data) // 2
    recording, samples = heard(tmp_path, data[: half // frame * frame] + bytes(5000) + data[half // frame * frame :])
    assert samples.shape[1] / RATE == pytest.approx(6, abs=0.2)


def test_joined_mp3_of_another_rate_is_named(tmp_path):
    recording, samples = heard(tmp_path, mp3(tune(3)) + mp3(tune(4, rate=44100), 44100))
    assert samples.shape[1] / RATE == pytest.approx(3, abs=0.1)
    assert recording.notes == ["part 2 of 2 has another format (4.0 s at 44100 Hz, 1 channels) and is left out"]


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
def test_an_mp3_that_is_whole_is_read_as_libsndfile_reads_it(tmp_path, rate, mode):
    data = mp3(np.stack([tune(2, rate=rate), tune(2, rate=rate, seed=1)]).T, rate, bitrate_mode=mode)
    recording, samples = heard(tmp_path, data)
    assert np.array_equal(samples, reference(data)) and not recording.cut and not recording.notes


def test_half_an_mp3_still_breaks_off(tmp_path):
    data = mp3(tune(6))
    assert heard(tmp_path, data[: len(data) // 2])[0].cut


@pytest.mark.parametrize("rate,bits", [(44100, 0xFB), (22050, 0xF3), (11025, 0xE3)])
def test_frames_are_as_long_as_the_standard_says(rate, bits):
    spf = 1152 if rate == 44100 else 576
    kbit = 128 if rate == 44100 else 64
    frame = mpeg.parse(bytes([0xFF, bits, (9 if rate == 44100 else 8) << 4, 0]))
    assert frame.size == spf // 8 * kbit * 1000 // rate and frame.samples == spf and frame.key[2] == rate
    for head in (
        b"\xff\xfb\x00\x00",
        b"\xff\xfb\xf0\x00",
        b"\xff\xfb\x9c\x00",
        b"\xff\xf1\x50\x80",
        b"\xff\xeb\x90\x00",
    ):
        assert mpeg.parse(head) is None  # free, no such bitrate, no such rate, AAC, no such version


# --- Ogg


@pytest.mark.parametrize("subtype,rate", [("VORBIS", RATE), ("OPUS", 24000)])
def test_chained_ogg(tmp_path, subtype, rate):
    parts = [encode(tune(1 + k, rate=rate, seed=k), "OGG", subtype, rate) for k in range(3)]
    recording, samples = heard(tmp_path, b"".join(parts))
    assert is_whole(recording, samples, 6)
    assert np.array_equal(samples, np.concatenate([reference(part) for part in parts], axis=1))


def test_joined_flac(tmp_path):
    parts = [encode(tune(1 + k, seed=k), "FLAC") for k in range(3)]
    recording, samples = heard(tmp_path, b"".join(parts))
    assert is_whole(recording, samples, 6) and not recording.notes
    assert np.array_equal(samples, np.concatenate([reference(part) for part in parts], axis=1))


def test_a_stream_of_another_number_of_channels_is_named(tmp_path):
    stereo = encode(np.stack([tune(2), tune(2, seed=1)]).T, "OGG", "VORBIS")
    recording, samples = heard(tmp_path, encode(tune(3), "OGG", "VORBIS") + stereo)
    assert samples.shape == (1, 3 * RATE)
    assert recording.notes == ["part 2 of 2 has another format (2.0 s at 22050 Hz, 2 channels) and is left out"]


def test_a_chain_whose_end_is_lost_breaks_off(tmp_path):
    last = encode(tune(3), "OGG", "VORBIS")
    assert heard(tmp_path, encode(tune(3, seed=1), "OGG", "VORBIS") + last[: len(last) // 2])[0].cut


def test_a_part_that_cannot_be_read_is_named(tmp_path):
    first, second = (encode(tune(3, seed=k), "OGG", "VORBIS") for k in range(2))
    recording, samples = heard(tmp_path, first + second[:100] + first)
    assert samples.shape[1] == 6 * RATE and recording.notes == ["part 2 of 3 cannot be read and is left out"]


# --- headers that were never finished


def crashed(form, data, samples):
    """The same file with a header that names a quarter of its samples."""
    width, quarter = 2, len(samples) // 4
    if form == "WAV":
        return odd_audio.patched(data, (40, struct.pack("<I", width * quarter)))
    if form == "AU":
        return odd_audio.patched(data, (8, struct.pack(">I", width * quarter)))
    if form == "AIFF":
        common, sound = data.index(b"COMM"), data.index(b"SSND")
        frames = (common + 10, struct.pack(">I", quarter))
        return odd_audio.patched(data, frames, (sound + 4, struct.pack(">I", width * quarter + 8)))
    if form == "W64":
        at = data.index(b"data\xf3\xac")
        return odd_audio.patched(data, (at + 16, struct.pack("<Q", width * quarter + 24)))
    at = data.rindex(b"data")
    return odd_audio.patched(data, (at + 4, struct.pack(">Q", width * quarter + 4)))


@pytest.mark.parametrize("form", ["WAV", "AU", "AIFF", "W64", "CAF"])
def test_what_a_crashed_recorder_leaves(tmp_path, form):
    x = tune(4)
    data = encode(x, form, "PCM_16")
    assert heard(tmp_path, data)[0].notes == []
    recording, samples = heard(tmp_path, crashed(form, data, x))
    assert np.array_equal(samples[:, : len(x)], reference(data)) and samples.shape[1] - len(x) < 2000
    assert len(recording.notes) == 1 and "of its sound, as a crash leaves it; all is used" in recording.notes[0]


@pytest.mark.parametrize("form", ["WAV", "AIFF", "W64"])
def test_joined_files_of_chunks(tmp_path, form):
    recording, samples = heard(tmp_path, encode(tune(2), form) + encode(tune(3, seed=1), form))
    assert is_whole(recording, samples, 5)


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 5000) + b"INFO".ljust(5000, b"x"),
        b"id3 " + struct.pack("<I", 5001) + b"ID3".ljust(5002, b"\0"),
        bytes(100_000),
        b"TAG".ljust(2048, b"x"),
        b"ID3\x03".ljust(3000, b"y"),
        b"\x01\x02" * 50,
    ],
    ids=["list", "odd", "zeros", "tag", "id3", "short"],
)
def test_what_lies_behind_the_sound_and_is_none_is_not_heard(tmp_path, behind):
    recording, samples = heard(tmp_path, encode(tune(2), "WAV") + behind)
    assert samples.shape[1] == 2 * RATE and not recording.notes and not recording.cut


def test_bytes_behind_other_chunks_are_named(tmp_path):
    tail = np.random.default_rng(3).integers(128, 256, 5000, np.uint8).tobytes()
    data = encode(tune(2), "WAV") + b"LIST" + struct.pack("<I", 100) + b"INFO".ljust(100, b"x") + tail
    recording, samples = heard(tmp_path, data)
    assert samples.shape[1] == 2 * RATE
    assert recording.notes == ["5,000 bytes at its end belong to no chunk and were not read"]


@pytest.mark.parametrize("form", ["WAV", "FLAC", "AIFF", "OGG", "AU", "CAF"])
def test_a_tag_before_anything(tmp_path, form):
    tag = b"ID3\x03\x00\x00\x00\x00\x02\x00TIT2\x00\x00\x00\x0a\x00\x00\x00name12345".ljust(266, b"\0")
    plain = encode(tune(2), form)
    recording, samples = heard(tmp_path, tag + plain)
    assert np.array_equal(samples, reference(plain)) and not recording.cut and not recording.notes


# --- float samples far beyond full scale


@pytest.mark.parametrize("form,subtype", [("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("AIFF", "FLOAT"), ("CAF", "FLOAT")])
@pytest.mark.parametrize("peak", [6.0, 63.0])
def test_a_recorder_that_knows_no_full_scale_is_turned_down(tmp_path, form, subtype, peak):
    x = tune(2) / np.abs(tune(2)).max()
    recording, samples = heard(tmp_path, encode(x * np.float32(peak), form, subtype))
    assert recording.peak == pytest.approx(peak, rel=1e-5) and recording.gain == pytest.approx(1 / peak, rel=1e-5)
    assert np.abs(samples[0] - x).max() < 1e-5 and not recording.clipped


def test_up_to_four_times_full_scale_is_clipped_and_beyond_64_corrupt(tmp_path):
    x = tune(1) / np.abs(tune(1)).max()
    recording, samples = heard(tmp_path, encode(x * 3.9, "WAV", "FLOAT"))
    assert np.array_equal(samples[0], np.clip(x * np.float32(3.9), -1, 1)) and recording.clipped and recording.gain == 1
    with pytest.raises(AudioError, match="decoded peak is 65x full scale; the file is corrupt"):
        heard(tmp_path, encode(x * 65, "WAV", "FLOAT"))


# --- the file of stretches


def test_a_spliced_file_is_read_like_one_that_lies_on_the_disk(tmp_path):
    data = bytes(range(256))
    (tmp_path / "a").write_bytes(data)
    with open(tmp_path / "a", "rb", buffering=0) as raw:
        spliced = Spliced(raw, [b"", b"head", (10, 20), (30, 30), b"x", (250, 256)])
        want = b"head" + data[10:20] + b"x" + data[250:]
        assert len(spliced) == len(want) and spliced.read() == want and spliced.read(3) == b""
        for at in range(len(want)):
            for count in (1, 5, 50):
                assert spliced.seek(at) == at and spliced.read(count) == want[at : at + count]
        assert spliced.seek(-2, 2) == len(want) - 2 and spliced.seek(1, 1) == len(want) - 1
        assert Spliced(raw, patched(256, {5: b"new", 100: b"Y"}, 2)).read() == (
            data[2:5] + b"new" + data[8:100] + b"Y" + data[101:]
        )


def test_an_excerpt_and_the_facts_of_a_joined_file(tmp_path):
    (tmp_path / "a.mp3").write_bytes(mp3(tune(1)) + mp3(tune(2, seed=1)))
    assert read_audio(tmp_path / "a.mp3", seconds=1.5)[0].shape == (1, round(1.5 * RATE))
    assert info(tmp_path / "a.mp3").seconds == pytest.approx(3, abs=0.05)
