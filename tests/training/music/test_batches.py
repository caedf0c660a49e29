"""Batches: a function of (seed, step), chunks inside tracks, windows with their whole receptive field."""

import dataclasses

import numpy as np
import pytest

from made_songs import dataset
from sharks import AudioError, preset, recipe
from sharks.levels.quantize import codec_of
from sharks.recipes.presets import override
from sharks.training.music.batches import Training, Validation, chunks

RATE = 1000
SMALL = {"model.sample_rate": RATE, "train.batch": 3, "train.chunk_len": 64, "data.chunk_seconds": 0.5}


def made(name="prism-3tier-tiny", lengths=(1700, 900, 300), **changes):
    spec, plan = override(preset(name), recipe(name), SMALL | {f"train.{k}": v for k, v in changes.items()})
    return dataset(RATE, train=lengths, val=(9300, 700)), spec, plan


def levels_of(samples, spec):
    return codec_of(spec).encode(samples / np.float32(32768))


def test_a_batch_is_a_function_of_seed_and_step():
    data, spec, plan = made()
    one, two, other = (Training(data, spec, plan, seed) for seed in (5, 5, 6))
    forwards = [one.at(step) for step in range(30)]
    backwards = [two.at(step) for step in reversed(range(30))][::-1]
    for a, b in zip(forwards, backwards, strict=True):
        assert np.array_equal(a.levels, b.levels) and np.array_equal(a.fresh, b.fresh)
    assert any(not np.array_equal(a.levels, other.at(step).levels) for step, a in enumerate(forwards))


def test_streams_walk_through_chunks_and_start_each_from_silence():
    data, spec, plan = made()
    training = Training(data, spec, plan, 0)
    codec = codec_of(spec)
    tracks = [levels_of(data.train[t.start : t.start + t.length], spec) for t in data.of("train")]
    before = None
    for step in range(3 * training.windows):
        levels, fresh = training.at(step)
        assert levels.shape == (3, 64 + 64) and levels.dtype == np.int64
        for b in range(3):
            if fresh[b]:
                assert (levels[b, :64] == codec.pad_level).all()
                assert any(_at(track, levels[b, 64:], codec.pad_level) for track in tracks)
            elif before is not None:
                assert np.array_equal(levels[b, :64], before[b, 64:])
                assert any(_at(track, levels[b], codec.pad_level) for track in tracks), "a chunk stays in its track"
        before = levels
    starts = {b: [s for s in range(training.windows * 2) if training.at(s).fresh[b]] for b in range(3)}
    assert len({tuple(s) for s in starts.values()}) == 3, "streams do not all begin together"
    assert all(np.diff(s).tolist() == [training.windows] for s in starts.values())


def test_an_epoch_hears_every_chunk_once():
    data, spec, plan = made(batch=1)
    training = Training(data, spec, plan, 3)
    count = len(training.chunks)
    heard = [
        training.at(step).levels[0, 64:].tobytes() for step in range(0, count * training.windows, training.windows)
    ]
    second = range(count * training.windows, 2 * count * training.windows, training.windows)
    again = [training.at(step).levels[0, 64:].tobytes() for step in second]
    assert len(set(heard)) == count == len(heard)
    assert sorted(heard) == sorted(again), "and the next epoch all again"
    assert heard != again, "in another order"


def test_windows_of_a_wavenet_have_their_receptive_field():
    data, spec, plan = made("ibab-wavenet-tiny")
    training = Training(data, spec, plan, 0)
    codec, rf = codec_of(spec), spec.receptive_field
    assert rf == 767
    tracks = [levels_of(data.train[t.start : t.start + t.length], spec) for t in data.of("train")]
    padded = [np.concatenate([np.full(rf, codec.pad_level), track, np.full(64, codec.pad_level)]) for track in tracks]
    beginnings = 0
    for step in range(20):
        levels, fresh = training.at(step)
        assert levels.shape == (3, rf + 64) and fresh.all()
        for row in levels:
            assert any(_at(track, row, codec.pad_level) for track in padded)
            beginnings += (row[:rf] == codec.pad_level).all()
    assert beginnings, "the first window of a track is among them"


