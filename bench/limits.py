"""What this machine allows, measured: how fast weights can be read and multiplied.

One stream is bound by bytes: every weight is read in every step (or frame), from the cache where so many bytes fit.
Many streams share that reading and are bound by multiply-adds. The limit is the longer of the two; sampling,
activations and latency come on top.
"""

from __future__ import annotations

import functools

from sharks import _core


@functools.cache
def seconds_per_byte(working_set: int) -> float:
    """Of one thread that reads `working_set` bytes over and over."""
    return _core.probe_read(working_set, 7 if working_set < 50 << 20 else 3) / working_set


@functools.cache
def multiply_adds_per_second(dtype: str) -> float:
    """Of one thread, on registers."""
    return _core.probe_multiply(dtype)


def limit(cost: dict[str, float], dtype: str, streams: int, threads: int) -> float:
    """Samples per second of all streams together that no engine on this machine can pass.

    `threads` read and multiply side by side, which is generous where they share a cache or a memory channel.
    """
    bytes_time = cost["step_bytes"] * seconds_per_byte(round(cost["step_bytes"] / threads))
    if cost["frame_bytes"]:
        bytes_time += cost["frame_bytes"] * seconds_per_byte(round(cost["working_set"] / threads))
    work_time = streams * cost["multiply_adds"] / multiply_adds_per_second(dtype)
    return streams * threads / max(bytes_time, work_time)
