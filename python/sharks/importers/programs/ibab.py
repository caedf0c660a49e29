"""Igor Babuschkin's tensorflow-wavenet (TensorFlow 1, github.com/ibab/tensorflow-wavenet), as its Saver writes it.

Its biases mostly have no names: they are `Variable`, `Variable_1`, ... in the order filter, gate, dense, skip. In the
code of September 2016 it is the filters that have none, and biases are called `filter_biases`, `filter_bias` and so on.
So names are only a hint here: within a layer, what has no name takes the parts that are still free, in that order. The
first weeks' code had no skip products: what goes to the head is the residual product.
"""

from __future__ import annotations

import collections.abc
import re

import numpy as np

from ...families.spec import Spec
from ...families.wavenet.spec import WaveNetSpec
from ..source import Source, Tensors

KEYS = (("dilations", "residual_channels"),)
_USUAL_LAYERS = 50  # of wavenet_params.json: five times 1 to 512
_SLOTS = r"/(Adam|Momentum|RMSProp)(_\d+)?$|^beta[12]_power|^global_step$|^(optimizer|save)/"
_UNNAMED = re.compile(r"Variable(?:_(\d{1,9}))?")
_LAYER = ("filter", "gate", "dense", "skip")
_HEAD = ("postprocess1", "postprocess2")
_Parts = dict[str, str]  # what a tensor is -> its name in the file


def prefix(names: collections.abc.Collection[str]) -> str | None:
    """What stands before the program's names, None if this is another program's checkpoint."""
    found = (re.fullmatch(r"(.*?)dilated_stack/layer0/[^/]+", name) for name in names)
    return next((match[1] for match in found if match), None)


def build(source: Source) -> tuple[Spec, Tensors]:
    source.drop(_SLOTS, "the optimiser's own")
    scopes = _scopes(source)
    start = _parts(source, scopes, "causal_layer", ("filter",))
    head = _parts(source, scopes, "postprocessing", _HEAD)
    count = max(1, sum(re.fullmatch(r"dilated_stack/layer\d+", scope) is not None for scope in scopes))
    layers = [_parts(source, scopes, f"dilated_stack/layer{i}", _LAYER) for i in range(count)]
    if not any(source.has(parts["skip"]) for parts in layers):
        for parts in layers:
            del parts["skip"]
    spec = _spec(source, start, head, layers)
    Q, R, S, G = spec.q_levels, spec.residual, spec.skip, spec.global_channels
    tensors: Tensors = {}
    if spec.global_classes:
        tensors["gcond.embed.weight"] = source.take("embeddings/gc_embedding", spec.global_classes, G)
    tensors["input.conv.weight"] = source.take(start["filter"], spec.filter_width, Q, R).transpose(2, 1, 0)
    for i, parts in enumerate(layers):
        _layer(source, spec, i, parts, tensors)
    for i, inputs, width in ((1, S, spec.head), (2, spec.head, Q)):
        tensors[f"head.conv{i}.weight"] = source.take(head[f"postprocess{i}"], 1, inputs, width)[0].T
        if spec.head_bias:
            bias = head.get(f"postprocess{i}_bias", f"postprocessing/postprocess{i}_bias")
            tensors[f"head.conv{i}.bias"] = source.take(bias, width)
    return spec, tensors


def _scopes(source: Source) -> dict[str, list[str]]:
    """The names of every scope, those without a name of their own in the order of their numbers."""
    found: dict[str, list[str]] = {}
    for name in source.names(r".+/[^/]+"):
        found.setdefault(name.rsplit("/", 1)[0], []).append(name)
    return {scope: sorted(names, key=_order) for scope, names in found.items()}


def _parts(source: Source, scopes: dict[str, list[str]], scope: str, roles: tuple[str, ...]) -> _Parts:
    """The tensors of a scope by what they are: `roles`, and their biases as "ROLE_bias"."""
    unnamed: dict[int, list[str]] = {}
    found: _Parts = {}
    for name in scopes.get(scope, []):
        own = name.rsplit("/", 1)[1]
        role = re.sub(r"_biases$", "_bias", own).replace("slip_bias", "skip_bias")
        if _UNNAMED.fullmatch(own):
            unnamed.setdefault(source.rank(name), []).append(name)
        elif role.removesuffix("_bias") in roles:
            found[role] = name
    for rank, ending in ((3, ""), (1, "_bias")):
        free = [f"{role}{ending}" for role in roles if f"{role}{ending}" not in found]
        found |= dict(zip(free, unnamed.get(rank, []), strict=False))
    for role in roles:
        found.setdefault(role, f"{scope}/{role}")  # which whoever takes it will miss
    return found