def test_chunks():
    tracks = dataset(16, (30 * 16, 8 * 16, 5 * 16)).of("train")
    data = recipe("iclr2017-3tier").data
    eight = dataclasses.replace(data, hop_seconds=7.0)
    starts = [c.start for c in chunks(tracks[:1], 8 * 16, eight, 16)]
    assert [s / 16 for s in starts] == [0, 7, 14, 21, 22], "the end of a song is heard, too"
    assert [c.start / 16 for c in chunks(tracks[1:], 8 * 16, eight, 16)] == [30, 38], "a short song is one chunk"
    spread = chunks(tracks, 8 * 16, dataclasses.replace(data, chunks=640), 16)
    assert len(spread) == 640
    assert {c.track for c in spread} == {0, 1, 2}
    for c in spread:
        assert tracks[c.track].start <= c.start
        assert c.start + c.length <= tracks[c.track].start + max(tracks[c.track].length, c.length)
    assert len({c.start for c in spread}) > 300


def test_silent_chunks_are_left_out_by_the_recipe_s_rule():
    data, spec, plan = made(lengths=(4000,))
    quiet = dataclasses.replace(data, train=np.array(data.train))
    quiet.train[1000:2000] = 3
    rule = dataclasses.replace(plan.data, silence_db=-64.0, silence_seconds=0.25, hop_seconds=0.5)
    plan = dataclasses.replace(plan, data=rule)
    training = Training(quiet, spec, plan, 0)
    length = training.windows * 64
    assert training.silent == 2
    assert [c.start for c in training.chunks] == [0, 500, 2000, 2500, 3000, 3500, 4000 - length]
    quiet.train[:] = 0
    with pytest.raises(AudioError, match=r"all silent: each has 250 ms at or below -64 dBFS; .*data\.silence_db=-inf"):
        Training(quiet, spec, plan, 0)


@pytest.mark.parametrize("name", ["prism-3tier-tiny", "ibab-wavenet-tiny"])
def test_validation_hears_all_held_out_music_once_and_nothing_else(name):
    data, spec, plan = made(name)
    everything = Validation(data, spec, plan, None)
    groups = list(everything.by_track(2))
    assert [track for track, _ in groups] == ["val0.wav", "val1.wav"]
    stretches = [s for _, group in groups for s in group]
    context, length = everything.context, stretches[0].length
    assert 3900 < length <= 4000
    assert [s.start for s in stretches] == [0, length, 9300]
    assert 600 < stretches[2].length <= 700, "a short song is heard without silence behind it"
    held = levels_of(data.val, spec)
    for stretch in stretches:
        row = everything.levels(stretch)
        assert len(row) == context + stretch.length
        assert np.array_equal(row[context:], held[stretch.start :][: stretch.length])
    before = everything.levels(stretches[1])[:context]
    if name.startswith("ibab"):
        assert np.array_equal(before, held[length - context : length]), "its receptive field is real"
    else:
        assert (before == codec_of(spec).pad_level).all(), "it starts fresh"
    assert len(Validation(data, spec, plan, 1.0).stretches) == 2, "every held-out song has a say"


def _at(track, row, pad):
    """Whether `row` is a piece of `track`, silence after its end included."""
    track = np.concatenate([track, np.full(len(row), pad)])
    views = np.lib.stride_tricks.sliding_window_view(track, len(row))
    return bool((views == row).all(axis=1).any())


def test_the_tiny_preset_learns_no_pauses():
    """A tenth of a second of silence in ten seconds keeps the chunks around it out, and no others."""
    spec, plan = preset("dadabots-2tier-tiny"), recipe("dadabots-2tier-tiny")
    rate = spec.sample_rate
    music = dataset(rate, (40 * rate,))
    assert Training(music, spec, plan, 0).silent == 0
    music.train[round(17.0 * rate) : round(17.1 * rate)] = 0
    training = Training(music, spec, plan, 0)
    assert training.silent == 2
    length = training.windows * training.chunk_len / rate
    assert all(not c.start / rate < 17 < c.start / rate + length for c in training.chunks)
