"""A WaveNet layer's gradients, against automatic differentiation of the same layer written plainly."""

import pytest
import torch
import torch.nn.functional as F

from sharks.families.wavenet.layer import gated_layer

B, N, R, D = 3, 17, 5, 4


def plain(x, weight, offset, residual, bias, dilation):
    taps = weight.shape[2]
    n = x.shape[1] - (taps - 1) * dilation
    a = sum(x[:, k * dilation : k * dilation + n] @ weight[:, :, k].t() for k in range(taps))
    a = a if offset is None else a + offset
    z = torch.tanh(a[..., :D]) * torch.sigmoid(a[..., D:])
    return z, None if residual is None else x[:, -n:] + F.linear(z, residual, bias)


def made(taps, dilation, offset, residual, bias, dtype=torch.float64):
    draw = torch.Generator().manual_seed(taps + 10 * dilation)

    def some(*shape, held=dtype):
        return torch.randn(shape, generator=draw, dtype=torch.float64).to(held).requires_grad_()

    wide = dtype if dtype == torch.float64 else torch.float32
    x = some(B, N + (taps - 1) * dilation, R, held=wide)
    offsets = {"none": None, "bias": (2 * D,), "each": (B, 1, 2 * D)}[offset]
    return (
        x,
        some(2 * D, R, taps),
        None if offsets is None else some(*offsets),
        some(R, D) if residual else None,
        some(R) if residual and bias else None,
        dilation,
    )


CASES = [
    (taps, dilation, offset, residual, bias)
    for taps, dilation in ((2, 1), (2, 4), (3, 1), (3, 9), (3, 40))
    for offset in ("none", "bias", "each")
    for residual, bias in ((True, True), (True, False), (False, False))
]


def gradients_of(layer, given, weigh):
    z, out = layer(*given)
    loss = (z * weigh[0]).sum() + (0 if out is None else (out * weigh[1]).sum())
    tensors = [t for t in given if isinstance(t, torch.Tensor)]
    return [z.detach(), *([] if out is None else [out.detach()])], torch.autograd.grad(loss, tensors)


@pytest.mark.parametrize(("taps", "dilation", "offset", "residual", "bias"), CASES)
def test_values_and_gradients(taps, dilation, offset, residual, bias):
    given = made(taps, dilation, offset, residual, bias)
    weigh = torch.randn(B, N, D, dtype=torch.float64), torch.randn(B, N, R, dtype=torch.float64)
    values, gradients = gradients_of(gated_layer, given, weigh)
    wanted_values, wanted_gradients = gradients_of(plain, given, weigh)
    torch.testing.assert_close(values, wanted_values, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients, wanted_gradients, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("read", ["gate", "out"])
def test_one_result_may_go_unread(read):
    """The gate of a layer outside of what is predicted, or the residual of a layer that nothing follows."""
    given = made(3, 2, "bias", True, True)
    tensors = [t for t in given if isinstance(t, torch.Tensor)]
    taken = [layer(*given)[read == "out"].square().sum() for layer in (gated_layer, plain)]
    one, other = (torch.autograd.grad(loss, tensors, allow_unused=True) for loss in taken)
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(torch.zeros(()) if a is None else a, torch.zeros(()) if b is None else b)


def test_bfloat16_gradients_are_near():
    given = made(3, 9, "bias", True, True, torch.bfloat16)
    weigh = torch.randn(B, N, D), torch.randn(B, N, R)
    values, gradients = gradients_of(gated_layer, given, weigh)
    assert values[0].dtype == torch.bfloat16 and values[1].dtype == torch.float32
    exact = [t.detach().double().requires_grad_() if isinstance(t, torch.Tensor) else t for t in given]
    wanted_values, wanted = gradients_of(plain, exact, [w.double() for w in weigh])
    for got, want in zip([*values, *gradients], [*wanted_values, *wanted], strict=True):
        assert (got.double() - want).norm() < 0.02 * want.norm()
