"""Music by formula: plucked notes over a beat, in whole numbers and a few sines, the same on every machine."""

from __future__ import annotations

import math
import pathlib
import random
import wave

import numpy as np

RATE = 16000


def plucked(seconds: float, seed: int) -> np.ndarray:
    """int16 (samples,) at `RATE`, peak about 0.3 of full scale; lively enough for `health` to call it music."""
    chance, count = random.Random(seed), round(seconds * RATE)
    out, time = np.zeros(count + RATE), np.arange(RATE) / RATE
    for start in range(0, count, RATE // 4):
        pitch = 110 * 2 ** (chance.randrange(24) / 12)
        note = np.zeros(RATE)
        for k in range(1, 6):
            note += np.sin(2 * math.pi * pitch * k * time + chance.random()) / k
        out[start : start + RATE] += note * np.exp(-time * chance.uniform(3, 9)) * chance.uniform(0.3, 1)
        if chance.random() < 0.6:
            hiss = np.array([chance.uniform(-2, 2) for _ in range(RATE // 8)])
            out[start : start + RATE // 8] += hiss * np.exp(-time[: RATE // 8] * 40)
    return np.round(out[:count] / np.abs(out[:count]).max() * 0.3 * 32767).astype(np.int16)


def write(path: pathlib.Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
