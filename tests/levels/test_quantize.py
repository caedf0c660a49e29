"""Every law against the numbers that its users' programs gave."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from sharks import AudioError, SampleRNNSpec, SpecError, UsageError, WaveNetSpec
from sharks.levels.quantize import codec_of
from sharks.spec import CODECS

AMPLITUDES = [-1, -0.5, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.5, 1 - 1e-7, 1]
ENCODED = {
    "MU-R": [0, 16, 122, 127, 128, 128, 133, 239, 255, 255],
    "MU-T": [0, 15, 122, 127, 127, 127, 132, 239, 254, 255],
    "MU-N": [0, 15, 122, 127, 127, 127, 132, 239, 254, 255],
    "MU-D": [0, 15, 122, 127, 127, 127, 132, 239, 254, 255],
    "LIN-P": [0, 64, 127, 128, 128, 128, 128, 191, 255, 255],
}
LEVELS = [0, 1, 64, 127, 128, 129, 192, 254, 255]
MU_T = [-1, -0.957437, -0.0588235, -1.736e-4, 0, 1.736e-4, 0.0588235, 0.916679, 0.957437]
LINEAR = [-1, -0.992188, -0.5, -0.0078125, 0, 0.0078125, 0.5, 0.984375, 0.992188]
DECODED = {
    "MU-R": [-1, -0.957274, -0.058145, -8.62e-5, 8.62e-5, 2.644e-4, 0.0609039, 0.957274, 1],
    "MU-T": MU_T,
    "MU-N": [-1, -0.957274, -0.058145, -8.62e-5, 8.62e-5, 2.644e-4, 0.0609039, 0.957274, 1],
    "MU-D": [-1, -0.957408, -0.0587157, -1.731e-4, 0, 1.731e-4, 0.0587157, 0.916624, 0.957408],
    "MU-S": MU_T,
    "LIN-P": LINEAR,
    "LIN-W": LINEAR,
    "LIN-C": LINEAR,
    "LIN-D": LINEAR,
}
# How many of the 256 levels survive decode and encode.
ROUND_TRIPS = {"MU-R": 256, "MU-T": 1, "MU-D": 1, "MU-N": 187, "LIN-P": 129}
STRETCHING = {"MU-S": "example", "LIN-W": "window", "LIN-C": "clip", "LIN-D": "file"}


def test_every_codec_of_the_spec_is_covered():
    assert {*ENCODED, *STRETCHING, "LIN-X", "CODES"} == set(CODECS)
    assert {*DECODED, "LIN-X", "CODES"} == set(CODECS)


def test_codes_are_no_amplitudes():
    codec = codec_of("CODES", 32)
    assert codec.pad_level == 16
    for refused in (lambda: codec.encode(np.zeros(3)), codec.decode_table):
        with pytest.raises(SpecError, match="entry of a book"):
            refused()


@pytest.mark.parametrize("name", ENCODED)
def test_encode_golden(name):
    levels = codec_of(name).encode(np.array(AMPLITUDES))
    assert levels.tolist() == ENCODED[name]
    assert levels.dtype == np.int32


def test_the_value_that_1000sharks_printed():
    assert codec_of("MU-R").encode(0.0006352806) == 131


@pytest.mark.parametrize("name", DECODED)
def test_decode_golden(name):
    amplitudes = codec_of(name).decode(LEVELS)
    assert amplitudes.dtype == np.float32
    # Half a unit of the last digit that is written.
    assert np.abs(amplitudes - DECODED[name]).max() < 5e-7
    assert (np.diff(codec_of(name).decode_table()) >= 0).all()


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_round_trips(name):
    law = codec_of(name)
    levels = np.arange(256)
    assert (law.encode(law.decode(levels)) == levels).sum() == ROUND_TRIPS[name]


@hypothesis.given(q=st.integers(2, 4096))
@hypothesis.settings(max_examples=40, deadline=None)
def test_mu_r_survives_the_round_trip_with_any_number_of_levels(q):
    law = codec_of("MU-R", q)
    assert (law.encode(law.decode(np.arange(q))) == np.arange(q)).all()


@pytest.mark.parametrize("name", ENCODED)
@hypothesis.given(x=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
@hypothesis.settings(max_examples=50, deadline=None)
def test_levels_stay_in_range_and_keep_the_order(name, x):
    x = np.sort(np.array(x, np.float32))
    with np.errstate(over="ignore"):  # 3e38 times mu
        levels = codec_of(name).encode(x)
    assert ((levels >= 0) & (levels < 256)).all()
    assert (np.diff(levels) >= 0).all()


@pytest.mark.parametrize("name", ENCODED)
def test_beyond_full_scale_is_the_outermost_level(name):
    assert codec_of(name).encode(np.array([-1.2, 1.2, -1e30, 1e30])).tolist() == [0, 255, 0, 255]


@pytest.mark.parametrize("name", ENCODED)
def test_shape_is_kept_and_nothing_is_fine(name):
    assert codec_of(name).encode(np.zeros((2, 3, 4), np.float32)).shape == (2, 3, 4)
    assert codec_of(name).encode(np.zeros((0,))).shape == (0,)
    assert codec_of(name).decode(np.zeros((2, 0), np.int64)).shape == (2, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(bad):
    with pytest.raises(AudioError, match="1 of 3 samples are NaN or infinite"):
        codec_of("MU-R").encode(np.array([0, bad, 0.5]))


@pytest.mark.parametrize("name", STRETCHING)
def test_laws_that_look_at_more_than_one_sample_refuse_to_encode(name):
    with pytest.raises(SpecError, match=f"codec {name} cannot encode: it stretches .*{STRETCHING[name]}.*MU-R"):
        codec_of(name).encode(np.zeros(4))


def test_the_broken_law_is_refused_both_ways():
    with pytest.raises(SpecError, match="codec LIN-X cannot encode: it gave levels from -255"):
        codec_of("LIN-X").encode(np.zeros(4))
    with pytest.raises(SpecError, match="codec LIN-X cannot decode: it gave levels from -255"):
        codec_of("LIN-X").decode([128])


@pytest.mark.parametrize("levels", [[-1], [256], [1.0], [True], [3, 999]])
def test_only_levels_are_decoded(levels):
    with pytest.raises(UsageError, match="wanted whole numbers from 0 to 255"):
        codec_of("MU-R").decode(levels)


def test_silence():
    pads = {name: codec_of(name).pad_level for name in CODECS}
    assert pads.pop("MU-N") == 127
    assert set(pads.values()) == {128}
    assert codec_of("MU-N", 16).pad_level == codec_of("MU-N", 16).encode(0.0) == 7
    assert codec_of("MU-R", 16).pad_level == codec_of("MU-R", 16).encode(0.0) == 8


def test_a_spec_names_its_codec():
    law = codec_of(WaveNetSpec(codec="LIN-P", q_levels=64))
    assert (law.id, law.q_levels) == ("LIN-P", 64)
    assert law.encode(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 32, 63]


@pytest.mark.parametrize("name", ["MU-T", "MU-S"])
def test_some_laws_have_256_levels(name):
    with pytest.raises(SpecError, match="exactly 256"):
        codec_of(name, 128)


def test_an_unknown_codec_names_the_near_miss():
    with pytest.raises(SpecError, match="'MU-Z'; did you mean 'MU-"):
        codec_of("MU-Z")


def test_tiers_see_the_level_or_the_amplitude():
    linear = SampleRNNSpec().tables()["codec.tier_input"]
    assert linear.dtype == np.float32
    assert linear[[0, 64, 128, 255]].tolist() == [-2, -1, 0, 2 * (255 / 128 - 1)]
    decoded = SampleRNNSpec(tier_input="decoded").tables()["codec.tier_input"]
    assert decoded.dtype == np.float32
    assert (decoded == 2 * codec_of("MU-R").decode_table()).all()


def test_tables_cannot_be_changed_behind_the_codecs_back():
    with pytest.raises(ValueError, match="read-only"):
        codec_of("MU-R").decode_table()[0] = 5
