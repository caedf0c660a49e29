"""First weights: each scheme's own rule, the same for a seed, alive from the first step."""

import math

import numpy as np
import pytest
import torch

from sharks import preset, recipe
from sharks.families.initialise import initialise
from sharks.families.registry import torch_model
from sharks.spec import replace, tensors
from specs import SPECS, levels

WIDE = {
    "samplernn": replace(preset("dadabots-2tier"), dim=64, layers=2, embed_dim=32),
    "gru": replace(preset("iclr2017-3tier"), dim=64, embed_dim=32),
    "prism": replace(preset("prism-3tier"), dim=64, layers=2, embed_dim=32),
    "wavenet": replace(preset("ibab-wavenet"), dilations=(1, 2), global_channels=16, global_classes=16),
    "nv": replace(preset("deepvoice-wavenet"), dilations=(1, 2)),
}


def drawn(spec, scheme, seed=0, forget_bias=0.0, weight_norm=False):
    model = torch_model(spec, weight_norm)
    initialise(model, scheme, seed, forget_bias)
    return model.export()


def bound(values):
    """The largest magnitude; of thousands of uniform draws it is within a hundredth of the rule's bound."""
    return np.abs(values).max()


@pytest.mark.parametrize("scheme", ["iclr", "keras", "ibab", "nv", "torch", "smooth"])
@pytest.mark.parametrize("name", ["samplernn-lstm-graves-all", "samplernn-3-frame-tiers", "wavenet-classes"])
def test_any_scheme_starts_any_model(name, scheme):
    spec = SPECS.get(name, SPECS["samplernn-gru-3-frame-tiers"])
    first = drawn(spec, scheme)
    again, other = drawn(spec, scheme), drawn(spec, scheme, seed=1)
    assert all(np.isfinite(w).all() for w in first.values())
    assert all(np.array_equal(first[n], again[n]) for n in first)
    assert any(not np.array_equal(first[n], other[n]) for n in first)


def test_iclr():
    w = drawn(WIDE["samplernn"], "iclr", forget_bias=3.0, weight_norm=True)
    assert bound(w["tiers.0.rnn.0.w_ih"]) == pytest.approx(math.sqrt(3 / 16), rel=0.01)
    assert bound(w["tiers.0.rnn.1.w_ih"]) == pytest.approx(math.sqrt(3 / 80), rel=0.01)
    assert bound(w["tiers.0.rnn.0.w_hh"]) == pytest.approx(math.sqrt(3 / 64), rel=0.01)
    assert bound(w["tiers.0.skip.0.weight"]) == pytest.approx(math.sqrt(6 / 64), rel=0.01)
    assert bound(w["tiers.0.upsample.weight"]) == pytest.approx(math.sqrt(6 / 64), rel=0.01)
    assert bound(w["sample.in.weight"]) == pytest.approx(math.sqrt(6 / (16 * 32)), rel=0.01)
    assert bound(w["sample.out.weight"]) == pytest.approx(math.sqrt(3 / 64), rel=0.01)
    assert w["sample.embed.weight"].std() == pytest.approx(1, rel=0.05)
    assert w["tiers.0.rnn.0.b_ih"].reshape(4, 64).tolist() == [[0.0] * 64, [3.0] * 64, [0.0] * 64, [0.0] * 64]


def test_iclr_gru_candidate_is_orthogonal():
    w = drawn(WIDE["gru"], "iclr")["tiers.0.rnn.0.w_hh"]
    np.testing.assert_allclose(w[128:] @ w[128:].T, np.eye(64), atol=1e-5)
    assert bound(w[:128]) == pytest.approx(math.sqrt(3 / 64), rel=0.01)


def test_keras():
    w = drawn(WIDE["prism"], "keras")
    assert bound(w["tiers.0.expand.weight"]) == pytest.approx(math.sqrt(6 / (16 + 64)), rel=0.01)
    assert bound(w["tiers.0.rnn.0.w_ih"]) == pytest.approx(math.sqrt(6 / (64 + 192)), rel=0.01)
    np.testing.assert_allclose(w["tiers.0.rnn.0.w_hh"].T @ w["tiers.0.rnn.0.w_hh"], np.eye(64), atol=1e-5)
    assert bound(w["sample.embed.weight"]) == pytest.approx(0.05, rel=0.01)
    assert bound(w["sample.in.weight"]) == pytest.approx(math.sqrt(6 / (16 * (32 + 64))), rel=0.01)
    deviation = math.sqrt(2 / (2 * 16 * 64))
    assert w["tiers.0.upsample.weight"].std() == pytest.approx(deviation, rel=0.02)
    assert bound(w["tiers.0.upsample.weight"]) <= 2 * deviation / 0.8796
    assert not any(w[n].any() for n in w if n.endswith(("bias", "b_ih", "b_hh")))


