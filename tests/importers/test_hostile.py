"""Thousands of damaged and hostile checkpoints: no crash, no hang, no code run, no flood of memory, one sentence each.

These take a share of the mutants, evenly spread; tests/soak/test_hostile_imports.py takes all of them.
"""

from __future__ import annotations

import os
import pathlib
import pickle
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest

from importers import hostile_bundles, hostile_mutants, hostile_pickles, hostile_torch, torch_writer
from importers.hostile_mutants import opened
from sharks.errors import PackError

MOST_SECONDS = 5.0
MOST_BYTES = 64 << 20
STIRRED = 300  # of each good file
SHARE = 9  # the normal run takes every ninth mutant

FORBIDDEN = (
    "compile exec import marshal.loads os.chmod os.exec os.fork os.forkpty os.kill os.listdir os.mkdir os.posix_spawn"
    " os.putenv os.remove os.rename os.rmdir os.spawn os.startfile os.system os.truncate pickle.find_class"
    " pty.spawn shutil.rmtree socket.__new__ subprocess.Popen sys._getframe urllib.Request"
).split()


class Trap:
    """Listens to the interpreter itself: whatever runs, imports, compiles or starts anything while it is set."""

    def __init__(self):
        self.set = False
        self.caught = []
        sys.addaudithook(self._hear)

    def _hear(self, event, args):
        if self.set and (event in FORBIDDEN or event.startswith("ctypes.") or (event == "open" and _writes(args))):
            self.caught.append((event, args))

    def __enter__(self):
        self.set = True
        return self

    def __exit__(self, *_):
        self.set = False


def _writes(args):
    """Whether an `open` event is for more than reading: by mode, or by flags where there is no mode."""
    _, mode, flags = args
    return bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool(flags & (os.O_WRONLY | os.O_RDWR))


TRAP = Trap()  # an audit hook cannot be taken back, so there is one


def judged(kind, path):
    """What the file held, or None where it was refused; asserts everything that must hold of either."""
    before, tracemalloc_before = sorted(path.parent.iterdir()), tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    start = time.process_time()  # of this process: the machine may be busy with others
    try:
        with TRAP:
            value = opened(kind, path)
    except PackError as error:
        value, sentence = None, str(error)
        assert sentence.isprintable() and str(path.parent) in sentence, sentence
        assert "; " in sentence and len(sentence) < 400 + 2 * len(str(path)), sentence
    assert time.process_time() - start < MOST_SECONDS
    size = sum(file.stat().st_size for file in path.parent.iterdir() if file.is_file())
    assert tracemalloc.get_traced_memory()[1] - tracemalloc_before < size + MOST_BYTES
    assert TRAP.caught == []
    assert sorted(path.parent.iterdir()) == before
    return value


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """Each form read once, since codecs are imported when they are first needed."""
    for name, seed in {**hostile_mutants.seeds(), **hostile_mutants.importable()}.items():
        good(seed, tmp_path_factory.mktemp("warm") / name)


@pytest.fixture
def judge(warm, monkeypatch):
    """`judged`, with memory measured, and the doors that files try to open nailed shut."""

    def shut(*_, **__):
        raise AssertionError("a file ran code")

    for module, name in ((os, "system"), (subprocess, "Popen"), (pickle, "Unpickler"), (pickle, "loads")):
        monkeypatch.setattr(module, name, shut)
    tracemalloc.start()
    try:
        yield judged
    finally:
        tracemalloc.stop()


# The mutants


def alike(a, b):
    """Equal arrays by name, in whatever order."""
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def judge_all(judge, cases, folder):
    """Judges each case; returns how many there were, and how many were refused."""
    wanted = {}
    count = refused = 0
    for case in cases:
        path = case.write(folder)
        value = judge(case.seed.kind, path)
        count += 1
        refused += value is None
        if case.seed.covered and value is not None:
            if id(case.seed) not in wanted:
                wanted[id(case.seed)] = good(case.seed, folder / "good")
            assert alike(value, wanted[id(case.seed)]), f"{case.name}: damage went unnoticed"
        for name in case.seed.files:
            (folder / name).unlink()
    return count, refused


