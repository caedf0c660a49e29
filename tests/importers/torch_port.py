"""The PyTorch programs as torch modules with their names, written from the equations, to be saved and to be asked.

`SampleRNN` is deepsound's, with `s4` S4's copy; `WaveNetModel` is Vincent Herrmann's, behind `Embedded` S4's copy.
"""

from __future__ import annotations

import itertools
import warnings

import torch
from torch import nn
from torch.nn import functional as F


def weight_norm(module: nn.Module, how: str) -> nn.Module:
    """`module` with weight norm in the form of torch before 2.1 ("old"), since then ("new"), or without."""
    if how == "old":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nn.utils.weight_norm(module)
    return nn.utils.parametrizations.weight_norm(module) if how == "new" else module


class Upsampling(nn.Module):
    def __init__(self, dim: int, ratio: int, norm: str) -> None:
        super().__init__()
        self.conv_t = weight_norm(nn.ConvTranspose1d(dim, dim, ratio, stride=ratio, bias=False), norm)
        self.bias = nn.Parameter(torch.randn(dim, ratio) / 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, D, N] -> [B, D, N * ratio]."""
        return self.conv_t(x) + self.bias.repeat(1, x.shape[2])


class GRU(nn.GRU):
    """S4's keeps its learned state inside."""

    def __init__(self, dim: int, layers: int) -> None:
        super().__init__(dim, dim, num_layers=layers, batch_first=True)
        self.h0 = nn.Parameter(torch.randn(layers, 1, dim) / 2)


class Tier(nn.Module):
    def __init__(self, frame: int, ratio: int, dim: int, layers: int, norm: str, s4: bool) -> None:
        super().__init__()
        self.frame = frame
        if not s4:
            self.h0 = nn.Parameter(torch.randn(layers, dim) / 2)
        self.input_expand = weight_norm(nn.Conv1d(frame, dim, 1), norm)
        self.rnn = GRU(dim, layers) if s4 else nn.GRU(dim, dim, num_layers=layers, batch_first=True)
        self.upsampling = Upsampling(dim, ratio, norm)

    def forward(self, amplitudes: torch.Tensor, conditioning: torch.Tensor | None) -> torch.Tensor:
        """Amplitudes [B, N * frame], conditioning [B, N, D] -> [B, N * ratio, D]."""
        frames = 2 * amplitudes.reshape(len(amplitudes), -1, self.frame)
        x = self.input_expand(frames.transpose(1, 2)).transpose(1, 2)
        x = x if conditioning is None else x + conditioning
        h0 = self.rnn.h0 if hasattr(self.rnn, "h0") else self.h0[:, None]
        out, _ = self.rnn(x, h0.expand(-1, len(x), -1).contiguous())
        return self.upsampling(out.transpose(1, 2)).transpose(1, 2)


