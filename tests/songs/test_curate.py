"""Curation, on clips made here: what is good becomes a song, what is not is named with its reason."""

import json
import os
import wave

import numpy as np
import pyloudnorm
import pytest

import sharks
from made_songs import music
from sharks.clips import manifest
from sharks.errors import UsageError
from sharks.songs import cut, loudness, order
from sharks.songs.level import MOST_LIMITING, NEAR
from sharks.sound import character
from sharks.sound.health import health
from sharks.sound.reading import read_audio
from sharks.sound.wav import write_wav

RATE = 16000


def save(folder, name, samples, rate=RATE):
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(folder / name, samples, rate)


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    for i in range(6):
        save(folder, f"{i:04d}.wav", music(8, seed=i))
    return folder


def cut_list(out):
    return json.loads((out / "cuts.json").read_text())


def test_channels_that_cancel_each_other_are_called_so(clips):
    sound = music(8, 9)
    save(clips, "0006.wav", np.stack([sound, -sound]))
    save(clips, "0007.wav", np.zeros((2, 8 * RATE), np.float32))
    reasons = {dropped.clip: dropped.reason for dropped in sharks.curate(clips, minutes=(0.1, 0.5)).dropped}
    assert reasons["0006.wav"].startswith("silent in mono: its channels cancel each other; turn ")
    assert reasons["0007.wav"] == "silent: nothing above -50 dBFS"


def test_what_these_tests_call_music_is_healthy():
    assert [health(music(8, seed), RATE).verdict for seed in range(6)] == ["ok"] * 6


def test_a_song_its_picture_and_its_cut_list(clips, tmp_path):
    album = sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2), crossfade=0.5)
    (song,) = cut_list(tmp_path / "out")["songs"]
    samples, rate = read_audio(tmp_path / "out" / "song.wav")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["cuts.json", "song.png", "song.wav"]
    assert rate == RATE and samples.shape == (1, len(album.songs[0]))
    assert (
        samples.shape[1] / RATE == pytest.approx(song["seconds"], abs=1e-3) == pytest.approx(6 * 8 - 5 * 0.5, abs=1.0)
    )
    assert sorted(c["clip"] for c in song["cuts"]) == [f"{i:04d}.wav" for i in range(6)]
    for before, after in zip(song["cuts"], song["cuts"][1:], strict=False):
        end = before["start"] + before["to"] - before["from"]
        assert end - after["start"] == pytest.approx(after["fade_in"], abs=1e-3)
    assert health(samples, RATE).verdict == "ok"


def test_the_cut_list_is_the_song(clips, tmp_path):
    """Whoever follows cuts.json arrives at song.wav, where nothing was limited."""
    sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2), crossfade=0.3, loudness=-30.0)
    (song,) = cut_list(tmp_path / "out")["songs"]
    assert song["limited"] == 0
    built = np.zeros(round(song["seconds"] * RATE) + 1)
    fades = [c["fade_in"] for c in song["cuts"][1:]] + [0.3]
    for c, fade_out in zip(song["cuts"], fades, strict=True):
        a, b = round(c["from"] * RATE), round(c["to"] * RATE)
        part = read_audio(clips / c["clip"])[0][0, a:b].astype(float)
        part = (part - part.mean()) * 10 ** ((c["gain"] + song["gain"]) / 20)
        i, o = round(c["fade_in"] * RATE), round(fade_out * RATE)
        part[:i] *= np.sin(np.pi / 2 * (np.arange(i) + 0.5) / i)
        part[-o:] *= np.cos(np.pi / 2 * (np.arange(o) + 0.5) / o)
        start = round(c["start"] * RATE)
        built[start : start + len(part)] += part
    samples = read_audio(tmp_path / "out" / "song.wav")[0][0]
    assert np.abs(samples - built[: len(samples)]).max() < 2e-3  # gains are listed to a hundredth of a dB


