"""WaveNet as ibab's TensorFlow graph computes it: its variables, [tap, in, out], VALID convolutions, numpy float64.

Written from the equations, to judge what the importer makes of its variables, under the names that they have had:
"now" leaves biases nameless, "named" is what was meant, "2016" leaves filters nameless and names biases in the plural.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STYLES = ("now", "named", "2016")
PARTS = ("filter", "gate", "dense", "skip")


class Params(NamedTuple):
    """wavenet_params.json, and what the command line says."""

    filter_width: int = 2
    sample_rate: int = 16000
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4)
    residual_channels: int = 7
    dilation_channels: int = 5
    quantization_channels: int = 32
    skip_channels: int = 11
    use_biases: bool = True
    scalar_input: bool = False
    initial_filter_width: int = 32
    gc_channels: int = 0
    gc_cardinality: int = 0
    shared: bool = False  # the first weeks' code: the residual product goes to the head, too

    def json(self) -> dict:
        return {k: v for k, v in self._asdict().items() if not k.startswith("gc_") and k != "shared"}


def made(params: Params, style: str = "now", seed: int = 0) -> dict[str, np.ndarray]:
    """The variables of such a model, float32, by the names of a style."""
    random, K = np.random.default_rng(seed), params.filter_width
    R, D, Q = params.residual_channels, params.dilation_channels, params.quantization_channels
    S = R if params.shared else params.skip_channels

    def kernel(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) / (shape[0] * shape[1]) ** 0.5).astype(np.float32)

    def scope(name: str, kernels: dict[str, np.ndarray], biases: bool = params.use_biases) -> dict[str, np.ndarray]:
        values = {f"{part}_bias": 0.3 * random.standard_normal(k.shape[2]) for part, k in kernels.items() if biases}
        return {f"wavenet/{name}/{k}": v.astype(np.float32) for k, v in _named(kernels, values, style).items()}

    wide = Q // 2 if params.shared else S
    variables = scope("causal_layer", {"filter": 3 * kernel(K, Q, R)}, biases=False)
    for i in range(len(params.dilations)):
        shapes = dict(
            zip(PARTS[: 3 if params.shared else 4], ((K, R, D), (K, R, D), (1, D, R), (1, D, S)), strict=False)
        )
        variables |= scope(f"dilated_stack/layer{i}", {part: kernel(*shape) for part, shape in shapes.items()})
        if params.gc_channels:
            for half in ("gc_gate", "gc_filter"):
                variables[f"wavenet/dilated_stack/layer{i}/{half}"] = kernel(1, params.gc_channels, D)
    variables |= scope("postprocessing", {"postprocess1": kernel(1, S, wide), "postprocess2": kernel(1, wide, Q)})
    if params.gc_cardinality:
        table = random.standard_normal((params.gc_cardinality, params.gc_channels))
        variables["wavenet/embeddings/gc_embedding"] = table.astype(np.float32)
    return variables


def _named(kernels: dict[str, np.ndarray], biases: dict[str, np.ndarray], style: str) -> dict[str, np.ndarray]:
    if style == "named":
        return kernels | biases
    if style == "now":
        return kernels | dict(zip(_nameless(), biases.values(), strict=False))
    plural = {name if name.startswith("post") else f"{name}es": bias for name, bias in biases.items()}
    return dict(zip(_nameless(), kernels.values(), strict=False)) | plural


def _nameless():
    return ["Variable", *(f"Variable_{n}" for n in range(1, 9))]


def logits(params: Params, variables: dict[str, np.ndarray], codes: np.ndarray, gc=None) -> np.ndarray:
    """Codes [B, T] -> [B, T - receptive field + 1, Q]: row i predicts code i + receptive field.

    `variables` are "named"; `gc` is a class per stream, or a vector per stream.
    """
    v = {name.removeprefix("wavenet/"): array.astype(np.float64) for name, array in variables.items()}
    K, L = params.filter_width, len(params.dilations)
    width = codes.shape[1] - (K - 1) * (sum(params.dilations) + 1)
    h = _conv(np.eye(params.quantization_channels)[codes], v["causal_layer/filter"], 1)
    total = 0.0
    for i in range(L):
        layer = f"dilated_stack/layer{i}"
        f, g = (_conv(h, v[f"{layer}/{half}"], params.dilations[i]) for half in ("filter", "gate"))
        if gc is not None:
            c = v["embeddings/gc_embedding"][gc] if params.gc_cardinality else np.asarray(gc, np.float64)
            f, g = f + (c @ v[f"{layer}/gc_filter"][0])[:, None], g + (c @ v[f"{layer}/gc_gate"][0])[:, None]
        if params.use_biases:
            f, g = f + v[f"{layer}/filter_bias"], g + v[f"{layer}/gate_bias"]
        z = np.tanh(f) / (1 + np.exp(-g))
        dense = z @ v[f"{layer}/dense"][0] + (v[f"{layer}/dense_bias"] if params.use_biases else 0.0)
        if params.shared:
            skip = dense
        else:
            skip = z @ v[f"{layer}/skip"][0] + (v[f"{layer}/skip_bias"] if params.use_biases else 0.0)
        total = total + skip[:, -width:]
        h = h[:, -dense.shape[1] :] + dense
    for i in (1, 2):
        total = np.maximum(total, 0) @ v[f"postprocessing/postprocess{i}"][0]
        total = total + (v[f"postprocessing/postprocess{i}_bias"] if params.use_biases else 0.0)
    return total


def _conv(x: np.ndarray, kernel: np.ndarray, dilation: int) -> np.ndarray:
    steps = x.shape[1] - (len(kernel) - 1) * dilation
    return sum(x[:, tap * dilation : tap * dilation + steps] @ weight for tap, weight in enumerate(kernel))
