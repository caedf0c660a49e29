"""Who may know whom. Each rule is a function from source text to violations, and is shown to fail on made-up ones."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "sharks"
CSRC = ROOT / "csrc"

# importer (a room of the package, or a module in one) -> what it must never import
FORBIDDEN = {
    "errors": ["numpy", "sharks"],
    "levels": ["sharks.engine", "sharks.packs", "sharks._core"],
    "families": ["sharks._core", "sharks.engine", "sharks.packs"],
    "families.numpy_parts": ["sharks.families.torch_parts"],
    "families.samplernn.reference": ["sharks.families.samplernn.model", "sharks.families.torch_parts"],
    "families.wavenet.reference": ["sharks.families.wavenet.model", "sharks.families.torch_parts"],
    "families.samplernn.model": ["sharks.families.samplernn.reference", "sharks.families.numpy_parts"],
    "families.wavenet.model": ["sharks.families.wavenet.reference", "sharks.families.numpy_parts"],
    "engine": ["sharks.training", "sharks.play"],
    "packs": ["sharks.training", "sharks.engine", "sharks._core"],
    "importers": ["sharks.engine", "sharks.play", "sharks.training", "sharks._core"],
    "play": ["sharks.training", "sharks._core"],
    "sound": ["sharks.play", "sharks.packs", "sharks.engine"],
    "dataset": ["sharks.training", "sharks.engine"],
    "songs": ["sharks.engine", "sharks.packs", "sharks.play", "sharks.families", "sharks.training", "sharks._core"],
}
TORCH = re.compile(r"families\.(\w+\.(model|layer|initial)|initialise|torch_parts\b.*)$|training\b")
CURATE_ONLY = ("scipy", "librosa", "pyloudnorm", "sklearn")
LAZY = ("soundfile", "soxr")  # inside functions: they load shared libraries
DANGEROUS = ("pickle", "shelve", "marshal", "dill", "cloudpickle")
NAMELESS = re.compile(r"^(utils?|common|helpers?|base|misc)(_|\.|$)|_(utils?|helpers?|common)\.")


def imports(source, package):
    """(absolute module, at the top of the file or inside a function) of every import in `source`."""
    tree = ast.parse(source)
    top = {id(node) for node in _top_statements(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            home = ".".join([*parts[: len(parts) - node.level + 1], node.module or ""]) if node.level else node.module
            home = home.rstrip(".")
            yield home, id(node) in top
            for name in node.names:
                yield f"{home}.{name.name}", id(node) in top


def _top_statements(tree):
    """Statements that run on import: not those inside functions, nor those that only type checkers see."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def inside(module, forbidden):
    return module == forbidden or module.startswith(f"{forbidden}.")


def forbidden_imports(module, source, package):
    rules = [f for room, never in FORBIDDEN.items() if inside(module, room) for f in never]
    return sorted({m for m, _ in imports(source, package) for f in rules if inside(m, f)})


def torch_imports(module, source, package):
    return [] if TORCH.match(module) else sorted({m for m, _ in imports(source, package) if inside(m, "torch")})


def early_imports(module, source, package):
    names = LAZY if inside(module, "songs") else LAZY + CURATE_ONLY
    return sorted({m for m, top in imports(source, package) if top and any(inside(m, name) for name in names)})


