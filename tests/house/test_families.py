"""Nobody asks which family a model is of: its spec answers. One file names the families, and none knows another.

Each rule is a function from source text to violations, and is shown to see made-up ones.
"""

import ast
import dataclasses
import pathlib

import pytest

from sharks.spec import FAMILIES

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "python" / "sharks"
ROOM = PACKAGE / "families"
FOLDERS = sorted(file.parent.name for file in ROOM.glob("*/spec.py"))

REGISTRY = "families/registry.py"
FACES = ("__init__.py", "spec.py")  # say where public names live
BUILDERS = "importers/programs/"  # build the spec of the one family whose program they read


def classes():
    """The public classes that families' folders define."""
    trees = (ast.parse(file.read_text()) for name in FOLDERS for file in (ROOM / name).glob("*.py"))
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}


def fields_of_one():
    """Fields that some family has and another has not: to look for one is to ask which family it is."""
    fields = [{field.name for field in dataclasses.fields(kind)} for kind in FAMILIES.values()]
    return set.union(*fields) - set.intersection(*fields)


CLASSES, FIELDS = classes(), fields_of_one()


def questions(path, source):
    """What a file at `path`, relative to the package, does to tell families apart, as source text."""
    if path == REGISTRY or path.removeprefix("families/").split("/")[0] in FOLDERS:
        return []
    builds = path in FACES or path.startswith(BUILDERS)
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and not builds:
            found += [node for part in parts(node) if part in CLASSES or part in FOLDERS]
        elif isinstance(node, ast.Name | ast.Attribute) and not builds:
            found += [node] if (node.id if isinstance(node, ast.Name) else node.attr) in CLASSES else []
        elif isinstance(node, ast.Call):
            found += [node] if asks_for_kind(node) else []
        elif isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            found += [node] if any(is_family(side) or is_type(side) for side in sides) else []
        elif isinstance(node, ast.Subscript):
            found += [node] if is_family(node.slice) else []
        elif isinstance(node, ast.Match):
            kinds = (of for of in ast.walk(node) if isinstance(of, ast.MatchClass))
            found += [node] if is_family(node.subject) or any(last(kind.cls) in CLASSES for kind in kinds) else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and path not in FACES:
            found += [node] if node.value in CLASSES or node.value.split(".")[0] in FOLDERS else []
    return sorted({ast.unparse(node) for node in found})


def parts(node):
    """Every word of an import: the modules on its path, and the names it brings."""
    for name in (getattr(node, "module", None), *(alias.name for alias in node.names)):
        yield from (name or "").split(".")


def last(node):
    """The last word of a dotted name, or of a call's function."""
    return ast.unparse(node).rpartition(".")[2]


def is_family(node):
    return isinstance(node, ast.Attribute) and node.attr == "family"


def is_type(node):
    """`type(spec)`, which is compared to nothing but a class."""
    return isinstance(node, ast.Call) and last(node.func) == "type" and ast.unparse(node.args[0]).endswith("spec")


def asks_for_kind(node):
    """isinstance with a family's class; getattr or hasattr for a field that not all families have."""
    if last(node.func) in ("isinstance", "issubclass"):
        return any(last(kind) in CLASSES for kind in ast.walk(node.args[1]) if isinstance(kind, ast.expr))
    if last(node.func) in ("getattr", "hasattr") and len(node.args) > 1:
        return isinstance(node.args[1], ast.Constant) and node.args[1].value in FIELDS
    return False


def strangers(path, source):
    """What a file in a family's folder must not import: other families; and judge and party each other's halves."""
    _, family, *_, file = path.split("/")
    others = set(FOLDERS) - {family}
    others |= {"reference.py": {"model", "layer", "initial", "torch_parts"}}.get(file, {"reference", "numpy_parts"})
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom))
    return sorted({part for node in nodes for part in parts(node) if part in others})


FILES = {file.relative_to(PACKAGE).as_posix(): file for file in sorted(PACKAGE.rglob("*.py"))}
OF_FAMILIES = [path for path in FILES if path.startswith(tuple(f"families/{name}/" for name in FOLDERS))]


