"""From songs to a dataset: exact where it can be, every file accounted for, nothing of the user's touched."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile as sf

import odd_audio
import sharks
from sharks.dataset.dataset import load_dataset
from sharks.errors import AudioError, ResourceError, UsageError
from sharks.levels.quantize import codec_of
from sharks.sound.reading import read_audio
from sharks.sound.wav import to_pcm, write_wav

RATE = 16000
SONGS = pathlib.Path(__file__).parents[2] / "examples" / "muldjord"


def tune(seconds, seed=0):
    """Noise around a tone, float32 (n,), nothing of it silent."""
    t = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return (0.3 * np.sin(2 * np.pi * 220 * t) + 0.05 * noise).astype(np.float32)


@pytest.fixture
def songs(tmp_path):
    """Four songs of 8, 6, 4 and 2 seconds."""
    for k in range(4):
        (tmp_path / "songs" / "album").mkdir(parents=True, exist_ok=True)
        write_wav(tmp_path / "songs" / "album" / f"{k}.wav", tune(8 - 2 * k, seed=k), RATE)
    return tmp_path / "songs"


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- what is in a dataset


def test_a_dataset_holds_every_sample_of_every_song(songs, tmp_path):
    data = sharks.prepare(songs, tmp_path / "data")
    assert {track.name for track in data.tracks} == {f"album/{k}.wav" for k in range(4)}
    for track in data.tracks:
        got = getattr(data, track.split)[track.start : track.start + track.length]
        assert np.array_equal(got, to_pcm(read_audio(songs / track.name)[0][0])), track
        assert track.minutes == pytest.approx(track.length / RATE / 60, abs=1e-4)
    for split in ("train", "val"):
        ends = [0, *np.cumsum([track.length for track in data.of(split)])]
        assert [track.start for track in data.of(split)] == ends[:-1] and len(getattr(data, split)) == ends[-1]
    assert data.hours == pytest.approx(20 / 3600) and data.sample_rate == RATE and not data.skipped
    assert data.train.dtype == np.int16 and not data.train.flags.writeable


def test_the_numbers_of_a_track_are_those_of_its_samples(songs, tmp_path):
    data = sharks.prepare(songs, tmp_path / "data")
    track = max(data.tracks, key=lambda t: t.length)
    x = getattr(data, track.split)[track.start : track.start + track.length] / 32768
    assert track.rms_db == pytest.approx(10 * np.log10(np.mean(x**2)), abs=0.01)
    assert track.peak == np.abs(x).max() and track.dc == pytest.approx(x.mean(), abs=1e-9)
    share = np.bincount(codec_of("MU-R").encode(x), minlength=256) / len(x)
    assert track.entropy == pytest.approx(-(share[share > 0] * np.log2(share[share > 0])).sum(), abs=1e-4)
    assert (track.format, track.rate, track.channels) == ("WAV PCM_16", RATE, 1)


def test_order_0_is_counted_on_training_and_paid_on_validation(songs, tmp_path):
    data = sharks.prepare(songs, tmp_path / "data")
    train, val = (codec_of("MU-R").encode(x / np.float32(32768)) for x in (data.train, data.val))
    counts = np.bincount(train, minlength=256)
    assert np.array_equal(data.histogram, counts)
    assert data.entropy_bits == pytest.approx(-np.mean(np.log2(counts[train] / len(train))), abs=1e-9)
    share = (counts + 1) / (len(train) + 256)
    assert data.val_bits == pytest.approx(-np.mean(np.log2(share[val])), abs=1e-9)
    assert data.order0(codec_of("MU-R")) == pytest.approx((data.entropy_bits, data.val_bits))
    assert data.order0(codec_of("LIN-P"))[0] != pytest.approx(data.entropy_bits, abs=0.1)


def test_stereo_is_mixed_or_kept_apart(tmp_path):
    x = np.stack([tune(3.0, 1), tune(3.0, 2)])
    write_wav(tmp_path / "a.wav", x, RATE)
    mono = sharks.prepare(tmp_path / "a.wav", tmp_path / "mono", val_fraction=0)
    assert np.abs(mono.train / 32768 - x.mean(0)).max() < 1 / 32768
    each = sharks.prepare(tmp_path / "a.wav", tmp_path / "each", channels="each", val_fraction=0)
    assert [track.name for track in each.tracks] == ["a.wav channel 1", "a.wav channel 2"]
    assert np.array_equal(each.train.reshape(2, -1), to_pcm(x))


def test_the_same_samples_are_used_once(tmp_path):
    x = tune(2.0)
    folder = _made(tmp_path / "in")
    write_wav(folder / "a.wav", np.stack([x, x]), RATE)
    sf.write(folder / "b.flac", to_pcm(np.stack([x, x])).T, RATE)
    data = sharks.prepare(folder, tmp_path / "data", channels="each")
    assert {track.name for track in data.tracks} == {"a.wav channel 1"} and len(data.skipped) == 3
    assert {reason for _, reason in data.skipped} == {"the same samples as a.wav channel 1"}


def test_of_a_file_of_days_the_first_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr("sharks.dataset.pieces.LONGEST_FILE", 2.0)
    write_wav(tmp_path / "a.wav", tune(60.0), RATE)
    data = sharks.prepare(tmp_path / "a.wav", tmp_path / "data", val_fraction=0)
    assert 2 * RATE <= len(data.train) < 10 * RATE and "only its first" in data.tracks[0].notes[0]


def test_both_channels_of_a_song_are_on_the_same_side_of_the_split(tmp_path):
    for k in range(5):
        write_wav(tmp_path / "in" / f"{k}.wav" if k else _made(tmp_path / "in") / "0.wav", _stereo(k), RATE)
    data = sharks.prepare(tmp_path / "in", tmp_path / "data", channels="each", val_fraction=0.4)
    sides = {}
    for track in data.tracks:
        sides.setdefault(track.name.split()[0], set()).add(track.split)
    assert len(sides) == 5 and all(len(side) == 1 for side in sides.values())
    assert {"train", "val"} == set.union(*sides.values())


def _made(folder):
    folder.mkdir()
    return folder


def _stereo(seed):
    return np.stack([tune(2.0, 10 * seed), tune(2.0, 10 * seed + 1)])


def test_resampled_to_the_rate_of_a_preset_or_the_one_given(songs, tmp_path):
    data = sharks.prepare(songs, tmp_path / "data", sample_rate=8000)
    assert data.sample_rate == 8000 and len(data.train) + len(data.val) == 20 * 8000
    tiny = sharks.prepare(songs, tmp_path / "tiny", preset="dadabots-2tier-tiny")
    assert tiny.sample_rate == sharks.preset("dadabots-2tier-tiny").sample_rate
    assert len(tiny.val) == pytest.approx(0.25 * 20 * RATE, abs=RATE)  # a quarter is what this preset holds out


# --- the split


def test_the_split_goes_by_song_and_is_always_the_same(songs, tmp_path):
    first = sharks.prepare(songs, tmp_path / "a", val_fraction=0.3)
    again = sharks.prepare(songs, tmp_path / "b", val_fraction=0.3)
    assert [t for t in first.tracks] == [t for t in again.tracks] and first.fingerprint == again.fingerprint
    assert 0.1 * 20 <= len(first.val) / RATE <= 0.45 * 20
    other = sharks.prepare(songs, tmp_path / "c", val_tracks=["0"])
    assert other.fingerprint != first.fingerprint


def test_chosen_songs_validate(songs, tmp_path):
    for number, name in enumerate(("album/2.wav", "2.wav", "2")):
        data = sharks.prepare(songs, tmp_path / f"data{number}", val_tracks=[name])
        assert [track.name for track in data.of("val")] == ["album/2.wav"]
    with pytest.raises(UsageError, match="did you mean '2.wav'"):
        sharks.prepare(songs, tmp_path / "no", val_tracks=["2.wva"])
    with pytest.raises(UsageError, match="leave at least one"):
        sharks.prepare(songs, tmp_path / "no", val_tracks=["0", "1", "2", "3"])
    (songs / "broken.wav").write_bytes(b"")
    with pytest.raises(UsageError, match=r"'broken', but it cannot be used: is empty"):
        sharks.prepare(songs, tmp_path / "no", val_tracks=["broken"])
    assert not (tmp_path / "no").exists()


def test_an_only_song_gives_its_last_tenth(tmp_path):
    write_wav(tmp_path / "a.wav", tune(10.0), RATE)
    data = sharks.prepare(tmp_path / "a.wav", tmp_path / "data")
    pcm = to_pcm(tune(10.0))
    assert np.array_equal(data.train, pcm[: 9 * RATE]) and np.array_equal(data.val, pcm[9 * RATE :])
    assert [track.name for track in data.tracks] == ["a.wav", "a.wav"]
    assert any("min to train on" in warning for warning in data.warnings)  # too little warns, never refuses


def test_nothing_is_held_out_when_asked(songs, tmp_path):
    data = sharks.prepare(songs, tmp_path / "data", val_fraction=0)
    assert len(data.val) == 0 and np.isnan(data.val_bits) and len(data.train) == 20 * RATE
    assert load_dataset(tmp_path / "data").val.shape == (0,)
    assert any("held out" in warning for warning in data.warnings)


# --- silence


def test_silence_is_trimmed_at_the_ends_and_shortened_inside(tmp_path):
    gap = np.zeros(RATE, np.float32)
    parts = [gap, tune(2.0, 1), gap, gap, tune(2.0, 2), *[gap] * 10, tune(2.0, 3), gap]
    write_wav(tmp_path / "a.wav", np.concatenate(parts), RATE)
    data = sharks.prepare(tmp_path / "a.wav", tmp_path / "data", val_fraction=0)
    tenth, second = np.zeros(RATE // 10, np.float32), gap
    want = np.concatenate([tenth, tune(2.0, 1), gap, gap, tune(2.0, 2), second, tune(2.0, 3), tenth])
    assert np.array_equal(data.train, to_pcm(want))
    assert data.tracks[0].notes == ("9.0 s of silence inside are left out",)
    all_of_it = sharks.prepare(tmp_path / "a.wav", tmp_path / "all", val_fraction=0, trim_db=-np.inf)
    assert len(all_of_it.train) == len(np.concatenate(parts))
    more = sharks.prepare(tmp_path / "a.wav", tmp_path / "more", val_fraction=0, longest_silence=12)
    assert len(more.train) == 18.2 * RATE


def test_a_higher_threshold_trims_a_fade_but_nothing_inside(tmp_path):
    quiet = 0.01 * tune(5.0, 4)  # -53 dBFS
    parts = [quiet, tune(1.0, 1), quiet, tune(1.0, 2), quiet]
    write_wav(tmp_path / "a.wav", np.concatenate(parts), RATE)
    data = sharks.prepare(tmp_path / "a.wav", tmp_path / "data", val_fraction=0, trim_db=-40)
    assert len(data.train) == 7.2 * RATE


# --- again, and again


def test_the_same_call_again_decodes_nothing(songs, tmp_path, monkeypatch):
    first = sharks.prepare(songs, tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").iterdir()}
    monkeypatch.setattr("sharks.dataset.pieces._decode", None)  # calling it would fail
    assert sharks.prepare(songs, tmp_path / "data").tracks == first.tracks
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").iterdir()} == before
    with pytest.raises(TypeError):
        sharks.prepare(songs, tmp_path / "data", sample_rate=8000)


def test_a_change_of_files_or_settings_prepares_again(songs, tmp_path):
    out = tmp_path / "data"
    first = sharks.prepare(songs, out)
    write_wav(songs / "new.wav", tune(3.0, 9), RATE)
    second = sharks.prepare(songs, out)
    assert len(second.tracks) == 5 and second.hours > first.hours and second.fingerprint != first.fingerprint
    write_wav(songs / "new.wav", tune(4.0, 9), RATE)
    assert sharks.prepare(songs, out).hours > second.hours
    (songs / "new.wav").unlink()
    assert sharks.prepare(songs, out).fingerprint == first.fingerprint


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("files", [0, 1, 3, 6, 7, 8])
def test_killed_and_called_again(songs, tmp_path, files):
    """Killed just before a file takes its name: the first table, four pieces, a table, two arrays, the last table."""
    want = sharks.prepare(songs, tmp_path / "want")
    code = "import os, sys, sharks\nreplace, names = os.replace, []\n"
    code += f"os.replace = lambda *a: os.kill(os.getpid(), 9) if len(names) == {files} else names.append(replace(*a))\n"
    code += "sharks.prepare(sys.argv[1], sys.argv[2])"
    child = subprocess.run([sys.executable, "-c", code, songs, tmp_path / "data"])
    assert child.returncode == -signal.SIGKILL
    with pytest.raises(AudioError, match="did not finish; run the same" if files else "is no dataset"):
        load_dataset(tmp_path / "data")
    data = sharks.prepare(songs, tmp_path / "data")
    assert data.tracks == want.tracks and np.array_equal(data.train, want.train) and np.array_equal(data.val, want.val)
    assert sorted(os.listdir(tmp_path / "data")) == ["dataset.json", "places.json", "train.i16", "val.i16"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file size")
def test_a_disk_that_is_full_is_one_sentence_and_the_same_call_resumes(songs, tmp_path):
    code = "import resource, signal, sys, sharks\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, -1))\n"
    code += "try:\n    sharks.prepare(*sys.argv[1:])\nexcept sharks.ResourceError as error:\n    print(error)"
    run = subprocess.run([sys.executable, "-c", code, songs, tmp_path / "data"], capture_output=True, text=True)
    assert re.search(r"data: cannot be written \(.*\); free space", run.stdout), run
    assert not list((tmp_path / "data").glob("*.i16"))
    assert len(sharks.prepare(songs, tmp_path / "data").tracks) == 4


def test_decoded_files_are_not_decoded_again_after_an_interrupt(songs, tmp_path, monkeypatch):
    def stop(done, total, name):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sharks.prepare(songs, tmp_path / "data", progress=stop)
    from sharks.dataset import pieces

    again, real = [], pieces._decode
    monkeypatch.setattr(pieces, "_decode", lambda source, *rest: again.append(source.name) or real(source, *rest))
    assert len(sharks.prepare(songs, tmp_path / "data").tracks) == 4 and again == ["album/3.wav"]


# --- nothing of the user's is touched


def test_the_music_is_never_changed(songs, tmp_path):
    before = snapshot(songs)
    sharks.prepare(songs, songs / "data")  # inside the songs: found by the next call, and left alone
    sharks.prepare(songs, songs / "data")
    assert {path: data for path, data in snapshot(songs).items() if "data" not in path.parts} == before
    assert len(load_dataset(songs / "data").tracks) == 4 and not load_dataset(songs / "data").skipped


@pytest.mark.parametrize("what", ["file", "folder", "other json"])
def test_an_out_that_is_not_ours_is_refused(songs, tmp_path, what):
    out = tmp_path / "out"
    if what == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / ("dataset.json" if what == "other json" else "thesis.txt")).write_text('{"format": "mine"}')
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="new folder"):
        sharks.prepare(songs, out)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("what", ["nothing", "silence", "text"])
def test_nothing_usable_is_one_sentence_and_leaves_nothing(tmp_path, what):
    folder = _made(tmp_path / "in")
    if what == "silence":
        write_wav(folder / "a.wav", np.zeros(RATE), RATE)
    if what == "text":
        for k in range(3):
            (folder / f"{k}.mp3").write_text("words")
    with pytest.raises(AudioError, match=r"no audio found in .*: \d files seen") as caught:
        sharks.prepare(folder, tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_a_failure_keeps_the_dataset_that_was_there(songs, tmp_path):
    first = sharks.prepare(songs, tmp_path / "data")
    with pytest.raises(AudioError):
        sharks.prepare(_made(tmp_path / "empty"), tmp_path / "data")
    assert load_dataset(tmp_path / "data").tracks == first.tracks
    assert sorted(os.listdir(tmp_path / "data")) == ["dataset.json", "places.json", "train.i16", "val.i16"]


@pytest.mark.parametrize(
    "bad",
    [{"channels": "stereo"}, {"sample_rate": 10}, {"sample_rate": 10**7}, {"val_fraction": 1.0}, {"trim_db": 3}]
    + [{"preset": "no such"}, {"longest_silence": 0}, {"val_fraction": np.nan}],
)
def test_bad_arguments_are_usage_errors(songs, tmp_path, bad):
    with pytest.raises(UsageError):
        sharks.prepare(songs, tmp_path / "out", **bad)
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(AudioError, match="no such file or folder"):
        sharks.prepare(tmp_path / "nowhere", tmp_path / "out")


def test_an_out_that_cannot_be_made(songs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        sharks.prepare(songs, tmp_path / "file" / "out")


# --- loading


def test_a_damaged_dataset_is_one_sentence(songs, tmp_path):
    out = tmp_path / "data"
    sharks.prepare(songs, out)
    table = (out / "dataset.json").read_text()
    for damage in (
        lambda: (out / "train.i16").write_bytes(b"\0" * 100),
        lambda: (out / "val.i16").unlink(),
        lambda: (out / "dataset.json").write_text(table[:-200]),
        lambda: (out / "dataset.json").write_text(table.replace('"rate"', '"tempo"')),
        lambda: (out / "dataset.json").write_text(table.replace('"start": 0', '"start": -5')),
        lambda: (out / "dataset.json").write_text(table.replace('"version": 1', '"version": 99')),
        lambda: (out / "dataset.json").write_text(re.sub(r'"samples": \{[^}]*\}', '"samples": []', table)),
    ):
        damage()
        with pytest.raises(AudioError) as caught:
            load_dataset(out)
        assert "\n" not in str(caught.value)
        if "version" not in str(caught.value) and "no dataset" not in str(caught.value):
            assert len(sharks.prepare(songs, out).tracks) == 4  # and the same call mends it
        else:
            (out / "dataset.json").write_text(table)
            sharks.prepare(songs, out)
    with pytest.raises(AudioError, match="is no dataset"):
        load_dataset(tmp_path)


def test_the_report_names_everything(songs, tmp_path):
    (songs / "notes.txt").write_text("la la la")
    report = sharks.prepare(songs, tmp_path / "data").report()
    for word in (
        "album/0.wav",
        "album/3.wav",
        "0:08",
        "train",
        "val",
        "notes.txt: not audio",
        "bits",
        "min to train on",
    ):
        assert word in report, word


# --- real music, and the odd corpus


@pytest.mark.skipif(not SONGS.is_dir(), reason="the example songs are not here")
def test_four_real_songs(tmp_path):
    start = time.perf_counter()
    data = sharks.prepare(SONGS, tmp_path / "data", val_tracks=["chaos_god"])
    assert time.perf_counter() - start < 30
    assert {track.name: track.split for track in data.tracks} == {
        "armygeddon.ogg": "train",
        "chaos_god.ogg": "val",
        "internal_degeneration.ogg": "train",
        "mutilated_mime.ogg": "train",
    }
    assert 13 < data.hours * 60 < 13.4 and 7.4 < data.entropy_bits < data.val_bits < 7.7
    assert [name for name, _ in data.skipped] == ["LICENSE.txt"]
    assert all(-15 < track.rms_db < -13 for track in data.tracks)


MEASURED = """
import json, pathlib, re, resource, sys, time, sharks
times = []
sharks.prepare(sys.argv[1], sys.argv[2], progress=lambda done, total, name: times.append((time.monotonic(), name)))
status = pathlib.Path("/proc/self/status")
own = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) if status.exists() else 0
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
slowest = max((later[0] - sooner[0], sooner[1]) for sooner, later in zip(times, times[1:]))
print(json.dumps({"own": own, "child": child, "slowest": slowest}))
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """The corpus, prepared by a process of its own that measures itself."""
    folder = tmp_path_factory.mktemp("odd")
    expected = odd_audio.build(_made(folder / "in"))
    fuzzed = odd_audio.fuzz(folder / "in", 200)
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, folder / "in", folder / "out"], capture_output=True, text=True, timeout=240
    )
    assert run.returncode == 0, run.stderr
    return expected, fuzzed, load_dataset(folder / "out"), json.loads(run.stdout), folder / "in"