def test_the_same_clips_make_the_same_song(clips, tmp_path):
    for name in ("a", "b"):
        sharks.curate(clips, tmp_path / name, minutes=(0.5, 2))
    for file in ("song.wav", "song.png", "cuts.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def bad_clips():
    rng = np.random.default_rng(1)
    time = np.arange(8 * RATE) / RATE
    loud = music(8, 9, level=1.0)
    yield "silent", np.zeros(8 * RATE, np.float32)
    yield "silent", 1e-4 * music(8, 3)
    yield "clipped", np.clip(loud * 30, -1, 1)
    yield "noise", (0.2 * rng.standard_normal(8 * RATE)).astype(np.float32)
    yield "whistle", (0.3 * np.sin(2 * np.pi * 3000 * time) * (1 + 0.5 * np.sin(9 * time))).astype(np.float32)
    yield "dc", music(8, 4) + 0.2
    yield "loop", np.tile(music(1, 5), 8)
    yield "short", music(0.6, 6)


def test_every_bad_clip_is_dropped_with_its_reason(clips, tmp_path):
    wanted = {}
    for i, (kind, samples) in enumerate(bad_clips()):
        save(clips, f"bad{i}.wav", samples)
        wanted[f"bad{i}.wav"] = kind
    (clips / "empty.wav").write_bytes(b"")
    (clips / "text.mp3").write_text("These are words, not music.")
    (clips / "nan.wav").write_bytes(nan_wav(music(2)))
    wanted |= {"empty.wav": "is empty", "text.mp3": "", "nan.wav": "holds NaN"}
    sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2))
    made = cut_list(tmp_path / "out")
    reasons = {d["clip"]: d["reason"] for d in made["dropped"]}
    assert reasons.keys() == wanted.keys()
    assert [name for name in wanted if not reasons[name].startswith(wanted[name])] == [], reasons
    assert {c["clip"] for c in made["songs"][0]["cuts"]} == {f"{i:04d}.wav" for i in range(6)}


def nan_wav(samples):
    """A float WAV, by hand, with one NaN in it."""
    import struct

    data = samples.astype("<f4")
    data[100] = np.nan
    fmt = struct.pack("<HHIIHH", 3, 1, RATE, 4 * RATE, 4, 32)
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", data.nbytes) + data.tobytes()
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def test_quiet_ends_and_long_pauses_are_cut_away(tmp_path):
    quiet = np.zeros(2 * RATE, np.float32)
    save(tmp_path / "clips", "a.wav", np.concatenate([quiet, music(5, 1), quiet, music(6, 2), quiet]))
    sharks.curate(tmp_path / "clips", tmp_path / "out", minutes=(0.1, 1))
    cuts = cut_list(tmp_path / "out")["songs"][0]["cuts"]
    assert sorted((round(c["from"]), round(c["to"])) for c in cuts) == [(2, 7), (9, 15)]
    assert health(read_audio(tmp_path / "out" / "song.wav")[0], RATE).silent_seconds == 0


@pytest.mark.parametrize("target", [-30.0, -14.0, 0.0])
def test_loudness_is_met_or_it_is_said_why_not(clips, tmp_path, target, recwarn):
    sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2), loudness=target)
    (song,) = cut_list(tmp_path / "out")["songs"]
    samples, _ = read_audio(tmp_path / "out" / "song.wav")
    assert loudness.integrated(samples, RATE) == pytest.approx(song["loudness"], abs=0.02)
    assert loudness.true_peak(samples, RATE) == pytest.approx(song["true_peak"], abs=0.02)
    assert song["true_peak"] <= -0.98
    assert song["asked"] == target and song["limited"] <= MOST_LIMITING + 0.3
    missing = target - song["loudness"]
    assert abs(missing) <= NEAR + 0.01 or song["limited"] >= MOST_LIMITING - 0.3
    assert (abs(missing) <= NEAR + 0.01) == (target == -30.0) or target == -14.0
    said = [str(warning.message) for warning in recwarn if warning.category is sharks.Notice]
    sentence = f"asked for {target:g}; more would take over 8 dB of limiting"
    assert [sentence in one for one in said] == [True] * (missing > 2 * NEAR)


def test_a_loud_and_a_quiet_clip_meet_in_the_middle(tmp_path):
    for name, level in (("a", 0.5), ("b", 0.25), ("c", 0.125), ("d", 0.07)):
        save(tmp_path / "clips", f"{name}.wav", music(8, 1, level=level))
    sharks.curate(tmp_path / "clips", tmp_path / "out", minutes=(0.2, 1))
    cuts = {c["clip"][0]: c for c in cut_list(tmp_path / "out")["songs"][0]["cuts"]}
    levelled = {name: c["loudness"] + c["gain"] for name, c in cuts.items()}
    assert levelled["b"] == pytest.approx(levelled["c"], abs=0.05) == pytest.approx(np.median(list(levelled.values())))
    assert (cuts["a"]["gain"], cuts["d"]["gain"]) == (-6.0, 6.0)  # no further: dynamics stay