def good(seed, folder):
    folder.mkdir(exist_ok=True)
    return opened(seed.kind, hostile_mutants.Case("good", seed, seed.files[seed.victim]).write(folder))


def test_the_seeds_are_good(tmp_path):
    for name, seed in {**hostile_mutants.seeds(), **hostile_mutants.importable()}.items():
        value = good(seed, tmp_path / name)
        assert value and any(isinstance(array, np.ndarray) for array in value.values()), name


def test_a_share_of_the_mutants(judge, tmp_path):
    cases = [case for n, case in enumerate(hostile_mutants.mutants(STIRRED)) if n % SHARE == 0]
    count, refused = judge_all(judge, cases, tmp_path)
    assert count > 2000 and refused > count / 2


@pytest.mark.parametrize("name", hostile_mutants.importable())
def test_mutants_that_are_imported(judge, tmp_path, name):
    """The same through the front door, as a user opens them."""
    count, refused = judge_all(judge, hostile_mutants.stirred(hostile_mutants.importable()[name], name, 120), tmp_path)
    assert count == 120 and refused > count / 2


# Those made by hand


def by_hand():
    """name -> (kind, files, the one to open)."""
    made = {}

    def add(kind, name, data, file, **beside):
        made[f"{kind} {name}"] = (kind, {file: data, **beside}, file)

    pickles = hostile_pickles
    for table in (pickles.REFUSED, pickles.EVIL_WAYS, pickles.RECURSIVE, pickles.LAUGHS, pickles.COSTLY):
        for name, data in table.items():
            add("pickle", name, data, "x.pkl")
            add("torch", f"archive of {name}", torch_writer.archive(data, {}), "x.pt")
    for name, (data, _) in pickles.WRONG.items():
        add("pickle", name, data, "x.pkl")
        add("torch", f"stream of {name}", torch_writer.stream(data, {}), "x.pt")
    torch = hostile_torch
    for name, (tensor, _) in torch.WRONG_TENSORS.items():
        add("torch", name, torch_writer.archive(torch.saved(tensor), {"0": torch.floats()}), "x.pt")
        add("torch", f"stream of {name}", torch_writer.stream(torch.saved(tensor), {"0": (24, torch.floats())}), "x.pt")
    for name, (make, _) in torch.WRONG_ARCHIVES.items():
        add("torch", name, make(), "x.pt")
    for name, (data, _) in torch.WRONG_STREAMS.items():
        add("torch", name, data, "x.pt")
    add("torch", "endless modules", torch_writer.archive(torch.parts_of(60, b"N"), {}), "x.pt")
    add("torch", "one storage under many names", torch.many_names(), "x.pt")
    shard = {"x.data-00000-of-00001": bytes(64)}
    for name, (data, _) in hostile_bundles.WRONG_INDICES.items():
        add("bundle", name, data, "x.index", **shard)
    for name, (data, _) in hostile_bundles.WRONG_BLOCKS.items():
        add("bundle", name, hostile_bundles.table_around(data), "x.index", **shard)
    for name, data in hostile_bundles.COSTLY.items():
        add("bundle", name, data(), "x.index", **shard)
    return made


BY_HAND = by_hand()
CALLS = [name for name, (_, files, _) in BY_HAND.items() if any(b"system\n" in data for data in files.values())]


@pytest.mark.parametrize("name", BY_HAND)
def test_made_by_hand(judge, tmp_path, name):
    kind, files, victim = BY_HAND[name]
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    assert judge(kind, tmp_path / victim) is None, "must be refused"
    assert judge("import", tmp_path / victim) is None, "must be refused"


def test_there_are_calls_among_them():
    assert len(BY_HAND) > 300 and len(CALLS) > 30


