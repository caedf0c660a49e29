"""What songs are to a model: levels of samples, or codes of a tokenizer that is fitted to them."""

import dataclasses

import numpy as np
import pytest

from made_songs import dataset
from sharks.dataset.dataset import Dataset
from sharks.recipes.presets import preset
from sharks.recipes.recipe import DataRecipe, Recipe, TrainRecipe
from sharks.spec import CodesSpec
from sharks.training.music.batches import Training, Validation
from sharks.training.music.material import material_of

SPEC = CodesSpec(bands=20, window=512, hop=128, dims=12, books=3, q_levels=16, hidden=8, width=8)
FRAME, Q = SPEC.pace.samples, SPEC.books


@pytest.fixture(scope="module")
def songs() -> Dataset:
    return dataset(16000, (16000 * 6, 16000 * 4), (16000 * 3,))


def test_samples_stay_what_they_were(songs):
    spec = preset("dadabots-2tier-tiny")
    material = material_of(songs, spec, DataRecipe())
    assert (material.rate, material.unit, material.constants) == (16000, "sample", {})
    assert material.counts.sum() == len(songs.train)


def test_songs_become_codes_track_by_track(songs):
    material = material_of(songs, SPEC, DataRecipe())
    assert material.rate == pytest.approx(16000 / FRAME * Q) and material.unit == "code" and material.counts is None
    assert [track.length for track in material.train.tracks] == [n // FRAME * Q for n in (96000, 64000)]
    assert [track.start for track in material.train.tracks] == [0, 96000 // FRAME * Q]
    assert {name: a.shape for name, a in material.constants.items()} == {
        name: shape for name, shape in SPEC.tensors() if name in SPEC.constants()
    }
    assert 0 < material.order0 < 20


def test_what_is_not_there_is_padded(songs):
    split = material_of(songs, SPEC, DataRecipe()).train
    first = split.tracks[0]
    levels = split.levels(first.start - 9, first.start + 6, first.start, first.start + first.length)
    assert (levels[:9] == 8).all() and np.array_equal(levels[9:], split.codes[:6])
    end = first.start + first.length
    assert (split.levels(end - 3, end + 6, first.start, end)[3:] == 8).all()


def test_renderings_are_other_songs_at_other_speeds_and_the_same_every_time(songs):
    one, same = (material_of(songs, SPEC, DataRecipe(renderings=5), seed=3) for _ in range(2))
    other = material_of(songs, SPEC, DataRecipe(renderings=5), seed=4)
    lengths = [track.length for track in one.train.tracks]
    assert len(lengths) == 10 and len(one.val.tracks) == 1
    assert max(lengths[:5]) > 1.1 * min(lengths[:5]) and lengths[0] == 96000 // FRAME * Q
    assert np.array_equal(one.train.codes, same.train.codes)
    assert not np.array_equal(one.train.codes[: lengths[0]], other.train.codes[: lengths[0]])


def test_a_known_tokenizer_is_not_fitted_anew(songs, monkeypatch):
    known = material_of(songs, SPEC, DataRecipe()).constants
    monkeypatch.setattr("sharks.families.registry.fitted", None)  # cannot be called
    again = material_of(songs, SPEC, DataRecipe(), constants=known)
    assert again.constants is known


def test_batches_are_whole_frames(songs):
    recipe = Recipe(
        "made", data=DataRecipe(chunk_seconds=1.0, hop_seconds=0.5), train=TrainRecipe(batch=2, chunk_len=45)
    )
    training = Training(songs, SPEC, recipe, 0)
    batch = training.at(0)
    assert batch.levels.shape == (2, SPEC.context + 45) and batch.levels.max() < 16
    spread = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, chunks=7))
    for chunk in [*training.chunks, *Training(songs, SPEC, spread, 0).chunks]:
        assert (chunk.start - training._music.tracks[chunk.track].start) % Q == 0, "a chunk begins with a frame"
    for stretch in Validation(songs, SPEC, recipe, None).stretches:
        assert stretch.start % Q == 0 and stretch.length % Q == 0


def test_the_scale_makes_frames_of_power_one(songs):
    material = material_of(songs, SPEC, DataRecipe())
    books, codes = material.constants["tokenizer.books"], material.train.codes.reshape(-1, Q)
    rows = sum(books[q][codes[:, q]] for q in range(Q))
    scaled = rows * material.constants["prior.scale"][:12]
    assert np.allclose((scaled**2).mean(0), 1, atol=0.1)
