"""Residual quantisation: each book has the entries nearest to what the books before it left over.

A row is the sum of one entry of each book. Books are fitted one after another by k-means (Lloyd 1982), begun with rows
drawn at random; an entry that nothing is nearest to begins anew as a row that is badly served.
"""

from __future__ import annotations

import typing

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]  # (n, D)
Books = NDArray[np.float32]  # (Q, K, D)

ROUNDS = 20  # of k-means
_BLOCK = 1 << 14  # rows whose distances are in memory at once


def fit(rows: Rows, books: int, entries: int, draw: np.random.Generator) -> Books:
    """Books for rows (n, D): float32 (books, entries, D). The same for the same rows and `draw`."""
    left, found = rows.copy(), np.zeros((books, entries, rows.shape[1]), np.float32)
    for book in found:
        book[:] = _k_means(left, entries, draw)
        left -= book[nearest(left, book)[0]]
    return found


def encode(rows: Rows, books: Books) -> NDArray[np.int32]:
    """The nearest entry of each book to what is left of each row: int32 (n, Q); of equals the lowest."""
    left, found = rows.copy(), np.empty((len(rows), len(books)), np.int32)
    for number, book in enumerate(books):
        found[:, number] = nearest(left, book)[0]
        left -= book[found[:, number]]
    return found


def decode(codes: NDArray[typing.Any], books: Books) -> Rows:
    """The rows that codes (..., Q) stand for: float32 (..., D). Entries are added in the order of the books."""
    total = np.zeros((*codes.shape[:-1], books.shape[2]), np.float32)
    for number, book in enumerate(books):
        total += book[codes[..., number]]
    return total


def nearest(rows: Rows, book: Rows) -> tuple[NDArray[np.int64], Rows]:
    """For each row the entry of a book (K, D) at the least distance, and the square of that distance."""
    places, distances = np.empty(len(rows), np.int64), np.empty(len(rows), np.float32)
    sizes = (book.astype(np.float64) ** 2).sum(1).astype(np.float32)
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK]
        from_each = sizes - 2 * (some @ book.T)
        found = from_each.argmin(1)
        places[start : start + len(some)] = found
        distances[start : start + len(some)] = from_each[np.arange(len(some)), found] + (some**2).sum(1)
    return places, np.maximum(distances, 0)


def _k_means(rows: Rows, entries: int, draw: np.random.Generator) -> Rows:
    book = rows[draw.choice(len(rows), entries, replace=len(rows) < entries)].copy()
    for _ in range(ROUNDS):
        places, distances = nearest(rows, book)
        counts = np.bincount(places, minlength=entries)
        sums = np.stack([np.bincount(places, column, entries) for column in rows.T], axis=1)
        used = counts > 0
        book[used] = (sums[used] / counts[used, None]).astype(np.float32)
        if (dead := np.flatnonzero(~used)).size and (weight := distances.sum(dtype=np.float64)) > 0:
            book[dead] = rows[draw.choice(len(rows), dead.size, p=distances / weight)]
    return book