def dangerous_calls(source):
    """Ways to let a file run code: pickle and its kin, torch.load, numpy with allow_pickle, eval, exec."""
    found = [m for m, _ in imports(source, "sharks") if any(inside(m, name) for name in DANGEROUS)]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("eval", "exec", "compile", "__import__") or name.endswith("torch.load"):
                found.append(name)
            found += [k.arg for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"]
    return found


def c_violations(path, source):
    """What a C++ file in `path` (relative to csrc) must not contain."""
    room = path.split("/")[0] if "/" in path else ""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.S)
    includes = re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', code, flags=re.M)
    found = []
    for include in includes:
        target = include.removeprefix("../").split("/")[0]
        if room == "core" and target in ("cpu", "cuda"):
            found.append(f"core includes {include}")
        if {room, target} == {"cpu", "cuda"}:
            found.append(f"{room} includes {include}")
        if room != "binding" and (target == "binding" or include.startswith("pybind11")):
            found.append(f"Python outside binding/: {include}")
        if include.startswith(("torch", "ATen", "c10")):
            found.append(f"libtorch: {include}")
        if include.startswith("cuda") and room != "cuda" and target != "cuda":
            found.append(f"{room} includes {include}")
    found += [f"files are opened in Python: {m}" for m in re.findall(r"\b(?:fopen|[io]?fstream|freopen|mmap)\b", code)]
    if room != "cuda":
        found += re.findall(r"#\s*if.*__CUDA(?:CC__|_ARCH__).*", code) if path not in HOST_AND_DEVICE else []
    return found


# One header each for both: the macro SHARKS_HD lives there.
HOST_AND_DEVICE = ("core/chance/philox.h", "core/chance/sampling.h")


def nameless(path):
    return bool(NAMELESS.search(path.rsplit("/", 1)[-1]))


def python_files():
    return sorted(PACKAGE.rglob("*.py"))


