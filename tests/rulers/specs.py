"""Small specs by name, one or more for every value of every field, for the tests that run all players.

`SPECS` is the catalogue; `random_tensors` gives weights under which activations live in the middle of their range and
logits spread over a few units; `levels` and `condition` give matching input.
"""

from __future__ import annotations

import zlib

import numpy as np

from sharks.recipes.presets import preset, presets
from sharks.spec import CodesSpec, SampleRNNSpec, Spec, WaveNetSpec, replace, tensors

SAMPLERNN = SampleRNNSpec(frame_sizes=(4,), dim=12, layers=2, embed_dim=6, q_levels=32)
WAVENET = WaveNetSpec(dilations=(1, 2, 4, 1, 2), residual=10, dilation=6, skip=12, head=11, q_levels=32)
CODES = CodesSpec(bands=6, window=64, hop=16, dims=5, books=3, q_levels=32, hidden=12, layers=2, width=10, order=4)
ODD_WIDTHS = (1, 7, 8, 9, 31, 33, 64)


def _samplernn() -> dict[str, Spec]:
    specs: dict[str, dict] = {}
    for cell in ("gru", "gru-reset-before", "lstm"):
        specs[cell] = {"cell": cell}
        for skip in ("graves", "prism"):
            for skip_bias in ("first", "all"):
                specs[f"{cell}-{skip}-{skip_bias}"] = {"cell": cell, "skip": skip, "skip_bias": skip_bias, "layers": 3}
        specs[f"{cell}-learned-state"] = {"cell": cell, "initial_state": "learned"}
        specs[f"{cell}-3-frame-tiers"] = {"cell": cell, "frame_sizes": (2, 4, 16), "layers": 1}
    for skip in ("none", "graves", "prism"):
        specs[f"raw-top-{skip}"] = {"expand_top": False, "skip": skip}
        specs[f"raw-top-2-frame-tiers-{skip}"] = {"expand_top": False, "skip": skip, "frame_sizes": (2, 8)}
    specs |= {
        "1-layer": {"layers": 1},
        "prism-1-layer": {"layers": 1, "skip": "prism"},
        "2-frame-tiers": {"frame_sizes": (2, 8)},
        "frames-of-1": {"frame_sizes": (1,)},
        "frames-of-1-and-3": {"frame_sizes": (1, 3), "upsample_bias": True},
        "frames-of-16": {"frame_sizes": (16,)},
        "1-hidden": {"hidden_layers": 1},
        "relu-before-hidden": {"relu_before_hidden": True},
        "relu-before-1-hidden": {"relu_before_hidden": True, "hidden_layers": 1},
        "upsample-bias": {"upsample_bias": True},
        "upsample-bias-3-frame-tiers": {"upsample_bias": True, "frame_sizes": (2, 4, 16)},
        "one-hot": {"embed_dim": 0},
        "one-hot-odd": {"embed_dim": 0, "q_levels": 33, "frame_sizes": (3,)},
        "embed-1": {"embed_dim": 1},
        "relu-logits": {"relu_logits": True},
        "raw-top-no-lower": {"expand_top": False, "expand_lower": False},
        "2-levels": {"q_levels": 2},
        "256-levels": {"q_levels": 256, "embed_dim": 16},
    }
    for codec in ("MU-R", "MU-T", "MU-N", "MU-D", "MU-S", "LIN-P", "LIN-W", "LIN-C", "LIN-D"):
        specs[f"decoded-{codec}"] = {"tier_input": "decoded", "codec": codec, "q_levels": 256}
        specs[f"linear-{codec}"] = {"codec": codec, "q_levels": 256}
    for width in ODD_WIDTHS:
        specs[f"dim-{width}"] = {"dim": width}
        specs[f"lstm-graves-dim-{width}"] = {"dim": width, "cell": "lstm", "skip": "graves"}
        specs[f"embed-{width}"] = {"embed_dim": width}
        specs[f"levels-{max(width, 3)}"] = {"q_levels": max(width, 3)}
    return {f"samplernn-{name}": replace(SAMPLERNN, **fields) for name, fields in specs.items()}


