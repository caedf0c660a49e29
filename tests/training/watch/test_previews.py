"""Previews are comparable: the same streams of the same noise at every step, and pictures and verdicts beside them."""

import json
import sys

import numpy as np
import pytest

import sharks
from sharks.sound.reading import read_audio
from sharks.spec import SampleRNNSpec
from sharks.training.watch import previews


def test_fixed_streams_through_the_engine(tmp_path):
    early, late = (sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4, layers=1), seed=seed) for seed in (0, 1))
    for name, pack in (("a", early), ("b", late), ("again", early)):
        verdicts = previews.make(pack, tmp_path / name, 0.2, 0.9, seed=5)
        assert len(verdicts) == previews.CLIPS
    wanted = sharks.generate(early, 0.2, previews.CLIPS, streams=range(previews.CLIPS), temperature=0.9, seed=5)
    names = [f"{number:02d}_t0.9_s5" for number in range(previews.CLIPS)]
    for name, clip in zip(names, wanted.samples, strict=True):
        clips = {folder: (tmp_path / folder / f"{name}.wav").read_bytes() for folder in ("a", "b", "again")}
        assert clips["a"] == clips["again"] != clips["b"]
        assert np.abs(read_audio(tmp_path / "a" / f"{name}.wav")[0] - clip).max() < 1e-4
        assert (tmp_path / "a" / f"{name}.png").read_bytes()[1:4] == b"PNG"
    assert list(json.loads((tmp_path / "a" / "health.json").read_text())) == names


def test_a_rehearsal_tells_what_a_preview_takes(tmp_path, monkeypatch):
    """A clock that runs by the samples played, and 3 s for the pictures of a preview."""
    now = [0.0]

    def generate(pack, seconds, n, **how):
        now[0] += 2 * seconds
        return played(pack, seconds, n, **how)

    played = sharks.generate
    module = sys.modules["sharks.play.generate"]  # sharks.generate is the verb
    monkeypatch.setattr(module, "generate", generate)
    monkeypatch.setattr(
        "sharks.sound.picture.spectrogram_png", lambda *_: now.__setitem__(0, now[0] + 3 / previews.CLIPS)
    )
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    pack = sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4, layers=1), seed=0)
    assert previews.rehearse(pack, 8.0, 0.9, 0) == pytest.approx(2 * 8 + 3)
    assert previews.rehearse(pack, 0.1, 0.9, 0) == pytest.approx(2 * 0.1 + 3)
