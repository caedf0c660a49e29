"""The weights before the first step, as the authors of each recipe drew them.

Every scheme names its rule for each kind of tensor; biases and learned states start at zero unless it says otherwise.
Fans count what feeds one output and what one input feeds; the halves of a gate and the gates of a recurrent layer are
counted as their authors' frameworks do. The authors' rules lie in their families' folders, and any rule starts any
family.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..levels.quantize import codec_of
from .registry import authors_rules
from .spec import Spec
from .torch_parts.initial import Draw, torch_defaults
from .torch_parts.weights import Weights


def initialise(
    model: Weights, scheme: str, seed: int = 0, forget_bias: float = 0.0, counts: np.ndarray | None = None
) -> None:
    """Fill `model` by a recipe's `initialiser`; the same numbers on every device for the same seed.

    `forget_bias` is added to the forget rows of every LSTM. `counts` [Q], how often each level occurs in the music, is
    what "smooth" starts from; without it all levels count alike.
    """
    draw, spec = torch.Generator().manual_seed(seed), model.spec
    smooth = scheme == "smooth"  # ours: the family's own authors' start, but for what belongs to single levels
    rule = (authors_rules() | {"torch": torch_defaults})[spec.initialisers[0] if smooth else scheme]
    arrays: dict[str, np.ndarray] = {}
    for name, shape in spec.tensors():
        value = rule(name, shape, spec, draw)
        value[spec.forget_rows(name)] += forget_bias
        arrays[name] = value.numpy()
    if smooth:
        _smooth_levels(arrays, spec, draw, counts)
    model.load(arrays)


def _smooth_levels(arrays: dict[str, np.ndarray], spec: Spec, draw: Draw, counts: np.ndarray | None) -> None:
    """Let neighbouring levels begin as neighbours, and the first prediction be the music's own histogram.

    Other schemes give every level an unrelated random vector, on both sides, so that a model must first find out from
    its data which levels lie side by side. Here a level enters and leaves as smooth waves over the scale.
    """
    counts = np.ones(spec.q_levels) if counts is None else counts + 1.0
    share = counts / counts.sum()
    waves = max(1, min(_WAVES, spec.q_levels // 4))
    into, out = spec.levels_into, spec.logits_from
    if into and arrays[into].ndim == 2:  # an embedding
        arrays[into] = _features(spec, share, arrays[into].shape[1]).astype(np.float32)
    elif into:
        D, _, taps = arrays[into].shape
        mixed = torch.randn(taps, waves, D, generator=draw).numpy() / math.sqrt(waves * taps)
        arrays[into] = (_features(spec, share, waves) @ mixed).transpose(2, 1, 0).astype(np.float32)
    mixed = torch.randn(waves, arrays[f"{out}.weight"].shape[1], generator=draw).numpy()
    weight = (_waves(spec.q_levels, waves) * _falling(waves)) @ mixed
    arrays[f"{out}.weight"] = (weight * (0.3 / math.sqrt((weight**2).sum(1).mean()))).astype(np.float32)
    if f"{out}.bias" in arrays:
        arrays[f"{out}.bias"] = np.log(share).astype(np.float32)


_WAVES = 32


def _features(spec: Spec, share: np.ndarray, width: int) -> np.ndarray:
    """What a level is, [Q, width]: amplitude and level number, each of RMS 1 in the music, then ever finer waves."""
    amplitude = codec_of(spec).decode_table().astype(np.float64)
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
