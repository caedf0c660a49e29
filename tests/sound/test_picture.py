"""A spectrogram shows what is there, where it is."""

import os

import numpy as np
import pytest
from PIL import Image

from sharks.errors import ResourceError, UsageError
from sharks.sound.picture import (
    GAP,
    HEIGHT,
    LEFT,
    SMALL_GAP,
    SMALL_HEIGHT,
    SMALL_STRIP,
    SMALL_WIDTH,
    STRIP,
    TOP,
    WIDTH,
    _frequencies,
    spectrogram_png,
    spectrogram_webp,
)

RATE = 16000


def drawn(path):
    """(strip, spectrogram) of a picture as brightness, float (height, WIDTH)."""
    grey = np.asarray(Image.open(path).convert("L"), float)[:, LEFT : LEFT + WIDTH]
    top = TOP + STRIP + GAP
    return grey[TOP : TOP + STRIP], grey[top : top + HEIGHT]


def row(hertz, rate=RATE):
    """The row of the spectrogram that shows a frequency, counted from its top."""
    return HEIGHT - 1 - int(np.searchsorted(_frequencies(np.arange(HEIGHT + 1) / HEIGHT, rate), hertz) - 1)


@pytest.mark.parametrize("hertz", [60, 220, 1000, 3000, 7500])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_tone_is_brightest_where_it_belongs(tmp_path, hertz, rate):
    t = np.arange(3 * rate) / rate
    spectrogram_png(tmp_path / "a.png", 0.3 * np.sin(2 * np.pi * hertz * t), rate)
    _, picture = drawn(tmp_path / "a.png")
    middle = picture[:, WIDTH // 4 : 3 * WIDTH // 4].mean(axis=1)
    assert abs(int(middle.argmax()) - row(hertz, rate)) <= 2
    assert middle[row(hertz, rate)] > 150 and np.median(middle) < 20


def test_a_sound_is_bright_when_it_sounds(tmp_path):
    x = 0.2 * np.random.default_rng(0).standard_normal(6 * RATE)
    x[: 2 * RATE] = x[4 * RATE :] = 0
    spectrogram_png(tmp_path / "a.png", x, RATE)
    strip, picture = drawn(tmp_path / "a.png")
    for part in (picture, strip):
        level = part.mean(axis=0)
        first, second, third = level[: WIDTH // 3 - 30], level[WIDTH // 3 + 30 : 2 * WIDTH // 3 - 30], level[-460:]
        assert second.min() > 2 * max(first.max(), third.max())


@pytest.mark.parametrize("samples", [np.zeros(1), np.zeros(5), np.ones(100), np.zeros((2, 1000)), np.zeros(90 * 1000)])
def test_anything_finite_can_be_drawn(tmp_path, samples):
    path = spectrogram_png(tmp_path / "a.png", samples, 1000, title="silence & more")
    assert Image.open(path).size == Image.open(tmp_path / "a.png").size and os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((2, 2, 9)), np.array([0.0, np.nan]), np.zeros((2, 0))])
def test_what_cannot_be_drawn_is_one_sentence(tmp_path, samples):
    with pytest.raises(UsageError, match="wanted finite"):
        spectrogram_png(tmp_path / "a.png", samples, RATE)
    with pytest.raises(ResourceError):
        spectrogram_png(tmp_path / "no" / "a.png", np.zeros(9), RATE)
    assert not os.listdir(tmp_path)


def test_a_picture_for_a_page_is_small(tmp_path):
    """Eight seconds of noise at all levels, which packs worse than any music."""
    rng = np.random.default_rng(0)
    x = 0.2 * rng.standard_normal(8 * RATE) * np.repeat(rng.random(32), RATE // 4)
    path = spectrogram_webp(tmp_path / "a.webp", x, RATE)
    assert path.stat().st_size < 2 * len(x) / 10
    with Image.open(path) as image:
        assert image.format == "WEBP" and image.size == (SMALL_WIDTH, SMALL_STRIP + SMALL_GAP + SMALL_HEIGHT)


@pytest.mark.parametrize("hertz", [220, 1000, 3000])
def test_a_small_picture_shows_the_same(tmp_path, hertz):
    t = np.arange(3 * RATE) / RATE
    spectrogram_webp(tmp_path / "a.webp", 0.3 * np.sin(2 * np.pi * hertz * t), RATE)
    grey = np.asarray(Image.open(tmp_path / "a.webp").convert("L"), float)[SMALL_STRIP + SMALL_GAP :]
    level = grey[:, SMALL_WIDTH // 4 : 3 * SMALL_WIDTH // 4].mean(axis=1)
    assert abs(int(level.argmax()) - row(hertz) * SMALL_HEIGHT / HEIGHT) <= 2 and level.max() > 150
