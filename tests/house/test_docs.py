"""Every path, module, command, option and target that the pages name exists."""

import functools
import importlib
import pathlib
import re
import shlex

import pytest
import typer.main

from sharks.cli.app import app

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "csrc/README.md"])
PAGES += sorted([*ROOT.glob("python/**/*.md"), *ROOT.glob("bench/*.md")])
PAGES = [page for page in PAGES if page.name != "CHANGELOG.md" and page.exists()]  # which tells of what was, too

TOPS = ("python", "csrc", "tests", "bench", "docs", "examples", ".ci")
SOURCES = (".py", ".pyi", ".h", ".cpp", ".cu", ".sh")
# Where a path that a page shortens may begin.
FROM = ("", "python/sharks", "python/sharks/families/*", "csrc", "csrc/*", "csrc/cpu/*", "tests", "docs")
ELSEWHERE = ("two_tier16k.py",)  # a file of another program
FORMAT = "sharks pack 1"  # what stands in a pack, and is no command
EVERYWHERE = {"--help", "--debug"}  # options of every verb


def code(text):
    """What a page shows as code: fenced blocks, line by line, and words between backticks."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, flags=re.M | re.S)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", prose)


def words(text):
    """Words of the code of a page, without the punctuation around them; what braces hold together is one word."""
    return [word.strip("()[]\"'`,.:;=") for line in code(text) for word in re.split(r"[\s\"'=|]+|,(?![^{]*\})", line)]


def is_path(word):
    if not re.fullmatch(r"[\w./{},*<>-]+", word) or word.startswith("/"):
        return False
    return word.partition("/")[0] in TOPS and "/" in word or word.endswith(SOURCES)


def spelled_out(word):
    """`a.{h,cpp}` is two paths; NAME stands for any name."""
    braces = re.search(r"\{([^{}]*)\}", word)
    if not braces:
        return [re.sub(r"NAME|<\w+>", "*", word)]
    return [path for part in braces[1].split(",") for path in spelled_out(word.replace(braces[0], part, 1))]


def missing_paths(text, home=ROOT):
    """Paths that `text`, a page in the folder `home`, names, and that are not in the repository."""
    named = {path for word in words(text) if is_path(word) for path in spelled_out(word)} - {*ELSEWHERE}
    return sorted(path for path in named if not (home / path).exists() and not any(there(base, path) for base in FROM))


def there(base, path):
    return next(ROOT.glob(f"{base}/{path}" if base else path), None) is not None


def broken_links(text, home=ROOT):
    """Links to files that do not exist, and to headings that such a page does not have."""
    links = re.findall(r"\]\(([^)#:]+)(?:#([^)]*))?\)", text)
    return [
        f"{page}#{heading}" if heading else page
        for page, heading in links
        if not (home / page).exists() or heading and heading not in headings((home / page).read_text())
    ]


def headings(text):
    """Anchor -> what stands under that heading, as the web shows pages: small letters, hyphens, no punctuation."""
    prose = re.sub(r"^```.*?^```", lambda block: re.sub(r"^#", " #", block[0], flags=re.M), text, flags=re.M | re.S)
    parts = re.split(r"^#+ (.*)\n", prose, flags=re.M)
    anchors = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in parts[1::2]]
    return dict(zip(anchors, parts[2::2], strict=True))


def questions():
    """Question -> the text that its link opens, of the table in questions.md."""
    page = ROOT / "docs/questions.md"
    rows = re.findall(r"^\| (.*\?) \| .*?\]\(([^)#]+)#?([^)]*)\)", page.read_text(), flags=re.M)
    texts = [(question, (page.parent / link).read_text(), anchor) for question, link, anchor in rows]
    return {question: headings(text)[anchor] if anchor else text for question, text, anchor in texts}


def missing_modules(text):
    """Modules and names of sharks, such as `sharks.play.generate`, that cannot be imported."""
    shown = [match for line in code(text) for match in re.findall(r"(?<![\w./-])sharks(?:\.[a-zA-Z_]\w*)+", line)]
    taken = re.findall(r"from (sharks[\w.]*) import ([\w, ]+)", "\n".join(code(text)))
    shown += [f"{home}.{name.strip()}" for home, names in taken for name in names.split(",")]
    return sorted({name for name in shown if not is_there(name)})


@functools.cache
def is_there(name):
    home, _, last = name.rpartition(".")
    if not home:
        return name == "sharks"
    try:
        return hasattr(importlib.import_module(home), last) or bool(importlib.import_module(name))
    except ImportError:
        return is_attribute(home, last)


def is_attribute(home, last):
    """`sharks.Pack.save`: a name inside a name."""
    module, _, name = home.rpartition(".")
    return bool(module) and is_there(home) and hasattr(getattr(importlib.import_module(module), name, None), last)


def commands(text):
    """The commands `sharks` that a page shows, as words; what starts them, such as srun, is left out."""
    found = [re.search(r"(?:^|\s)(sharks [a-z].*)", line) for line in code(text)]
    return [shlex.split(match[1].replace("'", ""), comments=True) for match in found if match and match[1] != FORMAT]


@functools.cache
def verbs():
    """Verb -> its options, as the command line has them."""
    group = typer.main.get_command(app)
    return {
        name: {option for parameter in verb.params for option in parameter.opts + parameter.secondary_opts} | EVERYWHERE
        for name, verb in group.commands.items()
    }


def wrong_commands(text):
    """Verbs and options that do not exist, of commands, and options that stand alone and belong to no verb."""
    wrong = []
    for _, verb, *rest in commands(text):
        if verb not in verbs():
            wrong.append(verb)
        options = [word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
        wrong += [f"{verb} {option}" for option in options if option not in verbs().get(verb, ())]
    alone = [line.split()[0].split("=")[0] for line in code(text) if line.startswith("--")]
    return wrong + [option for option in alone if not any(option in options for options in verbs().values())]


def missing_targets(text):
    targets = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.M)[1].split())
    return sorted({t for line in code(text) for t in re.findall(r"(?:^|[;&]\s*)make ([a-z][\w-]*)", line)} - targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.parametrize("rule", [missing_paths, broken_links])
def test_what_lies_in_the_repository(page, rule):
    assert rule(page.read_text(), page.parent) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.parametrize("rule", [missing_modules, wrong_commands, missing_targets])
def test_what_can_be_called(page, rule):
    assert rule(page.read_text()) == []


FIRST_SCREEN = 24  # lines
ANSWERS = {  # what a reader must find there, whatever the words around it
    "start": "pip install|activate",
    "How long": "sharks presets",
    "How much music": "[Tt]wenty minutes",
    "Which preset": "fits this computer",
    "go on from a model": "--from",
    "noise": "not learnt enough",
    "hum": "likelier",
    "better": "More of one kind",
    "formats": "WAV.*16 bits",
    "delete": "PROJECT/run",
    "publish": "permission",
    "systems": "Linux, Python",
    "bits": "better than guessing",
    "step by step": "prepare",
    "for hours": "stream",
    "import": "checkpoint",
    "word mean": "meaning",
}


@pytest.mark.parametrize("question", questions())
def test_a_question_is_answered_on_the_first_screen(question):
    (wanted,) = [answer for words, answer in ANSWERS.items() if words in question]
    screen = "\n".join(questions()[question].strip().splitlines()[:FIRST_SCREEN])
    assert re.search(wanted, screen, flags=re.S)


def test_all_questions_of_a_newcomer_are_there():
    assert len(questions()) == len(ANSWERS)


def test_every_target_is_explained():
    """Makefile's own list, at its top, holds each target but `clean`."""
    text = (ROOT / "Makefile").read_text()
    explained = re.findall(r"^#   make ([\w-]+)", text, flags=re.M)
    assert sorted([*explained, "clean"]) == sorted(re.search(r"^\.PHONY: (.*)$", text, flags=re.M)[1].split())


