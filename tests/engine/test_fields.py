"""The compiled engine takes every field of a spec by name and type, and plays none that says more than it knows."""

import numpy as np
import pytest

import sharks
from players import _core
from sharks.engine import door
from sharks.families.registry import FAMILIES, from_dict
from sharks.spec import Spec, to_dict
from specs import SAMPLERNN, SPECS, WAVENET, random_tensors

pytestmark = pytest.mark.skipif(_core is None, reason="the compiled engine has not been built")

FIELDS = [
    pytest.param(spec, field, id=f"{spec.family}-{field}")
    for spec in (SAMPLERNN, WAVENET)
    for field in to_dict(spec)
    if field != "family"
]
of_both_families = pytest.mark.parametrize("spec", [SAMPLERNN, WAVENET], ids=lambda spec: spec.family)
UNREAD = {"sample_rate", "codec", "tier_input", "expand_lower", "start"}  # what Python alone must know


def made(fields: dict, spec: Spec):
    """The engine's model of `spec`, told these fields."""
    tables = {name.removeprefix("codec."): table for name, table in spec.tables().items()}
    return _core.Model(fields, random_tensors(spec), tables)


@of_both_families
def test_the_fields_of_a_spec_are_enough(spec):
    assert made(to_dict(spec), spec).cost["step_bytes"] > 0


@pytest.mark.parametrize(("spec", "field"), FIELDS)
def test_a_missing_field_is_named(spec, field):
    fields = to_dict(spec)
    del fields[field]
    with pytest.raises(ValueError, match=f"^{spec.family} spec: field '{field}' is missing; .*load the pack"):
        made(fields, spec)


@pytest.mark.parametrize(("spec", "field"), FIELDS)
def test_a_field_of_another_type_is_named_with_what_it_holds(spec, field):
    value = to_dict(spec)[field]
    if field in UNREAD:
        assert made(to_dict(spec) | {field: "whatever it says"}, spec)
        return
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a word", list: "a list of"}
    for other, written in ((True, "true"), (7, "7"), (0.5, "0.5"), ("loud", "'loud'"), ([3, 4], r"\[3, 4\]")):
        if type(other) is type(value) or (type(other), type(value)) == (int, float):
            continue
        with pytest.raises(
            ValueError, match=f"^{spec.family} spec: field '{field}' is {written}; wanted {wanted[type(value)]}"
        ):
            made(to_dict(spec) | {field: other}, spec)


@pytest.mark.parametrize(("spec", "field"), FIELDS)
def test_what_no_field_can_hold_is_refused(spec, field):
    for nothing in (None, {}, ["a"], [0.5]):
        with pytest.raises(ValueError, match=f"^spec field '{field}' is .*; wanted true or false, a number, a word"):
            made(to_dict(spec) | {field: nothing}, spec)


@of_both_families
def test_a_field_of_a_newer_sharks_is_refused(spec):
    with pytest.raises(
        ValueError, match=f"^{spec.family} spec: this engine does not know 'residual_gain', .* install the newest"
    ):
        made(to_dict(spec) | {"residual_gain": 2.0}, spec)
    with pytest.raises(ValueError, match="does not know 'a_second_one', 'residual_gain', which"):
        made(to_dict(spec) | {"residual_gain": 2.0, "a_second_one": [1]}, spec)


@of_both_families
def test_a_field_of_the_other_family_is_refused(spec):
    other = WAVENET if spec is SAMPLERNN else SAMPLERNN
    with pytest.raises(ValueError, match=f"^{spec.family} spec: this engine does not know '"):
        made(to_dict(other) | to_dict(spec), spec)


@of_both_families
def test_the_door_refuses_it_as_any_argument_and_a_pack_before_that(spec, monkeypatch):
    monkeypatch.setattr(door, "to_dict", lambda spec: to_dict(spec) | {"residual_gain": 2.0})
    with pytest.raises(sharks.UsageError, match=f"{spec.family} spec: .*'residual_gain'"):
        door.open_player(sharks.random_pack(spec), 1, device="cpu")
    with pytest.raises(sharks.SpecError, match="'residual_gain'"):
        from_dict(to_dict(spec) | {"residual_gain": 2.0})


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("cell", "rnn", "samplernn spec: field 'cell' is 'rnn', which .*; known are gru, gru-reset-before, lstm"),
        ("skip", "all", "samplernn spec: field 'skip' is 'all', which .*; known are none, graves, prism"),
        ("output", "gaussian", "samplernn spec: field 'output' is 'gaussian', which .*; known are categorical"),
        ("dim", 1 << 31, "samplernn spec: field 'dim' is 2147483648; wanted a whole number below"),
        ("dim", -(1 << 31) - 1, "samplernn spec: field 'dim' is -2147483649; wanted a whole number below"),
    ],
)
def test_words_and_numbers_out_of_range(field, value, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        made(to_dict(SAMPLERNN) | {field: value}, SAMPLERNN)


def test_local_conditioning_is_not_played():
    with pytest.raises(ValueError, match="^wavenet spec: field 'local_channels' is not 0"):
        made(to_dict(WAVENET) | {"local_channels": 80}, WAVENET)


@pytest.mark.parametrize("family", ["third", "", "Wavenet"])
def test_another_family_is_no_familys_else(family):
    with pytest.raises(ValueError, match=f"^family is '{family}', which .*; known are {', '.join(FAMILIES)},"):
        made(to_dict(WAVENET) | {"family": family}, WAVENET)


def test_a_spec_without_a_family_is_refused():
    nameless = {name: value for name, value in to_dict(WAVENET).items() if name != "family"}
    for fields in (nameless, nameless | {"family": None}, nameless | {"family": 3}):
        with pytest.raises(ValueError, match="^the spec names no family"):
            made(fields, WAVENET)


def test_numbers_of_numpy_are_numbers():
    spec = SPECS["wavenet-scaled"]
    fields = to_dict(spec) | {
        "residual": np.int64(spec.residual),
        "bias": np.bool_(spec.bias),
        "skip_scale": np.float64(0.2),
    }
    assert made(fields, spec).cost == made(to_dict(spec), spec).cost


@of_both_families
def test_a_table_is_taken_by_its_name_and_length(spec):
    own = {"samplernn": "tier_input", "wavenet": "decode"}[spec.family]
    for tables, trouble in (({}, "is missing"), ({own: np.zeros(spec.q_levels + 1, np.float32)}, "has shape")):
        with pytest.raises(ValueError, match=f"'{own}' {trouble}"):
            _core.Model(to_dict(spec), random_tensors(spec), tables)
