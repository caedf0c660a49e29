"""What an imported pack predicts, in every player."""

from __future__ import annotations

import numpy as np

from compare import assert_close
from players import PLAYERS
from sharks.packs.pack import Pack


def forced(pack: Pack, codes: np.ndarray, make, condition=None) -> np.ndarray:
    """The predictions float32 (B, T - lookback, Q) of all but the first `lookback` codes, each from those before it."""
    history = pack.spec.lookback
    player = make(pack.spec, pack.tensors, len(codes), condition)
    player.reset(np.ascontiguousarray(codes[:, :history], np.int32))
    logits, _ = player.force(np.ascontiguousarray(codes[:, history:], np.int32))
    return np.asarray(logits, np.float32)


def assert_plays(pack: Pack, codes: np.ndarray, want: np.ndarray, limit: float, first: int = 0, condition=None) -> None:
    """Every player predicts `want` float (B, T - lookback - first, Q) from row `first` on, within `limit`."""
    for make in PLAYERS.values():
        assert_close(forced(pack, codes, make, condition)[:, first:], np.asarray(want, np.float32), limit=limit)


def codes(q_levels: int, streams: int, time: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, q_levels, (streams, time), dtype=np.int32)
