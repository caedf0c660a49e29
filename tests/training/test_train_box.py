"""The judge of the model in the box lets the album's own music pass, and nothing that fails to sound like it."""

import importlib.util
import pathlib

import numpy as np
import pytest

from sharks.projects import demo
from sharks.sound.health import health
from sharks.sound.reading import read_audio
from spoilt import noise

ROOT = pathlib.Path(__file__).resolve().parents[2]
SONGS = sorted((ROOT / "examples" / "muldjord").glob("*.ogg"))
pytestmark = pytest.mark.skipif(len(SONGS) != 4, reason="the four example songs are not here")
RATE = 16000


@pytest.fixture(scope="module")
def box():
    spec = importlib.util.spec_from_file_location("train_box", ROOT / "examples" / "train_box.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["train_box"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def songs():
    return [read_audio(path, RATE, mono=True)[0][0] for path in SONGS]


def test_the_album_s_other_songs_mostly_pass_and_spoilt_ones_do_not(box, songs):
    album = box.album_of(songs, songs[0], RATE)
    length = round(box.SECONDS * RATE)
    others = [song[at : at + length] for song in songs[1:] for at in range(20 * RATE, 150 * RATE, 3 * length)]
    faults = [album.faults(health(clip, RATE)) for clip in others]
    assert sum(not found for found in faults) >= 0.7 * len(others), faults
    good = next(clip for clip, found in zip(others, faults, strict=True) if not found)
    for clip in (
        0.3 * good,
        good * (np.arange(length) < 0.85 * length),
        noise(np.random.default_rng(0), length),
        0.3 * np.sin(np.arange(length) * 0.05),
    ):
        assert album.faults(health(clip, RATE))


@pytest.mark.slow
def test_the_demo_sounds_like_its_album(box, songs, tmp_path):
    """Judged by the file that a listener gets: loudness, silence, brightness, noise, and what health knows."""
    learnt = demo.box().about["songs"]
    (held_out,) = (song for path, song in zip(SONGS, songs, strict=True) if path.name not in learnt)
    album, played = box.album_of(songs, held_out, RATE), demo.demo(tmp_path)
    assert played.seconds >= 20
    for clip in played.clips:
        assert album.faults(health(read_audio(clip, RATE, mono=True)[0][0], RATE)) == []


def test_good_clips_count_first_then_the_nll(box):
    def heard(nll, *faults):
        return box.Audition(pathlib.Path("x"), 1.0, nll, faults)

    assert box.best([heard(6.0, (), ("dc",)), heard(6.3, (), ()), heard(6.2, (), ())]).nll == 6.2


def test_the_card_says_what_the_pack_is(box, tmp_path, monkeypatch):
    import hashlib
    import types

    import sharks
    from sharks.spec import SampleRNNSpec

    random = sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4, layers=2), seed=0)
    about = {"songs": ["a.ogg"], "step": 1234, "seed": 5, "nll_bits": 6.4321}
    target = ROOT / "python" / "sharks" / "projects" / "box" / "test-only.safetensors"
    (tmp_path / "env.json").write_text('{"device": "cpu", "threads": 2, "torch": "2.13"}')
    (tmp_path / "log.jsonl").write_text('{"step": 1, "nll": 7.9}\n{"step": 2000, "validation": 6.62}\n')
    try:
        sharks.Pack(random.spec, random.tensors, about=about).save(target, dtype="float16", golden=False)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        chosen = box.Audition(target, 0.95, 6.4321, ((),) * box.CLIPS)
        album = box.Album(-14.0, (500.0, 2500.0), (0.01, 0.1))
        run = types.SimpleNamespace(order0=7.4767, hours=3.25)
        card = box.card(target, chosen, album, run, tmp_path)
    finally:
        target.unlink(missing_ok=True)
    for fact in (
        digest,
        "6.432 bits",
        "order-0 is 7.477",
        "1,234 steps with seed 5",
        "3.2 hours",
        "2 LSTM",
        "a.ogg",
        "6.620 after 2,000 steps",
    ):
        assert fact in card
    assert str(tmp_path) not in card


def test_auditioned_is_what_will_be_in_the_box(box, tmp_path):
    import sharks
    from sharks.spec import SampleRNNSpec

    random = sharks.random_pack(SampleRNNSpec(dim=8, embed_dim=4, layers=2), seed=0)
    random.save(tmp_path / "x.safetensors", dtype="float16", golden=False)
    saved, heard = sharks.load(tmp_path / "x.safetensors"), box.boxed(random)
    assert all(np.array_equal(heard.tensors[name], tensor) for name, tensor in saved.tensors.items())
    assert any(not np.array_equal(random.tensors[name], tensor) for name, tensor in saved.tensors.items())
