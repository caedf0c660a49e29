"""Vincent Herrmann's pytorch-wavenet (github.com/vincentherrmann/pytorch-wavenet): a state_dict, or the whole module,
which is how its training saves. What S4's copy of it shares is here, too.

Tensors do not tell the dilations: `layers` and `blocks` do, which a whole module knows and a config file may say.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing

import numpy as np

from ...families.spec import Spec
from ...families.wavenet.spec import WaveNetSpec
from ..source import Source, Tensors

KEYS = (("layers", "blocks"),)
_ANCHOR = "start_conv.weight"
_USUAL = {30: (10, 3), 40: (10, 4)}  # layers in all -> in a block, blocks: its script, its default
_WRONG = "name the config that this checkpoint was trained with"


def prefix(names: collections.abc.Collection[str]) -> str | None:
    """What stands before the program's names, None if this is another program's checkpoint."""
    found = (name.removesuffix(_ANCHOR) for name in names if name.endswith(_ANCHOR))
    return next((before for before in found if f"{before}filter_convs.0.weight" in names), None)


def build(source: Source) -> tuple[Spec, Tensors]:
    spec = network(source, codec="MU-D", sample_rate=source.sample_rate(), start="empty")
    channels = source.shape(_ANCHOR, 3)[1]
    if channels != spec.q_levels:
        raise source.error(
            f"{source.told(_ANCHOR)} reads {channels} channels and the model predicts {spec.q_levels} levels: its "
            "input is not one level",
            "import a model with one-hot input",
        )
    return spec, weights(source, spec)


def network(source: Source, **fields: typing.Any) -> WaveNetSpec:
    """The spec of the network, with one-hot input, from the shapes; `fields` are what shapes do not tell."""
    residual = source.shape(_ANCHOR, 3)[0]
    dilation, _, width = source.shape("filter_convs.0.weight", 3)
    head, skip = source.shape("end_conv_1.weight", 3)[:2]
    q_levels = source.shape("end_conv_2.weight", 3)[0]
    biased = source.has("start_conv.bias")
    spec = WaveNetSpec(
        q_levels=q_levels,
        input_filter_width=1,
        input_bias=biased,
        filter_width=width,
        dilations=_dilations(source, source.count("filter_convs.{}.weight"), width),
        residual=residual,
        dilation=dilation,
        skip=skip,
        head=head,
        bias=biased,
    )
    for setting, value, tensor in (
        ("dilation_channels", dilation, "filter_convs.0.weight"),
        ("residual_channels", residual, _ANCHOR),
        ("skip_channels", skip, "end_conv_1.weight"),
        ("end_channels", head, "end_conv_1.weight"),
        ("classes", q_levels, "end_conv_2.weight"),
        ("kernel_size", width, "filter_convs.0.weight"),
        ("bias", biased, _ANCHOR),
    ):
        source.agree(setting, value, tensor)
    return dataclasses.replace(spec, **fields)


def _dilations(source: Source, count: int, width: int) -> tuple[int, ...]:
    layers, blocks = (source.settings.get(key, int) for key in ("layers", "blocks"))
    factor = source.settings.get("dilation_factor", int) or 2
    if (layers is None or blocks is None) and count in _USUAL:
        layers, blocks = _USUAL[count]
        source.assume(f"{blocks} blocks of {layers} layers, dilations from 1 doubling", "a usual number of layers")
    if layers is None or blocks is None:
        raise source.error(
            f"has {count} layers, and tensors do not tell their dilations",
            'name a JSON file such as {"layers": 10, "blocks": 4} with --config',
        )
    if layers * blocks != count or layers < 1 or factor < 1:
        raise source.error(
            f"{source.settings.origin} says {blocks} blocks of {layers} layers, but the checkpoint has {count} layers",
            _WRONG,
        )
    if factor ** min(layers, 40) > 1 << 21:
        raise source.error(f"{source.settings.origin} says {layers} layers a block, which reach too far back", _WRONG)
    return tuple(factor**i for i in range(layers)) * blocks


def weights(source: Source, spec: WaveNetSpec, predicted: int | None = None) -> Tensors:
    """The tensors; `predicted` is how many numbers the last product gives, if not one per level."""
    R, D, S, K = spec.residual, spec.dilation, spec.skip, spec.filter_width
    tensors: Tensors = {"input.conv.weight": source.take("start_conv.weight", R, spec.input_width, 1)}
    if spec.input_bias:
        tensors["input.conv.bias"] = source.take("start_conv.bias", R)
    for i in range(spec.layers):
        halves = [source.take(f"{half}_convs.{i}.weight", D, R, K) for half in ("filter", "gate")]
        tensors[f"blocks.{i}.dilated.weight"] = np.concatenate(halves)
        if spec.bias:
            halves = [source.take(f"{half}_convs.{i}.bias", D) for half in ("filter", "gate")]
            tensors[f"blocks.{i}.dilated.bias"] = np.concatenate(halves)
        for theirs, ours, width in (("residual", "res", R), ("skip", "skip", S)):
            tensors[f"blocks.{i}.{ours}.weight"] = source.take(f"{theirs}_convs.{i}.weight", width, D, 1)[..., 0]
            if spec.bias:
                tensors[f"blocks.{i}.{ours}.bias"] = source.take(f"{theirs}_convs.{i}.bias", width)
    for i, inputs, width in ((1, S, spec.head), (2, spec.head, predicted or spec.q_levels)):
        tensors[f"head.conv{i}.weight"] = source.take(f"end_conv_{i}.weight", width, inputs, 1)[..., 0]
        tensors[f"head.conv{i}.bias"] = source.take(f"end_conv_{i}.bias", width)
    return tensors
