"""A picture of a sound: its waveform as a strip, and below it what it is made of, low notes at the bottom."""

from __future__ import annotations

import os
import pathlib
import typing

import numpy as np

from ..errors import UsageError
from ..files.atomic import atomically
from .shapes import as_sound

if typing.TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, STRIP, HEIGHT = 1480, 120, 560  # pixels of the plot, of its waveform strip and of its spectrogram
LEFT, TOP, GAP, RIGHT, BOTTOM = 72, 28, 14, 28, 48
SMALL_WIDTH, SMALL_STRIP, SMALL_GAP, SMALL_HEIGHT = 560, 36, 4, 180  # of a picture for a page, phones too: no axes
QUALITY = 35  # of a WebP: eight seconds at 16 kHz take less than a tenth of their WAV
COLOURS = 64  # of a PNG: no eye tells them from all, and the file is a third
RANGE = 60.0  # dB between the darkest and the brightest colour
TILT = 2.0  # dB per octave added, since music falls by more than that: highs stay visible
CONTRAST = 1.5  # exponent of brightness: more of the colours for the louder half
LOWEST = 40.0  # Hz at the bottom edge
FRAMES_PER_COLUMN = 6  # at most; a column of a long recording is the mean of so many glances

# From the deep to the surface.
SEA = ("#050b16", "#0a1c33", "#0d3550", "#10556a", "#178079", "#3fae86", "#8fd490", "#dff2a8", "#fffbe0")
BACKGROUND, INK, FAINT = "#050b16", "#c3d3da", "#22384a"


def spectrogram_png(
    path: str | os.PathLike[str], samples: np.ndarray, rate: int, title: str | None = None
) -> pathlib.Path:
    """Draw float samples (n,) or (channels, n) in [-1, 1] at `rate` Hz as a PNG; replaces `path` when done.

    Time runs in seconds (minutes when long), frequency in kHz on a mel scale from 40 Hz to half the rate; brightness is
    energy per frequency over the 60 dB below the loudest place, highs raised by 2 dB per octave.
    """
    from PIL import Image, ImageDraw

    mono = _mono(samples)
    size = (LEFT + WIDTH + RIGHT, TOP + STRIP + GAP + HEIGHT + BOTTOM)
    image = Image.new("RGB", size, BACKGROUND)
    image.paste(Image.fromarray(_waveform(mono, WIDTH, STRIP)), (LEFT, TOP))
    image.paste(Image.fromarray(_colours(_spectrogram(mono, rate, WIDTH, HEIGHT))), (LEFT, TOP + STRIP + GAP))
    pen = ImageDraw.Draw(image)
    _frequency_axis(pen, rate)
    _time_axis(pen, mono.size / rate)
    if title:
        pen.text((LEFT, TOP - 6), title, INK, _font(15), anchor="ls")
    return _save(image.quantize(COLOURS), pathlib.Path(path), "PNG", optimize=True)


def spectrogram_webp(path: str | os.PathLike[str], samples: np.ndarray, rate: int) -> pathlib.Path:
    """The same picture for a page, as a small WebP: waveform above spectrogram, without axes; replaces `path`."""
    from PIL import Image

    mono = _mono(samples)
    strip = _waveform(mono, SMALL_WIDTH, SMALL_STRIP)
    gap = np.full((SMALL_GAP, SMALL_WIDTH, 3), _rgb(BACKGROUND), np.uint8)
    plot = _colours(_spectrogram(mono, rate, SMALL_WIDTH, SMALL_HEIGHT))
    image = Image.fromarray(np.concatenate([strip, gap, plot]))
    return _save(image, pathlib.Path(path), "WEBP", quality=QUALITY, method=6)


def _mono(samples: np.ndarray) -> np.ndarray:
    mono = as_sound("samples", samples, "finite (n,) or (channels, n)").astype(np.float32)
    mono = mono.mean(axis=0) if mono.ndim == 2 else mono
    if not mono.size or not np.isfinite(mono).all():
        raise UsageError(f"got {np.shape(samples)} samples; wanted finite (n,) or (channels, n), n of at least 1")
    return mono


def _waveform(mono: np.ndarray, width: int, height: int) -> np.ndarray:
    """The strip, uint8 (height, width, 3): from lowest to highest sample of each column, brighter within its RMS."""
    edges = np.linspace(0, mono.size, width + 1).astype(int)
    starts = np.minimum(edges[:-1], mono.size - 1)
    counts = np.maximum(np.diff(edges), 1)
    high, low = np.maximum.reduceat(mono, starts), np.minimum.reduceat(mono, starts)
    rms = np.sqrt(np.add.reduceat(mono.astype(np.float64) ** 2, starts) / counts)
    y = np.linspace(1, -1, height)[:, None]
    half = 1 / height  # a silent column still shows as a line
    strip = np.full((height, width, 3), _rgb(BACKGROUND), np.uint8)
    strip[(y <= np.maximum(high, half)) & (y >= np.minimum(low, -half))] = _rgb(SEA[4])
    strip[np.abs(y) <= np.maximum(rms, half)] = _rgb(SEA[6])
    return strip


