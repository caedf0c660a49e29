"""report.html: what a run has learnt so far, on one page that needs nothing else and no network.

Curves beside the two ways of guessing, previews with players and spectrograms, and what was asked for. It is made
anew at every preview and at the end, from what the run directory holds.
"""

from __future__ import annotations

import base64
import io
import json
import math
import pathlib
import typing
from collections.abc import Callable

import numpy as np

from ...errors import Error
from ...files.atomic import atomically
from ..run import rundir
from .listener import Listener

_ROUNDS = 4  # of previews on the page: the first, the last, and between
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 760, 320, 44, 26  # of the curves
_POINTS = 400  # of a curve
_PICTURE = 560  # pixels across


class Report(Listener):
    """Makes the page whenever there is more to hear or to know; one that cannot be made is no reason to stop."""

    def __init__(self, folder: pathlib.Path, uniform: float, order0: float, say: Callable[[str], None]) -> None:
        self._folder, self._uniform, self._order0, self._say = folder, uniform, order0, say

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        self._write()

    def judged(self, step: int, best: int, nll: float, tracks: dict[str, float]) -> None:
        self._write()

    def _write(self) -> None:
        try:
            write(self._folder, self._uniform, self._order0)
        except (Error, OSError, ValueError, KeyError) as error:
            self._say(f"no {rundir.REPORT}: {error}")


def write(folder: pathlib.Path, uniform: float, order0: float) -> pathlib.Path:
    """Make the page of a run directory. `uniform` and `order0` in bits."""
    from jinja2 import Environment

    rows = rundir.rows(folder)
    trained = [(row["step"], row["nll"]) for row in rows if "nll" in row]
    validated = [(row["step"], row["validation"]) for row in rows if "validation" in row]
    judged = [row for row in rows if "held_out" in row]
    page = Environment(autoescape=True).from_string(_PAGE)
    text = page.render(
        title=folder.resolve().name,
        curves=_Safe(curves(trained, validated, uniform, order0)),
        facts=_facts(trained, validated, judged, uniform, order0),
        previews=[_preview(place) for place in _chosen(folder / rundir.PREVIEWS)],
        settings=_settings(folder),
    )
    with atomically(folder / rundir.REPORT) as file:
        file.write(text.encode())
    return folder / rundir.REPORT


class _Safe(str):
    """Markup of our own, in which nothing of a file's was put unescaped."""

    def __html__(self) -> str:
        return self


