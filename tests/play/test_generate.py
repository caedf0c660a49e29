"""Playing: a clip is a function of its arguments and of nothing else, and what cannot be meant is refused."""

from __future__ import annotations

import gc
import importlib
import inspect
import pathlib
import tracemalloc
import types

import numpy as np
import pytest
import soundfile

import sharks
from players import PLAYERS
from sharks import spec as specs
from sharks.engine.door import open_player
from sharks.levels.quantize import codec_of
from sharks.play import session

RATE = 1000  # Hz: a second is soon played
SAMPLERNN = sharks.SampleRNNSpec(sample_rate=RATE, q_levels=32, frame_sizes=(2, 6), dim=9, embed_dim=3, cell="lstm")
WAVENET = sharks.WaveNetSpec(sample_rate=RATE, q_levels=32, dilations=(1, 2, 4), residual=5, dilation=4, skip=7, head=8)
CLASSES = specs.replace(WAVENET, global_channels=3, global_classes=4)

on_every_device = pytest.mark.parametrize("device", PLAYERS)
of_both_families = pytest.mark.parametrize("spec", [SAMPLERNN, WAVENET], ids=lambda spec: spec.family)

SINE = 0.5 * np.sin(np.arange(300) / 5).astype(np.float32)


def levels_of(spec: specs.Spec, device: str, seconds: float = 0.2, n: int = 1, **arguments: object) -> np.ndarray:
    arguments = {"seed": 5} | arguments
    return sharks.generate(sharks.random_pack(spec), seconds, n, device=device, **arguments).levels


# A clip is a function of its arguments


@on_every_device
@of_both_families
def test_a_clip_does_not_know_its_company(spec: specs.Spec, device: str) -> None:
    alone = levels_of(spec, device, streams=[1])
    for n in (2, 64):
        assert np.array_equal(levels_of(spec, device, n=n)[1], alone[0])
    assert np.array_equal(levels_of(spec, device, n=3, streams=[9, 1, 4])[1], alone[0])
    assert np.array_equal(levels_of(spec, device, n=2, streams=[1, 1])[1], alone[0])
    assert not np.array_equal(levels_of(spec, device, streams=[2]), alone)
    assert not np.array_equal(levels_of(spec, device, streams=[1], seed=6), alone)
    assert not np.array_equal(levels_of(spec, device, streams=[1], temperature=1.3), alone)