def test_the_pages_have_something_to_check():
    texts = [page.read_text() for page in PAGES]
    assert {"README.md", "CONTRIBUTING.md", "design.md", "walk.md"} <= {page.name for page in PAGES}
    assert sum(len(commands(text)) for text in texts) > 30
    assert sum(len(re.findall(r"\]\(", text)) for text in texts) > 20
    assert sum(is_path(word) for text in texts for word in words(text)) > 50
    assert {"generate", "train", "curate"} <= verbs().keys() and "--seed" in verbs()["generate"]


# The rules themselves, on made-up pages


@pytest.mark.parametrize(
    "text, missing",
    [
        ("see `docs/models/x.md`", ["docs/models/x.md"]),
        ("see `python/sharks/spec.py`, `spec.py` or `csrc/core/`", []),
        ("see `families/NAME/reference.py` and `tests/nowhere/`", ["tests/nowhere/"]),
        ("`families/NAME/taste.py`", ["families/*/taste.py"]),
        ("`csrc/core/weights.{h,cpp,cu}`", ["csrc/core/weights.cu"]),
        ("`core/*_dreams.h` and `core/chance/*.h`", ["core/*_dreams.h"]),
        ('```\nmake test PYTEST_ARGS="tests/songs/test_gone.py -k x"\n```', ["tests/songs/test_gone.py"]),
        ("`songs/` and `out/0000.wav` are yours; docs/models/ is prose", []),
    ],
)
def test_paths_that_are_missing_are_seen(text, missing):
    assert missing_paths(text) == missing


def test_broken_links_are_seen():
    assert broken_links("[a](README.md) [b](https://example.org) [c](docs/no.md)") == ["docs/no.md"]
    assert broken_links("[d](docs/pack.md#x) [e](README.md#your-music)") == ["docs/pack.md#x"]
    assert broken_links("[a](pack.md)", ROOT / "docs") == [] and broken_links("[a](pack.md)") == ["pack.md"]


def test_modules_that_are_missing_are_seen():
    assert missing_modules("`sharks.generate`, `sharks.Pack.save(path)`, `sharks.engine.open_player`") == []
    assert missing_modules("`sharks.sing(pack)`") == ["sharks.sing"]
    assert missing_modules("`sharks.Pack.sing`") == ["sharks.Pack.sing"]
    assert missing_modules("```python\nfrom sharks.engine import open_player, close\n```") == ["sharks.engine.close"]


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("`sharks publish`", ["publish"]),
        ("```\nsrun sharks generate x --nonsense 3  # so\n```", ["generate --nonsense"]),
        ("```\ntorchrun --nproc 2 -m sharks generate x --seed=3 -n 2 -o y\n```", []),
        ("`sharks train data --stream 3`", ["train --stream"]),
        ("`--nonsense 3` and `--set model.dim=512`", ["--nonsense"]),
    ],
)
def test_commands_that_do_not_exist_are_seen(text, wrong):
    assert wrong_commands(text) == wrong


def test_targets_that_do_not_exist_are_seen():
    assert missing_targets("`make demo`, `make coffee`\n```\nmake tea  # two\n```") == ["coffee", "tea"]
