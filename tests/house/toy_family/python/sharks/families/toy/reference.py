"""IRNN (Le, Jaitly and Hinton 2015), one step.

    h' = relu(W_ih embed[newest level] + W_hh h + b),    logits = W_out h' + b_out

The state holds h, which has seen all levels but the newest; a step feeds that one and predicts the next.
"""

from __future__ import annotations

from ..numpy_parts.player import State, Tap
from ..numpy_parts.weights import Floats, Weights, product, relu
from .spec import ToySpec


class Toy:
    """The model of `player.Player`."""

    def __init__(self, spec: ToySpec, weights: Weights, condition: None = None) -> None:
        self.weights = weights

    def begin(self, state: State) -> None:
        """Zeros, as the state is."""

    def predict(self, state: State, tap: Tap) -> Floats:
        w = self.weights
        heard = product(w["rnn.w_ih"], w["embed.weight"][state["levels"][:, -1]])
        state["h"] = tap("hidden", relu(heard + product(w["rnn.w_hh"], state["h"]) + w["rnn.b_ih"]))
        return tap("logits", w.linear("out", state["h"]))
