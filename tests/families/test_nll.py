"""The last layers block by block, and the first product by lookup: the losses and gradients of the plain forms."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import sharks.families.torch_parts.lookup as lookup
import sharks.families.torch_parts.nll as fused

N, D, H, Q = 333, 12, 20, 16


def drawn(*shape, seed=0):
    values = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return torch.tensor(values, dtype=torch.float32, requires_grad=True)


def parts(bias):
    shapes = [(H, D), (D, H), (Q, D)]
    return drawn(N, D), [(drawn(*s), drawn(s[0]) if bias else None) for s in shapes]


def plainly(x, layers, targets, relu_input, relu_logits):
    x = x.relu() if relu_input else x
    for weight, bias in layers[:-1]:
        x = F.linear(x, weight, bias).relu()
    logits = F.linear(x, *layers[-1])
    return F.cross_entropy(logits.relu() if relu_logits else logits, targets)


def gradients(loss, x, layers):
    held = [x, *(t for layer in layers for t in layer if t is not None)]
    return torch.autograd.grad(loss, held)


@pytest.mark.parametrize("relu_input", [False, True])
@pytest.mark.parametrize("relu_logits", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_blocks_give_the_loss_and_the_gradients(layers, bias, relu_logits, relu_input, monkeypatch):
    monkeypatch.setattr(fused, "_rows", lambda *_: 64)  # the last block is a short one
    x, every = parts(bias)
    every = every[-layers:]
    x = x if layers == 3 else drawn(N, D, seed=1)
    targets = torch.from_numpy(np.random.default_rng(0).integers(0, Q, N))
    got = fused.nll(x, every, targets, relu_input=relu_input, relu_logits=relu_logits)
    wanted = plainly(x, every, targets, relu_input, relu_logits)
    torch.testing.assert_close(got, wanted, rtol=1e-6, atol=1e-6)
    for a, b in zip(gradients(3 * got, x, every), gradients(3 * wanted, x, every), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        assert fused.nll(x, every, targets, relu_input=relu_input, relu_logits=relu_logits) == got


def test_narrow_products_give_nearly_the_same(monkeypatch):
    """bfloat16 has 8 bits: losses agree to a few parts in a thousand, gradients in direction."""
    monkeypatch.setattr(fused, "_rows", lambda *_: 100)
    x, layers = parts(bias=True)
    targets = torch.from_numpy(np.random.default_rng(0).integers(0, Q, N))
    narrow = [(w.to(torch.bfloat16), b.to(torch.bfloat16)) for w, b in layers]
    got, wanted = fused.nll(x.to(torch.bfloat16), narrow, targets), fused.nll(x, layers, targets)
    assert got.dtype == torch.float32 and got != wanted
    torch.testing.assert_close(got, wanted, rtol=0.01, atol=0)
    for a, b in zip(gradients(got, x, layers), gradients(wanted, x, layers), strict=True):
        assert F.cosine_similarity(a.flatten(), b.flatten(), dim=0) > 0.999


@pytest.mark.parametrize(("dtype", "E"), [(torch.float32, 8), (torch.bfloat16, 8), (torch.float32, 1)])
def test_the_table_is_exact_and_its_gradients_are_those_of_the_product(dtype, E):
    taps, B, T = 5, 3, 40
    weight, vectors = drawn(D, E, taps), drawn(Q, E)
    levels = torch.from_numpy(np.random.default_rng(1).integers(0, Q, (B, T + taps - 1)))
    gradient = drawn(B, T, D, seed=5).detach()
    convolved = F.conv1d(F.embedding(levels, vectors).transpose(1, 2), weight).transpose(1, 2)
    wanted = torch.autograd.grad(convolved, [weight, vectors], gradient)
    found = lookup.embedded_product(levels, weight, vectors, dtype)
    torch.testing.assert_close(found, convolved, rtol=1e-5, atol=1e-5)
    for a, b in zip(torch.autograd.grad(found, [weight, vectors], gradient), wanted, strict=True):
        assert a.dtype == torch.float32
        if dtype == torch.float32:
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
        assert F.cosine_similarity(a.flatten(), b.flatten(), dim=0) > 0.9999
    bag = lookup.window_product(levels, weight, vectors)
    for a, b in zip(torch.autograd.grad(bag, [weight, vectors], gradient), wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
