"""Who may include whom in C++, and what is written once. Every rule is shown to fail on made-up source.

Python's rules are in test_architecture.py.
"""

import functools
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
SUFFIXES = {".h", ".cpp", ".cu"}
FAMILIES = frozenset(path.parent.name for path in CSRC.glob("core/*/weights.h"))
REGISTRY = ("registry.h", "registry.cpp")  # the one place that names all families

# One header each for both: the macro SHARKS_HD lives there.
HOST_AND_DEVICE = ("core/chance/philox.h", "core/chance/sampling.h")
DRAW = "cuda/draw.h"


def code_of(source):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.S)


def includes_of(source):
    """What `source` includes, without the ways up that lead out of a folder."""
    found = re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', code_of(source), flags=re.M)
    return [re.sub(r"^(\.\./)+", "", include) for include in found]


def room_of(path):
    return path.split("/")[0] if "/" in path else ""


def upward_includes(path, source):
    """`core/` knows neither engine nor Python; the engines do not know each other; only `binding/` knows Python."""
    room, found = room_of(path), []
    for include in includes_of(source):
        target = include.split("/")[0]
        if room == "core" and target in ("cpu", "cuda", "binding", *REGISTRY):
            found.append(f"core includes {include}")
        if {room, target} == {"cpu", "cuda"}:
            found.append(f"{room} includes {include}")
        if room != "binding" and (target == "binding" or include.startswith("pybind11")):
            found.append(f"Python outside binding/: {include}")
        if include.startswith("cuda") and room != "cuda" and target != "cuda":
            found.append(f"{room} includes {include}")
    return found


def strangers(path, source):
    """No libtorch is linked, and files are opened in Python."""
    found = [include for include in includes_of(source) if include.startswith(("torch", "ATen", "c10"))]
    return found + re.findall(r"\b(?:fopen|[io]?fstream|freopen|mmap)\b", code_of(source))


def families_elsewhere(path, source):
    """A family's files are included by files of that family and by the registry alone: its folders can be deleted."""
    if path in REGISTRY:
        return []
    own = set(path.split("/"))
    return [include for include in includes_of(source) if FAMILIES.intersection(include.split("/")) - own]


def families_by_name(path, source):
    """Nobody asks which family it is: outside of its folder and the registry, a family's name does not occur."""
    if path in REGISTRY:
        return []
    others = "|".join(sorted(FAMILIES.difference(path.split("/"))))
    return sorted(set(re.findall(rf"\w*(?:{others})\w*", code_of(source), flags=re.I))) if others else []


def device_conditions(path, source):
    """Code that nvcc and other compilers share is told apart in `cuda/`, and in the two headers of both."""
    if room_of(path) == "cuda" or path in HOST_AND_DEVICE:
        return []
    return re.findall(r"#\s*if.*__CUDA(?:CC__|_ARCH__).*", code_of(source))


def second_draws(path, source):
    """A device draws in one place, so that all of its plans draw the same bits."""
    return re.findall(r"\bphilox\w*\s*\(", code_of(source)) if room_of(path) == "cuda" and path != DRAW else []


RULES = [upward_includes, strangers, families_elsewhere, families_by_name, device_conditions, second_draws]


