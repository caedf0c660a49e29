"""What is said of clips beside the songs that were learnt: hiss is called what it is, whatever health says of it."""

import numpy as np
import pytest

from made_songs import dataset
from sharks.packs.pack import Pack, random_pack
from sharks.projects.likeness import NOISE, heard, is_known
from sharks.sound import music
from sharks.sound.wav import write_wav
from sharks.spec import SampleRNNSpec
from sharks.training.music.figures import figures_of

SONGS = {"beat": [0.33, 0.49], "form": [0.3, 0.33], "tone": [11.6, 12.4]}


def noise(seconds):
    return np.random.default_rng(0).normal(0, 0.2, round(16000 * seconds)).astype(np.float32)


def pack(songs):
    made = random_pack(SampleRNNSpec(dim=8, embed_dim=4))
    return Pack(made.spec, made.tensors, about={"music": songs} if songs is not None else {})


def test_hiss_is_called_what_it_is(tmp_path):
    write_wav(tmp_path / "hiss.wav", noise(30), 16000)
    said = {fact.name: fact.value for fact in heard([tmp_path / "hiss.wav"], pack(SONGS))}
    assert list(said) == ["Beat", "Form", "Tones"]
    assert said["Beat"].startswith("no beat: steady as noise: 0.1")
    assert said["Beat"].endswith("; white noise has 0.10, the songs 0.33 to 0.49")
    assert said["Form"].startswith("nothing returns: ")
    assert said["Tones"].startswith("no tones, as noise has none: 9.8 dB; white noise has 9.8 dB, the songs 11.6 dB")


def test_a_drum_machine_has_the_beat_of_the_songs_but_no_tones(tmp_path):
    hits = noise(30) * np.exp(-(np.arange(480000) % 8000) / 800).astype(np.float32)
    write_wav(tmp_path / "drums.wav", hits, 16000)
    said = {fact.name: fact.value for fact in heard([tmp_path / "drums.wav"], pack(SONGS))}
    assert said["Beat"].startswith("a beat like the songs': ") and said["Tones"].startswith("no tones")


def test_in_between_is_said_to_be_in_between(tmp_path):
    hits = 0.3 * noise(60) * np.exp(-(np.arange(960000) % 8000) / 800).astype(np.float32)
    write_wav(tmp_path / "both.wav", 0.01 * noise(60) + hits, 16000)
    beat = music.figures([0.01 * noise(60) + hits], 16000).beat
    songs = SONGS | {"beat": [beat + 0.05, beat + 0.1]}
    assert heard([tmp_path / "both.wav"], pack(songs))[0].value.startswith("less of a beat than the songs: ")


@pytest.mark.parametrize(
    "songs", [None, {}, {"beat": [1, 2]}, SONGS | {"form": [0.1]}, SONGS | {"tone": [1, "x"]}, "x"]
)
def test_a_pack_that_knows_of_no_songs_says_nothing(tmp_path, songs):
    write_wav(tmp_path / "hiss.wav", noise(30), 16000)
    assert heard([tmp_path / "hiss.wav"], pack(songs)) == [] and not is_known(songs)


def test_what_is_too_short_for_a_figure_goes_without(tmp_path):
    write_wav(tmp_path / "short.wav", noise(9), 16000)
    assert [fact.name for fact in heard([tmp_path / "short.wav"], pack(SONGS))] == ["Beat", "Tones"]
    assert heard([], pack(SONGS)) == []


def test_noise_has_the_figures_that_are_said_of_it():
    found = music.figures([noise(120)], 16000)
    for name, wanted in NOISE.items():
        assert getattr(found, name) == pytest.approx(wanted, abs=0.02 if name != "tone" else 0.1)


def test_the_training_songs_are_measured_one_by_one():
    songs = dataset(16000, (16000 * 30, 16000 * 40), (16000 * 30,))
    found = figures_of(songs)
    assert is_known(found)
    first = music.figures([songs.train[: 16000 * 30].astype(np.float32) / 32768], 16000)
    assert found["beat"][0] <= round(first.beat, 3) <= found["beat"][1]
    assert figures_of(dataset(16000, (16000 * 5,))) == {}
