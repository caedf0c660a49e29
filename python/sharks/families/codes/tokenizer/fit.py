"""A tokenizer fitted to music: its axes, and its books."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from . import quantiser
from .tokenizer import Fields, Tensors, Tokenizer, frames

MOST_FRAMES = 1 << 17  # that books are fitted to: more of them cost time and say nothing new
Sound = NDArray[np.float32]  # (samples,)
Song = Callable[[], Sound]


def fit(
    songs: Sequence[Song],
    spec: Fields,
    seed: int,
    through: Callable[[Sound, np.random.Generator], Sound] | None = None,
) -> Tensors:
    """The tensors of a tokenizer: `tokenizer.mean` [pair * bands], `.basis` [dims, pair * bands] and `.books` [books,
    q_levels, dims]; and `prior.scale` [2 * dims].

    `songs` are read one at a time. Each is heard as it is, from half a code frame later, so that it does not matter
    where a frame begins, and, where `through` is given, once through that: an equaliser, say, for other mixes.
    """
    draw = np.random.default_rng([seed, 0xC0DE])
    rows = np.concatenate([_some(heard, draw) for song in songs for heard in _versions(song(), spec, draw, through)])
    if len(rows) > MOST_FRAMES:
        rows = rows[np.sort(draw.choice(len(rows), MOST_FRAMES, replace=False))]
    mean = rows.mean(0, dtype=np.float64)
    basis = _axes(rows - mean.astype(np.float32), spec.dims)
    books = quantiser.fit((rows - mean.astype(np.float32)) @ basis.T, spec.books, spec.q_levels, draw)
    found = {"tokenizer.mean": mean.astype(np.float32), "tokenizer.basis": basis, "tokenizer.books": books}
    return found | {"prior.scale": _scale(songs, spec, found)}


def _scale(songs: Sequence[Song], spec: Fields, tensors: Tensors) -> NDArray[np.float32]:
    """What makes the dequantised frames of music, and their differences, of power 1: (2 * dims,)."""
    tokenizer = Tokenizer(spec, tensors)
    squares, count = np.zeros(2 * spec.dims), 0
    for song in songs:
        rows = quantiser.decode(tokenizer.encode(song()), tensors["tokenizer.books"]).astype(np.float64)
        squares += np.concatenate([(rows**2).sum(0), (np.diff(rows, axis=0) ** 2).sum(0)])
        count += len(rows)
    return np.asarray(1 / np.sqrt(squares / max(1, count) + 1e-6), np.float32)


def _versions(
    song: Sound, spec: Fields, draw: np.random.Generator, through: Callable[[Sound, np.random.Generator], Sound] | None
) -> Iterator[NDArray[np.float32]]:
    yield frames(song, spec)
    yield frames(song, spec, shift=spec.hop)
    if through is not None:
        yield frames(through(song, draw), spec)


def _some(rows: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
    """At most as many rows of one song as are needed in all."""
    return rows if len(rows) <= MOST_FRAMES else rows[np.sort(draw.choice(len(rows), MOST_FRAMES, replace=False))]


def _axes(centred: NDArray[np.float32], dims: int) -> NDArray[np.float32]:
    """The orthonormal directions of most variance, (dims, width), each with its largest number positive."""
    covariance = centred.T.astype(np.float64) @ centred / max(1, len(centred))
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :dims].T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return np.asarray(axes * np.sign(largest), np.float32)
