"""The catalogue names every field value, and its random weights keep a network awake."""

import dataclasses

import numpy as np
import pytest

from sharks import CodesSpec, SampleRNNSpec, WaveNetSpec, preset
from sharks.families.registry import reference_player
from sharks.spec import CODECS, stages, tensors
from specs import SPECS, condition, levels, random_tensors, shrunk

CHOICES = {
    SampleRNNSpec: {
        "cell": {"gru", "gru-reset-before", "lstm"},
        "skip": {"none", "graves", "prism"},
        "skip_bias": {"first", "all"},
        "expand_top": {True, False},
        "expand_lower": {True, False},
        "tier_input": {"linear", "decoded"},
        "upsample_bias": {True, False},
        "initial_state": {"zeros", "learned"},
        "relu_before_hidden": {True, False},
        "hidden_layers": {1, 2},
        "relu_logits": {True, False},
        "codec": set(CODECS) - {"LIN-X", "CODES"},
    },
    WaveNetSpec: {
        "input": {"one-hot", "embedding", "scalar"},
        "input_filter_width": {0, 1, 2, 3, 32, 64},
        "input_bias": {True, False},
        "filter_width": {2, 3},
        "bias": {True, False},
        "head_bias": {True, False},
        "last_residual": {True, False},
        "start": {"silence", "empty"},
        "global_channels": {0, 3, 4},
        "global_classes": {0, 3},
        "codec": set(CODECS) - {"LIN-X", "CODES"},
    },
    CodesSpec: {"codec": {"CODES"}, "voice": {"noise"}, "pair": {1, 2}},
}


@pytest.mark.parametrize("family", CHOICES, ids=lambda family: family.family)
def test_every_value_of_every_choice_is_there(family):
    mine = [spec for spec in SPECS.values() if isinstance(spec, family)]
    for field, wanted in CHOICES[family].items():
        assert {getattr(spec, field) for spec in mine} == wanted, field
    # Fields that are neither choices nor vary here would go unnoticed.
    fixed = {f.name for f in dataclasses.fields(family) if len({getattr(spec, f.name) for spec in mine}) == 1}
    fixed -= {field for field, wanted in CHOICES[family].items() if len(wanted) == 1}
    assert fixed <= {"output", "local_channels", "sample_rate"}


def test_no_two_names_mean_one_spec():
    names: dict = {}
    for name, spec in SPECS.items():
        assert names.setdefault(spec, name) == name


@pytest.mark.parametrize("name", SPECS)
def test_random_weights_keep_every_stage_in_the_middle_of_its_range(name):
    spec = SPECS[name]
    player = reference_player(spec, random_tensors(spec), 2, condition(spec, 2))
    player.reset(levels(spec, 2, spec.lookback, seed=1))
    wanted = [stage.name for stage in stages(spec)]
    _, taken = player.force(levels(spec, 2, 96), stages=wanted)
    for stage, values in taken.items():
        assert np.isfinite(values).all()
        if stage.endswith("gated") or ".rnn." in stage:
            assert (np.abs(values) > 0.99).mean() < 0.05, f"{stage} is saturated"
        if values.shape[-1] > 1:
            assert values.std() > 0.02, f"{stage} sleeps"
    spread = taken["logits"].std()
    assert 0.3 < spread < 8


def test_weights_are_those_of_the_table_and_follow_the_seed():
    spec = SPECS["samplernn-lstm-graves-first"]
    weights = random_tensors(spec, 3)
    assert [(name, value.shape) for name, value in weights.items()] == tensors(spec)
    again, other = random_tensors(spec, 3), random_tensors(spec, 4)
    assert all((weights[name] == again[name]).all() and (weights[name] != other[name]).any() for name in weights)


def test_shrunk_presets_keep_their_wiring():
    spec = shrunk(preset("sharks2020-2tier"))
    assert (spec.cell, spec.layers, spec.relu_logits, spec.frame_sizes) == ("lstm", 5, True, (16,))
    spec = shrunk(preset("deepvoice-wavenet"))
    assert (spec.input_filter_width, spec.embed_dim, spec.last_residual) == (0, 16, False)
