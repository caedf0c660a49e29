"""Every format that libsndfile writes, damaged in many ways: each file is read, or refused in one sentence."""

import numpy as np
import soundfile as sf

import odd_audio
from sharks.errors import AudioError
from sharks.sound.reading import Decoder, read_audio


def pairs():
    """(format, subtype) of all that libsndfile writes into one file: RAW has no header, SD2 has it in another file."""
    forms = [form for form in sf.available_formats() if form not in ("RAW", "SD2")]
    return [(form, subtype) for form in forms for subtype in sf.available_subtypes(form)]


def whole(form, subtype):
    """Half a second of it, or nothing where these two do not go together."""
    sound = 0.3 * np.sin(np.arange(4000) * 0.05)
    for rate in (8000, 44100):
        try:
            return odd_audio.encode(sound, form, subtype, rate)
        except (sf.LibsndfileError, ValueError):
            continue
    return b""


def damaged(data, random, way):
    """`data` with a byte too many, some too few, or flipped bits; each in the header or anywhere."""
    data = bytearray(data)
    reach = min(len(data), 200 if random.random() < 0.5 else len(data))
    at = int(random.integers(reach))
    if way == "inserted":
        data[at:at] = random.integers(0, 256, int(random.integers(1, 20)), np.uint8).tobytes()
    elif way == "deleted":
        del data[at : at + int(random.integers(1, 20))]
    else:
        for at in random.integers(0, reach, 8):
            data[at] ^= 1 << int(random.integers(8))
    return bytes(data)


def hear(folder, rounds, seed=1):
    """Read every pair, damaged in three ways, `rounds` times; how many there were, and how many were read."""
    random, read, count = np.random.default_rng(seed), 0, 0
    with Decoder() as decoder:
        for form, subtype in pairs():
            data = whole(form, subtype)
            for way in ("inserted", "deleted", "flipped") * rounds if data else ():
                count += 1
                (folder / "damaged").write_bytes(damaged(data, random, way))
                try:
                    samples, _ = read_audio(folder / "damaged", decoder=decoder)
                except AudioError as error:
                    assert "damaged: " in str(error) and "\n" not in str(error)
                else:
                    read += 1
                    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1, (form, subtype, way)
    return count, read
