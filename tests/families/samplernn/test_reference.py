"""Stepping equals the whole-sequence formulation that people train with: slices of one array, no position anywhere.

With T levels and the top tier's frame F_top, tier t reads levels [F_top - F_t, T - F_t) cut into frames; frame k
conditions the F_t targets that follow it. The sample level reads the window of F_0 levels before each target.
"""

import numpy as np
import pytest

from compare import assert_stages_close
from sharks import SampleRNNSpec
from sharks.families.registry import reference_player
from sharks.levels.quantize import codec_of
from sharks.spec import stages
from specs import SPECS, levels, random_tensors


def logistic(x):
    return 1 / (1 + np.exp(-x))


def recurrence(spec: SampleRNNSpec, w: dict, name: str, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> np.ndarray:
    """One recurrent layer over all its steps, gate by gate: x (N, in) -> (N, dim)."""
    gates = "ifgo" if spec.cell == "lstm" else "rzn"

    def rows(part):
        return dict(zip(gates, np.split(w[f"{name}.{part}"], len(gates)), strict=True))

    W, U, b = rows("w_ih"), rows("w_hh"), rows("b_ih")
    out = []
    for now in x:
        a = {gate: W[gate] @ now + b[gate] for gate in gates}
        if spec.cell == "lstm":
            i, f, o = (logistic(a[gate] + U[gate] @ h) for gate in "ifo")
            c = f * c + i * np.tanh(a["g"] + U["g"] @ h)
            h = o * np.tanh(c)
        elif spec.cell == "gru":
            d = rows("b_hh")
            r, z = (logistic(a[gate] + U[gate] @ h + d[gate]) for gate in "rz")
            n = np.tanh(a["n"] + r * (U["n"] @ h + d["n"]))
            h = n + z * (h - n)
        else:
            r, z = (logistic(a[gate] + U[gate] @ h) for gate in "rz")
            n = np.tanh(a["n"] + U["n"] @ (r * h))
            h = n + z * (h - n)
        out.append(h)
    return np.array(out)


def whole_sequence(spec: SampleRNNSpec, w: dict[str, np.ndarray], audio: np.ndarray) -> dict:
    """Every stage of one stream: `audio` levels (T,) -> stage -> float32 (1, steps, width)."""
    w = {name: value.astype(np.float64) for name, value in w.items()}
    top, T, Q = spec.frame_sizes[-1], len(audio), spec.q_levels
    numbers = 2 * (audio / (Q / 2) - 1)
    if spec.tier_input == "decoded":
        numbers = 2.0 * codec_of(spec).decode(audio)
    seen, from_above = {}, 0.0
    for t in reversed(range(len(spec.frame_sizes))):
        F = spec.frame_sizes[t]
        x = numbers[top - F : T - F].reshape(-1, F)
        if f"tiers.{t}.expand.weight" in w:
            x = x @ w[f"tiers.{t}.expand.weight"].T + w[f"tiers.{t}.expand.bias"] + from_above
        layers = []
        for k in range(spec.layers):
            reads = [layers[-1]] if layers else [x]
            if (spec.skip, k > 0) in (("graves", True), ("prism", False)):
                reads.append(x)
            start = (w.get(f"tiers.{t}.{s}0", np.zeros((spec.layers, spec.dim)))[k] for s in "hc")
            layers.append(recurrence(spec, w, f"tiers.{t}.rnn.{k}", np.hstack(reads), *start))
            seen[f"tier.{t}.rnn.{k}"] = layers[-1]
        out = layers[-1]
        if spec.skip != "none":
            out = sum(
                h @ w[f"tiers.{t}.skip.{k}.weight"].T + w.get(f"tiers.{t}.skip.{k}.bias", 0)
                for k, h in enumerate(layers)
            )
        phases = np.einsum("ni,iop->npo", out, w[f"tiers.{t}.upsample.weight"])
        from_above = (phases + w.get(f"tiers.{t}.upsample.bias", 0)).reshape(-1, spec.dim)
    F = spec.frame_sizes[0]
    windows = np.lib.stride_tricks.sliding_window_view(audio[top - F : -1], F)
    vectors = w.get("sample.embed.weight", np.eye(Q))[windows]
    a = np.einsum("npe,oep->no", vectors, w["sample.in.weight"]) + from_above
    a = np.maximum(a, 0) if spec.relu_before_hidden else a
    for i in range(spec.hidden_layers):
        a = np.maximum(a @ w[f"sample.hidden.{i}.weight"].T + w[f"sample.hidden.{i}.bias"], 0)
    seen["sample.hidden.last"] = a
    logits = a @ w["sample.out.weight"].T + w["sample.out.bias"]
    seen["logits"] = np.maximum(logits, 0) if spec.relu_logits else logits
    return {name: value[None].astype(np.float32) for name, value in seen.items()}


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.family == "samplernn"])
def test_steps_equal_the_whole_sequence(name):
    spec = SPECS[name]
    w, audio = random_tensors(spec), levels(spec, 1, 4 * spec.lookback)
    player = reference_player(spec, w, 1)
    player.reset(audio[:, : spec.lookback])
    _, got = player.force(audio[:, spec.lookback :], stages=[stage.name for stage in stages(spec)])
    assert_stages_close(got, whole_sequence(spec, w, audio[0]), arithmetic="float64")


