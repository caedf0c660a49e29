"""Previews are comparable: the same streams of the same noise at every step, and pictures and verdicts beside them."""

import json

import numpy as np

import sharks
from sharks.audio import read_audio
from sharks.spec import SampleRNNSpec
from sharks.train import previews


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