def _wavenet() -> dict[str, Spec]:
    embedding = {"input": "embedding", "embed_dim": 5}
    classes = {"global_channels": 4, "global_classes": 3}
    specs: dict[str, dict] = {
        "one-hot": {},
        "filter-3": {"filter_width": 3},
        "filter-3-biased-input": {"filter_width": 3, "input_bias": True},
        "no-bias": {"bias": False},
        "no-head-bias": {"head_bias": False},
        "no-bias-at-all": {"bias": False, "head_bias": False},
        "embedding": embedding,
        "embedding-biased": embedding | {"input_bias": True},
        "embedding-1-tap": embedding | {"input_filter_width": 1},
        "embedding-3-taps": embedding | {"input_filter_width": 3},
        "embedding-alone": {"input": "embedding", "embed_dim": WAVENET.residual, "input_filter_width": 0},
        "one-hot-1-tap": {"input_filter_width": 1},
        "one-hot-1-tap-biased": {"input_filter_width": 1, "input_bias": True},
        "one-hot-3-taps": {"input_filter_width": 3},
        "scalar": {"input": "scalar"},
        "scalar-1-tap": {"input": "scalar", "input_filter_width": 1, "input_bias": True},
        "scalar-32-taps": {"input": "scalar", "input_filter_width": 32},
        "no-last-residual": {"last_residual": False},
        "no-last-residual-no-bias": {"last_residual": False, "bias": False},
        "scaled": {"residual_scale": 0.5**0.5, "skip_scale": 0.2},
        "head-1": {"head": 1},
        "head-wide": {"head": 40},
        "vectors": {"global_channels": 3},
        "classes": classes,
        "classes-filter-3-no-bias": classes | {"filter_width": 3, "bias": False},
        "starts-empty": {"start": "empty"},
        "1-layer": {"dilations": (1,)},
        "1-layer-no-last-residual": {"dilations": (3,), "last_residual": False},
        "odd-dilations": {"dilations": (5, 3, 7, 1, 6)},
        "odd-dilations-filter-3": {"dilations": (5, 3, 1), "filter_width": 3},
        "2-levels": {"q_levels": 2},
        "256-levels": {"q_levels": 256},
        "odd-everything": {"residual": 7, "dilation": 9, "skip": 33, "head": 31, "q_levels": 33, "filter_width": 3},
        # The same wirings as the programs that people have weights of, made small.
        "r9y9": {
            "input": "scalar",
            "input_filter_width": 1,
            "input_bias": True,
            "filter_width": 3,
            "residual_scale": 0.5**0.5,
            "skip_scale": 0.2**0.5,
            "codec": "MU-N",
            "global_channels": 4,
            "global_classes": 3,
        },
        "vincentherrmann": {"input_filter_width": 1, "bias": False, "codec": "MU-D", "start": "empty"},
    }
    for codec in ("MU-R", "MU-T", "MU-N", "MU-D", "MU-S", "LIN-P", "LIN-W", "LIN-C", "LIN-D"):
        specs[f"scalar-{codec}"] = {"input": "scalar", "codec": codec, "q_levels": 256}
    for width in ODD_WIDTHS:
        specs[f"residual-{width}"] = {"residual": width}
        specs[f"dilation-{width}"] = {"dilation": width}
        specs[f"skip-{width}"] = {"skip": width}
        specs[f"head-{width}"] = {"head": width}
        specs[f"embed-{width}"] = {"input": "embedding", "embed_dim": width}
    return {f"wavenet-{name}": replace(WAVENET, **fields) for name, fields in specs.items()}


