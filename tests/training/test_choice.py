"""Who names no preset gets one that fits the computer, and goes on with the one that a run has."""

import subprocess
import sys

import pytest

from made_songs import dataset
from sharks.errors import UsageError
from sharks.proof.fitting import FOR_A_CPU
from sharks.training import choice, smoke, train
from sharks.training.choice import chosen
from small_runs import RATE, SMALL, trained


def test_without_a_run_the_computer_decides_and_says_why(tmp_path):
    told = []
    assert chosen(None, tmp_path / "run", "cpu", told.append) == FOR_A_CPU
    assert len(told) == 2 and told[0].startswith("this computer: ") and told[1].endswith("-p dadabots-2tier")
    assert chosen("wavenet-music", tmp_path / "run", "cpu", told.append) == "wavenet-music" and len(told) == 2


def test_the_music_has_a_say_once_it_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "fitting", lambda machine: "dadabots-2tier")
    told = []
    assert chosen(None, tmp_path / "run", "cpu", told.append, minutes=30) == "dadabots-2tier" and not told
    assert chosen(None, tmp_path / "run", "cpu", told.append, minutes=4) == "sharks-form-small"
    assert told == [
        "4 min of music are little for dadabots-2tier, which wants 60 and would learn them by heart: preset "
        "sharks-form-small; -p dadabots-2tier takes it all the same"
    ]
    assert chosen("wavenet-music", tmp_path / "run", "cpu", told.append, minutes=1) == "wavenet-music"
    assert len(told) == 1, "who asked for a preset has it"


def test_it_is_said_before_torch_is_loaded():
    program = (
        "import sys; from sharks.training.choice import chosen; chosen(None, None, tell=print); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("this computer: ") and done.stdout.splitlines()[-1] == "False", done.stderr


def test_a_run_goes_on_with_its_own_preset_on_any_computer(tmp_path, monkeypatch, capsys):
    data = dataset(RATE, (9000, 7000), (6000,))
    first = trained(data, tmp_path / "run", "prism-3tier-tiny", steps=2)
    monkeypatch.setattr(choice, "fitting", lambda machine: "dadabots-2tier")
    again = train(data, tmp_path / "run", steps=4, device="cpu", **SMALL)
    assert (first.preset, again.preset, again.step) == ("prism-3tier-tiny", "prism-3tier-tiny", 4)
    assert "goes on with its preset, prism-3tier-tiny" in capsys.readouterr().err


def test_the_choice_is_what_is_trained(tmp_path, monkeypatch, capsys):
    data = dataset(RATE, (9000, 7000), (6000,))
    monkeypatch.setattr(choice, "fitting", lambda machine: "prism-3tier-tiny")
    assert train(data, tmp_path / "run", steps=1, quiet=True, **SMALL).preset == "prism-3tier-tiny"
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(choice, "fitting", lambda machine: "wavenet-music")
    with pytest.raises(UsageError, match="2000 Hz"):  # that preset's own refusal
        smoke(data)