@functools.cache
def sources():
    return {p.relative_to(CSRC).as_posix(): p.read_text() for p in sorted(CSRC.rglob("*")) if p.suffix in SUFFIXES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds_everywhere(rule):
    found = {path: rule(path, source) for path, source in sources().items()}
    assert {path: broken for path, broken in found.items() if broken} == {}


def test_the_rules_have_something_to_check():
    assert {"binding", "core", "cpu", "cuda"} <= {room_of(path) for path in sources()}
    assert {"samplernn", "wavenet"} <= FAMILIES
    assert {path for path in CSRC.rglob("*") if path.is_file() and path.suffix not in SUFFIXES | {".md"}} == set()


# The rules themselves, on made-up source


@pytest.mark.parametrize(
    "path, source, violations",
    [
        ("core/engine.h", '#include "cpu/simd/kernels.h"', 1),
        ("core/engine.h", '#include "../cuda/cuda.h"', 1),
        ("core/engine.h", '#include "registry.h"', 1),
        ("core/engine.h", '// #include "cpu/simd/kernels.h"', 0),
        ("cpu/wavenet/stepper.cpp", '#include "cuda/cuda.h"', 1),
        ("cuda/wavenet/player.cpp", '#include "cpu/simd/vec.h"', 1),
        ("cpu/wavenet/stepper.cpp", '#include "core/engine.h"\n#include <vector>', 0),
        ("core/engine.h", "#include <pybind11/numpy.h>", 1),
        ("core/chance/philox.h", '#include "../../binding/arrays.h"', 2),
        ("cuda/player/player.cpp", '#include "../binding/arrays.h"', 1),
        ("binding.cpp", "#include <pybind11/numpy.h>", 1),
        ("binding_of_another.cpp", "#include <pybind11/numpy.h>", 1),
        ("core/binding/arrays.h", "#include <pybind11/numpy.h>", 1),
        ("binding/arrays.h", "#include <pybind11/numpy.h>", 0),
        ("binding/model.cpp", '#include "binding/arrays.h"\n#include "cuda/cuda.h"\n#include "cpu/cpu.h"', 0),
        ("cuda/wavenet.cu", "#include <cuda_runtime.h>", 0),
        ("cpu/wavenet/stepper.cpp", "#include <cuda_runtime.h>", 1),
    ],
)
def test_includes_of_higher_rooms_are_seen(path, source, violations):
    assert len(upward_includes(path, source)) == violations


@pytest.mark.parametrize(
    "source, wanted",
    [
        ("#include <torch/extension.h>", ["torch/extension.h"]),
        ("#include <fstream>\nstd::ofstream out;", ["fstream", "ofstream"]),
        ('FILE* f = fopen("x", "r");', ["fopen"]),
        ("// fopen is not used here", []),
    ],
)
def test_strangers_are_seen(source, wanted):
    assert strangers("core/weights.cpp", source) == wanted


@pytest.mark.parametrize(
    "path, source, violations",
    [
        ("cuda/player/player.cpp", '#include "cuda/wavenet/plans.h"', 1),
        ("cuda/samplernn/player.cpp", '#include "../wavenet/plans.h"', 1),
        ("cuda/samplernn/persistent/tiers.h", '#include "cuda/samplernn/net.h"\n#include "core/samplernn/folds.h"', 0),
        ("binding/model.cpp", '#include "core/samplernn/spec.h"', 1),
        ("registry.cpp", '#include "cpu/wavenet/model.h"\n#include "cuda/samplernn/model.h"', 0),
    ],
)
def test_a_family_that_is_included_elsewhere_is_seen(path, source, violations):
    assert len(families_elsewhere(path, source)) == violations


@pytest.mark.parametrize(
    "path, source, wanted",
    [
        ("binding/model.cpp", 'const bool wavenet = choice<bool>(spec, "family");', ["wavenet"]),
        ("core/stages.cpp", "Stages of(const SampleRNNSpec& spec);", ["SampleRNNSpec"]),
        ("core/samplernn/spec.h", "struct SampleRNNSpec {}; struct NotAWaveNet {};", ["NotAWaveNet"]),
        ("cpu/player.h", "// as WaveNet's rings are", []),
        ("registry.cpp", '{"wavenet", cpu::wavenet_model}', []),
    ],
)
def test_a_family_that_is_named_elsewhere_is_seen(path, source, wanted):
    assert families_by_name(path, source) == wanted


def test_conditions_on_the_device_are_seen():
    assert len(device_conditions("cpu/wavenet/stepper.cpp", "#ifdef __CUDACC__")) == 1
    assert len(device_conditions("core/engine.h", "#if defined(__CUDA_ARCH__)")) == 1
    assert device_conditions("core/chance/philox.h", "#ifdef __CUDACC__") == []
    assert device_conditions("cuda/device/portable.h", "#ifdef __CUDACC__") == []


def test_a_second_draw_is_seen():
    drawn = "const Words words = philox(key, counter);"
    assert len(second_draws("cuda/wavenet/pipeline/tail.h", drawn)) == 1
    assert second_draws("cuda/draw.h", drawn) == second_draws("cpu/simd/noise.h", drawn) == []
    assert second_draws("cuda/wavenet/pipeline/tail.h", '#include "core/chance/philox.h"') == []
