"""The page of a run: complete, self-contained, and safe whatever a song is called."""

import html.parser
import json
import re

import numpy as np
import pytest

from made_songs import dataset
from sharks.sound.picture import spectrogram_png
from sharks.sound.wav import write_wav
from sharks.training.watch import report
from small_runs import RATE, trained

WICKED = '<img src=x onerror="alert(1)">.wav'


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def run_at(folder, rounds=6):
    rows = [{"step": s, "nll": 8 - s / 100} for s in range(1, 601)]
    rows += [{"step": s, "validation": 7 - s / 1000, "tracks": {WICKED: 7.0}} for s in range(100, 601, 100)]
    rows += [{"step": 600, "best": 600, "held_out": 6.4, "tracks": {WICKED: 6.4}}]
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "config.toml").write_text(f'[run]\npreset = "{WICKED}"\n'.replace('"alert(1)"', ""))
    for number in range(1, rounds + 1):
        place = folder / "previews" / f"{number * 100:010d}"
        place.mkdir(parents=True)
        sound = 0.1 * np.sin(np.arange(2000))
        write_wav(place / "00_t1_s0.wav", sound, 2000)
        spectrogram_png(place / "00_t1_s0.png", sound, 2000)
        verdict = "ok" if number % 2 else f"silent: {WICKED}"
        (place / "health.json").write_text(json.dumps({"00_t1_s0": {"verdict": verdict}}))
    return folder


def test_the_page_has_everything_and_needs_nothing(tmp_path):
    text = report.write(run_at(tmp_path / "run"), 8.0, 7.4).read_text()
    page = Page(text)
    kinds = [tag for tag, _ in page.tags]
    assert kinds.count("audio") == kinds.count("figure") == 4 and kinds.count("svg") == 1
    sources = [values["src"] for _, values in page.tags if "src" in values]
    assert sources and all(source.startswith("data:") for source in sources)
    assert not re.search(r"https?://", text) and "script" not in kinds and "link" not in kinds
    for fact in ("order-0 7.40", "6.400 bits by the checkpoint of step 600", "step 600", "step 100", "silent:"):
        assert fact in text
    assert len(text) < 2_000_000


def test_names_cannot_become_markup(tmp_path):
    page = Page(report.write(run_at(tmp_path / "run"), 8.0, 7.4).read_text())
    assert not any("onerror" in values for _, values in page.tags)
    assert {values["src"][:5] for tag, values in page.tags if tag == "img"} == {"data:"}


def test_curves_stay_inside_their_picture():
    wild = [(step, 8.0 if step < 5 else 3.0) for step in range(1, 5000)] + [(5000, float("nan")), (5001, 400.0)]
    drawn = report.curves(wild, [(10, 7.0), (5000, 5.0)], 8.0, 7.4)
    numbers = [
        tuple(map(float, point.split(","))) for point in re.search(r'"trained" points="([^"]+)', drawn)[1].split()
    ]
    assert 100 < len(numbers) <= 400
    assert all(0 <= x <= 760 and 0 <= y <= 320 for x, y in numbers)
    assert numbers[0][1] < numbers[-100][1], "lower bits are lower on the page"
    assert report.curves([], [], 8.0, 7.4).startswith("<svg")


def test_a_run_leaves_its_page(tmp_path):
    out = tmp_path / "run"
    trained(dataset(RATE, (9000, 7000), (6000,)), out, steps=4, **{"train.preview_every": 2})
    text = (out / "report.html").read_text()
    assert "best validation" in text and "all held-out music" in text and "sample_rate = 2000" in text


def test_tensorboard_is_an_extra(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = tmp_path / "run"
    settings = {"train.preview_every": 10, "train.preview_seconds": 0.5}
    trained(dataset(RATE, (9000, 7000), (6000,)), out, steps=20, tensorboard=True, **settings)
    events = EventAccumulator(str(out / "tb")).Reload()
    tags = events.Tags()
    assert {"bits/training", "bits/validation", "samples per second"} <= set(tags["scalars"])
    assert [event.step for event in events.Scalars("bits/training")] == [10, 20]
    assert tags["audio"] and tags["images"]
    trained(dataset(RATE, (9000, 7000), (6000,)), tmp_path / "plain", steps=2)
    assert not (tmp_path / "plain" / "tb").exists()


@pytest.mark.parametrize(("bits", "said"), [(4.75, "0.25 under order-0"), (5.25, "0.25 over order-0")])
def test_what_is_worse_than_guessing_lies_over_it(bits, said):
    facts = dict(report._facts([], [(2, bits)], [], uniform=8.0, order0=5.0))
    assert facts["best validation"].endswith(said)