def test_every_odd_file_has_its_stated_outcome(odd):
    expected, fuzzed, data, _, _ = odd
    assert len(expected) >= 60
    used = {track.name: track for track in data.tracks}
    skipped = dict(data.skipped)
    assert len(used) == len(data.tracks) and len(skipped) == len(data.skipped)
    assert not set(used) & set(skipped) and set(used) | set(skipped) == set(expected) | set(fuzzed)
    wrong = []
    for name, (seconds, why) in expected.items():
        if seconds is None:
            fine = name in skipped and re.search(why, skipped[name])
        else:
            notes = " ".join(used[name].notes) if name in used else ""
            fine = name in used and abs(used[name].length / RATE - seconds) < 0.1
            fine = fine and (re.search(why, notes) if why else not notes)
        if not fine:
            wrong.append((name, seconds, why, used.get(name), skipped.get(name)))
    assert not wrong


def test_odd_files_cost_little_memory_and_time(odd):
    _, _, _, cost, _ = odd
    assert 0 < cost["child"] < 512 * 1024 and cost["own"] + cost["child"] < 512 * 1024, cost
    assert cost["slowest"][0] < 10, cost


def test_hours_of_music_cost_no_memory(tmp_path):
    """An hour is 115 MB of samples, which must pass through and not pile up."""
    with sf.SoundFile(tmp_path / "a.wav", "w", 8000, 2, "PCM_U8") as file:
        minute = np.tile(tune(1.0)[:8000, None], (60, 2))
        for _ in range(60):
            file.write(minute)
    run = subprocess.run([sys.executable, "-c", MEASURED, tmp_path / "a.wav", tmp_path / "out"], capture_output=True)
    cost = json.loads(run.stdout)
    assert load_dataset(tmp_path / "out").hours == pytest.approx(1, abs=1e-3)
    assert 0 < cost["child"] and 0 < cost["own"] < 110 * 1024 and cost["own"] + cost["child"] < 192 * 1024, cost


def test_nothing_beyond_full_scale_and_no_nan_comes_out_of_odd_files(odd):
    expected, _, data, _, folder = odd
    loud = [
        track for track in data.tracks if not 0 < track.peak <= 1 or not np.isfinite([track.rms_db, track.dc]).all()
    ]
    assert not loud
    for name in ("poison/a little over.wav", "cut/half.mp3", "rates/1000.wav", "poison/clipped.wav"):
        x, _ = read_audio(folder / name, 44100)
        assert np.isfinite(x).all() and 0 < np.abs(x).max() <= 1 and expected[name].used
    assert max(track.peak for track in data.tracks) == 1.0  # the ruler sees what is at full scale
