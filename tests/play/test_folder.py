"""Clips on disk: whole at every moment, never lost, told apart, and extended without a changed bit."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import types
import wave
from collections.abc import Iterator

import numpy as np
import pytest

import sharks
from players import PLAYERS
from sharks import spec as specs
from sharks.clips import manifest
from sharks.clips.wavs import LevelReader, file_name
from sharks.levels.quantize import codec_of
from sharks.packs.pack import Pack
from sharks.sound.wav import HEADER_BYTES, write_wav

RATE = 1000
SAMPLERNN = sharks.SampleRNNSpec(sample_rate=RATE, q_levels=32, frame_sizes=(2, 6), dim=9, embed_dim=3, cell="lstm")
WAVENET = sharks.WaveNetSpec(sample_rate=RATE, q_levels=32, dilations=(1, 2, 4), residual=5, dilation=4, skip=7, head=8)
CLASSES = specs.replace(WAVENET, global_channels=3, global_classes=4)
SINE = 0.5 * np.sin(np.arange(40) / 5).astype(np.float32)

PRIMED = {"prime": SINE, "prime_rate": RATE}

on_every_device = pytest.mark.parametrize("device", PLAYERS)
of_both_families = pytest.mark.parametrize("spec", [SAMPLERNN, WAVENET], ids=lambda spec: spec.family)


@pytest.fixture
def pack(tmp_path: pathlib.Path) -> Pack:
    pack = sharks.random_pack(SAMPLERNN)
    pack.save(tmp_path / "model.safetensors", golden=False)
    return pack


@pytest.fixture
def out(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "clips"


def wav_levels(path: pathlib.Path, spec: specs.Spec = SAMPLERNN) -> np.ndarray:
    with LevelReader(codec_of(spec), RATE) as reader:
        return np.concatenate(list(reader.read(path)))


def frames(path: pathlib.Path) -> int:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, RATE, 2)
        return file.getnframes()


def play(pack: Pack, out: pathlib.Path | None = None, seconds: float = 0.1, n: int = 1, **more: object) -> sharks.Audio:
    return sharks.generate(pack, seconds, n, out=out, **({"seed": 5, "device": "reference"} | more))


# What a folder holds


@on_every_device
@of_both_families
def test_a_folder_holds_what_memory_would(spec: specs.Spec, device: str, out: pathlib.Path) -> None:
    pack = sharks.random_pack(spec)
    arguments = {"n": 3, "streams": [7, 0, 12345], "device": device, "prime": SINE, "prime_rate": RATE}
    kept, written = play(pack, **arguments), play(pack, out, **arguments)
    assert [file.name for file in written.files] == ["0007.wav", "0000.wav", "12345.wav"]
    assert np.array_equal(written.levels, kept.levels)
    assert np.array_equal(written.samples, kept.samples)
    for i, file in enumerate(written.files):
        assert np.array_equal(wav_levels(file, spec), kept.levels[i, 0])
        with wave.open(str(file)) as opened:
            pcm = np.frombuffer(opened.readframes(1000), "<i2")
        assert np.abs(pcm / 32768 - kept.samples[i, 0]).max() <= 1 / 32768


def test_the_manifest_says_what_made_a_clip(pack: Pack, out: pathlib.Path) -> None:
    heat = [(0.0, 0.7), (0.1, 1.2)]
    audio = play(pack, out, n=2, temperature=heat, prime=SINE, prime_rate=RATE)
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == ["0000.wav", "0001.wav"]
    second = lines[1]
    assert (second["seed"], second["stream"], second["samples"], second["sample_rate"]) == (5, 1, 100, RATE)
    assert second["temperature"] == [[0.0, 0.7], [0.1, 1.2]]
    assert second["pack_sha256"] == pack.sha256
    assert (out / second["pack"]).resolve() == pack.path
    assert (second["device"], second["dtype"], second["isa"], second["plan"]) == (
        audio.device,
        audio.dtype,
        audio.isa,
        audio.plan,
    )
    assert len(second["primer_sha256"]) == 64
    assert np.array_equal(wav_levels(next((out / "primers").iterdir())), codec_of(SAMPLERNN).encode(SINE))
    assert sorted(path.name for path in out.iterdir()) == ["0000.wav", "0001.wav", "manifest.jsonl", "primers"]


def test_save_makes_the_same_folder(pack: Pack, out: pathlib.Path, tmp_path: pathlib.Path) -> None:
    arguments = {"n": 2, "prime": SINE, "prime_rate": RATE, "include_prime": True}
    audio = play(pack, **arguments)
    assert audio.save(tmp_path / "saved") == [tmp_path / "saved" / file_name(i) for i in range(2)]
    play(pack, out, **arguments).save(out)
    for path in out.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "saved" / path.relative_to(out)).read_bytes()
    assert np.array_equal(play(pack, out, **arguments).levels, audio.levels)


@pytest.mark.parametrize("codec", [name for name in specs.CODECS if name not in ("LIN-X", "CODES")])
def test_sixteen_bits_tell_256_levels_apart(codec: str, tmp_path: pathlib.Path) -> None:
    levels = np.random.default_rng(0).permutation(256)
    write_wav(tmp_path / "a.wav", codec_of(codec).decode(levels), RATE)
    with LevelReader(codec_of(codec), RATE) as reader:
        assert np.array_equal(np.concatenate(list(reader.read(tmp_path / "a.wav"))), levels)


def test_a_folder_that_was_made_for_nothing_goes(pack: Pack, tmp_path: pathlib.Path) -> None:
    for folder in (tmp_path / "new", tmp_path / "there"):
        (tmp_path / "there").mkdir(exist_ok=True)
        with pytest.raises(sharks.ResourceError, match="make room"):
            sharks.generate(pack, 1e9, 1000, out=folder)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["there"]


def test_files_that_changed_since(pack: Pack, out: pathlib.Path) -> None:
    audio = play(pack, out)
    whole = audio.files[0].read_bytes()
    short = len(whole) - 20
    riff, data = ((short - rest).to_bytes(4, "little") for rest in (8, HEADER_BYTES))
    audio.files[0].write_bytes(whole[:4] + riff + whole[8 : HEADER_BYTES - 4] + data + whole[HEADER_BYTES:short])
    assert frames(audio.files[0]) == 90
    with pytest.raises(sharks.AudioError, match="holds 90 samples, wanted 100"):
        _ = audio.levels
    audio.files[0].unlink()
    with pytest.raises(sharks.AudioError, match="0000.wav"):
        _ = audio.samples


def test_several_calls_share_a_folder(pack: Pack, out: pathlib.Path) -> None:
    play(pack, out, n=2)
    play(pack, out, n=2, streams=[2, 3])
    assert list(manifest.read(out)) == [file_name(i) for i in range(4)]


def test_the_same_call_again_finds_finished_clips(pack: Pack, out: pathlib.Path) -> None:
    first = play(pack, out, n=2)
    stamps = [file.stat().st_mtime_ns for file in first.files]
    calls: list[object] = []
    again = play(pack, out, n=2, progress=lambda *call: calls.append(call))
    assert np.array_equal(again.levels, first.levels)
    assert calls == []
    assert [file.stat().st_mtime_ns for file in again.files] == stamps
    shorter = play(pack, out, n=2, seconds=0.05)
    assert np.array_equal(shorter.levels, first.levels[..., :50])
    longer = play(pack, out, n=2, seconds=0.2)
    assert np.array_equal(longer.levels[..., :100], first.levels)
    assert frames(longer.files[0]) == 200


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 6},
        {"temperature": 1.0},
        {"prime": SINE, "prime_rate": RATE},
        {"pack": sharks.random_pack(SAMPLERNN, seed=9)},
    ],
)
def test_another_clip_is_never_written_over(other: dict, pack: Pack, out: pathlib.Path) -> None:
    before = play(pack, out).levels
    with pytest.raises(sharks.UsageError, match="is another clip"):
        play(**({"pack": pack, "out": out} | other))
    with pytest.raises(sharks.UsageError, match="is another clip"):
        play(**({"pack": pack} | other)).save(out)
    assert np.array_equal(wav_levels(out / "0000.wav"), before[0, 0])


def test_without_a_seed_the_same_call_goes_on(pack: Pack, out: pathlib.Path) -> None:
    """What is there already is what it means; another folder gets another seed."""
    whole = play(pack, n=3, seconds=0.5, seed=None, out=out.with_name("whole"))
    with interrupt_after(4) as progress:
        play(pack, out, n=3, seconds=0.5, seed=None, progress=progress)
    began = [wav_levels(out / file_name(i)) for i in range(3)]
    again = play(pack, out, n=3, seconds=0.5, seed=None)
    for i, part in enumerate(began):
        assert np.array_equal(again.levels[i, 0, : len(part)], part)
    assert again.seed == manifest.read(out)["0002.wav"].seed != whole.seed
    more = play(pack, out, n=5, seconds=0.5, seed=None)
    assert (more.seed, np.array_equal(more.levels[:3], again.levels)) == (again.seed, True)
    assert play(pack, out, streams=[7], seed=None).seed != again.seed, "nothing of it is there"
    (out / "0007.wav").unlink()
    with pytest.raises(sharks.UsageError, match="its temperature"):
        play(pack, out, n=5, seconds=0.5, seed=None, temperature=0.5)


def test_without_a_temperature_the_clips_there_decide(tmp_path: pathlib.Path, out: pathlib.Path) -> None:
    """A folder goes on, though the pack, or sharks, would by now be played at another temperature."""
    hot = Pack(SAMPLERNN, sharks.random_pack(SAMPLERNN).tensors, about={"temperature": 1.5})
    hot.save(tmp_path / "hot.safetensors", golden=False)
    hot = sharks.load(tmp_path / "hot.safetensors")
    sharks.generate(hot, 0.5, 2, seed=3, temperature=[0.25, 0.5], out=out, device="cpu")
    more = sharks.generate(hot, 0.5, 4, seed=3, out=out, device="cpu")
    assert [manifest.read(out)[file_name(i)].temperature for i in range(4)] == [0.25, 0.5, 0.25, 0.25]
    alone = sharks.generate(hot, 0.5, 4, seed=3, temperature=[0.25, 0.5, 0.25, 0.25], device="cpu")
    assert np.array_equal(more.levels, alone.levels)
    sharks.generate(hot, 0.1, seed=3, out=out.with_name("fresh"), device="cpu")
    assert manifest.read(out.with_name("fresh"))["0000.wav"].temperature == 1.5


def test_a_schedule_there_goes_on_without_being_named(pack: Pack, out: pathlib.Path) -> None:
    points = [(0.0, 0.5), (0.2, 1.0)]
    before = play(pack, out, n=2, seconds=0.5, seed=3, temperature=points)
    again = play(pack, out, n=2, seconds=0.5, seed=3)
    assert np.array_equal(again.levels, before.levels)


def test_a_clip_counts_as_finished_when_the_disk_has_it(
    pack: Pack, out: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some systems, NFS among them, say only then that it was too much."""
    fsync = os.fsync

    def full(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}").endswith("0001.wav"):
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        fsync(handle)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("cannot tell here which file is meant")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(sharks.ResourceError, match="0001.wav: did not reach the disk"):
            play(pack, out, n=2)
    assert [row.samples for row in manifest.read(out).values()] == [0, 0]
    assert np.array_equal(play(pack, out, n=2).levels, play(pack, n=2).levels)