@on_every_device
@of_both_families
def test_pieces_and_threads_cannot_be_heard(spec: specs.Spec, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heat = [(0.0, 0.7), (0.1, 1.2)]
    whole = levels_of(spec, device, n=3, temperature=heat, threads=1, prime=SINE, prime_rate=RATE)
    for most in (1, 7, 64):
        monkeypatch.setattr(session, "MOST_STEPS", most)
        got = levels_of(spec, device, n=3, temperature=heat, threads=2, prime=SINE, prime_rate=RATE)
        assert np.array_equal(got, whole)


@on_every_device
def test_many_streams_are_played_some_at_a_time(
    device: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever differs between streams goes along with them."""
    arguments = {
        "n": 7,
        "streams": [3, 1, 4, 15, 9, 2, 6],
        "temperature": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1],
        "condition": [0, 1, 2, 3, 2, 1, 0],
        "prime": np.stack([np.roll(SINE, 9 * i) for i in range(7)])[:, None],
        "prime_rate": RATE,
        "include_prime": True,
    }
    together = levels_of(CLASSES, device, **arguments)
    monkeypatch.setattr(importlib.import_module("sharks.play.generate"), "MOST_TOGETHER", 3)
    for place in ({}, {"out": tmp_path}):
        done: list[float] = []
        arguments["progress"] = lambda *call: done.append(call[0])  # noqa: B023  called before the next round
        assert np.array_equal(levels_of(CLASSES, device, **place, **arguments), together)
        assert done[-1] == 0.2
        assert done == sorted(done)


@on_every_device
@of_both_families
def test_a_longer_clip_begins_like_a_shorter_one(spec: specs.Spec, device: str) -> None:
    assert np.array_equal(levels_of(spec, device, 0.3, n=2)[..., :200], levels_of(spec, device, 0.2, n=2))


@on_every_device
@of_both_families
def test_a_clip_is_what_its_parts_say(spec: specs.Spec, device: str) -> None:
    """Start, primer and free run, by hand on a bare player, with the state saved and restored in the middle."""
    pack, codec = sharks.random_pack(spec), codec_of(spec)
    got = levels_of(spec, device, 0.1, 2, temperature=0.9, prime=SINE, prime_rate=RATE)
    player = open_player(pack, 2, device=device)
    player.reset(np.full((2, spec.lookback), codec.pad_level))
    if spec.default_start == "silence":
        player.force(np.full((2, spec.context - spec.lookback), codec.pad_level))
    player.force(np.tile(codec.encode(SINE), (2, 1)))
    heat, ids = np.full((2, 100), 0.9, np.float32), np.arange(2)
    first = player.run(33, heat[:, :33], 5, ids)
    state = player.get_state()
    player.run(20, heat[:, :20], 5, ids)
    other = open_player(pack, 2, device=device)
    other.set_state(state)
    rest = other.run(67, heat[:, 33:], 5, ids)
    assert np.array_equal(got[:, 0], np.concatenate([first, rest], axis=1))


@on_every_device
def test_silence_is_played_once_and_copied(device: str) -> None:
    """With conditions, once per distinct one; each stream is still what it is alone."""
    together = levels_of(CLASSES, device, n=5, condition=[2, 0, 2, 3, 0])
    for i, condition in enumerate([2, 0, 2, 3, 0]):
        assert np.array_equal(together[i], levels_of(CLASSES, device, streams=[i], condition=condition)[0])
    assert not np.array_equal(together[0], levels_of(CLASSES, device, condition=3)[0])


@on_every_device
def test_where_a_wavenet_starts(device: str) -> None:
    silence, empty = (levels_of(WAVENET, device, start=start) for start in ("silence", "empty"))
    assert not np.array_equal(silence, empty)
    assert np.array_equal(levels_of(WAVENET, device), silence)
    assert np.array_equal(levels_of(specs.replace(WAVENET, start="empty"), device), empty)


@on_every_device
@of_both_families
def test_stream_is_generate_block_by_block(spec: specs.Spec, device: str) -> None:
    pack = sharks.random_pack(spec)
    heat = [(0.0, 0.7), (0.2, 1.2)]
    blocks = sharks.stream(pack, 2, block=0.07, seed=5, temperature=heat, device=device)
    assert (blocks.seed, blocks.sample_rate, blocks.streams.tolist()) == (5, RATE, [0, 1])
    played = [next(blocks) for _ in range(5)]
    assert {(block.shape, block.dtype.name) for block in played} == {((2, 1, 70), "float32")}
    audio = sharks.generate(pack, 0.35, 2, seed=5, temperature=heat, device=device)
    assert np.array_equal(np.concatenate(played, axis=2), audio.samples)


def test_stream_does_not_grow() -> None:
    blocks = sharks.stream(sharks.random_pack(SAMPLERNN), block=0.01, device="reference")
    tracemalloc.start()

    def held() -> int:
        """After a hundred blocks more, without what numpy leaves in circles, which is freed now and then."""
        for _ in range(100):
            next(blocks)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    before = [held(), held()][-1]  # until all that Python keeps for use again is there
    grown = held() - before
    tracemalloc.stop()
    assert grown < 5000, "a hundred blocks are 1000 samples"


# Primers


@on_every_device
@of_both_families
@pytest.mark.parametrize("length", [1, 5, 6, 7, 300])
def test_primers_of_any_length(spec: specs.Spec, device: str, length: int) -> None:
    primer = SINE[:length]
    levels = levels_of(spec, device, 0.05, prime=primer, prime_rate=RATE)
    assert levels.shape == (1, 1, 50)
    both = levels_of(spec, device, 0.05, prime=primer, prime_rate=RATE, include_prime=True)
    assert both.shape == (1, 1, 50 + length)
    assert np.array_equal(both[..., length:], levels)
    assert np.array_equal(both[0, 0, :length], codec_of(spec).encode(primer))
    if length > 5:
        assert not np.array_equal(levels, levels_of(spec, device, 0.05))


def test_one_primer_each_or_one_for_all() -> None:
    each = np.stack([SINE, SINE[::-1]])[:, None]
    both = levels_of(SAMPLERNN, "reference", n=2, prime=each, prime_rate=RATE)
    for i in range(2):
        alone = levels_of(SAMPLERNN, "reference", streams=[i], prime=each[i], prime_rate=RATE)
        assert np.array_equal(both[i], alone[0])
    assert not np.array_equal(both[1], levels_of(SAMPLERNN, "reference", n=2, prime=SINE, prime_rate=RATE)[1])


def test_a_primer_is_resampled_and_mixed_down(tmp_path: pathlib.Path) -> None:
    rate = 8000
    sound = 0.5 * np.sin(np.arange(4000) * (2 * np.pi * 50 / rate)).astype(np.float32)
    soundfile.write(tmp_path / "prime.wav", np.stack([1.5 * sound, 0.5 * sound], axis=1), rate, subtype="FLOAT")

    def primed(**arguments: object) -> np.ndarray:
        return levels_of(SAMPLERNN, "reference", 0.001, include_prime=True, **arguments)

    stereo = primed(prime=np.stack([1.5 * sound, 0.5 * sound]), prime_rate=rate)
    assert stereo.shape[-1] == 501
    wanted = codec_of(SAMPLERNN).encode(0.5 * np.sin(np.arange(500) * (2 * np.pi * 50 / RATE)))
    assert np.abs(stereo[0, 0, 50:450] - wanted[50:450]).max() <= 1
    assert np.array_equal(primed(prime=tmp_path / "prime.wav"), stereo)
    assert np.array_equal(primed(prime=str(tmp_path / "prime.wav")), stereo)


@pytest.mark.parametrize(
    ("prime", "rate", "words"),
    [
        (SINE, None, "prime_rate"),
        (None, 16000, "prime_rate"),
        ("x.wav", 16000, "own rate"),
        (SINE, 0, "prime_rate"),
        (SINE, -16000, "prime_rate"),
        (SINE, 44100.5, "prime_rate"),
        (SINE, np.nan, "prime_rate"),
        (SINE, "16000", "prime_rate"),
        (SINE[:0], RATE, "shape"),
        (np.zeros((3, 1, 9), np.float32), RATE, "shape"),
        (np.zeros((1, 1, 1, 9), np.float32), RATE, "shape"),
        (np.zeros(9, np.int16), RATE, "dtype"),
        (np.zeros(1, np.float32), 700000, "less than a sample"),
        (32768 * SINE, RATE, "reaches"),
        (SINE * np.nan, RATE, "reaches"),
        ([[0.1], [0.1, 0.2]], RATE, "array"),
    ],
)
def test_primers_that_cannot_be_heard(prime: object, rate: object, words: str) -> None:
    with pytest.raises(sharks.UsageError, match=words):
        levels_of(SAMPLERNN, "reference", n=2, prime=prime, prime_rate=rate)


def test_a_primer_file_that_is_none(tmp_path: pathlib.Path) -> None:
    (tmp_path / "song.mp3").write_text("no music")
    with pytest.raises(sharks.AudioError, match="song.mp3"):
        levels_of(SAMPLERNN, "reference", prime=tmp_path / "song.mp3")
    with pytest.raises(sharks.SpecError, match="cannot encode"):
        levels_of(specs.replace(SAMPLERNN, codec="LIN-W"), "reference", prime=SINE, prime_rate=RATE)


# What comes back


@on_every_device
@of_both_families
def test_audio(spec: specs.Spec, device: str) -> None:
    audio = sharks.generate(sharks.random_pack(spec), 0.1235, 3, streams=[4, 0, 7], device=device)
    assert audio.samples.shape == audio.levels.shape == (3, 1, 124)
    assert audio.samples.dtype == np.float32
    assert np.abs(audio.samples).max() <= 1
    assert audio.levels.dtype.kind == "u"
    assert np.array_equal(audio.samples, codec_of(spec).decode(audio.levels))
    assert audio.sample_rate == RATE
    assert audio.streams.tolist() == [4, 0, 7]
    assert audio.seconds == 0.124
    assert (audio.device, audio.dtype, audio.plan) == (device, "float32", "default")
    assert audio.files is None


def test_a_seed_is_taken_and_recorded() -> None:
    pack = sharks.random_pack(SAMPLERNN)
    a, b = (sharks.generate(pack, 0.1, device="reference") for _ in range(2))
    assert a.seed != b.seed
    assert not np.array_equal(a.levels, b.levels)
    assert np.array_equal(sharks.generate(pack, 0.1, seed=a.seed, device="reference").levels, a.levels)
    assert np.array_equal(
        sharks.generate(pack, 0.1, seed=(1 << 64) - 1, device="reference").levels,
        sharks.generate(pack, 0.1, seed=np.uint64((1 << 64) - 1), device="reference").levels,
    )


def test_a_path_is_as_good_as_a_pack(tmp_path: pathlib.Path) -> None:
    pack = sharks.random_pack(SAMPLERNN)
    path = pack.save(tmp_path / "best.safetensors", golden=False)
    for given in (path, str(tmp_path)):
        assert np.array_equal(
            sharks.generate(given, 0.1, seed=5, device="reference").levels, levels_of(SAMPLERNN, "reference", 0.1)
        )


def test_temperature_zero_is_the_most_likely_level() -> None:
    a = levels_of(SAMPLERNN, "reference", temperature=0, seed=1)
    assert np.array_equal(a, levels_of(SAMPLERNN, "reference", temperature=0, seed=2))


def test_progress() -> None:
    calls: list[tuple[float, float, float]] = []
    levels_of(SAMPLERNN, "reference", 0.5, progress=lambda *call: calls.append(call))
    done = [call[0] for call in calls]
    assert done == sorted(set(done))
    assert done[-1] == 0.5
    assert {call[1] for call in calls} == {0.5}
    assert all(call[2] > 0 for call in calls)


def test_pieces_stay_near_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is met between pieces: on a clock where a step takes 2 ms, none takes over a quarter of a second."""
    now = 0.0
    monkeypatch.setattr(session, "time", types.SimpleNamespace(perf_counter=lambda: now))
    longest, end = 0, 0
    for start, count in session.Spans()(10000):
        assert start == end
        end += count
        longest = max(longest, count)
        now += 0.002 * count
    assert end == 10000
    assert 0.05 < 0.002 * longest <= 0.25


# Teacher forcing


@on_every_device
@of_both_families
def test_logits(spec: specs.Spec, device: str) -> None:
    pack, levels = sharks.random_pack(spec), np.random.default_rng(0).integers(0, 32, (3, 40))
    got = sharks.logits(pack, levels, device=device)
    assert got.shape == (3, 40 - spec.lookback, 32)
    assert got.dtype == np.float32
    for same in (levels.astype(np.uint8), levels.tolist()):
        assert np.array_equal(sharks.logits(pack, same, device=device), got)
    one = open_player(pack, 1, device=device)
    one.reset(levels[1:2, : spec.lookback])
    for i in range(5):  # a prediction knows only what came before it
        step, _ = one.force(levels[1:2, spec.lookback + i : spec.lookback + i + 1])
        assert np.array_equal(step[0, 0], got[1, i])


def test_logits_by_default_are_played_on_the_cpu() -> None:
    assert inspect.signature(sharks.logits).parameters["device"].default == "cpu"


@pytest.mark.parametrize(
    "levels",
    [
        np.zeros((1, 6), int),
        np.zeros(40, int),
        np.zeros((0, 40), int),
        np.full((1, 40), 32),
        np.full((1, 40), -1),
        np.zeros((1, 40)),
        np.zeros((1, 40), bool),
        [[0, 1], [0]],
    ],
)
def test_levels_that_are_none(levels: object) -> None:
    with pytest.raises(sharks.UsageError, match="levels"):
        sharks.logits(sharks.random_pack(SAMPLERNN), levels, device="reference")


def test_logits_take_conditions() -> None:
    pack, levels = sharks.random_pack(CLASSES), np.zeros((2, 9), int)
    a = sharks.logits(pack, levels, device="reference", condition=[0, 1])
    assert not np.array_equal(a[0], a[1])


# What cannot be meant


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temperature": -1}, "temperature"),
        ({"temperature": np.nan}, "temperature"),
        ({"temperature": np.inf}, "temperature"),
        ({"temperature": [1.0, 1.0]}, "temperature"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": -3}, "seconds"),
        ({"seconds": np.nan}, "seconds"),
        ({"seconds": 1e-9}, "seconds"),
        ({"seconds": 1e12}, "GB are needed"),
        ({"n": 0}, "n is"),
        ({"n": -1}, "n is"),
        ({"n": 1.5}, "n is"),
        ({"n": True}, "n is"),
        ({"n": 1 << 21}, "n is"),
        ({"streams": [0, 1]}, "streams is"),
        ({"streams": []}, "streams is"),
        ({"streams": [-1]}, "streams is"),
        ({"streams": [1 << 32]}, "streams is"),
        ({"streams": [0.5]}, "streams is"),
        ({"streams": "0"}, "streams is"),
        ({"streams": [[0], [1, 2]]}, "streams is"),
        ({"seed": -1}, "seed is"),
        ({"seed": 1 << 64}, "seed is"),
        ({"seed": 0.5}, "seed is"),
        ({"seed": True}, "seed is"),
        ({"start": "loud"}, "start is"),
        ({"start": "silence"}, "samplernn begins in one way only"),
        ({"condition": 1}, "condition"),
        ({"device": "tpu"}, "device is"),
        ({"dtype": "int4"}, "dtype is"),
        ({"threads": 0}, "threads is"),
        ({"progress": 3}, "progress is"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments: dict[str, object], words: str, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "clips"
    with pytest.raises(sharks.Error, match=words) as caught:
        sharks.generate(
            sharks.random_pack(SAMPLERNN), **({"seconds": 0.01, "device": "reference", "out": out} | arguments)
        )
    assert isinstance(caught.value, (sharks.UsageError, sharks.ResourceError))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.wav"))
    if "seconds" not in arguments and "progress" not in arguments:
        with pytest.raises(sharks.UsageError, match=words):
            sharks.stream(sharks.random_pack(SAMPLERNN), **({"device": "reference"} | arguments))


def test_what_does_not_fit_into_memory_is_one_sentence() -> None:
    with pytest.raises(sharks.ResourceError, match=r"GB of memory; use out= or stream\(\)"):
        sharks.generate(sharks.random_pack(SAMPLERNN), 1e12, 1000, device="reference")


@pytest.mark.parametrize("block", [0, -1, np.nan, 1e-9])
def test_blocks_that_are_none(block: float) -> None:
    with pytest.raises(sharks.UsageError, match="block is"):
        sharks.stream(sharks.random_pack(SAMPLERNN), block=block, device="reference")
