"""The arithmetic of a dataset's numbers; its files are tested with `prepare`."""

import numpy as np
import pytest

from sharks.dataset.dataset import cost, file_counts, level_counts, level_table, measure, pcm_counts
from sharks.levels.quantize import codec_of


def test_every_pcm_value_has_the_level_of_its_amplitude():
    pcm = np.arange(-32768, 32768).astype(np.int16)
    for codec in (codec_of("MU-R"), codec_of("MU-T"), codec_of("LIN-P", 512)):
        assert np.array_equal(level_table(codec)[pcm.view(np.uint16)], codec.encode(pcm / np.float32(32768)))


def test_counting_values_and_levels(tmp_path):
    pcm = np.random.default_rng(0).integers(-32768, 32768, 3_000_000).astype("<i2")
    pcm.tofile(tmp_path / "a.i16")
    counts = file_counts(tmp_path / "a.i16")
    assert np.array_equal(counts, pcm_counts(pcm))
    assert np.array_equal(counts, [*np.bincount(pcm.astype(int) + 32768, minlength=65536)])
    codec = codec_of("MU-R")
    assert np.array_equal(
        level_counts(counts, codec), np.bincount(codec.encode(pcm / np.float32(32768)), minlength=256)
    )


def test_cost_in_bits():
    assert cost(np.full(256, 7), np.full(256, 3)) == 8
    assert cost(np.array([0, 5]), np.array([0, 9])) == 0
    assert cost(np.array([3, 1]), np.array([3, 1])) == pytest.approx(0.75 * np.log2(4 / 3) + 0.25 * 2)
    assert cost(np.array([0, 1]), np.array([3, 0]), smooth=1) == pytest.approx(np.log2(5))
    assert np.isnan(cost(np.zeros(256), np.ones(256)))


def test_a_known_wave_measures_as_it_should():
    def measured(*values):
        return measure(np.bincount(np.array(values) + 32768, minlength=65536))

    square = measured(16384, -16384, 16384, -16384)
    assert square == {"rms_db": pytest.approx(-6.02, abs=0.005), "peak": 0.5, "dc": 0.0, "entropy": 1.0}
    assert measured(19661, -13107)["dc"] == pytest.approx(0.1, abs=1e-4)
    assert measured(0, 0, 0) == {"rms_db": -120.0, "peak": 0.0, "dc": 0.0, "entropy": 0.0}
    assert measured(-32768)["peak"] == 1.0
