"""What importing sharks really pulls in, asked of fresh interpreters.

Which imports may be written at all is kept by test_architecture.py.
"""

import subprocess
import sys

import pytest

from house.python_rules import inside

PUBLIC = [
    "spec",
    "errors",
    "recipes.presets",
    "packs.pack",
    "engine",
    "play.generate",
    "dataset.prepare",
    "sound.health",
    "songs",
    "sound.reading",
    "cli",
    "families.registry",
]


def modules_after(statement):
    """The names in sys.modules of a fresh interpreter after `statement`."""
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_import_sharks_is_light():
    loaded = modules_after("import sharks")
    assert "sharks" in loaded
    assert not loaded & {"torch", "numpy", "rich", "soundfile", "sharks._core", "sharks.packs.pack"}


def test_no_public_name_pulls_torch():
    loaded = modules_after("import sharks\nfor name in sharks.__all__:\n    getattr(sharks, name)")
    assert "sharks.play.generate" in loaded and "sharks.songs" in loaded and "numpy" in loaded
    assert not {m for m in loaded if inside(m, "torch")}
    assert not loaded & {"soundfile", "soxr", "pyloudnorm"}


@pytest.mark.parametrize("module", PUBLIC)
def test_no_module_pulls_torch(module):
    loaded = modules_after(f"import sharks.{module}")
    assert f"sharks.{module}" in loaded
    assert not {m for m in loaded if inside(m, "torch")}


def test_errors_stand_alone():
    """Nothing of sharks but the package itself, which resolves names when asked."""
    assert {m for m in modules_after("import sharks.errors") if inside(m, "sharks")} == {"sharks", "sharks.errors"}


def test_the_judge_does_not_know_the_parties():
    loaded = modules_after(
        "import importlib\nfrom sharks.families.registry import FAMILIES\n"
        "for name in FAMILIES:\n    importlib.import_module(f'sharks.families.{name}.reference')"
    )
    assert "sharks.families.wavenet.reference" in loaded
    assert not loaded & {"sharks._core", "sharks.engine.door", "sharks.packs.pack"}


def test_curation_hears_sounds_not_weights():
    loaded = modules_after("import sharks.songs")
    assert not loaded & {"sharks._core", "sharks.engine.door", "sharks.packs.pack", "sharks.play.generate"}


def test_the_ruler_of_this_file_sees_torch(tmp_path):
    """`modules_after` would notice: a made-up package that pulls a made-up torch."""
    (tmp_path / "torch.py").write_text("")
    loaded = modules_after(f"sys.path.insert(0, {str(tmp_path)!r})\nimport torch")
    assert "torch" in loaded