def where(file):
    """A file as a module of the package, and the package its relative imports start from."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__"), ".".join(("sharks", *parts[:-1]))


def id_of(file):
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", python_files(), ids=id_of)
def test_python_arrows(file):
    module, package = where(file)
    source = file.read_text()
    assert forbidden_imports(module, source, package) == []
    assert torch_imports(module, source, package) == []
    assert early_imports(module, source, package) == []
    assert dangerous_calls(source) == []


@pytest.mark.parametrize("file", sorted(p for p in CSRC.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_c_arrows(file):
    assert c_violations(file.relative_to(CSRC).as_posix(), file.read_text()) == []


def test_the_rules_have_something_to_check():
    assert {"spec", "families.samplernn.reference", "songs", "engine.door", "packs.pack", "play.generate"} <= {
        where(file)[0] for file in python_files()
    }
    assert {"binding", "core", "cpu", "cuda"} <= {folder.name for folder in CSRC.iterdir() if folder.is_dir()}


def test_every_file_has_a_name_that_says_something():
    files = [
        p.relative_to(ROOT).as_posix() for top in ("python", "csrc", "tests", "bench") for p in (ROOT / top).rglob("*")
    ]
    assert [file for file in files if nameless(file)] == []


@pytest.mark.parametrize(
    "module, source, wanted",
    [
        ("errors", "from .spec import Error", ["sharks.spec", "sharks.spec.Error"]),
        ("errors", "from . import levels", ["sharks", "sharks.levels"]),
        ("families.wavenet.reference", "def f():\n    from ... import _core", ["sharks._core"]),
        ("families.wavenet.reference", "import sharks._core", ["sharks._core"]),
        ("songs.cut", "from ..engine import open_player", ["sharks.engine", "sharks.engine.open_player"]),
        ("songs.cut", "from ..sound.reading import read_audio", []),
        (
            "families.wavenet.model",
            "from .reference import WaveNet",
            ["sharks.families.wavenet.reference", "sharks.families.wavenet.reference.WaveNet"],
        ),
        ("engine.door", "import sharks.trainings", []),
    ],
)
def test_forbidden_imports_are_seen(module, source, wanted):
    package = ".".join(("sharks", *module.split(".")[:-1]))
    assert forbidden_imports(module, source, package) == wanted


def test_torch_is_seen_wherever_it_hides():
    hidden = "def f():\n    if True:\n        import torch.nn as nn"
    assert torch_imports("play.generate", hidden, "sharks") == ["torch.nn"]
    assert torch_imports("play.generate", "from torch import nn", "sharks") == ["torch", "torch.nn"]
    assert torch_imports("training.loop", hidden, "sharks.training") == []
    assert torch_imports("play.generate", "import torchy", "sharks") == []


def test_early_imports_are_seen():
    assert early_imports("sound.reading", "import soundfile", "sharks") == ["soundfile"]
    assert early_imports("sound.reading", "try:\n    import soxr\nexcept ImportError:\n    pass", "sharks") == ["soxr"]
    assert early_imports("sound.reading", "def f():\n    import soundfile", "sharks") == []
    assert early_imports("dataset.prepare", "from scipy import signal", "sharks") == ["scipy", "scipy.signal"]
    assert early_imports("songs", "import scipy", "sharks.songs") == []
    assert (
        early_imports("sound.reading", "import typing\nif typing.TYPE_CHECKING:\n    import soundfile", "sharks") == []
    )


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
    assert dangerous_calls(source) == wanted


@pytest.mark.parametrize(
    "path, source, violations",
    [
        ("core/engine.h", '#include "cpu/simd/kernels.h"', 1),
        ("core/engine.h", '#include "../cuda/cuda.h"', 1),
        ("core/engine.h", '// #include "cpu/simd/kernels.h"', 0),
        ("cpu/wavenet/stepper.cpp", '#include "cuda/cuda.h"', 1),
        ("cpu/wavenet/stepper.cpp", '#include "core/engine.h"\n#include <vector>', 0),
        ("core/engine.h", "#include <pybind11/numpy.h>", 1),
        ("core/engine.h", '#include "binding/arrays.h"', 1),
        ("cuda/player/player.cpp", '#include "../binding/arrays.h"', 1),
        ("binding.cpp", "#include <pybind11/numpy.h>", 1),
        ("binding_of_another.cpp", "#include <pybind11/numpy.h>", 1),
        ("core/binding/arrays.h", "#include <pybind11/numpy.h>", 1),
        ("binding/arrays.h", "#include <pybind11/numpy.h>", 0),
        ("binding/model.cpp", '#include "binding/arrays.h"\n#include "cuda/cuda.h"\n#include "cpu/cpu.h"', 0),
        ("binding/model.cpp", "#include <torch/extension.h>", 1),
        ("core/weights.cpp", "#include <fstream>", 1),
        ("core/weights.cpp", 'FILE* f = fopen("x", "r");', 1),
        ("core/weights.cpp", "#include <torch/extension.h>", 1),
        ("cpu/wavenet/stepper.cpp", "#ifdef __CUDACC__", 1),
        ("core/chance/philox.h", "#ifdef __CUDACC__", 0),
        ("cuda/wavenet.cu", "#include <cuda_runtime.h>", 0),
        ("cpu/wavenet/stepper.cpp", "#include <cuda_runtime.h>", 1),
    ],
)
def test_c_violations_are_seen(path, source, violations):
    assert len(c_violations(path, source)) == violations


@pytest.mark.parametrize("path", ["a/utils.py", "util.h", "csrc/common.cpp", "helpers/", "base.py", "audio_utils.py"])
def test_nameless_files_are_seen(path):
    assert nameless(path.rstrip("/"))
    assert not nameless("python/sharks/baseline.py")
    assert not nameless("python/sharks/health.py")


# What importing really pulls in

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
    assert not loaded & {"librosa", "soundfile", "soxr", "pyloudnorm"}


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
    assert not loaded & {
        "sharks._core",
        "sharks.engine.door",
        "sharks.packs.pack",
    }


def test_curation_hears_sounds_not_weights():
    loaded = modules_after("import sharks.songs")
    assert not loaded & {"sharks._core", "sharks.engine.door", "sharks.packs.pack", "sharks.play.generate"}


def test_the_ruler_of_this_file_sees_torch(tmp_path):
    """`modules_after` would notice: a made-up package that pulls a made-up torch."""
    (tmp_path / "torch.py").write_text("")
    loaded = modules_after(f"sys.path.insert(0, {str(tmp_path)!r})\nimport torch")
    assert "torch" in loaded
