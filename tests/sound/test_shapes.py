"""Arrays that are no sound are refused in one sentence wherever one may be given."""

import numpy as np
import pytest

import sharks
from sharks.errors import AudioError, UsageError
from sharks.play.primer import primer_levels
from sharks.sound.picture import spectrogram_png
from sharks.sound.shapes import check_sound
from sharks.sound.wav import write_wav
from specs import SAMPLERNN

ENTRIES = {
    "prime": lambda sound, folder: primer_levels(SAMPLERNN, sound, 16000, 1),
    "health": lambda sound, folder: sharks.health(sound, 16000),
    "write_wav": lambda sound, folder: write_wav(folder / "a.wav", sound, 16000),
    "spectrogram_png": lambda sound, folder: spectrogram_png(folder / "a.png", sound, 16000),
}
REFUSED = {
    "as soundfile gives it": (np.zeros((5000, 2)), r"\(5000, 2\), which is 5000 channels of 2 .*wanted .*\(2, 5000\)"),
    "65 channels": (np.zeros((65, 100)), r"\(65, 100\), which is 65 channels of 100"),
    "more channels than samples": (np.zeros((6, 3)), r"6 channels of 3 samples"),
    "int16": (np.zeros((2, 500), np.int16), r"dtype int16.*divide .* 32768"),
    "bytes": (np.zeros((2, 500), np.uint8), "dtype uint8"),
    "bool": (np.zeros((2, 500), bool), "dtype bool"),
    "complex": (np.zeros((2, 500), complex), "dtype complex128"),
    "text": (np.array(["a", "b"]), "dtype <U1"),
    "objects": (np.array([None, 1.0]), "dtype object"),
    "a number": (np.float32(0.5), r"shape \(\)"),
    "ragged": ([[0.0, 0.1], [0.2]], "wanted"),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("sound,sentence", REFUSED.values(), ids=REFUSED)
def test_what_is_no_sound_is_one_sentence(tmp_path, entry, sound, sentence):
    with pytest.raises(UsageError, match=sentence) as caught:
        entry(sound, tmp_path)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("entry", [name for name in ENTRIES if name != "prime"])
def test_too_many_axes_are_one_sentence(tmp_path, entry):
    with pytest.raises(UsageError, match=r"\(2, 2, 500\); wanted"):
        ENTRIES[entry](np.zeros((2, 2, 500)), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name,problem", [("health", "not finite"), ("prime", UsageError), ("write_wav", AudioError)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_named(tmp_path, name, problem, value):
    sound = np.full((1, 16000), 0.1)
    sound[0, 700] = value
    if isinstance(problem, str):
        assert ENTRIES[name](sound, tmp_path).verdict.startswith(problem)
    else:
        with pytest.raises(problem, match="NaN|nan|inf"):
            ENTRIES[name](sound, tmp_path)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(1,), (100,), (1, 1), (2, 2), (64, 64), (2, 16000), (0,), (1, 0), (2, 0)])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_sound_passes(shape, kind):
    check_sound("x", np.zeros(shape, kind))


def test_streams_pass_with_an_axis_of_their_own():
    check_sound("x", np.zeros((500, 2, 16)))
    with pytest.raises(UsageError, match=r"so turn its last two axes round, to \(500, 2, 16\)"):
        check_sound("x", np.zeros((500, 16, 2)))
