"""What type checkers and editors see of sharks: every public name with its own type, and mistakes where they are made.

Little programs of users are given to mypy and to pyright, once each.
"""

import importlib.resources
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

import sharks

RIGHT = """
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sharks
import sharks.training.music.batches as batches
from sharks import generate, preset


def play(pack: sharks.Pack, clips: "os.PathLike[str]") -> NDArray[np.float32]:
    audio: sharks.Audio = generate(pack, 2.5, n=4, temperature=[(0, 0.9), (2, 1.1)], seed=7, out=clips)
    for block in sharks.stream(pack, prime=np.zeros(100, np.float32), prime_rate=16000, device="cpu"):
        return block[:, 0]
    print(sharks.check(pack).max_error, sharks.health(audio.samples[0], audio.sample_rate).verdict)
    longer = sharks.extend(audio.save(clips)[0], 5.0, progress=lambda done, total, speed: None)
    predicted: NDArray[np.float32] = sharks.logits(pack, audio.levels[:, 0])
    return longer.samples[:, 0] if len(predicted) else audio.samples[:, 0]


def learn(songs: str) -> str:
    data = sharks.prepare([songs], "data", val_tracks=["last.wav"])
    changes: dict[str, Any] = {"model.dim": 512, "train.learning_rate": 5e-4}
    run = sharks.train(data, "run", preset=sharks.presets()[0], hours=8.0, **changes)
    sharks.random_pack(preset("dadabots-2tier"), seed=1).save(run.path / "random.safetensors")
    spec = sharks.import_checkpoint("model.ckpt", kind="ibab", config={"sample_rate": 16000}).spec
    steps: int = sharks.recipe(run.preset).train.steps + batches.__name__.count(".")
    try:
        sharks.curate("clips", songs=2, minutes=(3, 5)).save("songs")
    except (sharks.AudioError, sharks.ResourceError) as error:
        return f"{error}, exit code {error.exit_code + steps}"
    wavenet = sharks.WaveNetSpec(dilations=(1, 2, 4), residual=16)
    return sharks.load(run.best).spec.codec if spec == wavenet else sharks.__version__
"""

SOUND = "sharks.presets()"  # among the wrong ones: that no line is found wrong which is right
WRONG = f"""
{SOUND}
sharks.generate("run", second=3)
sharks.generate("run", seconds="ten")
sharks.generate("run", 1.0, 2, 0.95)
sharks.generate(3)
sharks.generate()
sharks.generate("run", temperature="hot")
sharks.generate("run", progress=lambda done: None)
sharks.generate("run").sample
sharks.generate("run").samples.shapes
sharks.stream("run", block="long")
sharks.stream("run", seconds=3)
sharks.logits("run", [[1, 2]], devise="cpu")
sharks.extend("clip.wav")
sharks.extend("clip.wav", to_seconds=[3])
sharks.check("run", divice="cpu")
sharks.check("run").maxerror
sharks.prepare("songs")
sharks.prepare("songs", "data", sample_rate="16k")
sharks.prepare("songs", "data", sample_rte=16000)
sharks.train("data", "run", step=3)
sharks.train("data", "run", steps="many")
sharks.train("data", "run").bestt
sharks.curate("clips", "songs", song=3)
sharks.curate("clips", minutes=3.0)
sharks.health([0.0], "16000")
sharks.health([0.0], 16000).verdickt
sharks.preset(3)
sharks.preset("dadabots-2tier").codek
sharks.presets("all")
sharks.recipe("dadabots-2tier").train.stepz
sharks.load(b"pack")
sharks.load("run").sha
sharks.random_pack("dadabots-2tier")
sharks.import_checkpoint("model.ckpt", kynd="ibab")
sharks.SampleRNNSpec(frame_size=(16,))
sharks.SampleRNNSpec(dim="1024")
sharks.WaveNetSpec(skips=3)
sharks.Pack(sharks.SampleRNNSpec())
sharks.Audio("clip.wav")
sharks.Error("what").exitcode
sharks.geneate("run")
from sharks import generat
import sharks.trainning
"""

NAMES = "".join(f"reveal_type(sharks.{name})\n" for name in sharks.__all__)
NAMES = f"import sharks\n{NAMES}from typing import Any\ndef untyped() -> Any: ...\nreveal_type(untyped())\n"
NOT_A_TYPE = re.compile(r'is "(Any|Unknown|object|Module)')


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    for name, text in {"right": RIGHT, "wrong": f"import sharks{WRONG}", "names": NAMES}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def said_by(*command, folder):
    """What a checker prints of the programs in a folder, with the same sharks as is tested here."""
    home = str(pathlib.Path(sharks.__file__).parents[1])
    known = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, env=known)
    assert done.stdout, done.stderr
    return done.stdout


def mypy(folder):
    """{program: {line: what mypy says}}, errors and revealed types."""
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n[mypy-torch.*]\nfollow_imports = skip\n")  # for speed
    found = said_by("mypy", "--no-color-output", "--no-error-summary", ".", folder=folder)
    said = re.findall(r"^(\w+)\.py:(\d+): (?:error: |note: (?=Revealed type))(.*)$", found, flags=re.M)
    return by_program(said)


def pyright(folder):
    """{program: {line: what pyright says}}, errors and revealed types."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed; `pip install -c constraints.txt '.[dev]'` brings it")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    found = json.loads(said_by("pyright", "--outputjson", "--pythonpath", sys.executable, folder=folder))
    found = found["generalDiagnostics"]
    kept = [one for one in found if one["severity"] in ("error", "information")]
    return by_program(
        (pathlib.Path(one["file"]).stem, one["range"]["start"]["line"] + 1, one["message"]) for one in kept
    )


def by_program(said):
    found = {"right": {}, "wrong": {}, "names": {}}
    for program, line, words in said:
        found[program].setdefault(int(line), []).append(words)
    return found


@pytest.fixture(scope="module", params=[mypy, pyright], ids=["mypy", "pyright"])
def said(request, programs):
    return request.param(programs)


def test_right_use_is_right(said):
    assert said["right"] == {}


def test_wrong_use_is_wrong_where_it_is(said):
    lines = range(2, 1 + len(WRONG.splitlines()))
    assert [WRONG.splitlines()[line - 1] for line in lines if line not in said["wrong"]] == [SOUND]


def test_every_public_name_has_a_type(said):
    """None is Any or unknown, as anything was that a module's __getattr__ gives."""
    shown = {name: " ".join(said["names"][line]) for line, name in enumerate(sharks.__all__, start=2)}
    assert {name: words for name, words in shown.items() if NOT_A_TYPE.search(words)} == {}
    assert all("Revealed type" in words or "Type of" in words for words in shown.values()), shown
    last = max(said["names"])
    assert NOT_A_TYPE.search(" ".join(said["names"][last])), "what is Any would not be seen"


def test_the_types_travel_with_the_package():
    package = importlib.resources.files("sharks")
    assert all((package / name).is_file() for name in ("py.typed", "__init__.pyi", "_core.pyi"))
