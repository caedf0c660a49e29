"""Who may know whom in Python: the tree keeps the rules, and each rule is shown to fail on made-up source.

How many rooms and arrows there are is counted in test_floor_plan.py, the C++ is kept by test_cpp_architecture.py, and
what an import really pulls in is asked in test_light_imports.py.
"""

import functools

import pytest

from house.python_rules import (
    FAMILIES,
    NEVERS,
    PACKAGE,
    ROOT,
    RULES,
    dangerous_calls,
    early_imports,
    judge_and_parties,
    nameless,
    other_families,
    torch_imports,
)


@functools.cache
def sources():
    """Module of sharks -> its source."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {".".join(file.relative_to(PACKAGE).with_suffix("").parts): file.read_text() for file in files}


def violations(rule):
    found = {module: rule(module, source) for module, source in sources().items()}
    return {module: broken for module, broken in found.items() if broken}


@pytest.mark.parametrize("never", NEVERS, ids=lambda never: f"{never.room} {never.because}")
def test_a_room_never_imports(never):
    assert violations(never.broken_by) == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds_everywhere(rule):
    assert violations(rule) == {}


def test_the_rules_have_something_to_check():
    wanted = {"spec", "families.samplernn.reference", "songs.__init__", "engine.door", "packs.pack", "play.generate"}
    assert wanted <= sources().keys()
    assert {"samplernn", "wavenet"} <= FAMILIES
    rooms = {module.split(".")[0] for module in sources()}
    to_come = {"features", "album"}
    assert {never.room.split("|")[0].split("\\")[0] for never in NEVERS} <= rooms | to_come


def test_every_file_has_a_name_that_says_something():
    files = [path.relative_to(ROOT) for top in ("python", "csrc", "tests", "bench") for path in (ROOT / top).rglob("*")]
    assert [str(file) for file in files if nameless(file.as_posix())] == []


# The rules themselves, on made-up source


@pytest.mark.parametrize("never", NEVERS, ids=lambda never: f"{never.room} {never.because}")
def test_a_forbidden_import_is_seen(never):
    module, source = never.example
    assert never.broken_by(module, source) != []
    assert never.broken_by(module, "import json") == []
    assert never.broken_by("cli.play", source.replace("from ...", "from ..")) == []


@pytest.mark.parametrize(
    "module, source, wanted",
    [
        ("errors", "from .spec import Error", ["sharks.spec", "sharks.spec.Error"]),
        ("levels.quantize", "from ..errors import UsageError\nfrom . import sampling", []),
        ("levels.quantize", "from ..families.spec import Spec", ["sharks.families.spec", "sharks.families.spec.Spec"]),
        ("songs.cut", "def f():\n    from ..engine import door", ["sharks.engine", "sharks.engine.door"]),
        ("songs.__init__", "from ..packs import pack", ["sharks.packs", "sharks.packs.pack"]),
        ("songs.cut", "from ..sound.reading import read_audio", []),
        ("clips.wavs", "from ..sound.wav import write_wav", []),
        ("engine.door", "import sharks.trainings", []),
    ],
)
def test_imports_are_told_apart(module, source, wanted):
    assert sorted(name for never in NEVERS for name in never.broken_by(module, source)) == wanted


@pytest.mark.parametrize(
    "module, source, wanted",
    [
        ("families.wavenet.model", "from ..samplernn.model import Tier", ["samplernn"]),
        ("families.wavenet.spec", "from .. import samplernn", ["samplernn"]),
        ("families.wavenet.model", "from .layer import Layer\nfrom ..torch_parts import nll", []),
        ("families.initialise", "from .samplernn import initial", ["samplernn"]),
        ("training.step.learner", "def f():\n    from ...families.wavenet.model import WaveNet", ["wavenet"]),
        ("families.registry", "from .samplernn.spec import SampleRNNSpec", []),
        ("importers.programs.ibab", "from ...families.wavenet.spec import WaveNetSpec", []),
        ("importers.settings", "from ..families.wavenet.spec import WaveNetSpec", ["wavenet"]),
    ],
)
def test_a_family_outside_its_folder_is_seen(module, source, wanted):
    assert other_families(module, source) == wanted


@pytest.mark.parametrize(
    "module, source, wanted",
    [
        ("families.wavenet.model", "from .reference import step", ["sharks.families.wavenet.reference"]),
        ("families.wavenet.layer", "from . import reference", ["sharks.families.wavenet.reference"]),
        ("families.wavenet.reference", "def f():\n    from .model import Net", ["sharks.families.wavenet.model"]),
        ("families.wavenet.reference", "from ..wavenet import layer", ["sharks.families.wavenet.layer"]),
        ("families.wavenet.reference", "from .spec import WaveNetSpec", []),
        ("families.registry", "from .wavenet import model, reference", []),
    ],
)
def test_a_judge_who_knows_a_party_is_seen(module, source, wanted):
    assert judge_and_parties(module, source)[:1] == wanted


def test_torch_is_seen_wherever_it_hides():
    hidden = "def f():\n    if True:\n        import torch.nn as nn"
    assert torch_imports("play.generate", hidden) == ["torch.nn"]
    assert torch_imports("play.generate", "from torch import nn") == ["torch", "torch.nn"]
    assert (
        torch_imports("families.wavenet.reference", hidden)
        == torch_imports("families.registry", hidden)
        == ["torch.nn"]
    )
    assert torch_imports("training.loop", hidden) == torch_imports("families.wavenet.model", hidden) == []
    assert torch_imports("play.generate", "import torchy") == []


def test_early_imports_are_seen():
    assert early_imports("sound.reading", "import soundfile") == ["soundfile"]
    assert early_imports("sound.reading", "try:\n    import soxr\nexcept ImportError:\n    pass") == ["soxr"]
    assert early_imports("sound.reading", "class Decoder:\n    from soxr import resample") == ["soxr", "soxr.resample"]
    assert early_imports("sound.reading", "def f():\n    import soundfile") == []
    assert early_imports("sound.reading", "import typing\nif typing.TYPE_CHECKING:\n    import soundfile") == []


@pytest.mark.parametrize(
    "source, wanted",
    [
        ("import pickle", ["pickle"]),
        ("def f():\n    from pickle import loads", ["pickle", "pickle.loads"]),
        ("torch.load(path)", ["torch.load"]),
        ("np.load(path, allow_pickle=True)", ["allow_pickle"]),
        ("np.load(path, allow_pickle=False)", []),
        ("eval(text)", ["eval"]),
        ("model.eval()", []),
    ],
)
def test_dangerous_calls_are_seen(source, wanted):
    assert dangerous_calls("play.generate", source) == wanted


@pytest.mark.parametrize("path", ["a/utils.py", "util.h", "csrc/common.cpp", "helpers/", "base.py", "audio_utils.py"])
def test_nameless_files_are_seen(path):
    assert nameless(path.rstrip("/"))
    assert not nameless("python/sharks/baseline.py")
    assert not nameless("python/sharks/health.py")
