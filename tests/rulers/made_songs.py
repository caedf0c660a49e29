"""Little datasets: a few tracks of sine mixtures, in memory or as a folder."""

from __future__ import annotations

import pathlib

import numpy as np

from sharks.dataset.dataset import Dataset, Track
from sharks.sound.wav import write_wav


def tune(samples: int, rate: int, seed: int) -> np.ndarray:
    """Three slowly beating tones, float32 (samples,), peak about 0.6."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / rate
    tones = [np.sin(2 * np.pi * f * time + 6 * f) for f in random.uniform(0.02, 0.2, 3) * rate]
    return (0.2 * sum(tones)).astype(np.float32)


def music(seconds: float, seed: int = 0, rate: int = 16000, level: float = 0.3) -> np.ndarray:
    """Plucked notes over a beat: enough like music for `health` to be content."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    out = np.zeros(n + rate)
    time = np.arange(rate) / rate
    for start in range(0, n, rate // 4):
        pitch = 110 * 2 ** (rng.integers(0, 24) / 12)
        note = sum(np.sin(2 * np.pi * pitch * k * time + rng.random()) / k for k in range(1, 6))
        out[start : start + rate] += note * np.exp(-time * rng.uniform(3, 9)) * rng.uniform(0.3, 1)
        if rng.random() < 0.6:
            out[start : start + rate] += rng.standard_normal(rate) * np.exp(-time * 40)
    return (level * out[:n] / np.abs(out[:n]).max()).astype(np.float32)


def dataset(rate: int, train: tuple[int, ...], val: tuple[int, ...] = (), name: str = "music") -> Dataset:
    """A dataset in memory with tracks of so many samples each."""
    arrays, tracks = {}, []
    for split, lengths in (("train", train), ("val", val)):
        pieces = [np.round(tune(n, rate, 100 * (split == "val") + i) * 32767) for i, n in enumerate(lengths)]
        arrays[split] = np.concatenate([np.zeros(0), *pieces]).astype(np.int16)
        for i, n in enumerate(lengths):
            start = sum(lengths[:i])
            facts = {"minutes": n / rate / 60, "rms_db": -12.0, "peak": 0.6, "dc": 0.0, "entropy": 7.0}
            tracks.append(
                Track(f"{split}{i}.wav", split, start, n, **facts, format="WAV", rate=rate, channels=1, sha256="")
            )
    return Dataset(
        path=pathlib.Path(name),
        sample_rate=rate,
        tracks=tuple(tracks),
        skipped=(),
        warnings=(),
        train=arrays["train"],
        val=arrays["val"],
        histogram=np.ones(256, np.int64),
        entropy_bits=7.0,
        val_bits=7.0,
        fingerprint=f"{name} {rate} {train} {val}",
    )


def songs(folder: pathlib.Path, rate: int, seconds: float, count: int = 2) -> pathlib.Path:
    """WAV files to prepare."""
    folder.mkdir()
    for i in range(count):
        write_wav(folder / f"song{i}.wav", tune(round(seconds * rate), rate, i), rate)
    return folder
