"""Pieces of a batch taken side by side: the same gradients, in the order of the streams, whichever core is first."""

import threading
import time

import numpy as np
import pytest
import torch

from sharks.recipes.presets import override, preset, recipe
from sharks.training.music.batches import Batch
from sharks.training.step.cores import Cores, how_many
from sharks.training.step.learner import Learner

CPU = torch.device("cpu")


@pytest.fixture
def threads():
    """Lets a test set how many threads torch has."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "threads_, streams, cores", [(2, 16, 2), (2, 8, 1), (2, 17, 1), (4, 16, 2), (16, 128, 16), (3, 32, 1), (1, 64, 1)]
)
def test_cores_get_equal_shares_that_are_large_enough(threads, threads_, streams, cores):
    threads(threads_)
    assert how_many(streams, 8) == cores


def test_convolutions_share_few_streams(threads):
    threads(2)
    assert how_many(4) == how_many(2) == 2 and how_many(1) == 1


def test_results_come_in_the_order_of_the_jobs_and_cores_are_shared(threads):
    threads(4)
    cores, at_once = Cores(2), threading.Barrier(2, timeout=30)

    def work(job):
        at_once.wait()  # which only two at once can pass
        time.sleep(0.02 * (job % 2 == 0))
        return job, torch.get_num_threads()

    assert list(cores.each(work, range(6))) == [(job, 2) for job in range(6)]
    assert torch.get_num_threads() == 4


def test_what_a_core_cannot_do_is_raised():
    def work(job):
        raise ValueError(f"job {job}")

    with pytest.raises(ValueError, match="job 0"):
        list(Cores(2).each(work, range(2)))


def _learner(cores: int, pieces: int = 2, precision: str = "float32") -> tuple[Learner, Batch]:
    changes = {"model.dim": 16, "model.embed_dim": 8, "train.batch": 16, "train.chunk_len": 64}
    changes |= {"train.pieces": pieces, "train.precision": precision}
    spec, known = override(preset("dadabots-2tier-tiny"), recipe("dadabots-2tier-tiny"), changes)
    learner = Learner(spec, known.train, CPU)
    learner.cores = Cores(cores)
    levels = np.random.default_rng(0).integers(0, 256, (16, 64 + spec.lookback))
    return learner, Batch(levels, np.ones(16, bool))


def _after(cores: int, steps: int) -> dict[str, np.ndarray]:
    learner, batch = _learner(cores)
    for _ in range(steps):
        learner.learn(batch, 1e-3)
    return learner.arrays()


def test_the_same_bits_on_one_core_and_on_two(threads):
    threads(1)
    one, two = _after(1, 5), _after(2, 5)
    assert one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_step_is_the_step_of_plain_torch(threads, pieces, precision):
    """`backward` and an optimiser that is not fused: gradients that lie otherwise than their parameters would part."""
    threads(1)
    (learner, batch), (plain, _) = _learner(2, pieces, precision), _learner(1, 1, precision)
    adam = torch.optim.Adam(plain._parameters.values(), 1e-3, betas=(0.9, 0.999), eps=1e-8, foreach=False, fused=False)
    state = plain._enter(batch.fresh, slice(None))
    for step in range(4):
        loss, state = plain.model.nll(torch.from_numpy(batch.levels), plain.train.chunk_len, state, plain.dtype)
        state = {name: value.detach() for name, value in state.items()}
        loss.backward()
        torch.nn.utils.clip_grad_value_(plain._parameters.values(), 1.0)
        adam.step()
        adam.zero_grad()
        bits = learner.learn(Batch(batch.levels, np.full(16, step == 0)), 1e-3)
        assert bits == pytest.approx(float(loss.detach()) / np.log(2), rel=1e-5 if precision == "float32" else 2e-3)
    for name, p in learner._parameters.items():
        start = _learner(1)[0]._parameters[name]
        moved = (plain._parameters[name] - start).norm()
        assert (p - plain._parameters[name]).norm() <= (0.02 if precision == "float32" else 0.3) * moved, name


def test_pieces_add_up_to_the_whole(threads):
    threads(1)
    (learner, batch), wholes = _learner(2), []
    for pieces in (1, 2, 4):
        learner._gradients(batch, pieces)
        wholes.append([p.grad.clone() for p in learner._parameters.values()])
    for others in wholes[1:]:
        for whole, other in zip(wholes[0], others, strict=True):
            assert torch.allclose(whole, other, rtol=1e-4, atol=1e-7)
    assert any(whole.abs().max() > 1e-4 for whole in wholes[0])


def test_a_learned_state_is_learnt_by_every_piece(threads):
    """Streams begin anew beside others that go on: each piece needs a graph of its own."""
    threads(2)
    changes = {"model.dim": 16, "model.embed_dim": 8, "model.initial_state": "learned", "train.batch": 16}
    changes |= {"train.chunk_len": 64, "train.precision": "float32"}
    spec, known = override(preset("dadabots-2tier-tiny"), recipe("dadabots-2tier-tiny"), changes)
    learner = Learner(spec, known.train, CPU)
    assert learner.cores.count == 2
    levels = np.random.default_rng(0).integers(0, 256, (16, 64 + spec.lookback))
    for step in range(3):
        learner.learn(Batch(levels, np.arange(16) % 3 == step), 1e-3)
    moved = [p for name, p in learner._parameters.items() if name.endswith("h0")]
    assert moved and all(p.abs().max() > 0 for p in moved)