def test_what_is_there_already_needs_no_room(pack: Pack, out: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with interrupt_after(6) as progress:
        play(pack, out, n=3, seconds=0.5, progress=progress)
    there = sum(path.stat().st_size for path in out.glob("*.wav"))
    rest = 3 * (HEADER_BYTES + 2 * 500) - there
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=rest - 1))
    with pytest.raises(sharks.ResourceError, match="are free"):
        play(pack, out, n=3, seconds=0.5)
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=rest))
    play(pack, out, n=3, seconds=0.5)


def test_a_file_of_unknown_origin_is_never_written_over(pack: Pack, out: pathlib.Path) -> None:
    out.mkdir()
    (out / "0000.wav").write_bytes(b"my song")
    with pytest.raises(sharks.UsageError, match="in no manifest"):
        play(pack, out)
    assert (out / "0000.wav").read_bytes() == b"my song"


def saved_anew(path: pathlib.Path, change: object) -> bytes:
    """What an editor leaves: 16 bits behind an ordinary header, which is shorter than ours."""
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(1 << 20), "<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", None))
        file.writeframes(change(pcm).astype("<i2").tobytes())
    return path.read_bytes()


@pytest.mark.parametrize("seconds", [0.1, 0.2])
@pytest.mark.parametrize("change", [lambda pcm: pcm, lambda pcm: pcm // 2, lambda pcm: pcm[20:60]])
def test_an_edited_clip_is_never_written_over(
    change: object, seconds: float, pack: Pack, out: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file = play(pack, out).files[0]
    edited = saved_anew(file, change)
    for call in (play, lambda *to, **how: play(pack, **how).save(out)):
        with pytest.raises(sharks.UsageError, match="0000.wav: was changed after it was played; move it"):
            call(pack, out, n=2, seconds=seconds)
    assert file.read_bytes() == edited
    file.rename(tmp_path / "mine.wav")
    assert np.array_equal(play(pack, out, n=2, seconds=seconds).levels, play(pack, n=2, seconds=seconds).levels)


def test_samples_edited_behind_our_header_are_never_written_over(pack: Pack, out: pathlib.Path) -> None:
    file = play(pack, out).files[0]
    good = file.read_bytes()
    edited = good[:-2] + b"\x01\x00"
    file.write_bytes(edited)
    play(pack, out)
    assert file.read_bytes() == edited, "as long as asked for, so it is left alone"
    with pytest.raises(sharks.UsageError, match="was changed"):
        play(pack, out, seconds=0.2)
    assert file.read_bytes() == edited


def test_a_finished_clip_that_was_cut_off_is_played_again(pack: Pack, out: pathlib.Path) -> None:
    file = play(pack, out).files[0]
    good = file.read_bytes()
    for left in (len(good) - 2, len(good) - 51, HEADER_BYTES, 0):
        file.write_bytes(good[:left])
        play(pack, out)
        assert file.read_bytes() == good


def test_a_clip_of_another_class_is_other_music(out: pathlib.Path) -> None:
    pack = sharks.random_pack(CLASSES)
    play(pack, out, condition=0)
    before = (out / "0000.wav").read_bytes()
    with pytest.raises(sharks.UsageError, match="is another clip, its condition is 0, not 1"):
        play(pack, out, condition=1)
    play(pack, out, condition=0)
    assert (out / "0000.wav").read_bytes() == before


def test_folders_that_cannot_be(pack: Pack, out: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out.write_bytes(b"a file")
    for place in (out, out / "below", "a\0b"):
        with pytest.raises(sharks.ResourceError, match="cannot be made a folder"):
            play(pack, place)
    out.unlink()
    with pytest.raises(sharks.UsageError, match="one stream twice"):
        play(pack, out, n=2, streams=[1, 1])
    with pytest.raises(sharks.UsageError, match="16-bit WAV"):
        play(sharks.random_pack(specs.replace(SAMPLERNN, q_levels=4096)), out)
    assert not out.exists()
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=100))
    with pytest.raises(sharks.ResourceError, match="are free"):
        play(pack, out)
    assert not out.exists()


def test_more_clips_than_files_can_be_open(pack: Pack, out: pathlib.Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 20, hard))
    try:
        with pytest.raises(sharks.ResourceError, match="generate in several calls"):
            play(pack, out, n=40, seconds=0.01)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not list(out.glob("*.wav"))


@pytest.mark.parametrize(
    "line",
    [
        "text",
        "[]",
        "{}",
        '{"file": 3}',
        '{"file": "../0000.wav"}',
        "[" * 100000,
        '{"file": "0000.wav", "seed": NaN}',
    ],
)
def test_a_manifest_that_is_none(line: str, pack: Pack, out: pathlib.Path) -> None:
    play(pack, out)
    path = out / "manifest.jsonl"
    good = path.read_text()
    path.write_text(good + line + "\n")
    with pytest.raises(sharks.AudioError, match="line 2"):
        sharks.extend(out / "0000.wav", 0.2, device="reference")
    values = json.loads(good)
    for key in ("file", "seed", "stream", "temperature", "samples"):
        path.write_text(json.dumps(values | {key: {}}))
        with pytest.raises(sharks.AudioError, match="line 1"):
            manifest.read(out)
    path.write_text(json.dumps(values | {"file": "../0000.wav"}))
    with pytest.raises(sharks.AudioError, match="not a name in this folder"):
        manifest.read(out)


# Interrupts


@contextlib.contextmanager
def interrupt_after(calls: int) -> Iterator[object]:
    left = iter(range(calls))

    def progress(*_: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        yield progress


def test_an_interrupt_leaves_good_clips(pack: Pack, out: pathlib.Path) -> None:
    whole = play(pack, n=3, seconds=0.5).levels
    with interrupt_after(4) as progress:
        play(pack, out, n=3, seconds=0.5, progress=progress)
    rows = manifest.read(out)
    assert len(rows) == 3
    for i, row in enumerate(rows.values()):
        got = wav_levels(out / row.file)
        assert 0 < len(got) == row.samples < 500
        assert np.array_equal(got, whole[i, 0, : len(got)])
    assert np.array_equal(play(pack, out, n=3, seconds=0.5).levels, whole)


def test_many_clips_are_finished_some_at_a_time(pack: Pack, out: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("sharks.play.generate"), "MOST_TOGETHER", 2)
    finished = iter([False] * 3 + [True])

    def progress(done: float, *_: float) -> None:
        if done > 0.5 * 2 / 5 and next(finished):  # in the second part
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(pack, out, n=5, seconds=0.5, progress=progress)
    samples = [row.samples for row in manifest.read(out).values()]
    assert samples[:2] == [500, 500]
    assert 0 < samples[2] == samples[3] < 500
    assert samples[4:] == [0], "asked for, and not begun"
    stamps = [(out / file_name(i)).stat().st_mtime_ns for i in range(2)]
    calls: list[tuple[float, ...]] = []
    again = play(pack, out, n=5, seconds=0.5, progress=lambda *call: calls.append(call))
    assert calls[0][0] > 0.5 * 2 / 5, "the first part was found"
    assert [(out / file_name(i)).stat().st_mtime_ns for i in range(2)] == stamps
    assert np.array_equal(again.levels, play(pack, n=5, seconds=0.5).levels)


def test_kill_9_leaves_good_clips(pack: Pack, out: pathlib.Path) -> None:
    code = "import sys, sharks;sharks.generate(sys.argv[1], 3600.0, 2, seed=5, device='reference', out=sys.argv[2])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen([sys.executable, "-c", code, str(pack.path), str(out)], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not (out / "0001.wav").exists() or (out / "0001.wav").stat().st_size < 1000:
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.05)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    for i, row in enumerate(manifest.read(out).values()):
        assert row.samples == 0, "it was never finished"
        done = frames(out / row.file)
        assert done > 400
        longer = sharks.extend(out / row.file, (done + 50) / RATE, device="reference")
        alone = play(pack, seconds=(done + 50) / RATE, streams=[i])
        assert np.array_equal(longer.levels, alone.levels)


# Extend


@on_every_device
@of_both_families
@pytest.mark.parametrize("primed", [{}, PRIMED, PRIMED | {"include_prime": True}], ids=["bare", "primed", "included"])
def test_extend_is_the_clip_that_generate_would_have_played(
    spec: specs.Spec, device: str, primed: dict, out: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pack = sharks.random_pack(spec)
    pack.save(tmp_path / "model.safetensors", golden=False)
    arguments = {"n": 3, "temperature": [(0.0, 0.7), (0.4, 1.2)], "device": device} | primed
    whole = play(pack, seconds=0.3, **arguments)
    short = play(pack, out, seconds=0.1, **arguments)
    before = [wav_levels(file, spec) for file in short.files]
    calls: list[tuple[float, float, float]] = []
    longer = sharks.extend(short.files[1], 0.3, device=device, progress=lambda *call: calls.append(call))
    assert np.array_equal(longer.levels[0], whole.levels[1])
    assert np.array_equal(wav_levels(short.files[1], spec), whole.levels[1, 0])
    assert calls[-1][:2] == (0.3, 0.3)
    assert min(call[0] for call in calls) > 0.1
    assert np.array_equal(wav_levels(short.files[0], spec), before[0]), "the others stay as they were"
    assert manifest.read(out)["0001.wav"].samples == 300
    assert manifest.read(out)["0001.wav"].isa == short.isa
    assert longer.seconds == 0.3
    again = sharks.extend(short.files[1], 0.4, device=device)
    assert np.array_equal(again.levels[0], play(pack, seconds=0.4, **arguments).levels[1])
    assert not [path for path in out.iterdir() if "unfinished" in path.name]


def test_extend_keeps_conditions_and_starts(out: pathlib.Path, tmp_path: pathlib.Path) -> None:
    pack = sharks.random_pack(CLASSES)
    pack.save(tmp_path / "model.safetensors", golden=False)
    arguments = {"n": 2, "condition": [3, 1], "start": "empty", "temperature": 0.4}
    short = play(pack, out, seconds=0.1, **arguments)
    longer = sharks.extend(short.files[0], 0.3, device="reference")
    assert np.array_equal(longer.levels[0], play(pack, seconds=0.3, **arguments).levels[0])
    assert not np.array_equal(longer.levels[0], play(pack, seconds=0.3, **(arguments | {"start": None})).levels[0])


@pytest.mark.skipif("cpu" not in PLAYERS, reason="the compiled engine has not been built")
def test_extend_on_another_device_keeps_the_beginning(pack: Pack, out: pathlib.Path) -> None:
    short = play(pack, out, device="reference")
    longer = sharks.extend(short.files[0], 0.3, device="cpu")
    assert np.array_equal(longer.levels[..., :100], short.levels[..., :100])
    row = manifest.read(out)["0000.wav"]
    assert row.device == "reference, then cpu"
    assert row.dtype == "float32"
    sharks.extend(short.files[0], 0.4, device="cpu")
    assert manifest.read(out)["0000.wav"].device == "reference, then cpu"


def test_an_interrupted_extend_keeps_what_it_has(pack: Pack, out: pathlib.Path) -> None:
    whole = play(pack, seconds=2.0).levels
    short = play(pack, out)
    with interrupt_after(2) as progress:
        sharks.extend(short.files[0], 2.0, device="reference", progress=progress)
    got = wav_levels(short.files[0])
    assert 100 < len(got) < 2000
    assert np.array_equal(got, whole[0, 0, : len(got)])
    assert manifest.read(out)["0000.wav"].samples == len(got)
    assert np.array_equal(sharks.extend(short.files[0], 2.0, device="reference").levels, whole)


def test_a_failed_extend_changes_nothing(pack: Pack, out: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = play(pack, out)
    before = short.files[0].read_bytes()
    monkeypatch.setattr("sharks.play.session.Session.free", lambda *_: iter([1 / 0]))
    with pytest.raises(ZeroDivisionError):
        sharks.extend(short.files[0], 0.8, device="reference")
    assert short.files[0].read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["0000.wav", "manifest.jsonl"]


def test_clips_that_cannot_be_extended(pack: Pack, out: pathlib.Path, tmp_path: pathlib.Path) -> None:
    clip = play(pack, out, prime=SINE, prime_rate=RATE).files[0]

    def refused(kind: type[sharks.Error], words: str, path: pathlib.Path = clip, **arguments: object) -> None:
        with pytest.raises(kind, match=words) as caught:
            sharks.extend(path, **({"to_seconds": 0.2, "device": "reference"} | arguments))
        assert "\n" not in str(caught.value)

    for seconds in (0, -1, np.nan, "4m"):
        refused(sharks.UsageError, "to_seconds is", to_seconds=seconds)
    for seconds in (0.05, 0.1):
        refused(sharks.UsageError, "already", to_seconds=seconds)
    refused(sharks.AudioError, "in no manifest", out / "0001.wav")
    refused(sharks.AudioError, "in no manifest", tmp_path / "nowhere" / "0001.wav")
    refused(sharks.PackError, "not the pack that made", pack=sharks.random_pack(SAMPLERNN, seed=9))
    primer = next((out / "primers").iterdir())
    there = primer.read_bytes()
    primer.unlink()
    refused(sharks.AudioError, "primers")
    sharks.generate(pack, 0.04, out=tmp_path / "other", device="reference")
    primer.write_bytes((tmp_path / "other" / "0000.wav").read_bytes())
    refused(sharks.AudioError, "not the primer")
    primer.write_bytes(there)
    good = clip.read_bytes()
    clip.write_bytes(good[:-2] + b"\x01\x00")
    refused(sharks.AudioError, "changed after it was generated")
    clip.write_bytes(b"no music")
    refused(sharks.AudioError, "0000.wav")
    clip.write_bytes(good)
    pack.path.rename(tmp_path / "moved.safetensors")
    refused(sharks.PackError, "no longer here")
    moved = sharks.extend(clip, 0.2, pack=tmp_path / "moved.safetensors", device="reference")
    assert np.array_equal(moved.levels, play(pack, seconds=0.2, prime=SINE, prime_rate=RATE).levels)


def test_a_clip_of_a_pack_that_was_never_saved(out: pathlib.Path) -> None:
    pack = sharks.random_pack(SAMPLERNN)
    clip = play(pack, out).files[0]
    with pytest.raises(sharks.UsageError, match="never saved"):
        sharks.extend(clip, 0.2, device="reference")
    assert sharks.extend(clip, 0.2, pack=pack, device="reference").levels.shape == (1, 1, 200)
