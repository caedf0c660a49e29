"""The weights before the first step, as the authors of each recipe drew them.

Every scheme names its rule for each kind of tensor; biases and learned states start at zero unless it says otherwise.
Fans count what feeds one output and what one input feeds; the halves of a gate and the gates of a recurrent layer are
counted as their authors' frameworks do.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..levels.quantize import codec
from .spec import SampleRNNSpec, Spec, tensors
from .torch_parts.weights import Weights

Draw = torch.Generator


def initialise(
    model: Weights, scheme: str, seed: int = 0, forget_bias: float = 0.0, counts: np.ndarray | None = None
) -> None:
    """Fill `model` by a recipe's `initialiser`; the same numbers on every device for the same seed.

    `forget_bias` is added to the forget rows of every LSTM. `counts` [Q], how often each level occurs in the music, is
    what "smooth" starts from; without it all levels count alike.
    """
    draw = torch.Generator().manual_seed(seed)
    rule = _SCHEMES[scheme]
    arrays: dict[str, np.ndarray] = {}
    for name, shape in tensors(model.spec):
        value = rule(name, shape, model.spec, draw)
        if name.endswith(".b_ih") and isinstance(model.spec, SampleRNNSpec) and model.spec.cell == "lstm":
            value[model.spec.dim : 2 * model.spec.dim] += forget_bias
        arrays[name] = value.numpy()
    if scheme == "smooth":
        _level_tensors(arrays, model.spec, draw, counts)
    model.load(arrays)


def _iclr(name: str, shape: tuple[int, ...], spec: Spec, draw: Draw) -> Tensor:
    """lib/ops.py of the SampleRNN authors, in Theano: "he" and LeCun uniform, orthogonal for square recurrences."""
    fan_in, _ = _fans(name, shape)
    if _is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight"):
        return torch.randn(shape, generator=draw)
    if name.endswith("w_hh") and _cell(spec) != "lstm":
        gates, candidate = 2 * shape[1], shape[1]
        rows = [_uniform((gates, shape[1]), math.sqrt(3 / fan_in), draw), _orthogonal(candidate, shape[1], draw)]
        return torch.cat(rows)
    if name.endswith(("w_ih", "w_hh")):
        return _uniform(shape, math.sqrt(3 / fan_in), draw)
    if name == "sample.out.weight":
        return (
            _orthogonal(shape[0], shape[1], draw)
            if shape[0] == shape[1]
            else _uniform(shape, math.sqrt(3 / fan_in), draw)
        )
    return _uniform(shape, math.sqrt(6 / fan_in), draw)


def _keras(name: str, shape: tuple[int, ...], spec: Spec, draw: Draw) -> Tensor:
    """Keras 2: Glorot uniform products, orthogonal recurrences, small embeddings; PRiSM's normal upsampling."""
    fan_in, fan_out = _fans(name, shape)
    if _is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight"):
        return _uniform(shape, 0.05, draw)
    if name.endswith("w_hh"):
        return _orthogonal(shape[0], shape[1], draw)
    if name.endswith("upsample.weight"):  # a normal cut at two deviations, rescaled to the deviation it lost
        deviation = math.sqrt(2 / (2 * shape[2] * shape[0])) / 0.87962566103423978
        value = torch.empty(shape)
        return torch.nn.init.trunc_normal_(value, 0, deviation, -2 * deviation, 2 * deviation, generator=draw)
    return _uniform(shape, math.sqrt(6 / (fan_in + fan_out)), draw)


def _ibab(name: str, shape: tuple[int, ...], spec: Spec, draw: Draw) -> Tensor:
    """wavenet/model.py of ibab: Xavier uniform, filter and gate each on its own; a square embedding is the identity."""
    fan_in, fan_out = _fans(name, shape)
    if _is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight") and shape[0] == shape[1]:
        return torch.eye(shape[0])
    if name.endswith(("dilated.weight", "gcond.weight")):
        fan_out //= 2
    return _uniform(shape, math.sqrt(6 / (fan_in + fan_out)), draw)


def _nv(name: str, shape: tuple[int, ...], spec: Spec, draw: Draw) -> Tensor:
    """pytorch/wavenet.py of nv-wavenet: Xavier uniform with the gain of what follows; biases and embedding as torch."""
    fan_in, fan_out = _fans(name, shape)
    if _is_vector(name) or name.endswith("embed.weight"):
        return _torch(name, shape, spec, draw)
    gain = 1.0
    if name.endswith(("dilated.weight", "gcond.weight")):
        gain = 5 / 3
    elif name.endswith(("skip.weight", "head.conv1.weight")):
        gain = math.sqrt(2)
    return _uniform(shape, gain * math.sqrt(6 / (fan_in + fan_out)), draw)


def _torch(name: str, shape: tuple[int, ...], spec: Spec, draw: Draw) -> Tensor:
    """torch's defaults: uniform within 1/sqrt(fan in), of the hidden width in recurrent layers; normal embeddings."""
    if name.endswith("embed.weight"):
        return torch.randn(shape, generator=draw)
    if name.endswith(("h0", "c0", "upsample.bias")):
        return torch.zeros(shape)
    table = dict(tensors(spec))
    fan_in, _ = _fans(name, table.get(f"{name.removesuffix('bias')}weight", shape))
    if ".rnn." in name:
        fan_in = spec.dim  # type: ignore[union-attr]
    elif name.endswith("upsample.weight"):  # torch takes the fan of the transposed product
        fan_in = shape[1] * shape[2]
    return _uniform(shape, 1 / math.sqrt(fan_in), draw)


