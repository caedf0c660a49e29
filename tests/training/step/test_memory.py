"""Memory that a step would need is known, or asked for in a way that can be refused."""

import contextlib
import dataclasses

import numpy as np
import pytest
import torch

from sharks import preset, recipe
from sharks.errors import ResourceError
from sharks.families.spec import parameters, replace
from sharks.training.music.batches import Batch
from sharks.training.step import memory
from sharks.training.step.cores import Cores
from sharks.training.step.learner import Learner

CPU = torch.device("cpu")
TINY = preset("dadabots-2tier-tiny")
TRAIN = recipe("dadabots-2tier-tiny").train


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("limit", [45, 90, 300, 10_000])
def test_neither_what_is_tried_nor_what_is_chosen_goes_beyond_the_limit(monkeypatch, limit, kept):
    """A group of processes that does is killed without a word. A stream needs 10 MB, `kept` by malloc or given back."""
    learner = Learner(TINY, TRAIN, CPU)
    learner.cores = Cores(1)
    tried, held = [], [0, 0]  # now, and at most

    def rehearse(batch):
        tried.append(10 * len(batch.fresh))
        held[1] = max(held[0], tried[-1])
        held[0] = held[1] if kept else 0

    monkeypatch.setattr(learner, "rehearse", rehearse)
    monkeypatch.setattr(memory, "forget_peak", lambda: held.__setitem__(1, held[0]))
    monkeypatch.setattr(memory, "peak", lambda device: (500 + held[1]) << 20)
    monkeypatch.setattr(memory, "available", lambda: (limit - held[0]) << 20)
    pieces = memory.fit(learner, Batch(np.zeros((512, 16 + 512), np.int64), np.ones(512, bool)))
    assert max(tried) <= limit
    assert 0.3 * min(limit, 5120) <= 10 * 512 / pieces <= limit


def test_a_model_that_cannot_fit_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr("sharks.training.step.learner.torch_model", lambda *_: pytest.fail("it was made"))
    monkeypatch.setattr(memory, "available", lambda: 4 << 30)
    with pytest.raises(ResourceError, match="to learn the model needs .* GB; use a smaller model.dim"):
        Learner(replace(TINY, dim=1 << 14), TRAIN, CPU)


@pytest.mark.parametrize("processes", [1, 2])
def test_processes_on_one_machine_share_its_memory(monkeypatch, processes):
    monkeypatch.setattr(memory, "available", lambda: int(1.5 * 3 * 4 * parameters(TINY)))
    with contextlib.ExitStack() as refused:
        if processes == 2:
            refused.enter_context(pytest.raises(ResourceError, match="^memory: "))
        memory.check(TINY, dataclasses.replace(TRAIN, ema=0.0), processes)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        torch.OutOfMemoryError("CUDA out of memory"),
    ],
)
def test_what_an_allocator_says_is_a_sentence(error):
    with (
        pytest.raises(ResourceError, match=r"^cpu has not enough memory for batch 32 x 512; use a smaller batch"),
        memory.refusals(CPU, dataclasses.replace(TRAIN, batch=32, chunk_len=512)),
    ):
        raise error


def test_another_error_is_not_taken_for_a_want_of_memory():
    with pytest.raises(RuntimeError, match="shapes"), memory.refusals(CPU, TRAIN):
        raise RuntimeError("shapes do not match")
