"""Sound to codes and back: what is nearest, what is lost, and that nothing depends on company or chance."""

import numpy as np
import pytest

from made_songs import music as made
from sharks.families.codes.tokenizer import quantiser
from sharks.families.codes.tokenizer.fit import fit
from sharks.families.codes.tokenizer.tokenizer import Tokenizer, frames, mel_of
from sharks.spec import CodesSpec

SPEC = CodesSpec(bands=20, window=512, hop=128, dims=12, books=3, q_levels=16, hidden=8, width=8)


@pytest.fixture(scope="module")
def music():
    return [made(4.0, seed, SPEC.sample_rate) for seed in range(3)]


@pytest.fixture(scope="module")
def tensors(music):
    return fit([lambda sound=sound: sound for sound in music], SPEC, seed=1)


def error(sound, tensors, spec=SPEC):
    """Decibels between log-mel frames and what is left of them."""
    tokenizer = Tokenizer(spec, tensors)
    found, wanted = tokenizer.decode(tokenizer.encode(sound)), frames(sound, spec).reshape(-1, spec.bands)
    return float(np.sqrt(((found - wanted) ** 2).mean())) * 20 / np.log(10)


def test_shapes_and_types(music, tensors):
    wanted = {name: shape for name, shape in SPEC.tensors() if name in SPEC.constants()}
    assert {name: array.shape for name, array in tensors.items()} == wanted
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in tensors.values())
    codes = Tokenizer(SPEC, tensors).encode(music[0])
    assert codes.shape == (len(music[0]) // SPEC.pace.samples, SPEC.books) and codes.dtype == np.int32
    assert 0 <= codes.min() and codes.max() < SPEC.q_levels
    assert Tokenizer(SPEC, tensors).decode(codes).shape == (2 * len(codes), SPEC.bands)


def test_more_books_lose_less(music):
    errors = []
    for books in (1, 2, 4, 8):
        spec = CodesSpec(bands=20, window=512, hop=128, dims=12, books=books, q_levels=16, hidden=8, width=8)
        errors.append(error(music[0], fit([lambda: music[0]], spec, seed=1), spec))
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.7 * errors[0]


def test_books_of_music_fit_music_better_than_books_of_noise(music, tensors):
    noise = np.random.default_rng(0).normal(0, 0.1, len(music[0])).astype(np.float32)
    assert error(music[0], tensors) < 0.5 * error(music[0], fit([lambda: noise], SPEC, seed=1))


def test_the_same_music_and_seed_give_the_same_tokenizer(music, tensors):
    again = fit([lambda sound=sound: sound for sound in music], SPEC, seed=1)
    assert all(np.array_equal(again[name], tensors[name]) for name in tensors)
    other = fit([lambda sound=sound: sound for sound in music], SPEC, seed=2)
    assert not np.array_equal(other["tokenizer.books"], tensors["tokenizer.books"])


def test_a_frame_means_the_same_alone_and_in_company(music, tensors):
    tokenizer = Tokenizer(SPEC, tensors)
    codes = tokenizer.encode(music[0])
    whole = tokenizer.decode(codes)
    alone = np.concatenate([tokenizer.decode(codes[i : i + 1]) for i in range(len(codes))])
    assert np.array_equal(alone, whole)
    both = tokenizer.decode(np.stack([codes[::-1], codes]))
    assert np.array_equal(both[1], whole)


def test_a_frame_hears_nothing_after_its_window(music):
    sound, length = music[0], SPEC.pace.samples
    reach = SPEC.window // 2 + SPEC.hop  # of the last mel frame beyond its middle, and then some
    changed = sound.copy()
    changed[20 * length + reach :] = 0
    assert np.array_equal(frames(changed, SPEC)[:20], frames(sound, SPEC)[:20])
    changed[19 * length :] = 0
    assert not np.array_equal(frames(changed, SPEC)[:20], frames(sound, SPEC)[:20])


def test_silence_and_short_sounds(tensors):
    tokenizer = Tokenizer(SPEC, tensors)
    silent = frames(np.zeros(4 * SPEC.pace.samples, np.float32), SPEC)
    assert np.allclose(silent, np.log(mel_of(SPEC).floor))
    assert tokenizer.encode(np.zeros(SPEC.pace.samples - 1, np.float32)).shape == (0, SPEC.books)
    assert tokenizer.encode(np.zeros(SPEC.pace.samples, np.float32)).shape == (1, SPEC.books)
    assert tokenizer.decode(np.zeros((0, SPEC.books), np.int32)).shape == (0, SPEC.bands)


def test_the_nearest_entry_is_found_and_of_equals_the_lowest():
    draw = np.random.default_rng(3)
    rows, book = draw.normal(size=(500, 7)).astype(np.float32), draw.normal(size=(33, 7)).astype(np.float32)
    book[20] = book[4]
    rows[7] = book[20]
    wanted = ((rows[:, None].astype(np.float64) - book) ** 2).sum(2)
    places, distances = quantiser.nearest(rows, book)
    assert np.array_equal(places, wanted.argmin(1)) and places[7] == 4
    assert np.allclose(distances, wanted.min(1), atol=1e-4)


def test_each_book_quantises_what_the_ones_before_left():
    draw = np.random.default_rng(4)
    rows, books = draw.normal(size=(50, 5)).astype(np.float32), draw.normal(size=(3, 9, 5)).astype(np.float32)
    codes, left = quantiser.encode(rows, books), rows.astype(np.float64)
    for q in range(3):
        assert np.array_equal(codes[:, q], ((left[:, None] - books[q]) ** 2).sum(2).argmin(1))
        left = left - books[q][codes[:, q]]
    assert np.allclose(quantiser.decode(codes, books), rows - left, atol=1e-5)


def test_no_entry_is_dead_where_there_is_enough_to_hold():
    rows = np.random.default_rng(5).normal(size=(4000, 4)).astype(np.float32)
    rows[:3900] *= 0.01  # all but a few lie on a heap, so that entries begin where nothing is
    books = quantiser.fit(rows, 1, 64, np.random.default_rng(6))
    assert len(np.unique(quantiser.encode(rows, books))) == 64


def test_fewer_rows_than_entries_are_no_trouble():
    rows = np.eye(3, dtype=np.float32)
    books = quantiser.fit(rows, 2, 8, np.random.default_rng(7))
    assert np.isfinite(books).all()
    assert np.allclose(quantiser.decode(quantiser.encode(rows, books), books), rows, atol=1e-6)
