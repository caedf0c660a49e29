"""Good checkpoints of every form, and what becomes of them when they are cut, flipped and stirred.

A case is a set of files and how to open them; the same numbers give the same cases.
"""

from __future__ import annotations

import pathlib
import pickle
import random
import tempfile
import typing
import zipfile

import numpy as np

from importers import bundle_writer, prism_port, theano_port, torch_writer
from importers import pickle_writer as w
from importers.pickle_writer import python2_pickle
from sharks.importers import import_checkpoint
from sharks.importers.readers.tf_bundle import read_bundle
from sharks.importers.readers.torch_file import read_torch, state_dict_of
from sharks.importers.readers.unpickle import read_pickle

Files = dict[str, bytes]
RECORDED = pathlib.Path(__file__).parent / "recorded"
VINCENT = RECORDED.parents[1] / "golden" / "recorded" / "vincent_wavenet.config.json"
WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)


class Seed(typing.NamedTuple):
    """A good checkpoint: its files, the one to damage, and whether checksums cover every byte that is read."""

    kind: str
    files: Files
    victim: str
    covered: bool


class Case(typing.NamedTuple):
    name: str
    seed: Seed
    data: bytes

    def write(self, folder: pathlib.Path) -> pathlib.Path:
        for name, data in {**self.seed.files, self.seed.victim: self.data}.items():
            (folder / name).write_bytes(data)
        return folder / self.seed.victim


def opened(kind: str, path: pathlib.Path) -> typing.Any:
    """Everything that the file holds, read as an importer reads it; or imported, as `kind` says after "import"."""
    if kind.startswith("import"):
        return import_checkpoint(path, kind.removeprefix("import").strip() or None).tensors
    if kind == "pickle":
        return read_pickle(path)
    if kind == "torch":
        return state_dict_of(read_torch(path), path)
    return dict(read_bundle(path.parent if path.name == "checkpoint" else path))


def seeds() -> dict[str, Seed]:
    tree = {"a": WEIGHTS, "b": [1, 2.5, "x"], "c": {"d": WEIGHTS[0].astype(np.float64)}, "n": np.float32(0.5)}
    pickles = {f"protocol {p}": pickle.dumps(tree, p) for p in range(6)}
    pickles["python 2"] = python2_pickle({"FrameLevel.h0": WEIGHTS, "q": 256, "s": np.float32(1)})
    made = {name: Seed("pickle", {"x.pkl": data}, "x.pkl", False) for name, data in pickles.items()}
    made |= {name: Seed("torch", {"x.pt": data}, "x.pt", False) for name, data in _streams().items()}
    made |= {name: Seed("torch", {"x.pt": data}, "x.pt", True) for name, data in _archives().items()}
    bundle = _bundle()
    for victim in bundle:
        made[f"bundle {victim}"] = Seed("bundle", bundle, victim, victim != "checkpoint")
    return made


def importable() -> dict[str, Seed]:
    """Small checkpoints that become packs, each with its config where it needs one."""
    flags = theano_port.Flags(frame_size=2, big_frame_size=4, q_levels=32, dim=5)
    theano = {"x.pkl": python2_pickle(theano_port.made(flags)), "config.json": b'{"q_type": "linear"}'}
    with tempfile.TemporaryDirectory() as folder:
        config = prism_port.Config(frame_sizes=(4, 8), q_levels=16, q_type="linear", skip_conn=True)
        bundle_writer.write_bundle(pathlib.Path(folder, "m"), prism_port.made(config))
        prism = {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())}
    vincent = {"x.pt": (RECORDED / "vincent_wavenet.pt").read_bytes(), "config.json": VINCENT.read_bytes()}
    return {
        "theano": Seed("import iclr2017", theano, "x.pkl", False),
        "prism index": Seed("import", prism, "m.index", True),
        "prism data": Seed("import", prism, "m.data-00000-of-00001", True),
        "vincentherrmann": Seed("import", vincent, "x.pt", True),
    }


def _module(legacy: bool) -> bytes:
    tensor = torch_writer.tensor(torch_writer.storage("0", 12, legacy=legacy), (3, 4))
    inner = w.record("torch.nn.modules.linear", "Linear", w.dict_of(_parameters=w.dict_of(weight=tensor, bias=b"N")))
    return b"\x80\x02" + w.record("models", "Net", w.dict_of(_modules=w.dict_of(first=inner), dim=w.number(3))) + b"."


