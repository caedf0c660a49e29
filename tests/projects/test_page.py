"""The page to listen on: every link leads to a file, names are shown as they are, and nobody's page is written over."""

import html.parser
import json
import urllib.parse

import numpy as np
import pytest

import sharks
from sharks.errors import UsageError
from sharks.projects import album_page, demo, page
from sharks.sound.reading import read_audio
from sharks.sound.wav import write_wav
from sharks.spec import SampleRNNSpec

RATE = 16000
EMPTY = {"meta", "img", "br", "link", "hr"}  # elements that need no end


class Reader(html.parser.HTMLParser):
    """A page as a browser takes it: its tags with their attributes, and its text. Fails on one that is not closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._open = [], "", []
        self.feed(text)
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def checked(folder):
    """The page of a folder, once everything on it is known to be there, described and in need of nothing else."""
    read = Reader((folder / "index.html").read_text(encoding="utf-8"))
    for attrs in read.of("img") + read.of("audio"):
        assert (folder / urllib.parse.unquote(attrs["src"])).is_file(), attrs
    assert all(attrs["alt"] for attrs in read.of("img")) and all(attrs["aria-label"] for attrs in read.of("audio"))
    assert all("controls" in attrs for attrs in read.of("audio")) and not read.of("script") and not read.of("link")
    assert len(read.of("h1")) == len(read.of("main")) == 1 and read.of("html") == [{"lang": "en"}]
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids)) and {attrs["aria-labelledby"] for attrs in read.of("section")} == set(ids)
    return read


def music(seconds, seed, rate=RATE):
    """Notes over a beat, which `health` takes for music."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    notes = np.repeat(110 * 2 ** (rng.integers(0, 24, round(4 * seconds)) / 12), rate // 4)
    tone = 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / rate) * np.exp(-3 * (time % 0.25))
    return (tone + 0.1 * rng.standard_normal(len(time)) * np.exp(-40 * (time % 0.5))).astype(np.float32)


@pytest.fixture
def pack(tmp_path):
    spec = SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4)
    about = {
        "preset": "tiny <i>",
        "step": 4000,
        "nll_bits": 6.5,
        "order0_bits": 7.5,
        "licence": "CC-BY-SA 3.0",
        "attribution": "A & B",
        "songs": [f"{i}.ogg" for i in range(20)],
    }
    made = sharks.Pack(spec, sharks.random_pack(spec, seed=1).tensors, about=about)
    return sharks.load(made.save(tmp_path / "pack.safetensors"))


@pytest.fixture
def album(tmp_path, pack):
    """A project with clips of which one is silent and one is left over, and its songs."""
    folder = tmp_path / "my <b> & 100% #1"
    audio = sharks.generate(pack, 6.0, 6, seed=0, out=folder / "clips")
    for i, file in enumerate(audio.files):
        write_wav(file, np.zeros(6 * RATE, np.float32) if i == 3 else music(6, i), RATE)
    made = sharks.curate(folder / "clips", minutes=(0.2, 0.35))
    made.save(folder)
    return folder, made


def test_a_project_has_one_page_with_song_original_and_clips(album, pack, tmp_path):
    folder, made = album
    (tmp_path / "songs").mkdir()
    for i in range(2):
        write_wav(tmp_path / "songs" / f"a&b {i}.wav", music(20, 10 + i), RATE)
    data = sharks.prepare(tmp_path / "songs", tmp_path / "data", preset="dadabots-2tier-tiny")
    album_page.write(folder, made, pack, tmp_path / "pack.safetensors", data)
    read = checked(folder)
    heard = [urllib.parse.unquote(attrs["src"]) for attrs in read.of("audio")]
    assert heard[:2] == ["song.wav", "index_files/original.wav"]
    assert heard[2] == "clips/0003.wav" and sorted(heard[2:]) == [f"clips/{i:04d}.wav" for i in range(6)]
    assert "not used: silent" in read.text and read.text.index("silent") < read.text.index("left over")
    cuts = json.loads((folder / "cuts.json").read_text())["songs"][0]["cuts"]
    assert heard[-1][6:] in {cut["clip"] for cut in cuts}
    samples = read_audio(folder / "index_files" / "original.wav")[0][0]
    (place,) = [track for track in data.of("train") if track.name in read.text]
    learnt = data.train[place.start : place.start + place.length] / 32768
    begins = np.lib.stride_tricks.sliding_window_view(learnt, 100)
    (at,) = np.flatnonzero(np.abs(begins - samples[:100]).max(axis=1) < 1e-4)
    assert len(samples) == 6 * RATE and np.abs(learnt[at : at + len(samples)] - samples).max() < 1e-4


def test_names_are_shown_and_never_run(album, pack):
    folder, made = album
    album_page.write(folder, made, pack, folder / "run")
    text, read = (folder / "index.html").read_text(encoding="utf-8"), checked(folder)
    assert "<b>" not in text and "<i>" not in text and "my <b> & 100% #1" in read.text and "tiny <i>" in read.text
    assert any(line.startswith("sharks extend '") for line in read.text.splitlines())  # quoted for a shell


def test_it_says_what_the_model_is(album, pack):
    folder, made = album
    album_page.write(folder, made, pack, folder / "run")
    read = checked(folder)
    assert "trained for 4,000 steps" in read.text and "Yes, 1.00 bits better than guessing" in read.text
    assert "11.ogg and 8 more" in read.text and "12.ogg" not in read.text and "A & B" in read.text
    assert [attrs["href"] for attrs in read.of("a")] == ["https://creativecommons.org/licenses/by-sa/3.0/"]


@pytest.mark.parametrize(
    "licence, link",
    [
        ("CC-BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
        ("CC BY-NC-ND 4.0", "https://creativecommons.org/licenses/by-nc-nd/4.0/"),
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("mine", ""),
        ("javascript:alert(1)", ""),
        ("CC-BY-SA 3.0 javascript:", ""),
    ],
)
def test_a_licence_of_creative_commons_is_a_link(pack, licence, link):
    changed = sharks.Pack(pack.spec, pack.tensors, about={"licence": licence})
    (found,) = [fact for fact in page.facts_of(changed) if fact.name == "Licence"]
    assert (found.value, found.link) == (licence, link)


def test_a_page_of_somebody_else_stays(album, pack):
    folder, made = album
    (folder / "index.html").write_text("<title>my own</title>")
    for write in (
        lambda: album_page.write(folder, made, pack, folder / "run"),
        lambda: demo.demo(folder, pack=pack),
    ):
        with pytest.raises(UsageError, match="no page of sharks; choose another folder"):
            write()
    assert (folder / "index.html").read_text() == "<title>my own</title>"


def test_a_picture_is_drawn_again_only_for_another_sound(album, pack):
    folder, made = album
    album_page.write(folder, made, pack, folder / "run")
    pictures = {path: path.stat().st_mtime_ns for path in folder.rglob("*.webp")}
    assert len(pictures) == 7
    write_wav(folder / "clips" / "0001.wav", music(6, 77), RATE)
    album_page.write(folder, made, pack, folder / "run")
    drawn = {path for path, before in pictures.items() if path.stat().st_mtime_ns != before}
    assert drawn == {folder / "index_files" / "clips" / "0001.webp"}


def test_the_demo_has_such_a_page(pack, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "SECONDS", 0.5)
    demo.demo(tmp_path / "demo", pack=pack)
    assert len(checked(tmp_path / "demo").of("audio")) == demo.CLIPS