def _smooth(name: str, shape: tuple[int, ...], spec: Spec, draw: Draw) -> Tensor:
    """Ours: the authors' own start for each family; what belongs to single levels is replaced by `_level_tensors`."""
    return (_iclr if isinstance(spec, SampleRNNSpec) else _ibab)(name, shape, spec, draw)


def _level_tensors(arrays: dict[str, np.ndarray], spec: Spec, draw: Draw, counts: np.ndarray | None) -> None:
    """Let neighbouring levels begin as neighbours, and the first prediction be the music's own histogram.

    Other schemes give every level an unrelated random vector, on both sides, so that a model must first find out from
    its data which levels lie side by side. Here a level enters and leaves as smooth waves over the scale.
    """
    counts = np.ones(spec.q_levels) if counts is None else counts + 1.0
    share = counts / counts.sum()
    for name in ("sample.embed.weight", "input.embed.weight"):
        if name in arrays:
            arrays[name] = _features(spec, share, arrays[name].shape[1]).astype(np.float32)
    if isinstance(spec, SampleRNNSpec):
        one_hot, out = "" if spec.embed_dim else "sample.in.weight", "sample.out"
    else:
        one_hot, out = "input.conv.weight" if spec.input == "one-hot" else "", "head.conv2"
    waves = max(1, min(_WAVES, spec.q_levels // 4))
    if one_hot:
        D, _, taps = arrays[one_hot].shape
        mixed = torch.randn(taps, waves, D, generator=draw).numpy() / math.sqrt(waves * taps)
        arrays[one_hot] = (_features(spec, share, waves) @ mixed).transpose(2, 1, 0).astype(np.float32)
    mixed = torch.randn(waves, arrays[f"{out}.weight"].shape[1], generator=draw).numpy()
    weight = (_waves(spec.q_levels, waves) * _falling(waves)) @ mixed
    arrays[f"{out}.weight"] = (weight * (0.3 / math.sqrt((weight**2).sum(1).mean()))).astype(np.float32)
    if f"{out}.bias" in arrays:
        arrays[f"{out}.bias"] = np.log(share).astype(np.float32)


_WAVES = 32


def _features(spec: Spec, share: np.ndarray, width: int) -> np.ndarray:
    """What a level is, [Q, width]: amplitude and level number, each of RMS 1 in the music, then ever finer waves."""
    amplitude = codec(spec).decode_table().astype(np.float64)
    number = np.linspace(-1, 1, spec.q_levels)
    scaled = [v / math.sqrt((share * v**2).sum()) for v in (amplitude, number)]
    found = np.column_stack([*scaled, _waves(spec.q_levels, width)])[:, :width] * _falling(width)
    return found * math.sqrt(width / (found**2).sum(1).mean())


def _waves(q: int, n: int) -> np.ndarray:
    """[Q, n]: cosines over the scale with 1, 2, ... n half periods, each of RMS 1."""
    return math.sqrt(2) * np.cos(np.pi * np.arange(1, n + 1) * (np.arange(q)[:, None] + 0.5) / q)


def _falling(n: int) -> np.ndarray:
    """The finer, the fainter: level noise matters less than where on the scale it is."""
    return 1 / np.sqrt(1 + np.arange(n) / 2)


_SCHEMES: dict[str, Callable[[str, tuple[int, ...], Spec, Draw], Tensor]] = {
    "iclr": _iclr,
    "keras": _keras,
    "ibab": _ibab,
    "nv": _nv,
    "torch": _torch,
    "smooth": _smooth,
}


def _fans(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """What feeds one output, and what one input feeds. The upsampling is [in, out, phase], products [out, in, taps]."""
    if len(shape) == 1:
        return shape[0], shape[0]
    if name.endswith("upsample.weight"):
        return shape[0], shape[1] * shape[2]
    taps = math.prod(shape[2:])
    return shape[1] * taps, shape[0] * taps


def _is_vector(name: str) -> bool:
    return name.endswith(("bias", "b_ih", "b_hh", "h0", "c0"))


def _cell(spec: Spec) -> str | None:
    return spec.cell if isinstance(spec, SampleRNNSpec) else None


def _uniform(shape: tuple[int, ...], bound: float, draw: Draw) -> Tensor:
    return (torch.rand(shape, generator=draw) * 2 - 1) * bound


def _orthogonal(rows: int, columns: int, draw: Draw) -> Tensor:
    """Orthonormal rows or columns, whichever are fewer, uniform over all such matrices."""
    tall = torch.randn(max(rows, columns), min(rows, columns), generator=draw, dtype=torch.float64)
    q, r = torch.linalg.qr(tall)
    q = (q * torch.sign(torch.diagonal(r))).float()
    return q.contiguous() if rows >= columns else q.t().contiguous()
