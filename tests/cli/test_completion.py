"""What a shell offers where a word is begun, and that it is there at once."""

import subprocess
import sys

import pytest

import sharks
from command import COMMAND, ENVIRONMENT
from sharks.cli import completions
from sharks.engine import devices


def offered(words, cwd):
    """As bash asks: the words so far, the last one begun."""
    typed = {
        "COMP_WORDS": " ".join(["sharks", *words]),
        "COMP_CWORD": str(len(words)),
        "_SHARKS_COMPLETE": "complete_bash",
    }
    done = subprocess.run(COMMAND, cwd=cwd, env=ENVIRONMENT | typed, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.fixture
def home(tmp_path):
    pack = sharks.random_pack(sharks.SampleRNNSpec(frame_sizes=(4,), dim=4, embed_dim=2))
    (tmp_path / "runs" / "night").mkdir(parents=True)
    pack.save(tmp_path / "runs" / "night" / "best.safetensors")
    pack.save(tmp_path / "mine.safetensors")
    (tmp_path / "music.wav").touch()
    return tmp_path


@pytest.mark.parametrize(
    "words, wanted",
    [
        (["make", "music", "-p", "dada"], ["dadabots-2tier", "dadabots-2tier-small", "dadabots-2tier-tiny"]),
        (["train", "data", "--preset", "ibab"], ["ibab-wavenet", "ibab-wavenet-tiny"]),
        (["generate", "box", "--device", "c"], ["cpu", "cuda"]),
        (["generate", "m"], ["mine.safetensors"]),
        (["generate", "runs/n"], ["runs/night"]),
        (["check", "b"], ["box"]),
        (["cur"], ["curate"]),
    ],
)
def test_what_is_offered(words, wanted, home):
    assert offered(words, home) == wanted


def test_all_presets_are_offered(home):
    assert offered(["train", "data", "-p", ""], home) == list(sharks.presets())


def test_the_devices_are_those_that_may_be_named():
    assert set(completions.DEVICES) == {*devices.DEVICES, *devices._ALSO}


def test_nothing_slow_is_imported_for_it():
    program = "import sys; from sharks.cli import completions; completions.presets(''); completions.packs(''); "
    program += "print([name for name in ('numpy', 'torch', 'sharks.families') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
