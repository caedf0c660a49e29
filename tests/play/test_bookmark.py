"""Bookmarks: interrupted clips go on, and are what they would have been; what is not sure is played again."""

from __future__ import annotations

import dataclasses
import importlib
import os
import pathlib
import types
from collections.abc import Iterator

import numpy as np
import pytest

import sharks
from command import digests
from players import PLAYERS
from sharks import spec as specs
from sharks.clips import manifest
from sharks.files import tensorfile
from sharks.play import bookmark
from sharks.play.session import Session
from sharks.sound.wav import HEADER_BYTES

RATE = 1000
SAMPLERNN = sharks.SampleRNNSpec(sample_rate=RATE, q_levels=32, frame_sizes=(2, 6), dim=9, embed_dim=3, cell="lstm")
WAVENET = sharks.WaveNetSpec(
    sample_rate=RATE,
    q_levels=32,
    dilations=(1, 2, 4),
    residual=5,
    dilation=4,
    skip=7,
    head=8,
    global_channels=3,
    global_classes=4,
)
SINE = 0.5 * np.sin(np.arange(40) / 5).astype(np.float32)
PRIMED = {"prime": SINE, "prime_rate": RATE}
INCLUDED = PRIMED | {"include_prime": True}
DEVICE = [*PLAYERS][-1]
STATE = "0000.state.safetensors"


@pytest.fixture(autouse=True)
def every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bookmark after every piece of 37 samples."""
    monkeypatch.setattr(bookmark, "EVERY", 0.0)
    monkeypatch.setattr("sharks.play.session.Spans.__call__", _spans_of_37)


def _spans_of_37(_: object, total: int) -> Iterator[tuple[int, int]]:
    for start in range(0, total, 37):
        yield start, min(37, total - start)


class Played:
    """Counts what sessions do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.resumed = 0
        begin, resume = Session.begin, Session.resume

        def counted_begin(session: Session) -> None:
            self.begun += 1
            begin(session)

        def counted_resume(session: Session, state: dict) -> None:
            self.resumed += 1
            resume(session, state)

        monkeypatch.setattr(Session, "begin", counted_begin)
        monkeypatch.setattr(Session, "resume", counted_resume)


def play(spec: specs.Spec, out: pathlib.Path, seconds: float = 0.5, n: int = 2, **more: object) -> sharks.Audio:
    arguments = {"seed": 5, "device": DEVICE, "threads": 1, "out": out} | more
    if spec.condition.example() is not None:
        arguments |= {"condition": [3, 1, 0][:n]}
    return sharks.generate(sharks.random_pack(spec), seconds, n, **arguments)