def _spectrogram(mono: np.ndarray, rate: int, width: int, height: int) -> np.ndarray:
    """Brightness 0..1, (height, width), highest frequency first.

    Two windows are blended: a long one tells low notes apart, a short one shows when high sounds begin.
    """
    edges = _frequencies(np.arange(height + 1) / height, rate)
    middle = (edges[1:] + edges[:-1]) / 2
    short = np.clip(np.log2(middle / 250) / 2, 0, 1)[:, None]  # 0 below 250 Hz, 1 above 1 kHz
    level = (1 - short) * _bands(mono, rate, 0.2, edges, width) + short * _bands(mono, rate, 0.05, edges, width)
    level += TILT * np.log2(middle / 1000)[:, None]
    brightest = max(float(np.quantile(level, 0.9995)), -60.0)
    bright: np.ndarray = np.clip(1 + (level - brightest) / RANGE, 0, 1)[::-1] ** CONTRAST
    return bright


def _bands(mono: np.ndarray, rate: int, seconds: float, edges: np.ndarray, width: int) -> np.ndarray:
    """dB of mean power density between neighbouring `edges` (Hz), (len(edges) - 1, width), by windows of `seconds`."""
    window = 1 << max(4, round(np.log2(seconds * rate)))
    glances = int(np.clip(2 * mono.size / (width * window), 1, FRAMES_PER_COLUMN))
    padded = np.pad(mono, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)
    centres = np.linspace(0, mono.size - 1, width * glances).astype(int).reshape(width, glances)
    shape = np.hanning(window).astype(np.float32)
    position = edges / (rate / (2 * window))  # in bins; zeros double the window, which smooths between bins
    below = np.minimum(position.astype(int), window)
    part = position - below
    level = np.empty((len(edges) - 1, width))
    for column, at in enumerate(centres):
        power = (np.abs(np.fft.rfft(frames[at] * shape, 2 * window)) ** 2).mean(axis=0) / (shape.sum() / 2) ** 2
        # The integral of the power up to each edge, linear inside a bin: wide and narrow bands alike get their mean.
        total = np.concatenate([[0.0], np.cumsum(power), [power.sum()]])
        integral = total[below] + part * (total[below + 1] - total[below])
        level[:, column] = 10 * np.log10(np.diff(integral) / np.diff(position) + 1e-14)
    return level


def _frequencies(heights: np.ndarray, rate: int) -> np.ndarray:
    """Hz at heights 0 (bottom) to 1 (top), equal steps of mel (O'Shaughnessy 1987)."""
    low, high = _mel(min(LOWEST, rate / 8)), _mel(rate / 2)
    return 700 * (10 ** ((low + heights * (high - low)) / 2595) - 1)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _colours(brightness: np.ndarray) -> np.ndarray:
    stops = np.array([_rgb(colour) for colour in SEA], float)
    table = np.stack([np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(SEA)), c) for c in stops.T], axis=1)
    colours: np.ndarray = table.round().astype(np.uint8)[(brightness * 255).round().astype(int)]
    return colours


def _frequency_axis(pen: ImageDraw, rate: int) -> None:
    low, high = _mel(min(LOWEST, rate / 8)), _mel(rate / 2)
    bottom, last = TOP + STRIP + GAP + HEIGHT, None
    for kilohertz in (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256):
        height = (_mel(1000 * kilohertz) - low) / (high - low)
        if not 0 <= height <= 1 or (last is not None and height - last < 0.03):
            continue
        last, y = height, bottom - height * HEIGHT
        pen.line([(LEFT - 6, y), (LEFT - 1, y)], INK)
        pen.text((LEFT - 10, y), f"{kilohertz:g}", INK, _font(15), anchor="rm")
    pen.text((LEFT - 10, TOP + STRIP), "kHz", INK, _font(13), anchor="rb")


def _time_axis(pen: ImageDraw, seconds: float) -> None:
    steps = [m * 10.0**e for e in range(-5, 1) for m in (1, 2, 5)] + [15, 30, 60, 120, 300, 600, 1800]
    steps += [3600.0 * m for m in (1, 2, 5, 10, 24, 240)]
    step = next((s for s in steps if seconds / s <= 12), steps[-1])
    top, bottom = TOP, TOP + STRIP + GAP + HEIGHT
    for k in range(int(seconds / step + 1e-9) + 1):
        x = LEFT + k * step / seconds * WIDTH
        pen.line([(x, bottom), (x, bottom + 5)], INK)
        pen.line([(x, top + STRIP + 3), (x, top + STRIP + GAP - 4)], FAINT)
        pen.text((x, bottom + 10), _clock(k * step, step), INK, _font(15), anchor="mt")
    pen.text((LEFT + WIDTH, bottom + 28), "seconds" if step < 15 else "minutes:seconds", INK, _font(13), anchor="rt")


def _clock(seconds: float, step: float) -> str:
    if step < 15:
        return f"{seconds:.10g}"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _font(size: int) -> typing.Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _save(image: Image.Image, path: pathlib.Path, kind: str, **how: typing.Any) -> pathlib.Path:
    with atomically(path) as file:
        image.save(file, kind, **how)
    return path