def test_ibab():
    w = drawn(WIDE["wavenet"], "ibab")
    assert bound(w["input.conv.weight"]) == pytest.approx(math.sqrt(6 / (2 * (256 + 32))), rel=0.01)
    assert bound(w["blocks.0.dilated.weight"]) == pytest.approx(math.sqrt(6 / (2 * (32 + 32))), rel=0.01)
    assert bound(w["blocks.0.skip.weight"]) == pytest.approx(math.sqrt(6 / (32 + 512)), rel=0.01)
    assert np.array_equal(w["gcond.embed.weight"], np.eye(16))
    assert not any(w[n].any() for n in w if n.endswith("bias"))


def test_nv():
    w = drawn(WIDE["nv"], "nv")
    assert bound(w["blocks.0.dilated.weight"]) == pytest.approx(5 / 3 * math.sqrt(6 / (2 * (64 + 128))), rel=0.01)
    assert bound(w["blocks.0.res.weight"]) == pytest.approx(math.sqrt(6 / 128), rel=0.01)
    assert bound(w["blocks.0.skip.weight"]) == pytest.approx(math.sqrt(2) * math.sqrt(6 / (64 + 256)), rel=0.01)
    assert bound(w["head.conv2.weight"]) == pytest.approx(math.sqrt(6 / 512), rel=0.01)
    assert bound(w["blocks.0.dilated.bias"]) == pytest.approx(1 / math.sqrt(128), rel=0.03)


def test_torch():
    spec = WIDE["prism"]
    w = drawn(spec, "torch")
    assert bound(w["tiers.0.rnn.1.w_hh"]) == pytest.approx(1 / 8, rel=0.01)
    assert bound(w["tiers.0.rnn.1.b_hh"]) == pytest.approx(1 / 8, rel=0.05)
    assert bound(w["tiers.0.expand.bias"]) == pytest.approx(1 / 4, rel=0.1)
    wanted = torch.nn.ConvTranspose1d(64, 64, 16, 16).weight.abs().max().item()
    assert bound(w["tiers.0.upsample.weight"]) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("name", ["dadabots-2tier", "prism-3tier", "iclr2017-3tier", "ibab-wavenet", "wavenet-music"])
def test_a_preset_s_start_is_near_uniform_and_learns(name):
    """A few hundred positions, shrunk: the first loss is not far above 8 bits, and every weight that is read moves."""
    spec, train = SPECS[f"preset-{name}"], recipe(name).train
    model = torch_model(spec, train.weight_norm)
    initialise(model, train.initialiser, 0, train.forget_bias)
    given = torch.from_numpy(levels(spec, 2, spec.lookback + 128)).long()
    loss, _ = model.nll(given, 128 if spec.carries_state else 64)
    assert math.log(256) * 0.9 < loss < math.log(256) * 2
    loss.backward()
    last = f"blocks.{spec.layers - 1}.res" if spec.family == "wavenet" else "none"
    still = [n for n, p in model.named_parameters() if (p.grad is None or not p.grad.any()) and last not in n]
    assert not still
    assert len(dict(tensors(spec))) <= len(list(model.parameters()))


@pytest.mark.parametrize(
    "name", ["samplernn-256-levels", "samplernn-one-hot", "wavenet-256-levels", "wavenet-embedding"]
)
def test_smooth_starts_at_order_0_with_neighbours_alike(name):
    spec = SPECS[name]
    share = np.exp(-(np.linspace(-3, 3, spec.q_levels) ** 2) / 2)
    share /= share.sum()
    model = torch_model(spec)
    initialise(model, "smooth", counts=share * 1e7)
    w = model.export()
    given = levels(spec, 8, spec.lookback + 16 * spec.lookback)
    given[:] = np.random.default_rng(0).choice(spec.q_levels, given.shape, p=share)
    given = torch.from_numpy(given).long()
    loss, _ = model.nll(given, 16 * spec.lookback)
    assert loss.item() == pytest.approx(-(share * np.log(share)).sum(), abs=0.35)
    rows = [w[n] for n in w if n.endswith("embed.weight") or n in ("sample.out.weight", "head.conv2.weight")]
    rows += [w["sample.in.weight"][:, :, 0].T] if name == "samplernn-one-hot" else []
    for row in rows:
        near, far = np.diff(row, axis=0), row - np.roll(row, len(row) // 2, axis=0)
        assert (near**2).mean() < 0.5 * (far**2).mean()
