"""Bad clips are replaced by the next streams nobody has heard, and both are listed."""

import json

import numpy as np
import pytest

import sharks
from sharks.clips import manifest
from sharks.errors import UsageError
from sharks.play import retry
from sharks.sound.health import health
from sharks.spec import SampleRNNSpec, WaveNetSpec


@pytest.fixture(scope="module")
def pack():
    return sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4, layers=1), seed=0)


class Verdicts:
    """Calls the streams in `bad` silent."""

    def __init__(self, monkeypatch, *bad):
        monkeypatch.setattr(
            retry, "_verdicts", lambda audio: {int(s): "silent: 90 %" if s in bad else "ok" for s in audio.streams}
        )


def played(pack, out, n=4, **more):
    return retry.generate_good(pack, 0.1, n, out=out, seed=3, threads=1, **more)


def test_the_next_unused_streams_take_the_place_of_bad_ones(pack, tmp_path, monkeypatch):
    Verdicts(monkeypatch, 1, 3, 4)
    audio, replaced = played(pack, tmp_path / "out")
    assert audio.streams.tolist() == [0, 6, 2, 5]
    assert [(row.file, row.instead) for row in replaced] == [
        ("0001.wav", "0004.wav"),
        ("0003.wav", "0005.wav"),
        ("0004.wav", "0006.wav"),
    ]
    assert all(path.exists() for path in audio.files)
    assert (tmp_path / "out" / "0001.wav").exists(), "nothing is removed"
    assert json.loads((tmp_path / "out" / "bad.json").read_text())[0] == {
        "file": "0001.wav",
        "verdict": "silent: 90 %",
        "instead": "0004.wav",
    }
    alone = sharks.generate(pack, 0.1, 7, seed=3, threads=1)
    assert np.array_equal(audio.levels, alone.levels[[0, 6, 2, 5]]), "clips are what they always were"
    before = {path: path.stat().st_mtime_ns for path in audio.files}
    again, same = played(pack, tmp_path / "out")
    assert same == replaced and again.streams.tolist() == audio.streams.tolist()
    assert before == {path: path.stat().st_mtime_ns for path in again.files}, "nothing is played twice"


def test_given_streams_are_not_taken_twice(pack, tmp_path, monkeypatch):
    Verdicts(monkeypatch, 5)
    audio, replaced = played(pack, tmp_path / "out", n=2, streams=[5, 2])
    assert audio.streams.tolist() == [6, 2] and replaced[0].instead == "0006.wav"
    Verdicts(monkeypatch, 0)
    audio, replaced = played(pack, tmp_path / "low", n=2, streams=[0, 2])
    assert audio.streams.tolist() == [3, 2] and replaced[0].instead == "0003.wav"


def test_what_is_of_each_clip_goes_with_it(tmp_path, monkeypatch):
    spec = WaveNetSpec(dilations=(1, 2), residual=4, dilation=4, skip=4, head=4, global_channels=3, global_classes=4)
    pack = sharks.random_pack(spec, seed=0)
    primers = np.random.default_rng(0).uniform(-1, 1, (3, 1, 200)).astype(np.float32)
    each = {"temperature": [0.0, 0.5, 1.3], "condition": [3, 1, 2], "prime": primers, "prime_rate": spec.sample_rate}
    Verdicts(monkeypatch, 1, 2, 4)
    audio, _ = played(pack, tmp_path / "out", n=3, **each)
    assert audio.streams.tolist() == [0, 3, 5]
    alone = sharks.generate(pack, 0.1, 3, streams=[0, 3, 5], seed=3, threads=1, **each)
    assert np.array_equal(audio.levels, alone.levels)
    assert [row.temperature for row in manifest.read(tmp_path / "out").values()] == [0.0, 0.5, 1.3, 0.5, 1.3, 1.3]


def test_a_model_that_is_always_bad_ends(pack, tmp_path, monkeypatch):
    Verdicts(monkeypatch, *range(100))
    audio, replaced = played(pack, tmp_path / "out", n=2)
    assert len(list((tmp_path / "out").glob("*.wav"))) == retry.MOST_TRIES * 2
    assert len(audio.files) == 2 and [row.instead for row in replaced][-2:] == [None, None]


def test_good_clips_stay(pack, tmp_path, monkeypatch):
    Verdicts(monkeypatch)
    audio, replaced = played(pack, tmp_path / "out")
    assert audio.streams.tolist() == [0, 1, 2, 3] and replaced == []
    with pytest.raises(UsageError, match="by one process alone"):
        played(pack, tmp_path / "other", share=(0, 2))


def test_verdicts_are_those_of_health(pack, tmp_path):
    audio = sharks.generate(pack, 0.5, 2, seed=3, threads=1, out=tmp_path)
    wanted = {s: health(x, audio.sample_rate).verdict for s, x in zip((0, 1), audio.samples, strict=True)}
    assert retry._verdicts(audio) == wanted
