"""The ways of playing on a GPU that every spec has: what `on_gpus` marks is tried by each, as `make`.

A CPU plays the CUDA engine always, by first light; a GPU too where there is one: `pytest -m cuda`.
"""

from __future__ import annotations

import functools

import pytest

from players import GPU, emulated_gpu
from programs import BUILDS

PLANS = ("default", "throughput", "first-light")
on_gpus = pytest.mark.parametrize(
    "make",
    [
        pytest.param(functools.partial(emulated_gpu, plan="first-light"), id="emulated", marks=BUILDS),
        *(
            pytest.param(functools.partial(make, plan=plan), id=f"cuda-{plan}", marks=pytest.mark.cuda)
            for make in GPU.values()
            for plan in PLANS
        ),
    ],
)
