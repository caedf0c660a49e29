"""One step of the optimiser: Adam in both forms, clipping, the average, the carried state, and that it learns."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from made_songs import dataset
from sharks import preset, recipe
from sharks.families.torch_parts.nll import BITS
from sharks.levels.quantize import codec_of
from sharks.recipes.presets import override
from sharks.spec import replace
from sharks.training.music.batches import Batch, Training
from sharks.training.step.learner import Diverged, Learner, learning_rate
from sharks.training.step.optimiser import epsilon
from small_runs import batch_of

CPU = torch.device("cpu")
TINY = {"model.dim": 16, "model.embed_dim": 8, "train.chunk_len": 64, "train.batch": 4}


def made(name="dadabots-2tier-tiny", seed=0, **changes):
    spec, plan = override(preset(name), recipe(name), TINY | {f"train.{k}": v for k, v in changes.items()})
    return spec, plan.train, Learner(spec, plan.train, CPU, seed)


def first_step(form, gradient):
    """How far Adam's first step at rate 1e-3 with epsilon 1e-4 moves a parameter with this gradient."""
    train = dataclasses.replace(recipe("prism-3tier").train, epsilon_form=form)
    p = torch.nn.Parameter(torch.zeros(1))
    adam = torch.optim.Adam([p], 1e-3, (train.beta1, train.beta2), epsilon(train, 1), fused=True)
    p.grad = torch.full((1,), gradient)
    adam.step()
    return -p.item()


def test_both_forms_of_epsilon():
    """models of TensorFlow and Theano add it before v's bias is corrected: a quarter of the first step is left."""
    assert first_step("hat", 1e-3) == pytest.approx(2.40e-4, rel=2e-3)
    assert first_step("torch", 1e-3) == pytest.approx(9.09e-4, rel=2e-3)


@pytest.mark.parametrize("form", ["hat", "torch"])
def test_adam_is_adam(form):
    """Several steps of the learner's optimiser against the formula in float64."""
    spec, train, learner = made(epsilon=1e-3, epsilon_form=form, clip="none", weight_norm=False)
    name, p = next((n, p) for n, p in learner.model.named_parameters() if n == "sample.hidden.0.weight")
    value, m, v = p.detach().double().clone(), 0.0, 0.0
    for t in range(1, 6):
        learner.learn(batch_of(spec, train, seed=t), rate=1e-3 * t)
        g = p.grad.double()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        if form == "hat":
            step = math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (v.sqrt() + 1e-3)
        else:
            step = m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-3)
        value -= 1e-3 * t * step
        torch.testing.assert_close(p.detach().double(), value, rtol=1e-4, atol=1e-7, msg=f"{name} at step {t}")


def gradients_after(clip, clip_at):
    spec, train, learner = made(clip=clip, clip_at=clip_at)
    learner.learn(batch_of(spec, train), rate=1e-3)
    return torch.cat([p.grad.flatten() for p in learner.model.parameters()])


def test_clipping():
    free = gradients_after("none", 1.0)
    norm, largest = free.norm().item(), free.abs().max().item()
    torch.testing.assert_close(gradients_after("value", largest / 3), free.clamp(-largest / 3, largest / 3))
    torch.testing.assert_close(gradients_after("norm", norm / 2), free / 2, rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(gradients_after("norm", norm * 2), free)


def test_the_state_is_carried_and_reset_per_stream():
    spec, train, learner = made()
    first, second = batch_of(spec, train, 1), batch_of(spec, train, 2)
    joined = np.concatenate([first.levels, second.levels[:, spec.lookback :]], axis=1)
    second.levels[:, : spec.lookback] = first.levels[:, -spec.lookback :]
    learner.learn(first, rate=0.0)
    _, whole = learner.model.nll(torch.from_numpy(joined), joined.shape[1] - spec.context)
    _, alone = learner.model.nll(torch.from_numpy(second.levels), second.levels.shape[1] - spec.context)
    learner.learn(Batch(second.levels, np.array([False, True, False, True])), rate=0.0)
    carried = {n.removeprefix("state."): a for n, a in learner.arrays().items() if n.startswith("state.")}
    assert carried
    for name, value in carried.items():
        for b, wanted in enumerate((whole, alone, whole, alone)):
            np.testing.assert_allclose(value[b], wanted[name][b].detach(), atol=1e-6, err_msg=f"{name} of stream {b}")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("dadabots-2tier-tiny", {"ema": 0.9, "weight_norm": True}),
        ("prism-3tier-tiny", {}),
        ("ibab-wavenet-tiny", {"ema": 0.5}),
        ("ibab-wavenet-tiny", {"optimiser": "muon", "ema": 0.9}),
        ("dadabots-2tier-tiny", {"optimiser": "muon", "weight_norm": True}),
    ],
)
def test_arrays_hold_everything(name, changes):
    """What a learner does after `restore` is, bit for bit, what the one that gave the arrays does."""
    changes = {f"train.{k}": v for k, v in changes.items()} | {"train.chunk_len": 64, "train.batch": 4}
    spec, plan = override(preset(name), recipe(name), changes)
    training = Training(dataset(spec.sample_rate, (spec.sample_rate * 9,)), spec, plan, 0)
    one, other = Learner(spec, plan.train, CPU, 0), Learner(spec, plan.train, CPU, 1)
    for step in range(3):
        one.learn(training.at(step), 1e-2)
    other.learn(training.at(7), 1e-2)
    other.restore(one.arrays())
    for step in range(3, 6):
        assert one.learn(training.at(step), 1e-2) == other.learn(training.at(step), 1e-2)
    for key, value in one.arrays().items():
        assert np.array_equal(value, other.arrays()[key]), key
    assert all(np.array_equal(value, other.weights()[key]) for key, value in one.weights().items())