def _codes() -> dict[str, Spec]:
    specs: dict[str, dict] = {
        "2-layers": {},
        "1-layer": {"layers": 1},
        "3-layers": {"layers": 3},
        "1-book": {"books": 1},
        "7-books": {"books": 7},
        "1-dim": {"dims": 1},
        "all-dims": {"dims": 12},
        "single-frames": {"pair": 1},
        "2-levels": {"q_levels": 2},
        "256-levels": {"q_levels": 256},
        "1-pole": {"order": 1},
        "other-sound": {"bands": 9, "window": 32, "hop": 8, "floor": 1e-3},
    }
    for hidden, width in ((1, 64), (9, 1), (33, 31), (64, 7)):
        specs[f"hidden-{hidden}-width-{width}"] = {"hidden": hidden, "width": width}
    return {f"codes-{name}": replace(CODES, **fields) for name, fields in specs.items()}


def shrunk(spec: Spec) -> Spec:
    """The same wiring with fewer channels and shorter dilations, quick enough for the reference."""
    if isinstance(spec, SampleRNNSpec):
        return replace(spec, dim=24, embed_dim=min(spec.embed_dim, 20))
    if isinstance(spec, CodesSpec):
        return replace(spec, hidden=24, width=20, dims=min(spec.dims, 12), books=min(spec.books, 4))
    if not isinstance(spec, WaveNetSpec):
        return spec  # of a family whose presets are small as they are
    return replace(
        spec,
        dilations=[min(d, 16) for d in spec.dilations],
        residual=16,
        dilation=12,
        skip=20,
        head=20,
        embed_dim=spec.embed_dim and (16 if spec.input_filter_width == 0 else 20),
    )


_OF_PRESETS = {f"preset-{name}": shrunk(preset(name)) for name in presets()}
SPECS: dict[str, Spec] = _samplernn() | _wavenet() | _codes() | _OF_PRESETS
ON_GPU = {name: spec for name, spec in SPECS.items() if "cuda" in spec.devices}


def random_tensors(spec: Spec, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights float32 by name. Each tensor depends on its name and the seed, not on the others."""
    weights = {}
    for name, shape in tensors(spec):
        values = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape)
        if len(shape) > 1 and shape[0] == 1:
            # A lone unit before a ReLU must not be dead; and what has one sign adds up faster.
            values = np.abs(values) / np.prod(shape[1:]) ** 0.5
        weights[name] = (values * _scale(spec, name, shape)).astype(np.float32)
    return weights


def _scale(spec: Spec, name: str, shape: tuple[int, ...]) -> float:
    """The deviation of a tensor's values: about 1 / sqrt(number of inputs that are not zero)."""
    part = name.rsplit(".", 1)[1]
    if name.endswith("embed.weight"):
        return 1.0
    if "bias" in part or part.startswith("b_"):
        return 0.2
    if part in ("h0", "c0"):
        return 0.5
    fan_in = {
        "upsample.weight": shape[0],
        "sample.in.weight": spec.frame_sizes[0] * max(spec.embed_dim, 1) if spec.family == "samplernn" else 0,
        "input.conv.weight": shape[-1] * (shape[1] if getattr(spec, "input", "") == "embedding" else 1),
    }
    inputs = next((n for end, n in fan_in.items() if name.endswith(end)), int(np.prod(shape[1:])))
    gain = {"sample.out.weight": 4.0, "head.conv2.weight": 4.0, "head.conv1.weight": 1.4}.get(name, 1.0)
    if name.startswith("prior.heads."):
        gain = 4.0 if ".out." in name else 1.4
    if name.startswith("blocks.") and ("res" in name or "skip" in name):
        gain = 2.0 / spec.layers**0.5  # what all layers add must not grow with their number
    return gain / inputs**0.5


def levels(spec: Spec, streams: int, time: int, seed: int = 0) -> np.ndarray:
    """Random levels int32 (streams, time)."""
    return np.random.default_rng([seed, 1]).integers(0, spec.q_levels, (streams, time), dtype=np.int32)


def condition(spec: Spec, streams: int, seed: int = 0) -> np.ndarray | None:
    """Random classes (streams,) or vectors (streams, G), or None where the spec takes none."""
    random = np.random.default_rng([seed, 2])
    if getattr(spec, "global_classes", 0):
        return random.integers(0, spec.global_classes, streams)
    if getattr(spec, "global_channels", 0):
        return random.standard_normal((streams, spec.global_channels)).astype(np.float32)
    return None
