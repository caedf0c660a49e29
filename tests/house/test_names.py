"""The names of sharks: each is there, says what it is, is told by `help`, and hides no module."""

import importlib
import inspect
import pkgutil
import pydoc
import subprocess
import sys

import pytest

import sharks

FOUND = pkgutil.walk_packages(sharks.__path__, "sharks.")
MODULES = sorted(
    module.name for module in FOUND if module.name != "sharks.__main__"
)  # which is a command when imported
ROOMS = {name.split(".")[1] for name in MODULES}


def test_the_public_names_are_those_of_the_first_day():
    """Programs rely on them: a name may come, but none may go."""
    assert set(sharks.__all__) >= {
        *("Audio", "AudioError", "Error", "Notice", "Pack", "PackError", "ResourceError", "SampleRNNSpec", "SpecError"),
        *("UsageError", "WaveNetSpec", "check", "curate", "extend", "generate", "health", "import_checkpoint", "load"),
        *("logits", "prepare", "preset", "presets", "random_pack", "recipe", "stream", "train"),
    }


@pytest.mark.parametrize("name", sharks.__all__)
def test_each_is_what_its_name_says(name):
    value = getattr(sharks, name)
    assert value.__name__ == name and value.__module__.startswith("sharks.")
    assert inspect.isclass(value) if name[0].isupper() else inspect.isfunction(value)


def test_dir_and_star_hold_all_of_them_and_nothing_else():
    assert dir(sharks) == sorted([*sharks.__all__, "__version__"])
    said = {}
    exec("from sharks import *", said)
    assert sorted(said.keys() - {"__builtins__"}) == sharks.__all__


@pytest.mark.parametrize("name", ["spec.tensors", "engine.open_player"])
def test_modules_that_the_documents_name_are_there_at_once(name):
    code = f"import sharks; print(callable(sharks.{name}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'sharks' has no attribute 'generat'"):
        _ = sharks.generat
    with pytest.raises(ImportError, match="cannot import name 'generat'"):
        exec("from sharks import generat")


def test_a_line_of_the_stub_that_is_no_address_is_refused():
    assert sharks._homes("from .songs import curate as curate\n__version__: str\n") == {"curate": ".songs"}
    with pytest.raises(ValueError, match="unpack"):
        sharks._homes("from .songs import curate, Album\n")


def test_no_public_name_is_a_room():
    """A verb that was called as its room would hide it, and `import sharks.ROOM` the verb."""
    assert ROOMS.isdisjoint(sharks.__all__)
    assert {"play", "training", "songs", "spec", "errors"} <= ROOMS


def hidden(names):
    """Modules that are not what their dotted name leads to, from the package down."""
    found = []
    for name in names:
        value = sharks
        for part in name.split(".")[1:]:
            value = getattr(value, part, None)
        if value is not sys.modules[name]:
            found.append(name)
    return found


@pytest.fixture(scope="module")
def imported():
    pytest.importorskip("torch", reason="the modules that train need torch")
    for name in MODULES:
        importlib.import_module(name)
    return MODULES


def test_every_dotted_name_is_its_module(imported):
    import sharks.training.music.batches as batches

    assert inspect.ismodule(batches) and batches.__name__ == "sharks.training.music.batches"
    for name in sharks.__all__:
        getattr(sharks, name)
    assert hidden(imported) == [] and len(imported) > 100


def test_a_module_that_is_hidden_would_be_seen(imported, monkeypatch):
    monkeypatch.setattr(sharks.play, "generate", sharks.generate)
    assert hidden(imported) == ["sharks.play.generate"]


def test_pydoc_finds_every_module(imported):
    found = {name: pydoc.locate(name) for name in imported}
    assert [name for name, module in found.items() if module is not sys.modules[name]] == []


def test_help_shows_every_name_and_what_it_takes():
    shown = unbroken(pydoc.plain(pydoc.render_doc(sharks)))
    functions = [getattr(sharks, name) for name in sharks.__all__ if name[0].islower()]
    assert [f.__name__ for f in functions if unbroken(f"{f.__name__}{inspect.signature(f)}") not in shown] == []
    assert [name for name in sharks.__all__ if name[0].isupper() and f"class{name}(" not in shown] == []
    assert "generate(pack:'AnyPack',seconds:'float'=10.0,n:'int'=1,*,temperature:'Temperature|None'=None," in shown


def unbroken(text):
    """Without the white space in which versions of Python differ."""
    return "".join(text.split()).replace(",)", ")")


def test_importing_sharks_is_light():
    """Names are resolved when they are used; a clock is not asked, for other programs may want the same cores."""
    program = "import sharks, sys; print([name for name in sys.argv[1:] if name in sys.modules]); sharks.presets"
    heavy = ["numpy", "torch", "soundfile", "soxr", "PIL", "jinja2", "typer", "ast", "sharks._core", "sharks.errors"]
    done = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
