"""SampleRNN in Theano: Soroush Mehri's of the paper (github.com/soroushmehr/sampleRNN_ICLR2017) and dadabots' of it
(github.com/Cortexelus/dadabots_sampleRNN). Python 2 pickles of a dict, name -> array.

Both have the same tensors, two tiers or three; they differ in what a level means. Products are [in, out], each column
with a length of its own where weight norm was on. The GRU mixes h' = z n + (1 - z) h and resets before the product:
negated rows z make it our `gru-reset-before`. With skips, deeper layers also see the tier's input.
"""

from __future__ import annotations

import collections.abc
import functools
import typing

import numpy as np
from numpy.typing import NDArray

from ...families.samplernn.spec import SampleRNNSpec
from ...families.spec import Spec
from ..settings import Settings
from ..source import Source, Tensors
from .layouts import THEANO_GRU, THEANO_LSTM, reordered, scaled, started

KEYS = (("q_type",), ("n_rnn", "rnn_type"))
_ANCHOR = "SampleLevel.L1_PrevSamples.W0"
_NEVER_TRAINED = r"^BigFrameLevel\.IndependentPreds\."
_CODECS = {("iclr2017", "linear"): "LIN-C", ("iclr2017", "mu-law"): "MU-T", ("dadabots", "mu-law"): "MU-T"}
_USUAL = {"iclr2017": "linear", "dadabots": "mu-law"}  # as each one's README trains
_ICLR_BATCHES, _ICLR_SETS, _ICLR_LAYERS = (64, 128, 256), ("ONOM", "BLIZZ", "MUSIC", "HUCK"), 5
_Linear = typing.Callable[[str, int, int], NDArray[np.float32]]  # name, in, out -> weight [in, out]


def prefix(names: collections.abc.Collection[str]) -> str | None:
    """ "" for a checkpoint of these programs, else None."""
    return "" if _ANCHOR in names else None


def which(settings: Settings) -> str | None:
    """The program that takes such arguments, None where both do."""
    script = settings.get("script", str) or ""
    layers, batch, data = settings.get("n_rnn", int), settings.get("batch_size", int), settings.get("which_set", str)
    theirs = (
        "16k" in script or "32k" in script,
        layers is not None and layers > _ICLR_LAYERS,
        batch is not None and batch not in _ICLR_BATCHES,
        data is not None and data not in _ICLR_SETS,
    )
    if any(theirs):
        return "dadabots"
    return "iclr2017" if data is not None else None


def build(source: Source, program: str) -> tuple[Spec, Tensors]:
    for name in source.names(r".*\.rnn_inp_fusion\.W0"):
        raise source.error(
            f"{source.told(name)} lets features of the music steer the frames (local conditioning), not played yet",
            "use a checkpoint of the unconditioned model",
        )
    source.drop(_NEVER_TRAINED, "never trained, and nothing reads it")
    spec = _spec(source, program)
    linear = functools.partial(_linear, source, bool(source.names(r".+\.g0")))
    tensors: Tensors = {}
    states: Tensors = {}
    for t in range(spec.tiers):
        _tier(source, linear, spec, t, tensors, states)
    _sample_level(source, linear, spec, tensors)
    if spec.q_levels % 2:
        _recentre(spec, tensors)
    return started(spec, tensors, states)