def test_the_average_follows():
    spec, train, learner = made(ema=0.9)
    before = {n: p.detach().clone() for n, p in learner.model.named_parameters()}
    learner.learn(batch_of(spec, train), rate=1e-2)
    keep = min(0.9, 2 / 11)
    for n, p in learner.listener.named_parameters():
        moved = dict(learner.model.named_parameters())[n]
        torch.testing.assert_close(p, keep * before[n] + (1 - keep) * moved)


def test_a_loss_that_is_no_number_stops_before_it_does_harm():
    spec, train, learner = made()
    before = learner.arrays()
    with torch.no_grad():
        learner.model.get_parameter("sample.out.bias")[0] = math.inf
    with pytest.raises(Diverged, match=r"nan at step 1; .* smaller train.learning_rate"):
        learner.learn(batch_of(spec, train), rate=1e-2)
    after = learner.arrays()
    assert all(np.array_equal(after[n], before[n]) for n in before if n != "model.sample.out.bias")


def test_learning_rates():
    train = recipe("prism-3tier").train
    cosine = dataclasses.replace(train, warmup_steps=10, decay="cosine", final_rate=0.1)
    assert [learning_rate(cosine, s, 0.0) / 1e-3 for s in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1, 1])
    assert [learning_rate(cosine, 99, p) / 1e-3 for p in (0.5, 1.0, 1.2)] == pytest.approx([0.55, 0.1, 0.1])
    halving = dataclasses.replace(train, decay="halving", halve_every=100)
    assert [learning_rate(halving, s, 0.0) / 1e-3 for s in (99, 100, 250)] == pytest.approx([1, 0.5, 0.25])
    assert learning_rate(train, 10**6, 0.99) == 1e-3


def test_the_listener_s_nll_is_that_of_the_whole():
    """Heard in chunks with carried state, or in windows with context: the same as at once."""
    for name in ("dadabots-2tier-tiny", "ibab-wavenet-tiny"):
        spec, plan = override(preset(name), recipe(name), {"train.chunk_len": 64, "train.batch": 4})
        learner = Learner(spec, plan.train, CPU)
        context = spec.context
        levels = np.random.default_rng(0).integers(0, 256, (2, context + 3 * 64))
        given = torch.from_numpy(levels)
        with torch.no_grad():
            wanted, _ = learner.model.nll(given, 3 * 64)
        assert learner.listen(levels, context) == pytest.approx(float(wanted) * BITS, abs=1e-5)


@pytest.mark.parametrize("name", ["dadabots-2tier-tiny", "prism-3tier-tiny", "ibab-wavenet-tiny"])
def test_two_seconds_of_sines_are_learnt_by_heart(name):
    """The smoke test of any recipe: a loss far below guessing within seconds."""
    changes = {"train.chunk_len": 256, "train.batch": 4, "train.clip": "norm", "data.chunk_seconds": 1.0}
    spec, plan = override(preset(name), recipe(name), changes)
    fields = {"dim": 32} if spec.family == "samplernn" else {"dilations": (1, 2, 4, 8, 16, 32), "skip": 32, "head": 32}
    spec = replace(spec, sample_rate=2000, **fields)
    data = dataset(2000, (4000,))
    training = Training(data, spec, plan, 0)
    learner = Learner(spec, plan.train, CPU)
    order0 = data.order0(codec_of(spec))[0]
    losses = [learner.learn(training.at(step), 5e-3) for step in range(150)]
    assert 6 < order0 < 8
    assert np.mean(losses[-10:]) < order0 - 2, f"{np.mean(losses[-10:]):.2f} of {order0:.2f} bits"