def interrupted(spec: specs.Spec, out: pathlib.Path, pieces: int, **more: object) -> None:
    """`play`, but for so many pieces only."""
    left = iter(range(pieces))

    def progress(*_: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(spec, out, progress=progress, **more)
    assert (out / STATE).exists()


@pytest.mark.parametrize("device", PLAYERS)
@pytest.mark.parametrize("spec", [SAMPLERNN, WAVENET], ids=lambda spec: spec.family)
@pytest.mark.parametrize("primed", [{}, PRIMED, INCLUDED], ids=["bare", "primed", "included"])
def test_clips_go_on_where_they_were(
    spec: specs.Spec, device: str, primed: dict, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"device": device, "temperature": [(0.0, 0.7), (0.4, 1.2)]} | primed
    play(spec, tmp_path / "whole", **arguments)
    interrupted(spec, tmp_path / "cut", 3, **arguments)
    played = Played(monkeypatch)
    calls: list[float] = []
    interrupted(spec, tmp_path / "cut", 2, **arguments)
    play(spec, tmp_path / "cut", progress=lambda done, *_: calls.append(done), **arguments)
    assert (played.begun, played.resumed) == (0, 2)
    assert calls[0] == pytest.approx(8 * 37 / RATE), "four pieces, three, and the first of these"
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")


def test_a_bookmark_serves_a_longer_clip_too(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(SAMPLERNN, tmp_path / "whole", 0.9)
    interrupted(SAMPLERNN, tmp_path / "cut", 3)
    played = Played(monkeypatch)
    play(SAMPLERNN, tmp_path / "cut", 0.9)
    assert (played.begun, played.resumed) == (0, 1)
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")


def other_samples(out: pathlib.Path) -> None:
    data = bytearray((out / "0001.wav").read_bytes())
    data[HEADER_BYTES + 50 : HEADER_BYTES + 60] = data[HEADER_BYTES + 10 : HEADER_BYTES + 20]
    assert data != (out / "0001.wav").read_bytes()
    (out / "0001.wav").write_bytes(data)


def damaged_bookmark(out: pathlib.Path) -> None:
    data = bytearray((out / STATE).read_bytes())
    data[-20] ^= 1
    (out / STATE).write_bytes(data)


def rewritten(out: pathlib.Path, state: dict | None = None, **facts: str) -> None:
    """The bookmark with other contents, and digests that fit them."""
    with tensorfile.TensorFile(out / STATE) as file:
        metadata = file.metadata | facts
        state = {name: file.read(name) for name in file.layout} if state is None else state
    tensorfile.write(out / STATE, state, {name: text for name, text in metadata.items() if text})


LAST_STEP = np.full(2, 111, np.int64)
DOUBTS = {
    "samples were changed": other_samples,
    "a clip is shorter": lambda out: os.truncate(out / "0001.wav", HEADER_BYTES + 100),
    "a clip is gone": lambda out: (out / "0000.wav").unlink(),
    "the bookmark is damaged": damaged_bookmark,
    "the bookmark is cut": lambda out: os.truncate(out / STATE, 500),
    "the bookmark is a text": lambda out: (out / STATE).write_text("here"),
    "it is of another engine": lambda out: rewritten(out, format="sharks bookmark 1, 0.0.1"),
    "it names no clips": lambda out: rewritten(out, clips=""),
    "it has no digests": lambda out: rewritten(out, wavs=""),
    "its digests are no JSON": lambda out: rewritten(out, wavs="["),
    "its state is another": lambda out: rewritten(out, {"step": LAST_STEP}),
    "its state is nothing": lambda out: rewritten(out, {"position": LAST_STEP}),
    "its state is empty": lambda out: rewritten(out, {"step": LAST_STEP[:0]}),
    "its step is beyond the end": lambda out: rewritten(out, {"step": 1000 * LAST_STEP}),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_is_not_sure_is_played_again(doubt: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "cut"
    play(SAMPLERNN, tmp_path / "whole")
    interrupted(SAMPLERNN, out, 3)
    assert manifest.read(out)["0000.wav"].samples > 0
    DOUBTS[doubt](out)
    played = Played(monkeypatch)
    play(SAMPLERNN, out)
    assert played.begun == 1
    assert digests(out) == digests(tmp_path / "whole")


@pytest.mark.parametrize("other", [{"n": 3}, {"seconds": 0.1}], ids=["more clips", "shorter"])
def test_other_clips_do_not_go_on(other: dict, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "cut"
    play(SAMPLERNN, tmp_path / "whole", **other)
    interrupted(SAMPLERNN, out, 8)
    manifest.write(out, [dataclasses.replace(row, samples=0) for row in manifest.read(out).values()])  # as kill -9 does
    played = Played(monkeypatch)
    play(SAMPLERNN, out, **other)
    assert (played.begun, played.resumed) == (1, 0)
    assert digests(out) == digests(tmp_path / "whole")


def test_clips_in_other_company_leave_no_bookmark(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip of the first part has gone, so that the parts are others when the call is made again."""
    monkeypatch.setattr(importlib.import_module("sharks.play.generate"), "MOST_TOGETHER", 2)
    play(SAMPLERNN, tmp_path / "whole", n=4)
    play(SAMPLERNN, tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        play(SAMPLERNN, tmp_path / "cut", n=4, progress=_interrupt)
    assert (tmp_path / "cut" / "0002.state.safetensors").exists()
    (tmp_path / "cut" / "0001.wav").unlink()
    play(SAMPLERNN, tmp_path / "cut", n=4)
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")


def _interrupt(*_: float) -> None:
    raise KeyboardInterrupt


def test_other_music_does_not_go_on(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(SAMPLERNN, tmp_path / "whole", seed=6)
    interrupted(SAMPLERNN, tmp_path / "cut", 8)
    for i in range(2):
        (tmp_path / "cut" / f"000{i}.wav").unlink()
    played = Played(monkeypatch)
    play(SAMPLERNN, tmp_path / "cut", seed=6)
    assert (played.begun, played.resumed) == (1, 0)
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")


def test_a_bookmark_is_set_once_a_minute(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock on which a piece takes 7 s."""
    now, saved = [0.0], []
    monkeypatch.setattr(bookmark, "EVERY", 60.0)
    monkeypatch.setattr("sharks.play.folder.time", types.SimpleNamespace(monotonic=lambda: now[0]))
    save = bookmark.save
    monkeypatch.setattr(bookmark, "save", lambda *what: (saved.append(now[0]), save(*what)))

    def progress(*_: float) -> None:
        now[0] += 7

    play(SAMPLERNN, tmp_path, 37 * 30 / RATE, progress=progress)
    assert saved == [63.0, 126.0, 189.0]


def test_a_bookmark_that_takes_long_is_set_less_often(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock on which one takes 6 s, and a piece 7 s."""
    now, saved = [0.0], []
    monkeypatch.setattr(bookmark, "EVERY", 60.0)
    monkeypatch.setattr("sharks.play.folder.time", types.SimpleNamespace(monotonic=lambda: now[0]))

    def save(*_: object) -> None:
        saved.append(now[0])
        now[0] += 6

    def progress(*_: float) -> None:
        now[0] += 7

    monkeypatch.setattr(bookmark, "save", save)
    play(SAMPLERNN, tmp_path, 37 * 30 / RATE, progress=progress)
    assert saved == [63.0, 195.0]


def test_a_disk_without_room_for_a_bookmark(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(SAMPLERNN, tmp_path / "whole")

    def full(path: pathlib.Path, *_: object) -> None:
        raise sharks.ResourceError(f"{path}: cannot be written")

    monkeypatch.setattr(bookmark, "write", full)
    play(SAMPLERNN, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_what_an_interrupt_leaves_is_tidied(tmp_path: pathlib.Path) -> None:
    play(SAMPLERNN, tmp_path / "out", **PRIMED)
    play(SAMPLERNN, tmp_path / "whole", **PRIMED)
    gone = (".0000.wav.unfinished", f".{STATE}.12ab.unfinished", ".manifest.jsonl.12ab.unfinished", STATE)
    for name in (*gone, ".manifest.1.jsonl.12ab.unfinished", ".manifest.1.jsonl.held"):
        (tmp_path / "out" / name).write_bytes(b"half")
    kept = (".song.wav.unfinished", ".0002.wav.unfinished", "0002.wav.unfinished")
    for name in kept:  # of somebody else
        (tmp_path / "out" / name).write_bytes(b"half")
    play(SAMPLERNN, tmp_path / "out", **PRIMED)
    left = digests(tmp_path / "out")
    assert {name for name in kept if left.pop(name)} == set(kept)
    assert left == digests(tmp_path / "whole")