def _spec(source: Source, program: str) -> SampleRNNSpec:
    three = source.has("BigFrameLevel.Output.W0")
    cell = "LSTM" if source.has("FrameLevel.LSTM1.Step.Input.W0") else "GRU"
    layers, skip = _stack(source, f"FrameLevel.{cell}")
    if three:
        frame, dim = source.shape("FrameLevel.InputExpand.W0", 2)
        big = source.shape(f"BigFrameLevel.{cell}1.Step.Input.W0", 2)[0]
    else:
        frame = source.shape(f"FrameLevel.{cell}1.Step.Input.W0", 2)[0]
        dim = source.shape("FrameLevel.Output.W0", 2)[0]
    q_levels = source.shape("SampleLevel.Output.W0", 2)[1]
    embedded = source.has("SampleLevel.Embedding")
    embed_dim = source.shape("SampleLevel.Embedding", 2)[1] if embedded else 0
    spec = SampleRNNSpec(
        sample_rate=_sample_rate(source),
        q_levels=q_levels,
        codec=_codec(source, program),
        frame_sizes=(frame, big) if three else (frame,),
        dim=dim,
        cell={"GRU": "gru-reset-before", "LSTM": "lstm"}[cell],
        layers=layers,
        skip="graves" if skip else "none",
        expand_top=False,
        upsample_bias=True,
        embed_dim=embed_dim,
    )
    first = f"FrameLevel.{cell}1.Step.Input.W0"
    for setting, value, tensor in (
        ("frame_size", frame, first),
        ("dim", dim, "FrameLevel.Output.W0"),
        ("n_rnn", layers, first),
        ("rnn_type", cell, first),
        ("skip_conn", skip, first),
        ("emb_size", embed_dim, "SampleLevel.Embedding" if embedded else _ANCHOR),
        ("q_levels", q_levels, "SampleLevel.Output.W0"),
        ("weight_norm", source.has("SampleLevel.Output.g0"), "SampleLevel.Output.W0"),
        *([("big_frame_size", big, f"BigFrameLevel.{cell}1.Step.Input.W0")] if three else []),
    ):
        source.agree(setting, value, tensor)
    return spec


def _stack(source: Source, stack: str) -> tuple[int, bool]:
    """(layers, whether they have skips)."""
    skipping = 1 + source.count(stack + "{}+inpskip.Step.Input.W0", first=2)
    return (skipping, True) if skipping > 1 else (source.count(stack + "{}.Step.Input.W0", first=1), False)


def _codec(source: Source, program: str) -> str:
    q_type = source.settings.get("q_type", str)
    if q_type is None:
        q_type = _USUAL[program]
        source.assume(f"{q_type} levels")
    if (program, q_type) == ("dadabots", "linear"):
        raise source.error(
            "was trained with q_type linear, which in dadabots' code gave levels from -255 to 255, and no set of "
            "levels can hold them",
            "train with mu-law, or name the kind iclr2017 if it was trained with that program",
        )
    if (program, q_type) not in _CODECS:
        raise source.error(f"q_type is {q_type!r}, wanted mu-law or linear", "correct the config")
    return _CODECS[program, q_type]


def _sample_rate(source: Source) -> int:
    script = source.settings.get("script", str) or ""
    return source.sample_rate(32000 if "32k" in script else 16000)


def _linear(source: Source, normed: bool, name: str, inputs: int, outputs: int) -> NDArray[np.float32]:
    """A product's weight [in, out], weight norm folded: a model has it in all products, or in none."""
    if not normed:
        return source.take(f"{name}.W0", inputs, outputs)
    lengths = source.take(f"{name}.g0", outputs)
    return source.finite(f"{name}.W0", scaled(source.take(f"{name}.W0", inputs, outputs), lengths, axis=1))


def _tier(source: Source, linear: _Linear, spec: SampleRNNSpec, t: int, tensors: Tensors, states: Tensors) -> None:
    level, ours, D, n = ("FrameLevel", "BigFrameLevel")[t], f"tiers.{t}", spec.dim, spec.ratio(t)
    if spec.expands(t):
        tensors[f"{ours}.expand.weight"] = linear(f"{level}.InputExpand", spec.frame_sizes[t], D).T
        tensors[f"{ours}.expand.bias"] = source.take(f"{level}.InputExpand.b", D)
    lstm = spec.cell == "lstm"
    stack = f"{level}.{'LSTM' if lstm else 'GRU'}"
    for k in range(spec.layers):
        skip = "+inpskip" if k and spec.skip == "graves" else ""
        (_lstm if lstm else _gru)(
            source, linear, f"{stack}{k + 1}{skip}.Step", f"{ours}.rnn.{k}", spec.rnn_input(t, k), D, tensors
        )
        if spec.skip == "graves":
            out = f"{stack}{k + 1 if lstm else ''}.outskip{k + 1}y"
            tensors[f"{ours}.skip.{k}.weight"] = linear(out, D, D).T
            if spec.has_skip_bias(k):
                tensors[f"{ours}.skip.{k}.bias"] = source.take(f"{out}.b", D)
    rows = linear(f"{level}.Output", D, n * D).reshape(D, n, D)
    tensors[f"{ours}.upsample.weight"] = rows.transpose(0, 2, 1)
    tensors[f"{ours}.upsample.bias"] = source.take(f"{level}.Output.b", n * D).reshape(n, D)
    state = source.take(f"{level}.h0", spec.layers, 2 * D if lstm else D)
    states |= {f"{ours}.h0": state[:, :D]} | ({f"{ours}.c0": state[:, D:]} if lstm else {})


