"""The noise is the one that was stated, and draws follow the softmax."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from sharks import Error
from sharks.levels import sampling
from sharks.levels.sampling import draw, gumbel, log, philox, uniform

# Known answers published with Random123 (kat_vectors, philox 4x32, 10 rounds): counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
# gumbel(1, [0, 7], [0, 2**40], 5), as the bits of its float32 values.
FROZEN = ["4009bb9c 400c85df 3f202bdf 3f89d27b 3f6c2d02", "3fe24bbf 3d3192ab bf5263b6 be945fab 3f3e13ef"]
ALL_WORDS = np.arange(2**23, dtype=np.uint32) << np.uint32(9)


def words(text: str) -> np.ndarray:
    return np.array([int(w, 16) for w in text.split()], np.uint32)


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, result):
    assert philox(words(counter), words(key)).tolist() == words(result).tolist()


def test_philox_broadcasts_counters_over_keys():
    counters = np.stack([words(c) for c, _, _ in KNOWN])
    keys = np.stack([words(k) for _, k, _ in KNOWN])
    assert philox(counters, keys).tolist() == [words(r).tolist() for _, _, r in KNOWN]
    assert philox(counters[0], keys[:2]).shape == (2, 4)


def test_uniform_is_exact_and_never_0_or_1():
    u = uniform(ALL_WORDS)
    exact = (np.arange(2**23) + 0.5) / 2**23
    assert u.dtype == np.float32
    assert (u.astype(np.float64) == exact).all()
    assert 0 < u.min() and u.max() < 1
    assert (uniform(ALL_WORDS | np.uint32(511)) == u).all()  # the lower nine bits do not count


def test_the_logarithm_keeps_its_stated_error_over_every_u():
    u = uniform(ALL_WORDS)
    minus_log = -log(u)
    exact = -np.log(u.astype(np.float64))
    error = np.abs(minus_log - exact)
    assert error.max() < 4.91e-7
    assert (error / np.spacing(exact.astype(np.float32))).max() < 0.84
    g = -log(minus_log)
    assert np.abs(g + np.log(exact)).max() < 5.34e-7
    assert g.min() == np.float32(-2.8115408) and g.max() == np.float32(16.635532)
    assert (np.diff(g[::64]) > 0).all()  # more u, more g


def test_the_noise_is_what_the_statement_says():
    """Spelled out in Python integers and float64 for a few places."""
    seed, stream, step, q = 0x0123456789ABCDEF, 0xFEDCBA98, 0x1_0000_0007, 11
    noise = gumbel(seed, [stream], step, q)[0]
    assert noise.shape == (q,) and noise.dtype == np.float32
    for k in range(q):
        counter = np.array([k // 4, step & 0xFFFFFFFF, step >> 32, stream], np.uint32)
        word = int(philox(counter, np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint32))[k % 4])
        u = ((word >> 9) + 0.5) * 2.0**-23
        assert noise[k] == pytest.approx(-np.log(-np.log(u)), abs=5.34e-7)


def test_the_noise_has_these_bits():
    """Frozen, so that a changed constant or order of operations is seen here first."""
    bits = gumbel(1, [0, 7], [0, 2**40], 5).view(np.uint32)
    assert bits.tolist() == [words(row).tolist() for row in FROZEN]


def chi_square(temperature: float, draws: int = 200_000) -> tuple[float, int]:
    """Pearson's statistic of draws against softmax(logits / temperature), and its degrees of freedom."""
    logits = np.random.default_rng(3).permutation(np.linspace(-2, 2, 33, dtype=np.float32))
    levels = draw(np.tile(logits, (draws, 1)), temperature, 5, np.arange(draws) % 64, np.arange(draws) // 64)
    p = np.exp((logits - logits.max()).astype(np.float64) / temperature)
    expected = draws * p / p.sum()
    assert expected.min() > 5
    return float(((np.bincount(levels, minlength=33) - expected) ** 2 / expected).sum()), 32


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_draws_follow_the_softmax(temperature):
    statistic, freedom = chi_square(temperature)
    # Wilson and Hilferty's approximation of the quantile that one honest seed in a million exceeds.
    assert statistic < freedom * (1 - 2 / (9 * freedom) + 4.75 * (2 / (9 * freedom)) ** 0.5) ** 3


def test_chi_square_would_notice_noise_5_percent_too_large(monkeypatch):
    plain = sampling.gumbel
    monkeypatch.setattr(sampling, "gumbel", lambda *a: plain(*a) * np.float32(1.05))
    assert chi_square(1.0)[0] > 200


def test_temperature_0_is_the_argmax_with_ties_to_the_lowest():
    logits = np.array([[0, 2, 1, 2, -1], [-3, -3, -3, -3, -3], [0, -0.0, 0, 0, 0]], np.float32)
    assert draw(logits, 0.0, 9, [0, 1, 2], 4).tolist() == [1, 0, 0]


def test_temperature_is_per_stream():
    logits = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (500, 1))
    levels = draw(logits, np.where(np.arange(500) < 250, 0, 1).astype(np.float32), 2, np.arange(500), 0)
    assert (levels[:250] == 63).all() and len(set(levels[250:].tolist())) > 40


@hypothesis.given(
    seed=st.integers(0, 2**64 - 1),
    streams=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6),
    step=st.integers(0, 2**63 - 2),
    q=st.integers(2, 40),
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_noise_does_not_depend_on_the_batch(seed, streams, step, q):
    steps = [step + (i & 1) for i in range(len(streams))]
    together = gumbel(seed, streams, steps, q)
    for i, (stream, at) in enumerate(zip(streams, steps, strict=True)):
        assert (gumbel(seed, [stream], at, q)[0] == together[i]).all()
    assert (gumbel(seed, streams, steps, q + 5)[:, :q] == together).all()


def test_seed_stream_and_step_each_change_the_noise():
    base = gumbel(1, [1], 1, 64)
    for other in (gumbel(1 + 2**32, [1], 1, 64), gumbel(1, [2], 1, 64), gumbel(1, [1], 1 + 2**32, 64)):
        assert (other != base).mean() > 0.9


@pytest.mark.parametrize(
    ("seed", "streams", "steps", "name"),
    [
        (-1, [0], 0, "seed"),
        (2**64, [0], 0, "seed"),
        (0.5, [0], 0, "seed"),
        (0, [2**32], 0, "stream"),
        (0, [-1], 0, "stream"),
        (0, [0], -1, "step"),
    ],
)
def test_what_does_not_fit_the_counter_is_refused(seed, streams, steps, name):
    with pytest.raises(Error, match=f"^{name} "):
        gumbel(seed, streams, steps, 4)
