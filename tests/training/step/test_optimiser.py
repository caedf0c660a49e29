"""Muon: what it turns, how far, and that it is the formula."""

import math

import numpy as np
import pytest
import torch

from sharks import preset, presets, recipe
from sharks.families.registry import torch_model
from sharks.recipes.presets import override
from sharks.spec import tensors
from sharks.training.step.learner import Learner
from sharks.training.step.optimiser import is_inside, orthogonal
from small_runs import batch_of

CPU = torch.device("cpu")


def matrix(rows, columns, seed=0, spread=1.0):
    """Random directions with singular values from 1 down to 1 / spread."""
    draw = torch.Generator().manual_seed(seed)
    u, _, vt = torch.linalg.svd(torch.randn(rows, columns, generator=draw), full_matrices=False)
    return u @ torch.diag(torch.logspace(0, -math.log10(spread), min(rows, columns))) @ vt


@pytest.mark.parametrize(("rows", "columns"), [(24, 24), (64, 96), (96, 32), (1, 8), (8, 1)])
def test_every_direction_is_turned_alike(rows, columns):
    gradient = 1e-3 * matrix(rows, columns, spread=20)
    turn = orthogonal(gradient)
    assert turn.shape == gradient.shape
    lengths = torch.linalg.svdvals(turn)
    assert lengths.min() > 0.65 and lengths.max() < 1.25
    u, _, vt = torch.linalg.svd(gradient, full_matrices=False)
    assert torch.cosine_similarity(turn.flatten(), (u @ vt).flatten(), dim=0) > 0.97
    assert torch.cosine_similarity(gradient.flatten(), (u @ vt).flatten(), dim=0) < 0.9 or min(rows, columns) == 1


def test_nothing_stays_nothing():
    assert torch.equal(orthogonal(torch.zeros(4, 6)), torch.zeros(4, 6))


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("weight_norm", [False, True])
def test_what_is_turned_are_products_between_hidden_channels(name, weight_norm):
    spec = preset(name)
    with torch.device("meta"):
        model = torch_model(spec, weight_norm)
    inside = {n for n, p in model.named_parameters() if is_inside(n, p) and p.requires_grad}
    whole = {n.removesuffix("_v") for n in inside}
    assert not any(n.endswith(("_g", "bias")) for n in inside) and len(whole) == len(inside)
    shapes = dict(tensors(spec))
    assert all(len(shapes[n]) >= 2 for n in whole)
    wanted = ("dilated", "head.conv1", "rnn", "hidden", "skip", "res", "upsample")
    assert all(any(f".{part}" in f".{n}" for part in wanted) for n in whole)
    missed = [n for n, shape in shapes.items() if n not in whole and len(shape) >= 2]
    edges = ("embed", "in", "out", "conv", "conv2", "expand", "partial")
    ends = (*(f"{edge}.weight" for edge in edges), "h0", "c0", "upsample.bias", *spec.constants())
    assert all(n.endswith(ends) for n in missed), missed


def test_muon_is_muon():
    """Several steps of a learner against the formula, and against the length that it promises."""
    changes = {"train.optimiser": "muon", "train.clip": "none", "train.chunk_len": 64}
    spec, plan = override(preset("ibab-wavenet-tiny"), recipe("ibab-wavenet-tiny"), changes)
    learner = Learner(spec, plan.train, CPU, 0)
    p = dict(learner.model.named_parameters())["blocks.1.dilated.weight"]
    value, momentum = p.detach().clone(), 0.0
    for t in range(1, 5):
        before = p.detach().clone()
        learner.learn(batch_of(spec, plan.train, seed=t), rate=1e-2)
        momentum = 0.95 * momentum + p.grad
        turn = orthogonal((p.grad + 0.95 * momentum).flatten(1)).view_as(p)
        value -= 1e-2 * 0.2 * math.sqrt(max(p.flatten(1).shape)) * turn
        torch.testing.assert_close(p.detach(), value, rtol=1e-5, atol=1e-6)
        moved = (p.detach() - before).square().mean().sqrt().item()
        assert moved == pytest.approx(0.2e-2, rel=0.25), "about as far as Adam"
    kept = learner.arrays()
    assert "muon.blocks.1.dilated.weight" in kept and "adam.exp_avg.blocks.1.dilated.weight" not in kept
    assert "adam.exp_avg.blocks.1.dilated.bias" in kept and "adam.exp_avg.input.conv.weight" in kept
    assert all(np.isfinite(a).all() for a in kept.values())
