"""Chance, stated once: which noise a draw uses, to the bit, and how a level follows from logits.

    level = argmax_k(logits[k] + temperature * g[k]),  ties to the lowest k

which draws from softmax(logits / temperature) (the Gumbel-max identity) and needs no softmax. The noise is a function
of (seed, stream, step, k) and of nothing else: not of the batch, the thread, the chunk, or what was drawn before.

- Words: Philox4x32-10 with key = seed (64 bits, low word first) and counter = (k div 4, step low, step high, stream);
  level k takes word k mod 4.
- u = ((word >> 9) + 0.5) * 2^-23, exact in float32, from 2^-24 to 1 - 2^-24.
- g = -log(-log u) with the `log` below. Every product and every sum rounds to float32 on its own: a compiler
  that fuses a product with a sum (FMA) draws other bits. `csrc/core/chance/sampling.h` follows the same order of
  operations.
- score = logit + (temperature * g), again two roundings.

Errors against float64, the largest over all 2^23 values of u: -log u within 4.91e-7 absolute and 0.84 ulp; g within
5.34e-7 absolute (g runs from -2.8115 to 16.6356).

Philox: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError

_F = np.float32
_MASK = np.uint64(0xFFFFFFFF)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], np.uint32)

SQRT_HALF_BITS = 0x3F3504F3  # the float32 next to sqrt(1/2), as an integer
# log(1 + z) = z - z^2/2 + z^3 P(z) on [sqrt(1/2) - 1, sqrt(2) - 1]; P, lowest power first, minimises the largest
# relative error of the whole.
LOG_P = tuple(
    _F(float.fromhex(c))
    for c in (
        "0x1.555554p-2",
        "-0x1.000226p-2",
        "0x1.99a01cp-3",
        "-0x1.54728ap-3",
        "0x1.22d92ep-3",
        "-0x1.0d8242p-3",
        "0x1.055ec6p-3",
        "-0x1.38c9dep-4",
    )
)
LN2_HIGH = _F(float.fromhex("0x1.62e4p-1"))  # 15 bits, so that its product with an exponent is exact
LN2_LOW = _F(float.fromhex("0x1.7f7d1cp-20"))


def philox(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Philox4x32-10: `counter` uint32 (..., 4) and `key` uint32 (..., 2), broadcast -> uint32 (..., 4)."""
    c0, c1, c2, c3 = np.moveaxis(np.asarray(counter, np.uint32), -1, 0)
    key = np.asarray(key, np.uint32)
    for _ in range(10):
        high0, low0 = _multiply(_MULTIPLIERS[0], c0)
        high1, low1 = _multiply(_MULTIPLIERS[1], c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ key[..., 0], low1, high0 ^ c3 ^ key[..., 1], low0
        key = key + _KEY_STEPS
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), -1)


def _multiply(a: np.uint64, b: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The high and the low word of a 32 x 32 bit product."""
    product = a * b.astype(np.uint64)
    return (product >> np.uint64(32)).astype(np.uint32), (product & _MASK).astype(np.uint32)


def uniform(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The upper 23 bits of each word as the middle of their cell in (0, 1); exact, so never 0 and never 1."""
    return ((words >> np.uint32(9)).astype(_F) + _F(0.5)) * _F(2.0**-23)


def log(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The natural logarithm of normal positive float32 numbers, within 0.84 ulp on the values of u.

    x = m * 2^k with m in [sqrt(1/2), sqrt(2)), read off the bits; m - 1 is exact. Small terms are added first.
    """
    bits = np.asarray(x, _F).view(np.int32)
    exponent = (bits - np.int32(SQRT_HALF_BITS)) >> np.int32(23)
    z = (bits - (exponent << np.int32(23))).view(_F) - _F(1)
    k = exponent.astype(_F)
    p = np.full(z.shape, LOG_P[-1])
    for c in LOG_P[-2::-1]:
        p = p * z + c
    square = z * z
    total = (p * z) * square
    total = total + k * LN2_LOW
    total = total - _F(0.5) * square
    total = total + z
    return total + k * LN2_HIGH


def gumbel(seed: int, streams: ArrayLike, steps: ArrayLike, q: int) -> NDArray[np.float32]:
    """Standard Gumbel noise, float32 (B, q), for `streams` int (B,) at `steps` int (B,) or one int.

    Raises `UsageError` where a seed, stream or step does not fit its words of the counter.
    """
    seeds = _words("seed", seed, 64)
    stream, step = np.broadcast_arrays(_words("stream", np.atleast_1d(streams), 32), _words("step", steps, 64))
    counter = np.empty((len(stream), -(-q // 4), 4), np.uint32)
    counter[..., 0] = np.arange(counter.shape[1], dtype=np.uint32)
    counter[..., 1] = (step & _MASK)[:, None]
    counter[..., 2] = (step >> np.uint64(32))[:, None]
    counter[..., 3] = stream[:, None]
    key = np.array([seeds & _MASK, seeds >> np.uint64(32)], np.uint32)
    words = philox(counter, key).reshape(len(stream), -1)[:, :q]
    return -log(-log(uniform(words)))


def white(seed: int, streams: ArrayLike, first: int, count: int) -> NDArray[np.float32]:
    """White noise of power 1, evenly distributed, float32 (B, count): samples `first` and after of `streams` int (B,).

    Sample t of a stream is word t mod 4 of counter (2^32 - 1, t div 4 low, t div 4 high, stream), where no draw is, for
    a spec has fewer levels than that: so it depends on seed, stream and t alone.
    """
    blocks = np.arange(first // 4, (first + count + 3) // 4, dtype=np.uint64)
    seeds, stream = _words("seed", seed, 64), _words("stream", np.atleast_1d(streams), 32)
    counter = np.empty((len(stream), len(blocks), 4), np.uint32)
    counter[..., 0] = 0xFFFFFFFF
    counter[..., 1] = blocks & _MASK
    counter[..., 2] = blocks >> np.uint64(32)
    counter[..., 3] = stream[:, None]
    words = philox(counter, np.array([seeds & _MASK, seeds >> np.uint64(32)], np.uint32)).reshape(len(stream), -1)
    here = words[:, first % 4 : first % 4 + count]
    return (uniform(here) - _F(0.5)) * _F(12**0.5)


def draw(
    logits: NDArray[np.float32], temperature: ArrayLike, seed: int, streams: ArrayLike, steps: ArrayLike
) -> NDArray[np.int32]:
    """One level per stream: `logits` float32 (B, q), `temperature` float32 (B,) or one number -> int32 (B,).

    Temperature 0 multiplies the noise away: the highest logit, ties to the lowest level.
    """
    logits = np.asarray(logits, _F)
    noise = gumbel(seed, streams, steps, logits.shape[1])
    scores = logits + np.broadcast_to(np.asarray(temperature, _F), len(logits))[:, None] * noise
    return scores.argmax(1).astype(np.int32)


def _words(name: str, value: ArrayLike, bits: int) -> NDArray[np.uint64]:
    """`value` as uint64, if it is a whole number of at most `bits` bits."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":  # among others Python integers beyond 64 bits
        raise UsageError(f"{name} is {value!r}; wanted whole numbers from 0 to 2^{bits} - 1")
    if array.size and (array.min() < 0 or int(array.max()) >> bits):
        raise UsageError(f"{name} reaches from {array.min()} to {array.max()}; wanted 0 to 2^{bits} - 1")
    return array.astype(np.uint64)
