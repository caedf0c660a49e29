"""Stepping with rings is the same function as convolving the whole history, written here once more and differently."""

import numpy as np
import pytest

from compare import assert_stages_close
from sharks import WaveNetSpec, preset
from sharks.families.registry import reference_player
from sharks.levels.quantize import codec_of
from sharks.spec import replace, stages
from specs import SPECS, condition, levels, random_tensors


def whole_history(spec: WaveNetSpec, w: dict[str, np.ndarray], audio: np.ndarray, c: np.ndarray | None) -> dict:
    """Every stage at every time of one stream: `audio` levels (T,), `c` (G,) -> stage -> float32 (1, T, width).

    Channels first, (width, T), as convolution texts have it; zeros before the first sample.
    """
    w = {name: value.astype(np.float64) for name, value in w.items()}

    def shifted(x: np.ndarray, by: int) -> np.ndarray:
        return np.pad(x, ((0, 0), (by, 0)))[:, : x.shape[1]]

    def convolved(name: str, x: np.ndarray, dilation: int) -> np.ndarray:
        kernel = w[f"{name}.weight"]
        taps = kernel.shape[2]
        y = sum(kernel[:, :, k] @ shifted(x, (taps - 1 - k) * dilation) for k in range(taps))
        return y + w[f"{name}.bias"][:, None] if f"{name}.bias" in w else y

    def mixed(name: str, x: np.ndarray) -> np.ndarray:
        y = w[f"{name}.weight"] @ x
        return y + w[f"{name}.bias"][:, None] if f"{name}.bias" in w else y

    if spec.input == "one-hot":
        x = np.eye(spec.q_levels)[:, audio]
    elif spec.input == "embedding":
        x = w["input.embed.weight"][audio].T
    else:
        x = codec_of(spec).decode(audio)[None].astype(np.float64)
    h = convolved("input.conv", x, 1) if spec.input_filter_width else x
    seen, out = {}, 0.0
    for i, dilation in enumerate(spec.dilations):
        gates = convolved(f"blocks.{i}.dilated", h, dilation)
        if c is not None:
            gates += (w[f"blocks.{i}.gcond.weight"] @ c)[:, None]
        z = np.tanh(gates[: spec.dilation]) / (1 + np.exp(-gates[spec.dilation :]))
        out = out + mixed(f"blocks.{i}.skip", z)
        seen[f"layer.{i}.gated"] = z
        if i < spec.layers - 1:
            h = seen[f"layer.{i}.out"] = (h + mixed(f"blocks.{i}.res", z)) * spec.residual_scale
    seen["skip"] = out * spec.skip_scale
    seen["head.0"] = np.maximum(mixed("head.conv1", np.maximum(seen["skip"], 0)), 0)
    seen["logits"] = mixed("head.conv2", seen["head.0"])
    return {name: value.T[None].astype(np.float32) for name, value in seen.items()}


def compare(spec: WaveNetSpec, time: int) -> None:
    w, audio, given = random_tensors(spec), levels(spec, 1, time + 1), condition(spec, 1)
    player = reference_player(spec, w, 1, given)
    player.reset(audio[:, :1])
    _, got = player.force(audio[:, 1:], stages=[stage.name for stage in stages(spec)])
    vectors = spec.condition.vectors(w, given, 1)
    want = whole_history(spec, w, audio[0, :-1], None if vectors is None else vectors[0])
    assert_stages_close(got, want, arithmetic="float64")


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.family == "wavenet"])
def test_rings_equal_the_whole_history(name):
    spec = SPECS[name]
    compare(spec, 3 * max(spec.dilations) + 20)


@pytest.mark.parametrize("filter_width", [2, 3])
@pytest.mark.parametrize("time", [1, 12, 13, 14, 15, 27])
def test_lengths_around_a_ring_of_13(filter_width, time):
    compare(replace(SPECS["wavenet-one-hot"], dilations=[13, 2], filter_width=filter_width), time)


def test_the_full_ibab_wavenet_past_one_wrap_of_its_largest_ring():
    spec = preset("ibab-wavenet")
    compare(spec, max(spec.dilations) + 60)


def test_a_prediction_depends_on_the_receptive_field_and_on_nothing_before():
    spec = SPECS["wavenet-filter-3"]
    w, field = random_tensors(spec), spec.receptive_field
    audio = levels(spec, 1, field + 1)
    last = {}
    for changed in (None, 0, 1):
        other = audio.copy()
        if changed is not None:
            other[0, changed] = (other[0, changed] + 1) % spec.q_levels
        player = reference_player(spec, w, 1)
        player.reset(other[:, :1])
        logits, _ = player.force(np.append(other[:, 1:], [[0]], axis=1))
        last[changed] = logits[0, -1]
    assert (last[0] == last[None]).all(), "the level before the receptive field is heard"
    assert (last[1] != last[None]).any(), "the oldest level of the receptive field is not heard"


def test_residuals_of_the_last_layer_change_nothing():
    spec = SPECS["wavenet-one-hot"]
    w = random_tensors(spec)
    loud = w | {"blocks.4.res.weight": w["blocks.4.res.weight"] + 100}
    heard = []
    for weights in (w, loud):
        player = reference_player(spec, weights, 1)
        player.reset([[3]])
        heard.append(player.force(levels(spec, 1, 20))[0])
    assert (heard[0] == heard[1]).all()