def _state_dict(legacy: bool) -> bytes:
    stored = torch_writer.storage("0", 12, legacy=legacy)
    half = torch_writer.storage("1", 4, "HalfStorage", legacy=legacy)
    names = w.dict_of(w=torch_writer.tensor(stored, (4, 3), (1, 4)), h=torch_writer.tensor(half, (4,)))
    return b"\x80\x02" + w.dict_of(state_dict=names, epoch=w.number(3)) + b"."


def _archives() -> Files:
    storages = {"0": WEIGHTS.tobytes(), "1": np.ones(4, np.float16).tobytes()}
    only = {"0": storages["0"]}
    return {
        "archive": torch_writer.archive(_state_dict(False), storages, byteorder=b"little"),
        "module": torch_writer.archive(_module(False), only),
        "deflated": torch_writer.archive(_state_dict(False), storages, method=zipfile.ZIP_DEFLATED),
    }


def _streams() -> Files:
    storages = {"0": (12, WEIGHTS.tobytes()), "1": (4, np.ones(4, np.float16).tobytes())}
    return {
        "stream": torch_writer.stream(_state_dict(True), storages),
        "module stream": torch_writer.stream(_module(True), {"0": storages["0"]}),
    }


def _bundle() -> Files:
    tensors = {f"net/layer_{n}/kernel": WEIGHTS + n for n in range(4)}
    with tempfile.TemporaryDirectory() as folder:
        bundle_writer.write_bundle(pathlib.Path(folder, "m"), tensors, shards=2, strings={"_GRAPH": b"\x05hello"})
        files = {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())}
    return files | {"checkpoint": b'model_checkpoint_path: "m"\nall_model_checkpoint_paths: "m"\n'}


def mutants(stirred: int) -> typing.Iterator[Case]:
    """Each good file cut at every byte, with a bit of every byte flipped, and `stirred` times at random."""
    for name, seed in seeds().items():
        good = seed.files[seed.victim]
        rng = random.Random(name)
        for at in range(len(good)):
            yield Case(f"{name} cut at {at}", seed, good[:at])
            flipped = good[at] ^ 1 << rng.randrange(8)
            yield Case(f"{name} flipped at {at}", seed, good[:at] + bytes([flipped]) + good[at + 1 :])
        for n in range(stirred):
            yield Case(f"{name} stirred {n}", seed, _stirred(good, rng))


def stirred(seed: Seed, name: str, count: int) -> typing.Iterator[Case]:
    """`count` cases of one seed, each changed at random; half of them by a single bit."""
    rng, good = random.Random(name), seed.files[seed.victim]
    for n in range(count):
        data = bytearray(_stirred(good, rng) if n % 2 else good)
        if not n % 2:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        yield Case(f"{name} {n}", seed, bytes(data))


NASTY = [
    b"\xff" * 4,
    b"\xff" * 8,
    b"\0" * 4,
    b"\xff\xff\xff\x7f",
    b"\x80" * 12,
    b"(",
    b"t",
    b"R",
    b"b",
    b"0",
    b"2",
    b"a",
]
NASTY += [
    b"cos\nsystem\n",
    b"(S'true'\ntR",
    b"h\0",
    b"q\0",
    b"}",
    b"]",
    b".",
    b"\n",
    b"I-1\n",
    b"\x8a\x08" + b"\xff" * 8,
]


def _stirred(good: bytes, rng: random.Random) -> bytes:
    """Between one and eight changes: a byte, a nasty piece put in or over, a piece left out, doubled or moved."""
    data = bytearray(good)
    for _ in range(rng.randint(1, 8)):
        at, length = rng.randrange(len(data) + 1), rng.choice([1, 2, 4, 8, 30])
        piece, nasty = bytes(data[at : at + length]), rng.choice(NASTY)
        change = rng.randrange(6)
        if change == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif change == 1:
            data[at:at] = nasty
        elif change == 2:
            data[at : at + len(nasty)] = nasty
        elif change == 3:
            del data[at : at + length]
        elif change == 4:
            data[at:at] = piece * rng.randint(1, 3)
        else:
            to = rng.randrange(len(data) + 1)
            data[to : to + len(piece)] = piece
    return bytes(data)
