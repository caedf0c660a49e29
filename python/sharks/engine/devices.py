"""The names of devices, wherever one may be named."""

from __future__ import annotations

import difflib
import typing

from ..errors import UsageError
from ..errors.arguments import shown

DEVICES = ("auto", "cpu", "cuda", "reference")
_ALSO = {"gpu": "cuda"}  # the only GPUs that are played and trained on


def named(device: str, known: typing.Sequence[str] = DEVICES) -> str:
    """Its name among those that are `known`; "gpu" is "cuda". `UsageError` for another."""
    name = _ALSO.get(device, device) if isinstance(device, str) else device
    if not isinstance(name, str) or name not in known:
        near = difflib.get_close_matches(str(device), known, n=1, cutoff=0.7)  # not cpu for tpu
        wanted = f"did you mean {near[0]!r}?" if near else f"wanted {', '.join(known[:-1])} or {known[-1]}"
        raise UsageError(f"is {shown(device)}; {wanted}", argument="device")
    return name
