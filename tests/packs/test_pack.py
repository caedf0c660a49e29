"""Packs: what goes in comes out, every flipped bit is noticed, and hostile files get one sentence."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import pathlib
import random
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
import safetensors.numpy

import sharks
from sharks import spec as specs
from sharks.files import tensorfile
from sharks.packs.pack import MOST_ABOUT_BYTES, Pack, with_songs

SAMPLERNN = sharks.SampleRNNSpec(q_levels=16, frame_sizes=(2, 4), dim=5, embed_dim=3)
WAVENET = sharks.WaveNetSpec(q_levels=16, dilations=(1, 2, 4), residual=3, dilation=2, skip=5, head=7)
CONDITIONED = specs.replace(WAVENET, global_channels=3, global_classes=4)
VECTORS = specs.replace(WAVENET, global_channels=3)
ALL = pytest.mark.parametrize("spec", [SAMPLERNN, WAVENET, CONDITIONED, VECTORS], ids=lambda s: s.family)

DIGEST = slice(8 + 34, 8 + 34 + 64)


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    return sharks.random_pack(SAMPLERNN).save(tmp_path / "good.safetensors")


def same(a: Pack, b: Pack) -> bool:
    return a.spec == b.spec and list(a.tensors) == list(b.tensors) and a.sha256 == b.sha256


# What goes in comes out


@ALL
def test_round_trip(spec: specs.Spec, tmp_path: pathlib.Path) -> None:
    pack = Pack(spec, sharks.random_pack(spec, seed=3).tensors, about={"preset": "x", "step": 12, "nll": 1.5})
    again = sharks.load(pack.save(tmp_path / "a.safetensors"))
    assert same(pack, again)
    assert again.about == {"preset": "x", "step": 12, "nll": 1.5}
    assert again.path == pack.path == tmp_path / "a.safetensors"
    for name, array in pack.tensors.items():
        assert again.tensors[name].dtype == np.float32
        assert np.array_equal(array, again.tensors[name])
    for name, array in pack.golden.tensors().items():
        assert np.array_equal(array, again.golden.tensors()[name]), name
    assert again.golden.settings() == pack.golden.settings()
    assert again.save(tmp_path / "b.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()


@ALL
def test_order_is_that_of_the_table(spec: specs.Spec, tmp_path: pathlib.Path) -> None:
    table = specs.tensors(spec)
    shuffled = dict(
        sorted(sharks.random_pack(spec).tensors.items(), key=lambda item: hashlib.md5(item[0].encode()).digest())
    )
    path = Pack(spec, shuffled).save(tmp_path / "a.safetensors")
    head = path.read_bytes()
    header = json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])
    names = [name for name in header if not name.startswith(("__", "codec.", "golden."))]
    assert names == [name for name, _ in table]
    offsets = [header[name]["data_offsets"][0] for name in list(header)[1:]]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_opens_with_the_safetensors_library(dtype: str, tmp_path: pathlib.Path) -> None:
    pack = sharks.random_pack(SAMPLERNN)
    path = pack.save(tmp_path / "a.safetensors", dtype=dtype)
    other = safetensors.numpy.load_file(path)
    for name, array in pack.tensors.items():
        assert np.array_equal(other[name], array.astype(dtype))
    with safetensors.safe_open(path, "numpy") as opened:
        assert json.loads(opened.metadata()["spec"]) == specs.to_dict(SAMPLERNN)


def test_float16_values_are_the_model(tmp_path: pathlib.Path) -> None:
    pack = sharks.random_pack(SAMPLERNN)
    narrow = sharks.load(pack.save(tmp_path / "a.safetensors", dtype="float16"))
    assert pack.path is None, "the file holds another model"
    assert pack.sha256 != narrow.sha256
    for name, array in pack.tensors.items():
        assert np.array_equal(narrow.tensors[name], array.astype(np.float16).astype(np.float32))
    widened = Pack(SAMPLERNN, narrow.tensors)
    assert np.array_equal(widened.golden.logits, narrow.golden.logits)
    assert not np.array_equal(pack.golden.logits, narrow.golden.logits)
    assert same(narrow, sharks.load(widened.save(tmp_path / "b.safetensors")))
    again = narrow.save(tmp_path / "c.safetensors", dtype="float16")
    assert again.read_bytes() == (tmp_path / "a.safetensors").read_bytes()


def test_float16_refuses_what_it_cannot_hold(tmp_path: pathlib.Path) -> None:
    tensors = dict(sharks.random_pack(SAMPLERNN).tensors)
    tensors["sample.out.bias"] = tensors["sample.out.bias"] + np.float32(1e6)
    with pytest.raises(sharks.PackError, match="65504"):
        Pack(SAMPLERNN, tensors).save(tmp_path / "a.safetensors", dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_run_directory(file: pathlib.Path) -> None:
    with pytest.raises(sharks.PackError, match=r"holds no best\.safetensors"):
        sharks.load(file.parent)
    file.rename(file.with_name("best.safetensors"))
    assert sharks.load(file.parent).path == file.with_name("best.safetensors")


def test_without_golden_steps(tmp_path: pathlib.Path) -> None:
    pack = sharks.random_pack(SAMPLERNN)
    path = pack.save(tmp_path / "a.safetensors", golden=False)
    assert b"golden" not in path.read_bytes()
    assert np.array_equal(sharks.load(path).golden.logits, pack.golden.logits)


# What a pack refuses when it is made


def test_tensors_must_be_those_of_the_spec() -> None:
    good = dict(sharks.random_pack(SAMPLERNN).tensors)
    name = "tiers.0.rnn.0.w_hh"
    bad: dict[str, dict[str, np.ndarray]] = {
        "is missing": {k: v for k, v in good.items() if k != name},
        "is left over": good | {"extra": good[name]},
        "has shape": good | {name: good[name].T},
        "NaN": good | {name: np.where(good[name] == good[name].max(), np.nan, good[name]).astype(np.float32)},
        "has dtype": good | {name: good[name].astype(np.int32)},
    }
    for words, tensors in bad.items():
        with pytest.raises(sharks.PackError, match=words):
            Pack(SAMPLERNN, tensors)


def test_tensors_cannot_change_under_an_engine() -> None:
    mine = {name: array.copy() for name, array in sharks.random_pack(SAMPLERNN).tensors.items()}
    pack = Pack(SAMPLERNN, mine)
    before = pack.sha256
    mine["sample.out.bias"][:] = 0
    assert Pack(SAMPLERNN, pack.tensors).sha256 == before
    with pytest.raises(ValueError, match="read-only"):
        pack.tensors["sample.out.bias"][:] = 0


def test_bad_arguments(tmp_path: pathlib.Path) -> None:
    pack = sharks.random_pack(SAMPLERNN)
    with pytest.raises(sharks.UsageError, match="ends in .safetensors"):
        pack.save(tmp_path / "model.pt")
    with pytest.raises(sharks.UsageError, match="float32 or float16"):
        pack.save(tmp_path / "a.safetensors", dtype="int8")
    for about in ({"x": float("nan")}, {"x": object()}, {"x": "y" * 70000}):
        with pytest.raises(sharks.UsageError, match="about"):
            Pack(SAMPLERNN, pack.tensors, about=about)
    with pytest.raises(sharks.UsageError, match="seed"):
        sharks.random_pack(SAMPLERNN, seed=-1)
    assert list(tmp_path.iterdir()) == []


# What a file can do to us: nothing


def refused(path: pathlib.Path, words: str | None = None) -> None:
    """`load` refuses the file with one short sentence of the right kind that names it, quickly."""
    gc.freeze()  # what other tests left in memory is not walked through at this file's expense
    try:
        start = time.process_time()
        with pytest.raises(sharks.PackError, match=words) as caught:
            sharks.load(path)
        took = time.process_time() - start
    finally:
        gc.unfreeze()
    assert took < 1
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 400


def signed(header: str | bytes, payload: bytes, length: int | None = None) -> bytes:
    """A file with a header that someone wrote by hand and signed properly: only the deeper checks can refuse it."""
    text = header.encode() if isinstance(header, str) else header
    head = (len(text) if length is None else length).to_bytes(8, "little") + text
    zeroed = head[: DIGEST.start] + b"0" * 64 + head[DIGEST.stop :]
    return head[: DIGEST.start] + hashlib.sha256(zeroed).hexdigest().encode() + head[DIGEST.stop :] + payload


def parts(path: pathlib.Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def dump(header: dict) -> str:
    return json.dumps(header, separators=(",", ":"))


def test_signing_by_hand_is_what_save_does(file: pathlib.Path) -> None:
    header, payload = parts(file)
    text = dump(header)
    assert signed(text + " " * (-len(text) % 8), payload) == file.read_bytes()


def test_every_flipped_bit_is_noticed(file: pathlib.Path) -> None:
    """Exhaustive: all bits of the length word, the header with its padding and digests, and the payload."""
    data = bytearray(
        sharks.random_pack(specs.replace(SAMPLERNN, q_levels=2, dim=1, embed_dim=0)).save(file).read_bytes()
    )
    sharks.load(file)
    missed = []
    with open(file, "r+b") as raw:
        for place in range(len(data)):
            bit = 1 << place % 8 if place > 8 else 0
            for flip in [bit] if bit else [1 << b for b in range(8)]:
                os.pwrite(raw.fileno(), bytes([data[place] ^ flip]), place)
                try:
                    sharks.load(file)
                    missed.append((place, flip))
                except sharks.PackError:
                    pass
            os.pwrite(raw.fileno(), bytes([data[place]]), place)
    assert missed == []
    sharks.load(file)


def test_every_truncation_and_trailing_bytes(file: pathlib.Path) -> None:
    data = file.read_bytes()
    header, payload = parts(file)
    start = len(data) - len(payload)
    ends = {0, 1, 7, 8, 9, DIGEST.start, DIGEST.stop, start - 1, start, len(data) - 1}
    ends |= {start + offset for name, entry in header.items() if name[0] != "_" for offset in entry["data_offsets"]}
    ends.remove(len(data))
    for end in ends:
        file.write_bytes(data[:end])
        refused(file)
    for tail in (b"\0", b" ", data):
        file.write_bytes(data + tail)
        refused(file)


def test_three_thousand_mutations(file: pathlib.Path) -> None:
    good = file.read_bytes()
    start = len(good) - len(parts(file)[1])
    chance = random.Random(1)
    slowest = 0.0
    for i in range(3000):
        bad = _mutate(bytearray(good), start, chance)
        file.unlink()  # what is overwritten may wait for the disk
        file.write_bytes(bad)
        begin = time.process_time()
        try:
            sharks.load(file)
        except sharks.Error as error:
            assert "\n" not in str(error)
        else:
            assert bad == good, f"mutation {i} was not noticed"
        slowest = max(slowest, time.process_time() - begin)
    assert slowest < 1


def _mutate(data: bytearray, start: int, chance: random.Random) -> bytearray:
    place = chance.choice([chance.randrange(8), chance.randrange(8, start), chance.randrange(start, len(data))])
    size = chance.choice([1, 1, 4, 8, 64])
    match chance.randrange(8):
        case 0 | 1:
            data[place] ^= 1 << chance.randrange(8)
        case 2:
            for _ in range(size):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 3:
            data[place:place] = chance.randbytes(size)
        case 4:
            del data[place : place + size]
        case 5:
            del data[place:]
        case 6:
            data[place : place + size] = data[start : start + size]
        case 7:
            length = chance.choice([0, 1, start - 16, start, len(data), 1 << 22, 1 << 31, 1 << 62, (1 << 64) - 1])
            data[:8] = length.to_bytes(8, "little")
    return data


FORGERIES: dict[str, Callable[[dict], object]] = {
    "huge shape": lambda h: h["sample.out.weight"].update(shape=[1 << 39, 1 << 39]),
    "shape beyond everything": lambda h: h["sample.out.weight"].update(shape=[1 << 64, 1 << 64]),
    "endless shape": lambda h: h["sample.out.weight"].update(shape=[1] * 100000),
    "negative shape": lambda h: h["sample.out.weight"].update(shape=[-16, -5]),
    "shape of floats": lambda h: h["sample.out.weight"].update(shape=[16.0, 5.0]),
    "shape of truths": lambda h: h["sample.out.weight"].update(shape=[True, 80]),
    "shape as text": lambda h: h["sample.out.weight"].update(shape="16,5"),
    "transposed shape": lambda h: h["sample.out.weight"].update(shape=[5, 16]),
    "offsets elsewhere": lambda h: h["sample.out.weight"].update(data_offsets=[0, 320]),
    "offsets as floats": lambda h: h["codec.decode"].update(data_offsets=[0.0, 64.0]),
    "offsets as nothing": lambda h: h["codec.decode"].update(data_offsets=None),
    "unknown dtype": lambda h: h["codec.decode"].update(dtype="BF16"),
    "dtype as list": lambda h: h["codec.decode"].update(dtype=["F32"]),
    "integer weights": lambda h: h["sample.out.weight"].update(dtype="I32"),
    "more in an entry": lambda h: h["codec.decode"].update(extra=1),
    "entry as number": lambda h: h.update({"codec.decode": 3}),
    "renamed": lambda h: h.update({"x" * 100000: h.pop("sample.out.bias")}),
    "left out": lambda h: h.pop("sample.out.bias"),
    "other format": lambda h: h["__metadata__"].update(format="sharks pack 2"),
    "no spec": lambda h: h["__metadata__"].pop("spec"),
    "unknown metadata": lambda h: h["__metadata__"].update(more="x"),
    "metadata not text": lambda h: h["__metadata__"].update(about={}),
    "about not an object": lambda h: h["__metadata__"].update(about="[1]"),
    "about with NaN": lambda h: h["__metadata__"].update(about='{"x":NaN}'),
    "about too deep": lambda h: h["__metadata__"].update(about='{"x":' + "[" * 200000 + "]" * 200000 + "}"),
    "number too long": lambda h: h["__metadata__"].update(about='{"x":' + "9" * 100000 + "}"),
    "about twice": lambda h: h["__metadata__"].update(about='{"x":1,"x":1}'),
    "no digests": lambda h: h["__metadata__"].pop("sha256"),
    "digest missing": lambda h: h["__metadata__"].update(sha256="{}"),
    "digests as list": lambda h: h["__metadata__"].update(sha256="[]"),
    "golden as list": lambda h: h["__metadata__"].update(golden="[]"),
    "golden unknown": lambda h: h["__metadata__"].update(golden='{"x":1}'),
    "golden hot": lambda h: h["__metadata__"].update(golden='{"temperature":1e300,"seed":0,"stream":0}'),
    "golden seed": lambda h: h["__metadata__"].update(golden='{"temperature":1.0,"seed":-1,"stream":0}'),
    "golden settings missing": lambda h: h["__metadata__"].pop("golden"),
}
SPEC_FORGERIES: dict[str, dict[str, object]] = {
    "larger": {"dim": 6},
    "enormous": {"dim": 16384, "layers": 64},
    "absurd": {"dim": 1 << 70},
    "unknown field": {"colour": "blue"},
    "unknown family": {"family": "transformer"},
    "wrong type": {"dim": "5"},
    "long tuple": {"frame_sizes": list(range(1, 100000))},
    "nested tuple": {"frame_sizes": [[[2]]]},
    "broken codec": {"codec": "LIN-X"},
    "codec without such levels": {"codec": "MU-T"},
    "mixture": {"output": "gaussian"},
    "two families": {"family": "wavenet"},
    "tables of another codec": {"codec": "LIN-P"},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_signed_forgeries(name: str, file: pathlib.Path) -> None:
    header, payload = parts(file)
    FORGERIES[name](header)
    file.write_bytes(signed(dump(header), payload))
    refused(file)


@pytest.mark.parametrize("name", SPEC_FORGERIES)
def test_signed_specs(name: str, file: pathlib.Path) -> None:
    header, payload = parts(file)
    header["__metadata__"]["spec"] = dump(json.loads(header["__metadata__"]["spec"]) | SPEC_FORGERIES[name])
    file.write_bytes(signed(dump(header), payload))
    refused(file)


def test_signed_headers_that_are_no_headers(file: pathlib.Path) -> None:
    header, payload = parts(file)
    text = dump(header)
    entry = ',"codec.decode":' + dump(header["codec.decode"])
    for bad in (
        text.replace(entry, entry + entry, 1),
        text[:-1] + ',"__metadata__":{}}',
        text[:-1],
        text + "x",
        text[:-1] + ',"deep":' + "[" * 500000 + "}",
        text[:-1] + ',"wide":[' + "[]," * 680000 + "0]}",
        text.replace('"F32"', '"F32\\ud800"', 1),
    ):
        file.write_bytes(signed(bad, payload))
        refused(file)
    file.write_bytes(signed(text.encode().replace(b"codec", b"c\xff\xfeec", 1), payload))
    refused(file)


@pytest.mark.parametrize("tensor", ["sample.out.weight", "codec.decode", "golden.free", "golden.logits"])
def test_signed_values(tensor: str, tmp_path: pathlib.Path) -> None:
    """Numbers that no model holds are refused, even when every digest is right."""
    pack = sharks.random_pack(SAMPLERNN)
    path = tmp_path / "a.safetensors"
    arrays = pack.tables | pack.golden.tensors() | pack.tensors
    bad = arrays[tensor].copy()
    bad.reshape(-1)[3] = 1000 if bad.dtype == np.int32 else np.inf
    with tensorfile.TensorFile(pack.save(path)) as file:
        metadata = file.metadata
    tensorfile.write(path, arrays, metadata)
    sharks.load(path)
    tensorfile.write(path, arrays | {tensor: bad}, metadata)
    refused(path)


def test_refusing_takes_little_memory(file: pathlib.Path) -> None:
    """A small file cannot ask for much, and a sparse large one is not read."""
    header, payload = parts(file)
    wide = dump(header)[:-1] + ',"wide":[' + "[]," * 680000 + "0]}"
    header["sample.out.weight"]["shape"] = [1 << 30, 1 << 30]
    for bad in (signed(wide, payload), signed(dump(header), payload)):
        file.write_bytes(bad)
        tracemalloc.start()
        with pytest.raises(sharks.PackError):
            sharks.load(file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 << 20
    os.truncate(file, 1 << 40)
    refused(file)


def test_what_is_not_a_pack(tmp_path: pathlib.Path) -> None:
    for name in ("model.pt", "model.pkl", "model.ckpt", "MODEL.PTH"):
        (tmp_path / name).write_bytes(b"\x80\x02}q\x00.")
        refused(tmp_path / name, "sharks import")
    other = tmp_path / "other.safetensors"
    safetensors.numpy.save_file({"x": np.zeros(3, np.float32)}, other)
    refused(other, "sharks import")
    for content in (b"", b"\0" * 100, b"PK\x03\x04" * 100, b"text\n" * 100, os.urandom(1000)):
        other.write_bytes(content)
        refused(other)
    refused(tmp_path / "missing.safetensors", "No such file")
    os.mkfifo(tmp_path / "pipe.safetensors")
    refused(tmp_path / "pipe.safetensors", "ordinary file")
    with pytest.raises(sharks.PackError, match="null"):
        sharks.load("a\0b.safetensors")


# Nothing half-written


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("at", ["write", "fsync", "replace"])
def test_a_save_that_fails_changes_nothing(
    error: BaseException, at: str, file: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()
    pack = sharks.random_pack(WAVENET)
    assert pack.golden

    def fail(*_: object) -> None:
        raise error

    if at == "write":
        monkeypatch.setattr("builtins.open", _full_disk(error, after=3))
    else:
        monkeypatch.setattr(os, at, fail)
    with pytest.raises(sharks.ResourceError if isinstance(error, OSError) else type(error)):
        pack.save(file)
    monkeypatch.undo()
    assert os.listdir(file.parent) == [file.name]
    assert file.read_bytes() == before
    assert pack.path is None


def _full_disk(error: BaseException, after: int) -> Callable[..., object]:
    """`open` for a disk on which the write number `after` fails half-way."""

    def opened(path: object, mode: str) -> object:
        file = original(path, mode)
        writes = iter(range(after))

        class Full:
            def write(self, data: bytes) -> None:
                if next(writes, None) is None:
                    file.write(bytes(data)[: len(data) // 2])
                    raise error
                file.write(data)

            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

        return Full()

    original = open
    return opened


def test_a_folder_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "missing" / "a.safetensors", tmp_path / "file" / "a.safetensors"):
        with pytest.raises(sharks.ResourceError, match="cannot be written"):
            sharks.random_pack(SAMPLERNN).save(place)
    assert os.listdir(tmp_path) == ["file"]


# Random packs


def test_random_packs_are_the_same_everywhere() -> None:
    a, b = sharks.random_pack(SAMPLERNN, seed=1), sharks.random_pack(SAMPLERNN, seed=2)
    assert same(a, sharks.random_pack(SAMPLERNN, seed=1))
    assert not same(a, b)
    first = a.tensors["tiers.0.expand.weight"].reshape(-1)[:3] / np.float32(1.4 * (3 / 2) ** 0.5)
    words = np.random.PCG64(1).random_raw(2)
    halves = [words[0] & 0xFFFFFFFF, words[0] >> 32, words[1] & 0xFFFFFFFF]
    assert np.allclose(first, [(int(half) >> 8) / 2**23 - 1 for half in halves], atol=1e-6)


@pytest.mark.parametrize("name", [name for name in sharks.presets() if name.endswith("-tiny")] + ["wavenet-music"])
def test_random_packs_are_lively(name: str) -> None:
    """Neither silent nor stuck: what is drawn varies, and what is predicted depends on the past."""
    golden = sharks.random_pack(sharks.preset(name)).golden
    p = np.exp(golden.logits.astype(float) - golden.logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    entropy = -np.sum(p * np.log2(p + 1e-30), 1).mean()
    assert 0.5 < entropy < 7
    assert 0.5 < golden.logits.std(0).mean() < 5
    assert np.abs(golden.logits).max() < 50
    assert len(set(golden.free.tolist())) > 20


@pytest.mark.parametrize("name", ["k" * 90, "海の歌 🎵" * 9, 'a "quoted"\\\n name', "\udcff bytes", "x" * 70_000, "s"])
@pytest.mark.parametrize("count", [1, 2, 1000, 40_000])
def test_any_number_of_songs_with_any_names_fits_into_a_pack(name: str, count: int) -> None:
    names = [f"{number} {name}" for number in range(count)]
    about = with_songs({"preset": "tiny", "songs": [], "nll_bits": 1.5}, names)
    assert list(about)[:3] == ["preset", "songs", "nll_bits"]
    kept = about["songs"]
    assert kept == names[: len(kept)]
    size = len(json.dumps(about, separators=(",", ":")))
    assert size <= MOST_ABOUT_BYTES
    if len(kept) == count:
        assert "songs_in_all" not in about
    else:
        assert about["songs_in_all"] == count
        one_more = len(json.dumps(names[len(kept)])) + 1
        assert size + one_more > MOST_ABOUT_BYTES, "a name that fits was left out"
