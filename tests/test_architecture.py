"""Who may know whom. Each rule is a function from source text to violations, and is shown to fail on made-up ones."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "sharks"
CSRC = ROOT / "csrc"

# importer (a module or a room of the package) -> what it must never import
FORBIDDEN = {
    "spec": ["sharks"],
    "errors": ["numpy"],
    "quantize": ["sharks.engine", "sharks.pack", "sharks._core"],
    "sampling": ["sharks.engine", "sharks.pack", "sharks._core"],
    "reference": ["sharks._core", "sharks.engine", "sharks.pack", "sharks.models"],
    "models": ["sharks.reference", "sharks._core", "sharks.engine"],
    "engine": ["sharks.models", "sharks.train", "sharks.generate"],
    "pack": ["sharks.models", "sharks.train", "sharks.engine", "sharks._core"],
    "importers": ["sharks.engine", "sharks.generate", "sharks.models", "sharks.train", "sharks._core"],
    "generate": ["sharks.models", "sharks.train", "sharks._core"],
    "audio": ["sharks.generate", "sharks.pack", "sharks.engine"],
    "health": ["sharks.generate", "sharks.pack", "sharks.engine"],
    "prepare": ["sharks.train", "sharks.models", "sharks.engine"],
    "curate": ["sharks.engine", "sharks.pack", "sharks.generate", "sharks.models", "sharks.train", "sharks._core"],
}
TORCH_ROOMS = ("models", "train")
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


def forbidden_imports(room, source, package):
    return sorted({m for m, _ in imports(source, package) for f in FORBIDDEN.get(room, []) if inside(m, f)})


def torch_imports(room, source, package):
    return [] if room in TORCH_ROOMS else sorted({m for m, _ in imports(source, package) if inside(m, "torch")})


def early_imports(room, source, package):
    names = LAZY if room == "curate" else LAZY + CURATE_ONLY
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


HOST_AND_DEVICE = ("core/philox.h", "core/sampling.h")  # one header each for both: the macro SHARKS_HD lives there


def nameless(path):
    return bool(NAMELESS.search(path.rsplit("/", 1)[-1]))


def python_files():
    return sorted(PACKAGE.rglob("*.py"))


def where(file):
    """The room of a file (a module or folder of the package), and the package its relative imports start from."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[0], ".".join(("sharks", *parts[:-1]))


def id_of(file):
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", python_files(), ids=id_of)
def test_python_arrows(file):
    room, package = where(file)
    source = file.read_text()
    assert forbidden_imports(room, source, package) == []
    assert torch_imports(room, source, package) == []
    assert early_imports(room, source, package) == []
    assert dangerous_calls(source) == []


