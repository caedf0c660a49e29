"""The rules of who may know whom in Python: functions from a module's source to what breaks them there."""

import ast
import dataclasses
import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "sharks"
FAMILIES = frozenset(path.parent.name for path in PACKAGE.glob("families/*/reference.py"))


@dataclasses.dataclass(frozen=True)
class Never:
    """Modules of `room` (a pattern; what lies in a matching room counts too) never import `forbidden`."""

    room: str
    forbidden: tuple[str, ...]
    because: str
    example: tuple[str, str]  # a module, and source that breaks the rule there
    but: tuple[str, ...] = ()  # what is allowed all the same

    def broken_by(self, module, source):
        if not re.fullmatch(rf"({self.room})(\..*)?", module):
            return []
        allowed = [f"sharks.{self.room}", *self.but]
        names = {name for name, _ in imports(module, source) if any(inside(name, never) for never in self.forbidden)}
        return sorted(name for name in names if not any(inside(name, may) for may in allowed))


NEVERS = [
    Never(
        "errors",
        ("numpy", "sharks"),
        "it is the ground, and there before anything else can fail",
        ("errors", "from .levels import quantize"),
    ),
    Never(
        "levels",
        ("sharks",),
        "the ground: what numbers mean depends on nothing",
        ("levels.quantize", "from ..families import spec"),
        but=("sharks.errors",),
    ),
    Never("features", ("sharks",), "the ground", ("features.mel", "from ..sound import wav"), but=("sharks.errors",)),
    Never("files", ("sharks",), "the ground", ("files.atomic", "from ..sound import wav"), but=("sharks.errors",)),
    Never(
        "families",
        ("sharks._core", "sharks.engine", "sharks.packs", "sharks.play", "sharks.training"),
        "what a model is does not depend on what plays or trains it",
        ("families.wavenet.reference", "def f():\n    from ... import _core"),
    ),
    Never(
        r"families\.(\w+\.reference|numpy_parts)",
        ("sharks.families.torch_parts",),
        "a judge does not know the parties",
        ("families.wavenet.reference", "from ..torch_parts import nll"),
    ),
    Never(
        r"families\.(\w+\.(model|layer|initial)|torch_parts)",
        ("sharks.families.numpy_parts",),
        "the parties do not know the judge",
        ("families.wavenet.model", "from ..numpy_parts import player"),
    ),
    Never(
        "sound",
        ("sharks.clips", "sharks.play", "sharks.packs", "sharks.engine", "sharks.families"),
        "audio is audio, whoever made it",
        ("sound.wav", "import sharks.play.audio"),
    ),
    Never(
        "packs",
        ("sharks.training", "sharks.engine", "sharks.play", "sharks._core"),
        "a pack can be read where nothing plays",
        ("packs.pack", "from ..engine import door"),
    ),
    Never(
        "recipes",
        ("sharks.training", "sharks.engine", "sharks.play", "sharks._core"),
        "a recipe is numbers",
        ("recipes.presets", "from ..training import loop"),
    ),
    Never(
        "clips",
        ("sharks.play", "sharks.engine", "sharks.training", "sharks._core"),
        "a folder of clips can be read without an engine",
        ("clips.manifest", "from ..play.audio import Audio"),
    ),
    Never(
        "engine", ("sharks.training", "sharks.play"), "a pack is enough", ("engine.door", "from ..play import share")
    ),
    Never(
        "dataset",
        ("sharks.training", "sharks.engine", "sharks.play"),
        "music is prepared once, for any model",
        ("dataset.prepare", "from ..engine import door"),
    ),
    Never(
        "importers",
        ("sharks.engine", "sharks.play", "sharks.training", "sharks._core"),
        "a checkpoint is numbers, and becomes a pack",
        ("importers.source", "from ..play import generate"),
    ),
    Never(
        "songs|album",
        ("sharks.engine", "sharks.packs", "sharks.play", "sharks.families", "sharks.training", "sharks._core"),
        "they hear wavs, not weights",
        ("songs.cut", "from ..engine.door import open_player"),
    ),
    Never(
        "play",
        ("sharks.training", "sharks._core"),
        "who plays needs no torch",
        ("play.generate", "import sharks._core"),
    ),
]

MAY_USE_TORCH = re.compile(r"families\.(\w+\.(model|layer|initial)|initialise|torch_parts\b.*)$|training\b")
MAY_NAME_FAMILIES = re.compile(
    r"spec$|families\.registry$|importers\.programs\."
)  # the face; the registry; their programs
LAZY = ("soundfile", "soxr")  # inside functions: they load shared libraries
DANGEROUS = ("pickle", "shelve", "marshal", "dill", "cloudpickle")
NAMELESS = re.compile(r"^(utils?|common|helpers?|base|misc)(_|\.|$)|_(utils?|helpers?|common)\.")


@functools.cache
def imports(module, source):
    """(absolute name, on import or inside a function) of all that `source`, which is `module` of sharks, imports.

    `module` is told from a package by its last word: `songs.__init__`.
    """
    package = f"sharks.{module}".split(".")[:-1]
    tree = ast.parse(source)
    top = {id(node) for node in _top_statements(tree)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(name.name, id(node) in top) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            home = ".".join([*start, *filter(None, [node.module])])
            found += [(home, id(node) in top)] if node.module else []
            found += [(f"{home}.{name.name}", id(node) in top) for name in node.names]
    return tuple(found)


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


def inside(module, room):
    return module == room or module.startswith(f"{room}.")


def other_families(module, source):
    """Families that are imported outside of their own folder. A family's folder can be deleted."""
    if MAY_NAME_FAMILIES.match(module):
        return []
    own = module.split(".")[1] if inside(module, "families") and "." in module else None
    found = {re.match(r"sharks\.families\.(\w+)", name) for name, _ in imports(module, source)}
    return sorted({match[1] for match in found if match} & FAMILIES - {own})


def judge_and_parties(module, source):
    """A family's reference and its torch model do not import each other, wherever they are imported from."""
    asks, never = module.rpartition(".")[2], {"reference": "model|layer", "model": "reference", "layer": "reference"}
    if not inside(module, "families") or asks not in never:
        return []
    pattern = re.compile(rf"sharks\.families\.\w+\.({never[asks]})\b")
    return sorted({name for name, _ in imports(module, source) if pattern.match(name)})


def torch_imports(module, source):
    """Whoever plays, curates or publishes needs no torch."""
    return [] if MAY_USE_TORCH.match(module) else sorted({m for m, _ in imports(module, source) if inside(m, "torch")})


def early_imports(module, source):
    """Shared libraries are loaded when they are needed, not when a module is imported."""
    return sorted({m for m, top in imports(module, source) if top and any(inside(m, name) for name in LAZY)})


def dangerous_calls(module, source):
    """Ways to let a file run code: pickle and its kin, torch.load, numpy with allow_pickle, eval, exec."""
    found = [m for m, _ in imports(module, source) if any(inside(m, name) for name in DANGEROUS)]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("eval", "exec", "compile", "__import__") or name.endswith("torch.load"):
                found.append(name)
            found += [k.arg for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"]
    return found


RULES = [other_families, judge_and_parties, torch_imports, early_imports, dangerous_calls]


def nameless(path):
    return bool(NAMELESS.search(path.rsplit("/", 1)[-1]))
