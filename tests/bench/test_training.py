"""The plain training loop does the work of ours; only its speed is compared elsewhere."""

import pathlib
import sys

import numpy as np
import pytest
import torch

from made_songs import dataset
from sharks import preset, recipe
from sharks.recipes.presets import override
from sharks.training.music.batches import Training
from sharks.training.step.learner import Learner
from specs import random_tensors, shrunk

sys.path.append(str(pathlib.Path(__file__).parents[2] / "bench"))
import plain_training  # noqa: E402
from gpu_section import gpu_section  # noqa: E402
from training_section import put_training_section, training_section  # noqa: E402

import training as bench  # noqa: E402

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["dadabots-2tier", "dadabots-2tier-tiny", "sharks2020-2tier", "prism-3tier"])
def test_the_plain_loop_has_our_losses(name):
    """With weights that stay, over steps that carry state and begin anew; then both learn."""
    changes = {"train.batch": 3, "train.chunk_len": 128, "data.chunk_seconds": 0.1, "data.chunks": 0}
    changes |= {"train.precision": "float32", "data.silence_db": float("-inf")}
    spec, plan = override(shrunk(preset(name)), recipe(name), changes)
    music = Training(dataset(spec.sample_rate, (2 * spec.sample_rate,)), spec, plan, 0)
    learner = Learner(spec, plan.train, CPU)
    learner.model.load(random_tensors(spec))
    plain = plain_training.PlainLoop(spec, plan.train, learner.weights(), CPU)
    rate, (group,) = plan.train.learning_rate, plain.adam.param_groups
    group["lr"] = 0.0
    pairs = [(learner.learn(music.at(step), 0.0), plain.learn(music.at(step))) for step in range(20)]
    ours, theirs = np.array(pairs).T
    np.testing.assert_allclose(theirs, ours, atol=2e-5)
    assert np.ptp(ours) > 0.01
    group["lr"] = rate
    after = [(learner.learn(music.at(0), rate), plain.learn(music.at(0))) for _ in range(30)][-1]
    assert max(after) < ours[0] - 0.3


def test_a_loop_that_computes_something_else_is_refused(monkeypatch):
    monkeypatch.setattr(bench, "_SAME", 0.0)
    with pytest.raises(SystemExit, match="computes something else"):
        bench.contest("dadabots-2tier-tiny", 2, "cpu", False, 1, 0.0)


def test_the_chapter_is_replaced_and_the_rest_stays(tmp_path):
    page = tmp_path / "RESULTS.md"
    row = bench.Row("x", "2 cores", "float32", 4, 64, 2e5, 1e5, "float32", 2.0, 1.9)
    page.write_text("# Speed\n\n## Engine\n\nfast\n\n## Training\n\nold\n\n## More\n\nlast\n")
    for _ in range(2):
        put_training_section(page, bench.chapter([row]))
        text = page.read_text()
        assert "old" not in text and text.count("## Training") == 1 and "| 200,000 |" in text
        assert text.startswith("# Speed\n\n## Engine\n\nfast\n\n") and text.endswith("## More\n\nlast\n")
    assert training_section(page).startswith("## Training\n") and "last" not in training_section(page)
    page.write_text("# Speed\n")
    assert training_section(page) == training_section(tmp_path / "none.md") == ""
    page.write_text("# Speed\n\n## GPU\n\nfast\n")
    put_training_section(page, bench.chapter([row]))
    assert page.read_text().endswith("| 2.0 |\n\n## GPU\n\nfast\n") and gpu_section(page) == "## GPU\n\nfast"
    put_training_section(page, bench.chapter([row]))
    assert page.read_text().startswith("# Speed\n\n## Training\n")
