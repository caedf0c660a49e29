"""What a spec of codes refuses, and what it answers to those who play it."""

import numpy as np
import pytest

import sharks
from sharks.errors import Error, PackError, SpecError
from sharks.packs.pack import load, random_pack
from sharks.spec import CodesSpec, from_dict, replace, to_dict

SPEC = CodesSpec(bands=6, window=64, hop=16, dims=5, books=3, q_levels=32, hidden=12, layers=2, width=10, order=4)


def test_it_answers_in_samples_and_in_steps():
    spec = CodesSpec()
    assert spec.pace == (6, 512) and spec.steps_per_second == 187.5
    assert (spec.sound.id, spec.sound.q_levels) == ("LIN-P", 65536)
    assert spec.lookback == spec.context == 18 and "18 codes" in spec.reach
    assert spec.devices == ("cpu",) and spec.tables() == {}
    assert from_dict(to_dict(spec)) == spec


def test_sixteen_bits_of_sound_come_back_as_they_were():
    codec = SPEC.sound
    table = codec.decode_table()
    assert np.array_equal(codec.encode(table), np.arange(65536)) and table[0] == -1 and table[32768] == 0
    assert np.array_equal(np.rint(table * 32768).astype(int), np.arange(65536) - 32768)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"books": 0}, "books is 0; wanted 1 to 64"),
        ({"books": 65}, "books is 65"),
        ({"dims": 13}, "dims is 13; a code frame has only pair x bands = 12 numbers"),
        ({"hop": 18}, "wanted multiples of 4"),
        ({"window": 30}, "wanted multiples of 4"),
        ({"voice": "piano"}, "voice is 'piano'"),
        ({"codec": "MU-R"}, "codec is 'MU-R'"),
        ({"floor": 0.0}, "floor is 0.0"),
        ({"order": 0}, "order is 0"),
        ({"books": 64, "q_levels": 65536, "hidden": 8192}, "need tables of more than 1 GB to play"),
        ({"layers": 2.5}, "layers is 2.5"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, words):
    with pytest.raises(SpecError, match=words):
        replace(SPEC, **fields)


def test_hostile_packs_are_refused_in_a_sentence_or_play(tmp_path):
    """Bytes changed anywhere: no crash, no other error than ours."""
    good = random_pack(SPEC, 1)
    good.save(tmp_path / "good.safetensors", golden=False)
    data, draw = (tmp_path / "good.safetensors").read_bytes(), np.random.default_rng(0)
    refused = 0
    for number in range(200):
        bad = bytearray(data)
        for place in draw.integers(0, len(bad) if number % 2 else 2000, 1 + number % 3):
            bad[place] ^= 1 << draw.integers(8)
        if number % 5 == 0:
            bad = bad[: draw.integers(len(bad))]
        (tmp_path / "bad.safetensors").write_bytes(bad)
        try:
            assert sharks.generate(load(tmp_path / "bad.safetensors"), 0.01).samples.size == 160
        except Error as error:
            assert "\n" not in str(error) and len(str(error)) < 400
            refused += 1
    assert refused > 150


@pytest.mark.parametrize("name", ["tokenizer.books", "prior.scale", "prior.heads.1.partial.weight"])
def test_a_tensor_that_is_missing_or_of_another_shape_is_named(name):
    tensors = dict(random_pack(SPEC).tensors)
    with pytest.raises(PackError, match=name):
        sharks.Pack(SPEC, {key: value for key, value in tensors.items() if key != name})
    with pytest.raises(PackError, match=name):
        sharks.Pack(SPEC, tensors | {name: tensors[name][None]})


@pytest.mark.parametrize("scale", [0.0, 1e6, 1e30])
def test_wild_weights_are_finite_sound(scale):
    tensors = {name: array * np.float32(scale) for name, array in random_pack(SPEC, 2).tensors.items()}
    samples = sharks.generate(sharks.Pack(SPEC, tensors), 0.1, seed=1).samples
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1