def test_no_jump_at_the_joins(clips, tmp_path):
    """Hard cuts between these clips jump; crossfades do not exceed what the music does by itself."""
    sharks.curate(clips, tmp_path / "soft", minutes=(0.5, 2), crossfade=0.2, loudness=-20.0)
    (song,) = cut_list(tmp_path / "soft")["songs"]
    samples = read_audio(tmp_path / "soft" / "song.wav")[0][0]
    most = np.abs(np.diff(samples)).max()
    for c in song["cuts"][1:]:
        for edge in (c["start"], c["start"] + c["fade_in"]):
            at = round(edge * RATE)
            assert np.abs(np.diff(samples[at - 3 : at + 3])).max() < 0.9 * most
    assert np.abs(samples[:2]).max() < 0.01 and np.abs(samples[-2:]).max() < 0.01


def test_many_clips_make_several_songs_and_the_rest_is_reported(tmp_path):
    for i in range(12):
        save(tmp_path / "clips", f"{i:04d}.wav", music(5, seed=i))
    sharks.curate(tmp_path / "clips", tmp_path / "out", songs=2, minutes=(0.2, 0.3), crossfade=0.1)
    made = cut_list(tmp_path / "out")
    assert [s["file"] for s in made["songs"]] == ["song-01.wav", "song-02.wav"]
    assert [12 <= s["seconds"] <= 18.0 for s in made["songs"]] == [True, True]
    heard = sum(c["to"] - c["from"] for s in made["songs"] for c in s["cuts"])
    spare = sum(d["to"] - d["from"] for d in made["dropped"])
    assert {d["reason"] for d in made["dropped"]} == {"left over: the songs are long enough"}
    assert heard + spare == pytest.approx(12 * 5, abs=1.5)  # the rest are quiet ends


def test_too_little_music_makes_one_short_song(clips, tmp_path):
    album = sharks.curate(clips, tmp_path / "out", songs=5, minutes=(3, 5))
    assert len(album.songs) == 1 and 30 < album.songs[0].seconds < 60


def test_other_rates_and_channels_are_made_to_fit(clips, tmp_path):
    save(clips, "wide.wav", np.stack([music(6, 7, rate=44100), music(6, 8, rate=44100)]), 44100)
    sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2))
    assert "wide.wav" in {c["clip"] for c in cut_list(tmp_path / "out")["songs"][0]["cuts"]}
    with wave.open(str(tmp_path / "out" / "song.wav")) as song:
        assert (song.getframerate(), song.getnchannels()) == (RATE, 1)


def test_stereo_clips_make_a_stereo_song(tmp_path):
    for i in range(2):
        save(tmp_path / "clips", f"{i}.wav", np.stack([music(6, i), 0.5 * music(6, i + 10)]))
    sharks.curate(tmp_path / "clips", tmp_path / "out", minutes=(0.1, 1))
    samples, _ = read_audio(tmp_path / "out" / "song.wav")
    assert samples.shape[0] == 2 and np.abs(samples[0] - samples[1]).max() > 0.1


def test_the_manifest_tells_where_a_cut_comes_from(clips, tmp_path):
    made_by = {
        "pack": None,
        "pack_sha256": "0" * 64,
        "device": "cpu",
        "dtype": "float32",
        "isa": "avx2",
        "plan": "exact",
    }
    for stream in (3, 999):
        line = manifest.Clip(f"{stream:04d}.wav", stream, 99, 0.95, 8 * RATE, RATE, **made_by)
        manifest.write(clips, [line])
    sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2))
    made = cut_list(tmp_path / "out")
    (three,) = (c for c in made["songs"][0]["cuts"] if c["clip"] == "0003.wav")
    assert (three["stream"], three["seed"], three["temperature"]) == (3, 99, 0.95)
    assert made["dropped"] == [{"clip": "0999.wav", "reason": "missing: the manifest names it"}]


def no_clips(folder):
    folder.mkdir()


def only_silence(folder):
    save(folder, "a.wav", np.zeros(RATE, np.float32))