def test_which_levels_each_prediction_hears():
    """Frames of 2 and 8, as in the worked example of an alignment: predict 8, ..., 23 from levels 0, ..., 22."""
    spec = SPECS["samplernn-2-frame-tiers"]
    w, audio = random_tensors(spec), levels(spec, 1, 24)

    def logits(changed=None):
        other = audio.copy()
        if changed is not None:
            other[0, changed] = (other[0, changed] + 1) % spec.q_levels
        player = reference_player(spec, w, 1)
        player.reset(other[:, :8])
        return player.force(other[:, 8:])[0][0]

    plain = logits()
    heard = {i: [8 + t for t in np.flatnonzero((logits(i) != plain).any(1))] for i in (0, 6, 7, 8, 9, 15, 22, 23)}
    assert heard == {
        0: list(range(8, 24)),  # in the first top frame
        6: list(range(8, 24)),
        7: list(range(8, 24)),
        8: list(range(9, 24)),  # first by the sample window of 9, then by the frame [8, 9]
        9: list(range(10, 24)),
        15: list(range(16, 24)),
        22: [23],
        23: [],
    }


def test_upper_tiers_hand_each_phase_to_its_own_step():
    """With nothing but one phase of the top tier's upsampling alive, only that quarter of each frame differs."""
    spec = SPECS["samplernn-2-frame-tiers"]
    w, audio = random_tensors(spec), levels(spec, 1, 24)
    # Without recurrence and update gate, a lower step is a function of its own frame and its row from above.
    shut = -40 * (np.arange(3 * spec.dim) // spec.dim == 1).astype(np.float32)  # rows r, z, n
    quiet = dict(w)
    for k in range(spec.layers):
        quiet[f"tiers.0.rnn.{k}.w_hh"] = np.zeros_like(w[f"tiers.0.rnn.{k}.w_hh"])
        quiet[f"tiers.0.rnn.{k}.b_ih"] = w[f"tiers.0.rnn.{k}.b_ih"] + shut
    changed = quiet["tiers.1.upsample.weight"].copy()
    changed[:, :, 2] += 1

    def logits(weight):
        player = reference_player(spec, quiet | {"tiers.1.upsample.weight": weight}, 1)
        player.reset(audio[:, :8])
        return player.force(audio[:, 8:])[0][0]

    differs = (logits(changed) != logits(quiet["tiers.1.upsample.weight"])).any(1)
    assert np.flatnonzero(differs).tolist() == [4, 5, 12, 13]