class Head(nn.Module):
    def __init__(self, frame: int, dim: int, q_levels: int, width: int, norm: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(q_levels, width)
        self.input = weight_norm(nn.Conv1d(width, dim, frame, bias=False), norm)
        self.hidden = weight_norm(nn.Conv1d(dim, dim, 1), norm)
        self.output = weight_norm(nn.Conv1d(dim, q_levels, 1), norm)

    def forward(self, codes: torch.Tensor, conditioning: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.input(self.embedding(codes).transpose(1, 2)) + conditioning.transpose(1, 2))
        return self.output(F.relu(self.hidden(x))).transpose(1, 2)


class SampleRNN(nn.Module):
    def __init__(self, ratios, n_rnn=2, dim=9, q_levels=256, norm="old", s4=False, mu_law=False, d_model=None) -> None:
        super().__init__()
        sizes = list(itertools.accumulate(ratios, lambda a, b: a * b))
        tiers = (Tier(size, ratio, dim, n_rnn, norm, s4) for size, ratio in zip(sizes, ratios, strict=True))
        self.frame_level_rnns = nn.ModuleList(tiers)
        self.sample_level_mlp = Head(ratios[0], dim, q_levels, d_model or q_levels, norm)
        self.q_levels, self.mu_law = q_levels, mu_law

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes [B, T] -> predictions [B, T - lookback, Q] of all but the first `lookback`."""
        amplitudes = codes.to(self.sample_level_mlp.embedding.weight.dtype) / (self.q_levels / 2) - 1
        if self.mu_law:
            amplitudes = amplitudes.sign() * (256 ** amplitudes.abs() - 1) / 255
        big, conditioning = self.frame_level_rnns[-1].frame, None
        for tier in reversed(self.frame_level_rnns):
            conditioning = tier(amplitudes[:, big - tier.frame : -tier.frame], conditioning)
        return self.sample_level_mlp(codes[:, big - self.frame_level_rnns[0].frame : -1], conditioning)


class WaveNetModel(nn.Module):
    """Whole modules remember what they were made with, and their class by this name."""

    def __init__(
        self,
        layers=3,
        blocks=2,
        dilation_channels=5,
        residual_channels=7,
        skip_channels=11,
        end_channels=10,
        classes=32,
        in_channels=None,
        kernel_size=2,
        bias=True,
    ) -> None:
        super().__init__()
        D, R, S, K = dilation_channels, residual_channels, skip_channels, kernel_size
        self.layers, self.blocks, self.kernel_size, self.classes = layers, blocks, kernel_size, classes
        self.dilations = [(2**i, 2 ** max(i - 1, 0)) for i in range(layers)] * blocks
        self.dilated_queues = [torch.zeros(R, (K - 1) * d + 1) for d, _ in self.dilations]
        self.start_conv = nn.Conv1d(in_channels or classes, R, 1, bias=bias)
        for name, shape in (("filter", (R, D, K)), ("gate", (R, D, K)), ("residual", (D, R, 1)), ("skip", (D, S, 1))):
            convolutions = (nn.Conv1d(*shape, bias=bias) for _ in self.dilations)
            self.add_module(f"{name}_convs", nn.ModuleList(convolutions))
        self.end_conv_1 = nn.Conv1d(S, end_channels, 1)
        self.end_conv_2 = nn.Conv1d(end_channels, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Vectors [B, C, T] -> [B, T, classes]; before the first there are zeros in every layer's input."""
        h, skips = self.start_conv(x), 0.0
        for i, (dilation, _) in enumerate(self.dilations):
            padded = F.pad(h, ((self.kernel_size - 1) * dilation, 0))
            halves = (
                F.conv1d(padded, convolution.weight, convolution.bias, dilation=dilation)
                for convolution in (self.filter_convs[i], self.gate_convs[i])
            )
            f, g = halves
            z = torch.tanh(f) * torch.sigmoid(g)
            skips = skips + self.skip_convs[i](z)
            h = self.residual_convs[i](z) + h
        return self.end_conv_2(F.relu(self.end_conv_1(F.relu(skips)))).transpose(1, 2)


class OneHot(nn.Module):
    def __init__(self, model: WaveNetModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        vectors = F.one_hot(codes.long(), self.model.classes).to(self.model.start_conv.weight.dtype)
        return self.model(vectors.transpose(1, 2))


class Embedded(nn.Module):
    """S4's Lightning module: an encoder, the model, and with `decoded` a product after it."""

    def __init__(self, model: WaveNetModel, levels: int, width: int, decoded: bool) -> None:
        super().__init__()
        self.model = model
        self.encoder = nn.Sequential(nn.Identity(), nn.Sequential(nn.Embedding(levels, width)))
        if decoded:
            self.decoder = nn.Sequential(nn.Sequential(nn.Module()))
            self.decoder[0][0].output_transform = nn.Linear(model.classes, levels)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        out = self.model(self.encoder(codes).transpose(1, 2))
        return self.decoder[0][0].output_transform(out) if hasattr(self, "decoder") else out