def curves(trained: list[tuple[int, float]], validated: list[tuple[int, float]], uniform: float, order0: float) -> str:
    """An SVG of bits over steps: the training loss smoothed, validation as dots, guessing as dashed lines."""
    last = max([1, *(step for step, _ in trained)])
    values = [order0, uniform, *(v for _, v in _thinned(trained) + validated if math.isfinite(v))]
    low, high = math.floor(min(values) * 2) / 2, math.ceil(max(order0, uniform) * 2) / 2 + 0.25

    def place(step: float, bits: float) -> str:
        x = _LEFT + step / last * (_WIDTH - _LEFT - 8)
        y = (1 - (min(bits, high) - low) / (high - low)) * (_HEIGHT - _BOTTOM)
        return f"{x:.1f},{y:.1f}"

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="bits per sample over steps">']
    for tick in np.arange(low, high + 1e-9, 0.5 if high - low <= 4 else 1.0):
        (x, y), end = place(0, tick).split(","), place(last, tick).split(",")[0]
        parts.append(f'<line class="grid" x1="{x}" x2="{end}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for name, bits in (("uniform", uniform), ("order-0", order0)):
        (x, y), end = place(0, bits).split(","), place(last, bits).split(",")[0]
        parts.append(f'<line class="guess" x1="{x}" x2="{end}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{end}" y="{float(y) - 5:.1f}" text-anchor="end">{name} {bits:.2f}</text>')
    for kind, points in (("trained", _thinned(trained)), ("validated", validated)):
        line = " ".join(place(step, bits) for step, bits in points if math.isfinite(bits))
        parts.append(f'<polyline class="{kind}" points="{line}"/>')
    for step, bits in validated:
        x, y = place(step, bits).split(",")
        parts.append(f'<circle class="validated" cx="{x}" cy="{y}" r="3"><title>{step}: {bits:.3f}</title></circle>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = place(share * last, low).split(",")[0]
        anchor = "end" if share == 1 else "start" if share == 0 else "middle"
        parts.append(f'<text x="{x}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{round(share * last):,}</text>')
    return "".join([*parts, "</svg>"])


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most `_POINTS` means of neighbours."""
    if not points:
        return []
    groups = np.array_split(np.array(points, float), min(_POINTS, len(points)))
    return [(int(group[-1, 0]), float(group[:, 1].mean())) for group in groups]


def _facts(
    trained: list[tuple[int, float]],
    validated: list[tuple[int, float]],
    judged: list[dict[str, typing.Any]],
    uniform: float,
    order0: float,
) -> list[tuple[str, str]]:
    found = [("guessing", f"uniform {uniform:.2f}, order-0 {order0:.2f} bits per sample")]
    if trained:
        recent = np.mean([bits for _, bits in trained[-50:]])
        found.append(("training loss", f"{recent:.3f} bits over the last steps, at step {trained[-1][0]:,}"))
    if validated:
        step, bits = min(validated, key=lambda point: point[1])
        side = "under" if bits <= order0 else "over"
        found.append(("best validation", f"{bits:.3f} bits at step {step:,}, {abs(order0 - bits):.2f} {side} order-0"))
    if judged:
        row = judged[-1]
        found.append(("all held-out music", f"{row['held_out']:.3f} bits by the checkpoint of step {row['best']:,}"))
        found += [(f"held out: {name}", f"{bits:.3f} bits") for name, bits in row.get("tracks", {}).items()]
    return found


def _chosen(folder: pathlib.Path) -> list[pathlib.Path]:
    """The newest rounds of previews last; of many, some from first to last."""
    places = sorted(place.parent for place in folder.glob("*/health.json"))
    wanted = np.unique(np.linspace(0, len(places) - 1, min(_ROUNDS, len(places))).round().astype(int))
    return [places[i] for i in wanted]


def _preview(folder: pathlib.Path) -> dict[str, typing.Any]:
    health = json.loads((folder / "health.json").read_bytes())
    clips = []
    for name, report in health.items():
        sound, picture = folder / f"{name}.wav", folder / f"{name}.png"
        if sound.exists():
            shown = _small(picture) if picture.exists() else ""
            clips.append({"name": name, "verdict": report["verdict"], "sound": _data("audio/wav", sound), "png": shown})
    return {"step": f"{int(folder.name):,}", "clips": clips}


def _data(kind: str, path: pathlib.Path) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _small(path: pathlib.Path) -> str:
    """A spectrogram as wide as the page shows it."""
    from PIL import Image

    with Image.open(path) as image:
        height = round(image.height * _PICTURE / image.width)
        small, file = image.convert("RGB").resize((_PICTURE, height)), io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _settings(folder: pathlib.Path) -> str:
    path = folder / rundir.CONFIG
    return path.read_text(encoding="utf-8") if path.exists() else ""


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:">
<title>{{ title }}</title>
<style>
 :root { color-scheme: dark; --ink: #c3d3da; --faint: #22384a; --line: #3fae86; --dots: #dff2a8; }
 body { font: 16px/1.5 system-ui, sans-serif; background: #050b16; color: var(--ink); margin: 2rem auto;
  max-width: 50rem; padding: 0 1rem; }
 h1 { font-weight: 500; } h2 { font-weight: 500; margin-top: 2.5rem; }
 svg { width: 100%; } svg text { fill: var(--ink); font-size: 12px; }
 .grid { stroke: var(--faint); } .guess { stroke: var(--ink); stroke-dasharray: 5 5; opacity: .6; }
 polyline { fill: none; } .trained { stroke: var(--line); stroke-width: 1.5; }
 polyline.validated { stroke: var(--dots); stroke-width: 1; } circle.validated { fill: var(--dots); }
 table { border-collapse: collapse; } td { padding: .15rem 1.5rem .15rem 0; vertical-align: top; }
 figure { margin: 1rem 0; } img { width: 100%; border-radius: 4px; } audio { width: 100%; }
 .ok { color: var(--line); } .bad { color: #ff9d7a; } pre { overflow: auto; background: #0a1c33; padding: 1rem; }
</style></head><body>
<h1>{{ title }}</h1>
<table>{% for name, value in facts %}<tr><td>{{ name }}</td><td>{{ value }}</td></tr>{% endfor %}</table>
<h2>Bits per sample</h2>
{{ curves }}
<p>Line: training, smoothed. Dots: held-out music. Dashed: what guessing costs; what lies below order-0 was
learnt.</p>
<h2>Previews</h2>
{% for round in previews|reverse %}<h3>step {{ round.step }}</h3>
{% for clip in round.clips %}<figure>
{% if clip.png %}<img alt="spectrogram of {{ clip.name }}" src="{{ clip.png }}">{% endif %}
<audio controls preload="none" src="{{ clip.sound }}"></audio>
<figcaption>{{ clip.name }}:
<span class="{{ 'ok' if clip.verdict == 'ok' else 'bad' }}">{{ clip.verdict }}</span></figcaption></figure>
{% endfor %}{% else %}<p>None yet.</p>{% endfor %}
<h2>What was asked for</h2>
<pre>{{ settings }}</pre>
</body></html>
"""
