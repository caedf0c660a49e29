"""The ways of playing on a GPU that every spec has: what `on_gpus` marks is tried by each, as `make`.

A plan by name plays what the choice would leave to first light: narrow models too go through pipelines of blocks.

A CPU plays the CUDA engine always, by first light; a GPU too where there is one: `pytest -m cuda`.
"""

from __future__ import annotations

import pytest

from players import GPU, emulated_gpu
from programs import BUILDS

PLANS = ("default", "throughput", "first-light")
WAYS = (*PLANS, "pipelines")


def with_plan(make, plan):
    """`make` by a plan; "pipelines" is that of the model's family whose blocks hand words to each other."""

    def made(spec, *model, **kind):
        pipelines = "pipeline" if spec.family == "wavenet" else "persistent"
        return make(spec, *model, **{"plan": pipelines if plan == "pipelines" else plan} | kind)

    return made


on_gpus = pytest.mark.parametrize(
    "make",
    [
        pytest.param(with_plan(emulated_gpu, "first-light"), id="emulated", marks=BUILDS),
        *(
            pytest.param(with_plan(make, plan), id=f"cuda-{plan}", marks=pytest.mark.cuda)
            for make in GPU.values()
            for plan in WAYS
        ),
    ],
)