@pytest.mark.parametrize("file", sorted(p for p in CSRC.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_c_arrows(file):
    assert c_violations(file.relative_to(CSRC).as_posix(), file.read_text()) == []


def test_the_rules_have_something_to_check():
    assert {"spec", "reference", "curate", "engine", "pack", "generate"} <= {where(file)[0] for file in python_files()}
    assert {"binding", "core", "cpu", "cuda"} <= {folder.name for folder in CSRC.iterdir() if folder.is_dir()}


def test_every_file_has_a_name_that_says_something():
    files = [
        p.relative_to(ROOT).as_posix() for top in ("python", "csrc", "tests", "bench") for p in (ROOT / top).rglob("*")
    ]
    assert [file for file in files if nameless(file)] == []


@pytest.mark.parametrize(
    "room, source, wanted",
    [
        ("spec", "from .errors import Error", ["sharks.errors", "sharks.errors.Error"]),
        ("spec", "from . import quantize", ["sharks", "sharks.quantize"]),
        ("reference", "def f():\n    from .. import _core", ["sharks._core"]),
        ("reference", "import sharks._core", ["sharks._core"]),
        ("curate", "from ..engine import open_player", ["sharks.engine", "sharks.engine.open_player"]),
        ("curate", "from ..audio import read_audio", []),
        ("models", "from ..reference import wavenet", ["sharks.reference", "sharks.reference.wavenet"]),
        ("engine", "import sharks.training", []),
    ],
)
def test_forbidden_imports_are_seen(room, source, wanted):
    package = "sharks" if room in ("spec", "engine") else f"sharks.{room}"
    assert forbidden_imports(room, source, package) == wanted


def test_torch_is_seen_wherever_it_hides():
    hidden = "def f():\n    if True:\n        import torch.nn as nn"
    assert torch_imports("generate", hidden, "sharks") == ["torch.nn"]
    assert torch_imports("generate", "from torch import nn", "sharks") == ["torch", "torch.nn"]
    assert torch_imports("train", hidden, "sharks.train") == []
    assert torch_imports("generate", "import torchy", "sharks") == []


def test_early_imports_are_seen():
    assert early_imports("audio", "import soundfile", "sharks") == ["soundfile"]
    assert early_imports("audio", "try:\n    import soxr\nexcept ImportError:\n    pass", "sharks") == ["soxr"]
    assert early_imports("audio", "def f():\n    import soundfile", "sharks") == []
    assert early_imports("prepare", "from scipy import signal", "sharks") == ["scipy", "scipy.signal"]
    assert early_imports("curate", "import scipy", "sharks.curate") == []
    assert early_imports("audio", "import typing\nif typing.TYPE_CHECKING:\n    import soundfile", "sharks") == []


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
        ("core/engine.h", '#include "cpu/kernels.h"', 1),
        ("core/engine.h", '#include "../cuda/cuda.h"', 1),
        ("core/engine.h", '// #include "cpu/kernels.h"', 0),
        ("cpu/wavenet.cpp", '#include "cuda/cuda.h"', 1),
        ("cpu/wavenet.cpp", '#include "core/engine.h"\n#include <vector>', 0),
        ("core/engine.h", "#include <pybind11/numpy.h>", 1),
        ("core/engine.h", '#include "binding/arrays.h"', 1),
        ("cuda/player.cpp", '#include "../binding/arrays.h"', 1),
        ("binding.cpp", "#include <pybind11/numpy.h>", 1),
        ("binding_of_another.cpp", "#include <pybind11/numpy.h>", 1),
        ("core/binding/arrays.h", "#include <pybind11/numpy.h>", 1),
        ("binding/arrays.h", "#include <pybind11/numpy.h>", 0),
        ("binding/model.cpp", '#include "binding/arrays.h"\n#include "cuda/cuda.h"\n#include "cpu/models.h"', 0),
        ("binding/model.cpp", "#include <torch/extension.h>", 1),
        ("core/weights.cpp", "#include <fstream>", 1),
        ("core/weights.cpp", 'FILE* f = fopen("x", "r");', 1),
        ("core/weights.cpp", "#include <torch/extension.h>", 1),
        ("cpu/wavenet.cpp", "#ifdef __CUDACC__", 1),
        ("core/philox.h", "#ifdef __CUDACC__", 0),
        ("cuda/wavenet.cu", "#include <cuda_runtime.h>", 0),
        ("cpu/wavenet.cpp", "#include <cuda_runtime.h>", 1),
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

PUBLIC = ["spec", "errors", "presets", "pack", "engine", "generate", "prepare", "health", "curate", "audio", "cli"]


def modules_after(statement):
    """The names in sys.modules of a fresh interpreter after `statement`."""
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_import_sharks_is_light():
    loaded = modules_after("import sharks")
    assert "sharks" in loaded
    assert not loaded & {"torch", "numpy", "rich", "soundfile", "sharks._core", "sharks.pack"}


def test_no_public_name_pulls_torch():
    loaded = modules_after("import sharks\nfor name in sharks.__all__:\n    getattr(sharks, name)")
    assert "sharks.generate" in loaded and "sharks.curate" in loaded and "numpy" in loaded
    assert not {m for m in loaded if inside(m, "torch")}
    assert not loaded & {"librosa", "soundfile", "soxr", "pyloudnorm"}


@pytest.mark.parametrize("module", PUBLIC)
def test_no_module_pulls_torch(module):
    loaded = modules_after(f"import sharks.{module}")
    assert f"sharks.{module}" in loaded
    assert not {m for m in loaded if inside(m, "torch")}


def test_the_spec_stands_alone():
    """Nothing of sharks but the package itself, which resolves names when asked."""
    assert {m for m in modules_after("import sharks.spec") if inside(m, "sharks")} == {"sharks", "sharks.spec"}


def test_the_judge_does_not_know_the_parties():
    assert not modules_after("import sharks.reference") & {"sharks._core", "sharks.engine", "sharks.pack"}


def test_curation_hears_sounds_not_weights():
    loaded = modules_after("import sharks.curate")
    assert not loaded & {"sharks._core", "sharks.engine", "sharks.pack", "sharks.generate"}


def test_the_ruler_of_this_file_sees_torch(tmp_path):
    """`modules_after` would notice: a made-up package that pulls a made-up torch."""
    (tmp_path / "torch.py").write_text("")
    loaded = modules_after(f"sys.path.insert(0, {str(tmp_path)!r})\nimport torch")
    assert "torch" in loaded