IN_A_FRESH_PROCESS = """
import pathlib, resource, sys
sys.path.insert(0, sys.argv[1])
from importers.hostile_mutants import opened
from sharks.errors import PackError
for line in pathlib.Path(sys.argv[2], "list").read_text().splitlines():
    kind, path = line.split(" ", 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        opened(kind, pathlib.Path(path))
        print("read", path)
    except PackError:
        pass
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    if grown > pathlib.Path(path).stat().st_size + (64 << 20):
        print("grew by", grown, path)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_memory_as_the_system_counts_it(tmp_path):
    """The same bound by another measure: how far the process grows over the hungriest files, one after the other."""
    lines = []
    for n, name in enumerate(name for name in BY_HAND if any(part in name for part in ("bomb", *hungry()))):
        kind, files, victim = BY_HAND[name]
        (tmp_path / str(n)).mkdir()
        for file, data in files.items():
            (tmp_path / str(n) / file).write_bytes(data)
        lines.append(f"{kind} {tmp_path / str(n) / victim}\n")
    (tmp_path / "list").write_text("".join(lines))
    tests = str(pathlib.Path(__file__).parents[1])
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, tests, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert len(lines) > 20 and (done.returncode, done.stdout, done.stderr) == (0, "", "")


def hungry():
    return [*hostile_pickles.COSTLY, *hostile_bundles.COSTLY, "one storage under many names"]


@pytest.mark.parametrize("kind", ["pickle", "torch", "bundle", "import"])
def test_what_is_no_file(judge, tmp_path, kind):
    os.mkfifo(tmp_path / "x.index")  # opening it would wait for ever
    assert judge(kind, tmp_path / "x.index") is None
    assert judge(kind, tmp_path / "missing") is None
    if kind in ("pickle", "torch"):
        assert judge(kind, tmp_path) is None


# The judge is judged


def test_the_trap_hears_what_python_itself_would_run(tmp_path):
    """Python's own reader springs it with the very same files."""
    ran = []
    real, os.system = os.system, ran.append
    try:
        with TRAP:
            pickle.loads(hostile_pickles.EVIL_WAYS["GLOBAL REDUCE"])
    finally:
        os.system = real
    heard = {event for event, _ in TRAP.caught}
    TRAP.caught.clear()
    assert ran == ["true"] and "pickle.find_class" in heard


@pytest.mark.parametrize(
    "deed, event",
    [
        (lambda path: exec("1"), "exec"),
        (lambda path: subprocess.run(["true"], check=True), "subprocess.Popen"),
        (lambda path: (path / "new").write_text("x"), "open"),
        (lambda path: os.system("true"), "os.system"),
    ],
)
def test_the_trap_hears(tmp_path, deed, event):
    with TRAP:
        deed(tmp_path)
    heard = {event for event, _ in TRAP.caught}
    TRAP.caught.clear()
    assert event in heard


def test_the_judge_sees_too_much_memory(judge, tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.opened", lambda kind, path: bytearray(MOST_BYTES + 4096))
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(AssertionError):
        judge("pickle", tmp_path / "x")


@pytest.mark.parametrize("sentence", ["two\nlines; of it", "without advice", "x" * 3000 + "; y", "elsewhere; y"])
def test_the_judge_reads_sentences(judge, tmp_path, monkeypatch, sentence):
    def refuse(kind, path):
        raise PackError(sentence if sentence == "elsewhere; y" else f"{path}: {sentence}")

    monkeypatch.setattr(f"{__name__}.opened", refuse)
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(AssertionError):
        judge("pickle", tmp_path / "x")


def test_unnoticed_damage_is_seen(judge, tmp_path):
    seed = hostile_mutants.seeds()["archive"]
    other = hostile_mutants.Case("other weights", seed, hostile_torch.good_archive())
    with pytest.raises(AssertionError, match="other weights: damage went unnoticed"):
        judge_all(judge, [other], tmp_path)
