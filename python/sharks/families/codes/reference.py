"""The prior of a codes model, one step.

Codes are predicted frame by frame, and within a frame book by book. Once per frame recurrent layers hear what the last
frame sounded like, and how it differs from the one before: the sums of its codes' entries. From what they say, each
book has a small network of its own, which also sees the sum of this frame's entries so far.

    step        0       1       2    ...  books     ...
    layers      run                       run
    book        0       1       2    ...  0         ...
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numpy_parts.player import State, Tap
from ..numpy_parts.weights import Floats, Weights, product, relu, sigmoid
from .spec import CodesSpec


class Codes:
    """The model of `player.Player`."""

    def __init__(self, spec: CodesSpec, weights: Weights, condition: None = None) -> None:
        self.spec, self.weights = spec, weights

    def begin(self, state: State) -> None:
        """The hidden vectors begin as zeros."""

    def predict(self, state: State, tap: Tap) -> Floats:
        # All streams stand at the same book.
        book = int(state["position"][0]) % self.spec.books
        levels = state["levels"]
        past, now = levels[:, : levels.shape[1] - book], levels[:, levels.shape[1] - book :]
        entering = self.entering(past)
        if book == 0:
            self.run_layers(entering, state, tap)
        said = self.normed(state["prior.h"][:, -1] + entering)
        if book == 0:
            said = tap("prior.norm", said)
        name = f"prior.heads.{book}"
        x = self.weights.linear(f"{name}.hidden", said)
        if book:
            x = x + product(self.weights[f"{name}.partial.weight"], self.meant(now))
        return tap("logits", self.weights.linear(f"{name}.out", tap("prior.head", relu(x))))

    def entering(self, past: NDArray[np.int32]) -> Floats:
        """What the layers hear of the last two whole frames of `past`."""
        Q = self.spec.books
        last, before = self.meant(past[:, -Q:]), self.meant(past[:, -2 * Q : -Q])
        x = np.concatenate([last, last - before], axis=1) * self.weights["prior.scale"]
        return self.weights.linear("prior.in", x)

    def meant(self, codes: NDArray[np.int32]) -> Floats:
        """The sum of entries, one of each book: (B, books so far) -> (B, dims)."""
        books, total = self.weights["tokenizer.books"], np.zeros((len(codes), self.spec.dims))
        for number in range(codes.shape[1]):
            total += books[number, codes[:, number]]
        return total

    def run_layers(self, x: Floats, state: State, tap: Tap) -> None:
        """One frame of the recurrent layers: their hidden vectors move on."""
        for k in range(self.spec.layers):
            name, h = f"prior.rnn.{k}", state["prior.h"][:, k]
            from_x = product(self.weights[f"{name}.w_ih"], x) + self.weights[f"{name}.b_ih"]
            from_h = product(self.weights[f"{name}.w_hh"], h) + self.weights[f"{name}.b_hh"]
            (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(from_x, 3, axis=1), np.split(from_h, 3, axis=1)
            r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
            state["prior.h"][:, k] = (1 - z) * np.tanh(x_n + r * h_n) + z * h
            x = tap(name, state["prior.h"][:, k].copy())

    def normed(self, x: Floats) -> Floats:
        """Each row without its mean, divided by its deviation (Ba et al., arXiv:1607.06450)."""
        centred = x - x.mean(1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + NORM_EPSILON)
        return scaled * self.weights["prior.norm.weight"] + self.weights["prior.norm.bias"]


NORM_EPSILON = 1e-5