def _gru(source: Source, linear: _Linear, step: str, rnn: str, inputs: int, D: int, tensors: Tensors) -> None:
    keep = np.repeat(np.array([1, -1, 1], np.float32), D)  # rows z negated: theirs is the part of the candidate
    tensors[f"{rnn}.w_ih"] = (reordered(linear(f"{step}.Input", inputs, 3 * D), THEANO_GRU) * keep).T
    gates = linear(f"{step}.Recurrent_Gates", D, 2 * D)
    candidate = linear(f"{step}.Recurrent_Candidate", D, D)
    tensors[f"{rnn}.w_hh"] = (reordered(np.concatenate([gates, candidate], 1), THEANO_GRU) * keep).T
    tensors[f"{rnn}.b_ih"] = reordered(source.take(f"{step}.Input.b", 3 * D), THEANO_GRU) * keep


def _lstm(source: Source, linear: _Linear, step: str, rnn: str, inputs: int, D: int, tensors: Tensors) -> None:
    tensors[f"{rnn}.w_ih"] = reordered(linear(f"{step}.Input", inputs, 4 * D), THEANO_LSTM).T
    tensors[f"{rnn}.w_hh"] = reordered(linear(f"{step}.Recurrent_Gates", D, 4 * D), THEANO_LSTM).T
    tensors[f"{rnn}.b_ih"] = reordered(source.take(f"{step}.b", 4 * D), THEANO_LSTM)


def _sample_level(source: Source, linear: _Linear, spec: SampleRNNSpec, tensors: Tensors) -> None:
    F, E, D, Q = spec.frame_sizes[0], spec.sample_width, spec.dim, spec.q_levels
    if spec.embed_dim:
        tensors["sample.embed.weight"] = source.take("SampleLevel.Embedding", Q, E)
    rows = linear("SampleLevel.L1_PrevSamples", F * E, D).reshape(F, E, D)
    tensors["sample.in.weight"] = rows.transpose(2, 1, 0)
    for theirs, ours, width in (
        ("L2", "sample.hidden.0", D),
        ("L3", "sample.hidden.1", D),
        ("Output", "sample.out", Q),
    ):
        tensors[f"{ours}.weight"] = linear(f"SampleLevel.{theirs}", D, width).T
        tensors[f"{ours}.bias"] = source.take(f"SampleLevel.{theirs}.b", width)


def _recentre(spec: SampleRNNSpec, tensors: Tensors) -> None:
    """Take into the weights that Python 2 halves an odd number of levels to a whole one.

    Its frames are u' = a u + 2 (a - 1), where u = 2 (level / (Q/2) - 1) is what our tiers read.
    """
    a = (spec.q_levels / 2) / (spec.q_levels // 2)
    for t in range(spec.tiers):
        ours, F = f"tiers.{t}", spec.frame_sizes[t]
        readers = [(f"{ours}.expand.weight", f"{ours}.expand.bias", slice(None))]
        if not spec.expands(t):
            layers = range(spec.layers if spec.skip == "graves" else 1)
            readers = [(f"{ours}.rnn.{k}.w_ih", f"{ours}.rnn.{k}.b_ih", slice(-F, None)) for k in layers]
        for weight, bias, columns in readers:
            wide = tensors[weight].astype(np.float64)
            tensors[bias] = (tensors[bias] + 2 * (a - 1) * wide[:, columns].sum(1)).astype(np.float32)
            wide[:, columns] *= a
            tensors[weight] = wide.astype(np.float32)