def test_there_is_something_to_find():
    assert sorted(FAMILIES) == FOLDERS and len(FOLDERS) > 1
    assert {"SampleRNN", "SampleRNNSpec", "WaveNet", "WaveNetSpec"} <= CLASSES
    assert {"global_classes", "frame_sizes"} <= FIELDS and not {"q_levels", "codec"} & FIELDS
    assert len(OF_FAMILIES) > 4 * len(FOLDERS)


@pytest.mark.parametrize("path", FILES)
def test_nobody_asks_which_family_it_is(path):
    assert questions(path, FILES[path].read_text()) == []


@pytest.mark.parametrize("path", OF_FAMILIES)
def test_no_family_knows_another(path):
    assert strangers(path, FILES[path].read_text()) == []


@pytest.mark.parametrize(
    ("path", "source", "count"),
    [
        ("play/session.py", "from ..families.wavenet.spec import WaveNetSpec", 1),
        ("play/session.py", "from ..families import wavenet", 1),
        ("play/session.py", "import sharks.families.samplernn", 1),
        ("families/initialise.py", "def f():\n    from .samplernn.initial import iclr", 1),
        ("families/initialise.py", "from .torch_parts.initial import Draw", 0),
        ("play/session.py", "isinstance(spec, sharks.WaveNetSpec)", 2),  # and the name itself
        ("importers/programs/ibab.py", "isinstance(spec, (int, WaveNetSpec))", 1),
        (
            "importers/programs/ibab.py",
            "from ...families.wavenet.spec import WaveNetSpec\nWaveNetSpec()",
            0,
        ),
        ("spec.py", "isinstance(spec, WaveNetSpec)", 1),
        ("spec.py", "from .families.wavenet.spec import WaveNetSpec", 0),
        ("play/session.py", "spec.family == name", 1),
        ("play/session.py", "name in (spec.family, other)", 0),
        ("play/session.py", "pack.spec.family in names", 1),
        ("play/session.py", "table[spec.family]", 1),
        ("play/session.py", "match spec.family:\n    case name: pass", 1),
        ("importers/programs/ibab.py", "match spec:\n    case WaveNetSpec(): pass", 1),
        ("play/session.py", "type(spec) is kind", 1),
        ("play/session.py", "type(value) is int", 0),
        ("play/session.py", "name == 'wavenet'", 1),
        ("play/session.py", "type(spec).__name__ == 'WaveNetSpec'", 1),
        ("play/session.py", "find('samplernn.model')", 1),
        ("play/session.py", "'''A WaveNet hears silence first.'''", 0),
        ("play/session.py", "getattr(spec, 'global_classes', 0)", 1),
        ("play/session.py", "hasattr(spec, 'frame_sizes')", 1),
        ("play/session.py", "getattr(spec, 'q_levels')", 0),
        ("play/session.py", "spec.carries_state and spec.condition.example()", 0),
        ("families/registry.py", "isinstance(spec, WaveNetSpec)", 0),
        ("families/wavenet/reference.py", "isinstance(spec, WaveNetSpec)", 0),
        ("families/torch_parts/model.py", "isinstance(spec, int) or isinstance(spec, WaveNet)", 2),
    ],
)
def test_questions_are_seen(path, source, count):
    assert len(questions(path, source)) == count


@pytest.mark.parametrize(
    ("path", "source", "wanted"),
    [
        ("families/wavenet/spec.py", "from ..samplernn.spec import SampleRNNSpec", ["samplernn"]),
        ("families/wavenet/spec.py", "def f():\n    import sharks.families.samplernn.tables", ["samplernn"]),
        ("families/wavenet/spec.py", "from ..spec import Spec", []),
        ("families/wavenet/reference.py", "from .model import WaveNet", ["model"]),
        ("families/wavenet/reference.py", "from ..torch_parts import nll", ["torch_parts"]),
        ("families/wavenet/reference.py", "from ..numpy_parts.weights import relu", []),
        ("families/wavenet/model.py", "from . import reference", ["reference"]),
        ("families/wavenet/layer.py", "from ..numpy_parts.weights import relu", ["numpy_parts"]),
        ("families/wavenet/model.py", "from ..torch_parts.model import Model", []),
    ],
)
def test_strangers_are_seen(path, source, wanted):
    assert strangers(path, source) == wanted