def _order(name: str) -> int:
    match = _UNNAMED.fullmatch(name.rsplit("/", 1)[1])
    return int(match[1] or 0) if match else -1


def _spec(source: Source, start: _Parts, head: _Parts, layers: list[_Parts]) -> WaveNetSpec:
    _, channels, R = source.shape(start["filter"], 3)
    if channels == 1 or source.settings.get("scalar_input", bool):
        raise source.error(
            f"{source.told(start['filter'])} reads the waveform itself (scalar_input), but this program then generates "
            "from whole levels, which it has never been trained on",
            "train with scalar_input false",
        )
    biased = "filter_bias" in layers[0]
    if "skip" not in layers[0]:
        source.assume(
            "levels without rounding (MU-N)", "a model without skip products is of the code of September 2016"
        )
    K, _, D = source.shape(layers[0]["filter"], 3)
    S, wide = source.shape(head["postprocess1"], 3)[1:]
    Q = source.shape(head["postprocess2"], 3)[2]
    classes = source.shape("embeddings/gc_embedding", 2)[0] if source.has("embeddings/gc_embedding") else 0
    gc = "dilated_stack/layer0/gc_filter"
    spec = WaveNetSpec(
        sample_rate=source.sample_rate(),
        q_levels=Q,
        codec="MU-R" if "skip" in layers[0] else "MU-N",
        input_filter_width=K,
        filter_width=K,
        dilations=_dilations(source, len(layers)),
        residual=R,
        dilation=D,
        skip=S,
        head=wide,
        bias=biased,
        head_bias="postprocess1_bias" in head,
        global_channels=source.shape(gc, 3)[1] if source.has(gc) else 0,
        global_classes=classes,
    )
    for setting, value, tensor in (
        ("filter_width", K, layers[0]["filter"]),
        ("residual_channels", R, start["filter"]),
        ("dilation_channels", D, layers[0]["filter"]),
        ("skip_channels", S, head["postprocess1"]),
        ("quantization_channels", Q, head["postprocess2"]),
        ("quantization_steps", Q, head["postprocess2"]),
        ("use_biases", biased, layers[0]["filter"]),
    ):
        source.agree(setting, value, tensor)
    return spec


def _dilations(source: Source, layers: int) -> tuple[int, ...]:
    said = source.settings.get("dilations", list)
    if said is None and layers == _USUAL_LAYERS:
        source.assume("dilations 1 to 512, five times", "the checkpoint has the usual number of layers")
        said = [2**i for i in range(10)] * 5
    if said is None:
        raise source.error(
            f"has {layers} layers, and tensors do not tell their dilations",
            "name its wavenet_params.json with --config",
        )
    if len(said) != layers:
        raise source.error(
            f"dilations in {source.settings.origin} are {len(said)}, but the checkpoint has {layers} layers",
            "name the config that this checkpoint was trained with",
        )
    return tuple(said)


def _layer(source: Source, spec: WaveNetSpec, i: int, parts: _Parts, tensors: Tensors) -> None:
    K, R, D, S, G = spec.filter_width, spec.residual, spec.dilation, spec.skip, spec.global_channels
    ours, scope = f"blocks.{i}", f"dilated_stack/layer{i}"
    halves = [source.take(parts[half], K, R, D).transpose(2, 1, 0) for half in ("filter", "gate")]
    tensors[f"{ours}.dilated.weight"] = np.concatenate(halves)
    if G:
        conditioning = [source.take(f"{scope}/gc_{half}", 1, G, D)[0].T for half in ("filter", "gate")]
        tensors[f"{ours}.gcond.weight"] = np.concatenate(conditioning)
    bias = {role: parts.get(f"{role}_bias", f"{scope}/{role}_bias") for role in _LAYER}
    if spec.bias:
        tensors[f"{ours}.dilated.bias"] = np.concatenate([source.take(bias[half], D) for half in ("filter", "gate")])
    for theirs, part, width in (("dense", "res", R), ("skip", "skip", S)):
        if theirs in parts:
            tensors[f"{ours}.{part}.weight"] = source.take(parts[theirs], 1, D, width)[0].T
            if spec.bias:
                tensors[f"{ours}.{part}.bias"] = source.take(bias[theirs], width)
        else:
            for kind in ("weight", "bias")[: 1 + spec.bias]:
                tensors[f"{ours}.skip.{kind}"] = tensors[f"{ours}.res.{kind}"]
