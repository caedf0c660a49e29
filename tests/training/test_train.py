"""Runs: resumed ones end like uninterrupted ones, killed ones come back, and what is asked for is what happens."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

import sharks
from made_songs import dataset, songs
from sharks.dataset.dataset import load_dataset
from sharks.errors import AudioError, PackError, ResourceError, SpecError, UsageError
from sharks.files.tensorfile import TensorFile
from sharks.levels.quantize import codec_of
from sharks.spec import SampleRNNSpec
from sharks.training.run import checkpoint, rundir
from small_runs import RATE, everything, losses, trained


@pytest.fixture(scope="module")
def data():
    return dataset(RATE, (9000, 7000), (6000, 5000))


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("dadabots-2tier-tiny", {"train.ema": 0.9, "train.weight_norm": True}),
        ("dadabots-2tier-tiny", {"train.batch": 16, "train.precision": "bfloat16"}),  # on two cores by two cores
        ("prism-3tier-tiny", {"train.decay": "none"}),
        ("ibab-wavenet-tiny", {}),
        ("sharks-form-small", {}),  # with its dropout, noise and renderings
    ],
)
def test_a_run_in_parts_is_the_run_in_one(data, tmp_path, preset, settings):
    settings |= {"train.decay": "none"}  # a cosine knows where it ends
    whole = trained(data, tmp_path / "whole", preset, steps=11, **settings)
    for steps in (3, 8, 11):
        parts = trained(data, tmp_path / "parts", preset, steps=steps, **settings)
        assert parts.step == steps
    assert losses(tmp_path / "whole").keys() == set(range(1, 12))
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    ours, theirs = everything(tmp_path / "parts"), everything(tmp_path / "whole")
    assert ours[1] == theirs[1] == 11
    assert {k: v for k, v in ours[3].items() if "best" not in k} == theirs[3]
    assert whole.nll == pytest.approx(parts.nll, abs=0.5)


def test_ctrl_c_keeps_everything(data, tmp_path, monkeypatch):
    """The same losses, log, weights and best pack as without the interruption, after steps 1, before anything was
    validated, 3 and 6. No step is learnt twice."""
    trained(data, tmp_path / "whole")
    for before, step in ((0, 1), (1, 3), (3, 6)):
        learnt = _interrupt_after(monkeypatch, step)
        with pytest.raises(KeyboardInterrupt):
            trained(data, tmp_path / "parts")
        assert learnt == list(range(before + 1, step + 1))
        assert checkpoint.steps(tmp_path / "parts/checkpoints")[-1] == step
        assert checkpoint.newest(tmp_path / "parts/checkpoints")[1] == []
        assert sharks.load(tmp_path / "parts").about["step"] <= step, "what there is can be played"
    learnt = _interrupt_after(monkeypatch, 0)
    assert trained(data, tmp_path / "parts").step == 10 and learnt == [7, 8, 9, 10]
    monkeypatch.undo()
    assert everything(tmp_path / "parts") == everything(tmp_path / "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _interrupt_after(monkeypatch, steps):
    """A list that the steps come into as they are learnt."""
    from sharks.training.step.learner import Learner

    monkeypatch.undo()
    learn, learnt = Learner.learn, []

    def interrupted(self, batch, rate):
        bits = learn(self, batch, rate)
        learnt.append(self.steps)
        if self.steps == steps:
            os.kill(os.getpid(), signal.SIGINT)
        return bits

    monkeypatch.setattr(Learner, "learn", interrupted)
    return learnt


def test_codes_keep_the_tokenizer_that_was_fitted_first(data, tmp_path, monkeypatch):
    """A run goes on with its own, and so does one that begins as a pack; the newest checkpoint is what plays."""
    first = trained(data, tmp_path / "run", "sharks-form-small", steps=5, **{"train.decay": "none"})
    assert first.best_step == 5
    fitted = sharks.load(tmp_path / "run")
    monkeypatch.setattr("sharks.families.registry.fitted", None)  # cannot be called
    trained(data, tmp_path / "run", "sharks-form-small", steps=7, **{"train.decay": "none"})
    other = trained(data, tmp_path / "other", "sharks-form-small", steps=2, start=fitted)
    for pack in (sharks.load(tmp_path / "run"), sharks.load(other.path)):
        for name in pack.spec.constants():
            assert np.array_equal(pack.tensors[name], fitted.tensors[name]), name
    assert not np.array_equal(sharks.load(other.path).tensors["prior.in.weight"], fitted.tensors["prior.in.weight"])
    assert sharks.generate(other.best, 0.2, seed=1).samples.shape == (1, 1, 400)


def test_chances_are_refused_where_they_do_nothing(data, tmp_path):
    for name in ("dropout", "noise"):
        with pytest.raises(UsageError, match=rf"train\.{name} is 0\.1, which does nothing to a samplernn; set it to 0"):
            trained(data, tmp_path / "run", **{f"train.{name}": 0.1})


def test_a_damaged_checkpoint_is_passed_over(data, tmp_path):
    out = tmp_path / "run"
    trained(data, out, steps=8, **{"train.decay": "none"})
    newest = out / "checkpoints" / "0000000008.state.safetensors"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    found, passed = checkpoint.newest(out / "checkpoints")
    assert found.step == 4 and len(passed) == 1 and "damaged" in passed[0]
    trained(data, out, steps=12, **{"train.decay": "none"})
    trained(data, tmp_path / "whole", steps=12, **{"train.decay": "none"})
    assert losses(out) == losses(tmp_path / "whole")


def test_a_kill_between_a_checkpoint_and_its_best_pack_is_mended(data, tmp_path):
    out = tmp_path / "run"
    trained(data, out, steps=8, **{"train.decay": "none"})
    best = (out / "best.safetensors").read_bytes()
    (out / "best.safetensors").unlink()
    trained(data, out, steps=8, **{"train.decay": "none"})
    assert (out / "best.safetensors").read_bytes() == best


def test_what_was_just_written_is_read_back(data, tmp_path, monkeypatch):
    monkeypatch.setattr(TensorFile, "read", lambda self, name: (_ for _ in ()).throw(self.error("is damaged")))
    with pytest.raises(ResourceError, match="is damaged.*check the disk"):
        trained(data, tmp_path / "run", steps=4)


def test_the_newest_and_the_best_are_kept(data, tmp_path):
    out = tmp_path / "run"
    run = trained(data, out, steps=24, **{"train.checkpoint_every": 2})
    kept = checkpoint.steps(out / "checkpoints")
    assert kept[-2:] == [22, 24]
    assert set(kept) == {22, 24, run.best_step}
    judged = [row["validation"] for row in rundir.rows(out) if "validation" in row]
    assert sharks.load(out).about["nll_bits"] == min(judged)


def test_one_checkpoint_of_every_day_is_kept(tmp_path):
    """By hours of training: the last of each 24, besides the newest and the best."""
    pack = sharks.random_pack(SampleRNNSpec(dim=4, embed_dim=2, layers=1))
    for step, hours in ((1, 1.0), (2, 20.0), (3, 23.9), (4, 24.1), (5, 40.0), (6, 75.0), (7, 76.0), (8, 77.0)):
        kept = checkpoint.Checkpoint(step, {"x": np.zeros(1, np.float32)}, {"hours": hours})
        checkpoint.save(tmp_path, kept, pack, tmp_path / "best.safetensors")
        checkpoint.prune(tmp_path, 2, best=1)
    assert checkpoint.steps(tmp_path) == [1, 3, 5, 7, 8]
    assert {p.name.split(".")[0] for p in tmp_path.iterdir()} == {f"{s:010d}" for s in (1, 3, 5, 7, 8)} | {"best"}


def test_what_the_log_says(data, tmp_path):
    out = tmp_path / "run"
    run = trained(data, out, steps=6)
    rows = rundir.rows(out)
    assert [row["step"] for row in rows if "validation" in row] == [2, 4, 6]
    assert all(set(row["tracks"]) == {"val0.wav", "val1.wav"} for row in rows if "validation" in row)
    assert rows[-1]["held_out"] == run.nll and rows[-1]["best"] == run.best_step
    assert run.order0 == data.order0(codec_of("MU-R"))[1]
    assert run.best == out / "best.safetensors" and sharks.load(run.path).spec == run.spec
    config = rundir._read(out / "config.toml")
    assert config["model"]["dim"] == 12 and config["train"]["steps"] == 6 and config["data"]["trim_db"] == -np.inf
    assert json.loads((out / "env.json").read_text())["device"] == "cpu"
    before = (out / "log.jsonl").read_bytes()
    assert trained(data, out, steps=6) == run
    assert (out / "log.jsonl").read_bytes() == before, "a finished run has nothing left to do"


def test_without_held_out_music_the_newest_is_the_best(tmp_path):
    run = trained(dataset(RATE, (9000,)), tmp_path / "run", steps=8)
    assert run.best_step == 8 and np.isnan(run.nll)
    assert sharks.load(run.path).about["step"] == 8


def test_a_changed_recipe_is_another_run(data, tmp_path):
    out = tmp_path / "run"
    trained(data, out, steps=2)
    with pytest.raises(UsageError, match=r"this run has model.dim 12, got 13; .*--fresh"):
        trained(data, out, **{"model.dim": 13})
    with pytest.raises(UsageError, match="run.seed 0, got 1"):
        trained(data, out, seed=1)
    with pytest.raises(UsageError, match="run.dataset"):
        trained(dataset(RATE, (9000,)), out)
    first = losses(out)
    assert trained(data, out, steps=2, resume=False, seed=1).step == 2
    assert losses(out) != first
    assert trained(data, out, steps=4, seed=1, **{"train.keep": 5}).step == 4


def test_a_run_from_before_a_setting_existed_goes_on(data, tmp_path):
    """What its config does not say is what every run then did; another value is another run."""
    out = tmp_path / "run"
    trained(data, out, steps=2)
    config = out / "config.toml"
    written = config.read_text()
    config.write_text(written.replace("equaliser_db = 0.0\n", ""))
    assert config.read_text() != written
    with pytest.raises(UsageError, match=r"this run has data.equaliser_db 0.0, got 3.0"):
        trained(data, out, steps=4, **{"data.equaliser_db": 3.0})
    assert trained(data, out, steps=4).step == 4


def test_a_gpu_is_a_cuda_device(data, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ResourceError, match="torch finds no CUDA device here; use device cpu"):
        trained(data, tmp_path / "run", device="gpu")
    assert not (tmp_path / "run").exists()


def test_bad_arguments_leave_nothing_behind(data, tmp_path):
    out = tmp_path / "run"
    for settings, kind, says in (
        ({"preset": "dadabots"}, UsageError, "did you mean 'dadabots-2tier'"),
        ({"model.dimm": 3}, SpecError, "did you mean 'dim'"),
        ({"train.chunk_len": 100}, UsageError, "multiple of 16"),
        ({"hours": 0}, UsageError, "hours is 0"),
        ({"seed": -1}, UsageError, "seed is -1"),
        ({"device": "tpu"}, UsageError, "wanted auto, cpu or cuda"),
        ({"model.codec": "LIN-C"}, SpecError, "cannot encode"),
        ({"model.sample_rate": 16000}, UsageError, "is at 2000 Hz, wanted 16000"),
        ({"train.learning_rate": "fast"}, SpecError, "wanted float"),
    ):
        with pytest.raises(kind, match=says):
            trained(data, out, **settings)
        assert not out.exists()
    with pytest.raises(AudioError, match="is no dataset"):
        trained(tmp_path / "nothing", out)
    assert not out.exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    for resume in (True, False):
        with pytest.raises(UsageError, match="holds other files"):
            trained(data, tmp_path / "mine", resume=resume)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_a_budget_in_hours_ends_the_run(data, tmp_path):
    began = time.monotonic()
    run = trained(data, tmp_path / "run", steps=10**6, hours=1 / 3600)
    assert 0 < run.step < 10**6 and time.monotonic() - began < 60
    assert trained(data, tmp_path / "run", steps=10**6, hours=1 / 3600).step == run.step


def test_training_in_a_thread(data, tmp_path):
    """Signals cannot be handled there; training can."""
    found = []
    thread = threading.Thread(target=lambda: found.append(trained(data, tmp_path / "run", steps=2)))
    thread.start()
    thread.join()
    assert found[0].step == 2


def test_a_dataset_folder_and_a_short_song_will_do(tmp_path):
    folder = sharks.prepare(songs(tmp_path / "songs", RATE, 1.0, count=1), tmp_path / "data", sample_rate=RATE).path
    assert len(load_dataset(folder).val) < 256
    run = trained(folder, tmp_path / "run", steps=2)
    assert run.step == 2 and np.isfinite(run.nll)


def test_a_damaged_config_is_one_sentence(data, tmp_path):
    trained(data, tmp_path / "run", steps=2)
    (tmp_path / "run/config.toml").write_text("[model\n")
    with pytest.raises(PackError, match="config.toml: cannot be read"):
        trained(data, tmp_path / "run", steps=2)


def test_a_run_goes_on_in_the_precision_it_began_with(data, tmp_path, monkeypatch):
    """What "auto" means is decided once, and recorded; a word of one's own is another matter."""
    from sharks.training.step import precision

    out = tmp_path / "run"
    trained(data, out, steps=2, **{"train.precision": "float32"})
    monkeypatch.setattr(precision, "resolved", lambda word, device: "bfloat16" if word == "auto" else word)
    assert trained(data, out, steps=4).recipe.train.precision == "float32"
    assert rundir.recorded(out)["precision"] == "float32" and rundir.recorded(out)["pieces"] == 1
    assert trained(data, out, steps=6, **{"train.precision": "bfloat16"}).recipe.train.precision == "bfloat16"
    assert trained(data, tmp_path / "new", steps=2).recipe.train.precision == "bfloat16"
    assert rundir.recorded(tmp_path / "nothing") == {}