def nothing_readable(folder):
    folder.mkdir()
    (folder / "a.wav").write_bytes(b"")


def no_folder(folder):
    pass


@pytest.mark.parametrize("make", [no_clips, only_silence, nothing_readable, no_folder])
def test_nothing_to_work_with_is_one_sentence_and_no_file(make, tmp_path):
    make(tmp_path / "clips")
    with pytest.raises(sharks.Error) as error:
        sharks.curate(tmp_path / "clips", tmp_path / "out")
    assert "clips" in str(error.value) and "\n" not in str(error.value)
    assert error.value.exit_code == 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"songs": 0},
        {"minutes": (5, 3)},
        {"minutes": (0, 3)},
        {"minutes": (float("nan"), 3)},
        {"crossfade": -1},
        {"crossfade": float("nan")},
        {"loudness": 3},
        {"loudness": float("-inf")},
    ],
)
def test_arguments_out_of_range_are_usage_errors(wrong, clips, tmp_path):
    with pytest.raises(sharks.UsageError, match=next(iter(wrong))):
        sharks.curate(clips, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_songs_are_not_written_among_the_clips(clips):
    before = sorted(clips.iterdir())
    with pytest.raises(sharks.UsageError, match="choose another folder"):
        sharks.curate(clips, clips)
    assert sorted(clips.iterdir()) == before


# How loud


@pytest.mark.parametrize("rate", [48000, 96000])
@pytest.mark.parametrize("seconds", [0.5, 3.3, 65.0])
def test_loudness_equals_pyloudnorm(rate, seconds):
    rng = np.random.default_rng(0)
    swell = 0.02 + np.abs(np.sin(np.arange(round(seconds * rate)) / rate))
    x = 0.1 * rng.standard_normal((2, round(seconds * rate))) * swell
    judge = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(x.T)
    assert loudness.integrated(x, rate) == pytest.approx(judge, abs=1e-6)


@pytest.mark.parametrize("rate, apart", [(48000, 0.05), (44100, 0.05), (16000, 0.14)])
@pytest.mark.parametrize("hertz", [100, 1000, 5000])
def test_how_far_from_pyloudnorm_as_it_comes(rate, apart, hertz):
    """LU between the two: its filters are derived for the rate, and the lower that is, the further they part from those
    that the standard prints, which ours are."""
    tone = 0.2 * np.sin(2 * np.pi * hertz * np.arange(3 * rate) / rate)[None]
    judge = pyloudnorm.Meter(rate).integrated_loudness(tone.T)
    assert loudness.integrated(tone, rate) == pytest.approx(judge, abs=apart)


def test_loudness_of_the_standards_own_tone():
    """BS.1770-4: a 997 Hz sine at full scale in one channel reads -3.01 LKFS."""
    tone = np.sin(2 * np.pi * 997 * np.arange(5 * 48000) / 48000)
    assert loudness.integrated(tone, 48000) == pytest.approx(-3.01, abs=0.005)


def test_silence_has_no_loudness_and_no_peak():
    assert loudness.integrated(np.zeros((1, 48000)), 48000) == -np.inf
    assert loudness.integrated(np.zeros((1, 100)), 48000) == -np.inf
    assert loudness.true_peak(np.zeros((1, 4800), np.float32), 48000) == -np.inf


def test_the_true_peak_lies_between_the_samples():
    """A sine of a quarter of the rate, sampled off its crests: samples reach -3 dB, the wave 0 dB."""
    between = np.sin(np.pi / 2 * np.arange(48000) + np.pi / 4)
    assert 20 * np.log10(np.abs(between).max()) == pytest.approx(-3.01, abs=0.01)
    assert loudness.true_peak(between[None], 48000) == pytest.approx(0.0, abs=0.1)


# In which order


def test_the_path_visits_all_and_groups_what_is_alike():
    rng = np.random.default_rng(2)
    groups = rng.permutation(np.repeat(np.arange(4), 10))
    vectors = 10 * rng.standard_normal((4, 20))[groups] + 0.1 * rng.standard_normal((40, 20))
    path = order.shortest_path(vectors)
    assert sorted(path) == list(range(40))
    assert np.count_nonzero(np.diff(groups[path])) == 3


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
def test_short_paths_are_the_shortest(n):
    import itertools

    vectors = np.random.default_rng(n).standard_normal((n, 3))
    path = order.shortest_path(vectors)
    assert sorted(path) == list(range(n))
    if n > 1:
        distance = order.distances(vectors)
        best = min(order.length(distance, list(p)) for p in itertools.permutations(range(n)))
        assert order.length(distance, path) <= 1.15 * best


def test_turning_stretches_round_shortens_the_path():
    """Points on a line in a bad order: nearest neighbours alone leave a long way back, 2-opt straightens it."""
    distance = order.distances(np.random.default_rng(0).permutation(np.arange(30.0))[:, None])
    shuffled = [int(i) for i in np.random.default_rng(1).permutation(30)]
    straight = order._two_opt(distance, shuffled)
    assert sorted(straight) == list(range(30))
    assert order.length(distance, straight) < 0.4 * order.length(distance, shuffled)


def test_features_do_not_hear_loudness():
    x = music(4, 3)
    assert order.features(x, RATE) == pytest.approx(order.features(0.25 * x, RATE), abs=1e-4)
    assert np.abs(order.features(x, RATE) - order.features(music(4, 4), RATE)).max() > 0.2


def test_sounding_keeps_short_pauses_and_ignores_a_click():
    x = np.zeros(10 * RATE)
    x[RATE : 3 * RATE] = x[int(3.3 * RATE) : 5 * RATE] = x[8 * RATE : 9 * RATE] = 0.1
    x[1::2] *= -1
    stretches = [(round(a / RATE, 1), round(b / RATE, 1)) for a, b in cut.sounding(x, RATE)]
    assert stretches == [(1.0, 5.0), (8.0, 9.0)]


# --- what is written over


def test_a_song_of_somebody_else_is_not_written_over(clips, tmp_path):
    for name in ("song.wav", "song.png"):
        out = tmp_path / name.replace(".", "-")
        out.mkdir()
        (out / name).write_bytes(b"my own")
        with pytest.raises(UsageError, match=f"{name}: is there already, and in no cut list; move it"):
            sharks.curate(clips, out, minutes=(0.1, 0.2))
        with pytest.raises(UsageError, match=f"{name}: is there already"):
            sharks.curate(clips, minutes=(0.1, 0.2)).save(out)
        assert [path.name for path in out.iterdir()] == [name] and (out / name).read_bytes() == b"my own"


def test_a_cut_list_of_somebody_else_is_not_written_over(clips, tmp_path):
    for number, text in enumerate(("not JSON", "[]", '{"songs": 3}', '{"songs": [{"name": "x"}]}', '{"cuts": []}')):
        out = tmp_path / str(number)
        out.mkdir()
        (out / "cuts.json").write_text(text)
        with pytest.raises(UsageError, match="no list of cuts that sharks wrote"):
            sharks.curate(clips, out, minutes=(0.1, 0.2))
        assert (out / "cuts.json").read_text() == text


def quieter(samples):
    return samples * np.float32(10 ** (-0.2 / 20))


@pytest.mark.parametrize(
    "edit",
    [quieter, lambda x: x[:, :-160], lambda x: x[:, ::-1] * (np.arange(x.shape[1]) < 8000), lambda x: x[:, :0]],
    ids=["turned down by 0.2 dB", "10 ms shorter", "half a second of it, backwards", "emptied"],
)
def test_a_song_that_was_edited_is_not_written_over(edit, clips, tmp_path):
    out = tmp_path / "out"
    sharks.curate(clips, out, minutes=(0.1, 0.2))
    samples, rate = read_audio(out / "song.wav")
    write_wav(out / "song.wav", edit(samples), rate)
    edited = (out / "song.wav").read_bytes()
    with pytest.raises(UsageError, match=r"song\.wav: was changed since sharks wrote it; move it"):
        sharks.curate(clips, out, minutes=(0.1, 0.15))
    assert (out / "song.wav").read_bytes() == edited
    (out / "song.wav").rename(out / "mine.wav")
    sharks.curate(clips, out, minutes=(0.1, 0.15))
    assert (out / "mine.wav").read_bytes() == edited


def test_our_own_songs_are_written_over_whatever_they_are_like(clips, tmp_path):
    """As quiet as they get, of two channels, and so short that they have no loudness."""
    save(tmp_path / "wide", "0.wav", np.stack([music(8, seed=1), music(8, seed=2)]))
    for folder, more in ((clips, {"loudness": -50.0}), (tmp_path / "wide", {}), (clips, {"minutes": (0.004, 0.005)})):
        for _ in range(2):
            sharks.curate(folder, tmp_path / "out", **({"minutes": (0.1, 0.2)} | more))


def test_earlier_songs_stay_in_the_list(clips, tmp_path):
    out = tmp_path / "out"
    sharks.curate(clips, out, songs=2, minutes=(0.1, 0.2))
    two = cut_list(out)["songs"]
    assert [song["file"] for song in two] == ["song-01.wav", "song-02.wav"]
    sharks.curate(clips, out, minutes=(0.1, 0.2))
    made = cut_list(out)
    assert [song["file"] for song in made["songs"]] == ["song.wav"] and made["earlier"] == two
    (out / "song-01.wav").unlink()
    sharks.curate(clips, out, minutes=(0.1, 0.2))
    assert cut_list(out)["earlier"] == two, "its picture is still there, and ours"
    (out / "song-01.png").unlink()
    sharks.curate(clips, out, minutes=(0.1, 0.2))
    assert cut_list(out)["earlier"] == two[1:]
    write_wav(out / "song-02.wav", music(3), RATE)
    with pytest.raises(UsageError, match=r"song-02\.wav: was changed"):
        sharks.curate(clips, out, songs=2, minutes=(0.1, 0.2))


@pytest.mark.parametrize("kept", range(1, 7))
def test_a_call_that_was_killed_while_it_wrote_can_be_made_again(kept, clips, tmp_path, monkeypatch):
    """At each file that is replaced: the songs are in a list, before and after."""
    from sharks.files import atomic

    out, replace, left = tmp_path / "out", atomic.os.replace, [kept]
    sharks.curate(clips, out, songs=2, minutes=(0.1, 0.2))

    def mortal(*names):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        replace(*names)

    monkeypatch.setattr(atomic.os, "replace", mortal)
    with pytest.raises(KeyboardInterrupt):
        sharks.curate(clips, out, songs=2, minutes=(0.1, 0.15))
    monkeypatch.undo()
    sharks.curate(clips, out, songs=2, minutes=(0.1, 0.15))
    assert [song["file"] for song in cut_list(out)["songs"]] == ["song-01.wav", "song-02.wav"]
    assert "earlier" not in cut_list(out)


# --- clips that stop being music on their way


def hiss(seconds, seed=1):
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def test_a_clip_is_cut_where_it_collapses_and_its_beginning_is_used(clips, tmp_path):
    for name, seconds in (("hisses late", 5), ("hisses soon", 0.8)):
        save(clips, f"{name}.wav", np.concatenate([music(seconds, 20), hiss(8 - seconds)]))
    save(clips, "hums.wav", np.concatenate([music(5, 21), 0.2 * np.sin(np.arange(3 * RATE) * 0.06)]))
    sharks.curate(clips, tmp_path / "out", minutes=(0.5, 2))
    made = cut_list(tmp_path / "out")
    used = {c["clip"]: (c["from"], c["to"]) for c in made["songs"][0]["cuts"]}
    assert used["hisses late.wav"] == (0, pytest.approx(5, abs=0.4))
    assert used["hums.wav"] == (0, pytest.approx(5, abs=0.4)) and "hisses soon.wav" not in used
    reasons = [(d["clip"], d["reason"].split(":")[0], d["from"], d["to"]) for d in made["dropped"]]
    assert reasons == [
        ("hisses late.wav", "noise", used["hisses late.wav"][1], 8),
        ("hisses soon.wav", "short", 0, pytest.approx(0.8, abs=0.4)),
        ("hisses soon.wav", "noise", reasons[1][3], 8),
        ("hums.wav", "hum", used["hums.wav"][1], 8),
    ]


def test_what_is_not_used_is_told_with_its_place_in_the_clip():
    assert str(cut.Dropped("a.wav", "hum: why", (3.2, 10.0))) == "a.wav 3.2-10.0 s: hum: why"
    assert str(cut.Dropped("a.wav", "missing: why")) == "a.wav: missing: why"


def test_what_follows_a_lapse_is_used_too(tmp_path):
    save(tmp_path / "clips", "a.wav", np.concatenate([music(5, 1), hiss(5), music(6, 2)]))
    sharks.curate(tmp_path / "clips", tmp_path / "out", minutes=(0.1, 1))
    made = cut_list(tmp_path / "out")
    used = sorted((c["from"], c["to"]) for c in made["songs"][0]["cuts"])
    assert used == [(0, pytest.approx(5, abs=0.4)), (pytest.approx(10, abs=0.4), pytest.approx(16, abs=0.1))]
    (dropped,) = made["dropped"]
    assert (dropped["from"], dropped["to"]) == (used[0][1], used[1][0]) and dropped["reason"].startswith("noise: ")


# --- which clips, where there are more than are needed


def dull(samples, share):
    """The music turned down to a share of itself, and filled up with what it sounds like on the whole."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(len(samples)))
    colour = np.convolve(np.abs(np.fft.rfft(samples)), np.ones(500) / 500, mode="same")
    hiss = np.fft.irfft(spectrum * colour, len(samples))
    return (share * samples + (1 - share) * hiss * samples.std() / hiss.std()).astype(np.float32)


def fourteen(folder):
    """Nine dull clips and five lively ones, which have the names in the middle."""
    for i in range(14):
        save(folder, f"{i:04d}.wav", music(8, i) if 4 <= i < 9 else dull(music(8, i), 0.75))
    return {f"{i:04d}.wav" for i in range(4, 9)}


def used(out):
    return {c["clip"] for song in cut_list(out)["songs"] for c in song["cuts"]}


def test_the_liveliest_of_fourteen_are_kept(tmp_path):
    lively = fourteen(tmp_path / "clips")
    for name, minutes in (("nine", 1.1), ("five", 0.6)):
        sharks.curate(tmp_path / "clips", tmp_path / name, minutes=(0.1, minutes), crossfade=0.1)
    assert lively < used(tmp_path / "nine") and used(tmp_path / "five") == lively
    assert {row["reason"] for row in cut_list(tmp_path / "five")["dropped"]} == {"left over: the songs are long enough"}


def clips_of_pack(folder, songs):
    """The fourteen, as the manifest says played by a pack that learnt from `songs`, or does not say from what."""
    lively = fourteen(folder / "clips")
    about = {"sound": character.describe(songs, RATE)} if songs else {}
    pack = sharks.random_pack(sharks.SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4))
    sharks.Pack(pack.spec, pack.tensors, about=about).save(folder / "pack.safetensors")
    made_by = {"pack_sha256": "0" * 64, "device": "cpu", "dtype": "float32", "isa": "avx2", "plan": "exact"}
    for i in range(14):
        line = manifest.Clip(
            f"{i:04d}.wav", i, 99, 0.95, 8 * RATE, RATE, pack=os.path.join("..", "pack.safetensors"), **made_by
        )
        manifest.write(folder / "clips", [line])
    return lively


def test_clips_like_the_songs_that_were_learnt_are_kept(tmp_path):
    """Of lively songs the lively ones, of dull songs the dull ones; and the lively ones where the pack is silent."""
    for name, songs in (
        ("lively", [music(8, i) for i in range(20, 24)]),
        ("dull", [dull(music(8, i), 0.75) for i in range(20, 24)]),
        ("unsaid", []),
    ):
        lively = clips_of_pack(tmp_path / name, songs)
        sharks.curate(tmp_path / name / "clips", tmp_path / name / "out", minutes=(0.1, 0.6), crossfade=0.1)
        assert len(used(tmp_path / name / "out")) == 5
        assert used(tmp_path / name / "out").isdisjoint(lively) == (name == "dull")
        assert (used(tmp_path / name / "out") == lively) == (name != "dull")


@pytest.mark.parametrize("said", [None, {}, [1], {"change": [1, 2]}, {name: [1, None] for name in character.MEASURES}])
def test_a_pack_that_describes_its_songs_otherwise_is_as_one_that_does_not(said):
    assert not character.is_description(said)


def test_a_pack_that_is_gone_or_damaged_is_no_hindrance(tmp_path):
    lively = clips_of_pack(tmp_path, [])
    for damage in (lambda path: path.write_bytes(b"no pack"), lambda path: path.unlink()):
        damage(tmp_path / "pack.safetensors")
        sharks.curate(tmp_path / "clips", tmp_path / "out", minutes=(0.1, 0.6), crossfade=0.1)
        assert used(tmp_path / "out") == lively
