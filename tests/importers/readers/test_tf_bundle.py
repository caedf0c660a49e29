"""TensorFlow bundles: recorded ones bit for bit, written ones of every kind, and one sentence for each damage."""

from __future__ import annotations

import pathlib
import re
import shutil

import numpy as np
import pytest

from importers import bundle_writer as writer
from importers.hostile_bundles import GOOD, WRONG_BLOCKS, WRONG_INDICES, table_around, table_with
from sharks.errors import PackError
from sharks.importers.readers.crc32c import crc32c, masked_crc32c
from sharks.importers.readers.tf_bundle import read_bundle

RECORDED = pathlib.Path(__file__).parents[1] / "recorded"
GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "recorded"
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
RNG = np.random.default_rng(6)

TENSORS = {
    "a": RNG.standard_normal((3, 4)).astype(np.float32),
    "a/b": RNG.standard_normal((2, 3, 5)),
    "a/c/d": np.arange(7, dtype=np.int32),
    "b": np.array(5, np.int64),
    "c/empty": np.zeros((0, 3), np.float32),
    "c/flags": np.array([True, False, True]),
    "half": RNG.standard_normal(6).astype(np.float16),
    "z": np.array([-3, 4], np.int16),
}


@pytest.fixture
def prefix(tmp_path):
    path = tmp_path / "model.ckpt-3"
    writer.write_bundle(path, TENSORS, shards=2)
    return path


def golden(name):
    with np.load(GOLDEN / name) as arrays:
        return {key.removeprefix("var/").removesuffix(":0"): arrays[key] for key in arrays if key.startswith("var/")}


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


# Recorded files


def test_ibab_bit_for_bit():
    bundle, wanted = read_bundle(RECORDED / "ibab_ckpt"), golden("ibab_wavenet.npz")
    assert bundle.keys() == {name if name.startswith("wavenet/") else f"wavenet/{name}" for name in wanted}
    for name, array in wanted.items():
        assert same(bundle[name if name in bundle else f"wavenet/{name}"], array), name


def test_prism_bit_for_bit():
    """The two name the same variables differently: each array of one is one of the other, and none is left."""
    bundle, wanted = read_bundle(RECORDED / "prism_gru_ckpt"), golden("prism_gru.npz")
    variables = [name for name in bundle if "optimizer" not in name]
    assert len(variables) == len(wanted) == 26
    assert sorted(bundle[name].tobytes() for name in variables) == sorted(a.tobytes() for a in wanted.values())
    embeddings = f"sample_mlp/embedding/embeddings{VALUE}"
    assert same(bundle[embeddings], next(a for name, a in wanted.items() if name.endswith("embeddings")))
    assert bundle[f"optimizer/_iterations{VALUE}"].dtype == np.int64
    assert bundle.shapes[f"frame_rnn/rnn/layer_0/cell/bias{VALUE}"] == (2, 144)


@pytest.mark.parametrize("suffix", ["", ".index", ".data-00000-of-00001", ".meta"])
def test_every_name_of_a_checkpoint_finds_it(suffix):
    assert len(read_bundle(RECORDED / "prism_gru_ckpt" / f"model.ckpt-7{suffix}")) == 28


# Written files


def test_every_dtype_over_two_shards(prefix):
    bundle = read_bundle(prefix)
    assert dict(bundle.shapes) == {name: array.shape for name, array in TENSORS.items()}
    for name, array in TENSORS.items():
        assert same(bundle[name], array.astype(np.float32) if array.dtype == np.float16 else array), name


def test_bfloat16(tmp_path):
    values = RNG.standard_normal((3, 5)).astype(np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    writer.write_bundle(tmp_path / "x", {"w": bits}, bfloat16=frozenset(["w"]))
    wide = read_bundle(tmp_path / "x")["w"]
    assert wide.dtype == np.float32 and np.abs(wide - values).max() < 2**-7 * np.abs(values).max()
    assert np.array_equal(wide.view(np.uint32) >> 16, bits)


def test_big_endian(tmp_path):
    writer.write_bundle(tmp_path / "x", TENSORS, big=True)
    bundle = read_bundle(tmp_path / "x")
    assert np.array_equal(bundle["a"], TENSORS["a"]) and bundle["a"].dtype == np.float32
    assert np.array_equal(bundle["a/c/d"], TENSORS["a/c/d"])


def test_without_checksums(tmp_path):
    writer.write_bundle(tmp_path / "x", TENSORS, checksums=False)
    assert same(read_bundle(tmp_path / "x")["a"], TENSORS["a"])


@pytest.mark.parametrize("per_block", [1, 3, 200])
def test_many_entries(tmp_path, per_block):
    tensors = {f"layer_{n:03d}/kernel": np.full((2,), n, np.float32) for n in range(100)}
    writer.write_bundle(tmp_path / "x", tensors, per_block=per_block)
    bundle = read_bundle(tmp_path / "x")
    assert list(bundle) == sorted(tensors)
    assert all(same(bundle[name], array) for name, array in tensors.items())


def test_texts_are_left_out(tmp_path):
    writer.write_bundle(tmp_path / "x", {"w": np.ones(3, np.float32)}, strings={"_CHECKPOINTABLE_OBJECT_GRAPH": b"?"})
    assert list(read_bundle(tmp_path / "x")) == ["w"]


def test_only_what_is_asked_for_is_read(prefix):
    shard = prefix.with_name(f"{prefix.name}.data-00000-of-00002")
    names = [name for n, name in enumerate(sorted(TENSORS)) if n % 2 == 0]
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1  # of the last tensor of this shard
    shard.write_bytes(data)
    bundle = read_bundle(prefix)
    assert same(bundle[names[0]], TENSORS[names[0]])
    with pytest.raises(PackError, match=f"tensor '{names[-1]}' is damaged: its checksum"):
        bundle[names[-1]]


# Folders


def test_a_folder_names_its_newest(tmp_path):
    for step in (2, 10):
        writer.write_bundle(tmp_path / f"model.ckpt-{step}", {"step": np.array(step, np.int32)})
    with pytest.raises(PackError, match="holds 2 TensorFlow checkpoints"):
        read_bundle(tmp_path)
    (tmp_path / "checkpoint").write_text(
        'all_model_checkpoint_paths: "model.ckpt-10"\nmodel_checkpoint_path: "/gone/model.ckpt-2"\n'
    )
    assert read_bundle(tmp_path)["step"] == 2
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "model.ckpt-10.index").unlink()
    assert read_bundle(tmp_path)["step"] == 2


def test_a_folder_stays_in_its_folder(tmp_path):
    outside = tmp_path / "outside"
    writer.write_bundle(outside, {"w": np.ones(1, np.float32)})
    inside = tmp_path / "inside"
    inside.mkdir()
    for named in ("../outside", str(outside), "..\\\\outside", "\\056\\056/outside"):
        (inside / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
        with pytest.raises(PackError, match=re.escape(str(inside / "outside.index"))):
            read_bundle(inside)


def test_octal_escapes(tmp_path):
    writer.write_bundle(tmp_path / "mé", {"w": np.ones(1, np.float32)})
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "m\\303\\251"\n')
    assert list(read_bundle(tmp_path)) == ["w"]


# Damage


def test_a_missing_shard(prefix):
    prefix.with_name(f"{prefix.name}.data-00001-of-00002").unlink()
    with pytest.raises(PackError, match=r"data-00001-of-00002: cannot be opened \(No such file"):
        read_bundle(prefix)


def test_a_short_shard(prefix):
    shard = prefix.with_name(f"{prefix.name}.data-00000-of-00002")
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(PackError, match="ends at byte .*, inside tensor"):
        read_bundle(prefix)


def test_every_flipped_bit_of_the_index_shows(prefix):
    index = prefix.with_name(f"{prefix.name}.index")
    good = index.read_bytes()
    used = len(good) - 48 + good[-48:-8].rstrip(b"\0").__len__()
    for at in range(len(good)):
        if used <= at < len(good) - 8:
            continue  # the footer's padding
        index.write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        with pytest.raises(PackError):
            read_bundle(prefix)


def test_the_oldest_form(tmp_path):
    (tmp_path / "model.ckpt-1").write_bytes(b"x" * 100)
    with pytest.raises(PackError, match="no checkpoint of TensorFlow 0.12 or later"):
        read_bundle(tmp_path / "model.ckpt-1")


@pytest.mark.parametrize("content, sentence", WRONG_INDICES.values(), ids=WRONG_INDICES)
def test_wrong_indices(tmp_path, content, sentence):
    (tmp_path / "x.index").write_bytes(content)
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(64))
    with pytest.raises(PackError, match=sentence) as caught:
        read_bundle(tmp_path / "x")
    assert str(caught.value).startswith(str(tmp_path / "x.index")) or "data" in str(caught.value)


def test_the_wrong_indices_are_nearly_right(tmp_path):
    (tmp_path / "x.index").write_bytes(table_with([(b"w", GOOD)]))
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(64))
    assert np.array_equal(read_bundle(tmp_path / "x")["w"], [0, 0])


@pytest.mark.parametrize("sealed, sentence", WRONG_BLOCKS.values(), ids=WRONG_BLOCKS)
def test_wrong_blocks(tmp_path, sealed, sentence):
    (tmp_path / "x.index").write_bytes(table_around(sealed))
    with pytest.raises(PackError, match=sentence):
        read_bundle(tmp_path / "x")


@pytest.mark.parametrize(
    "entry, kind",
    [
        (writer.entry(8, (1,), 0, 0, 8, None), "TensorFlow's dtype 8"),  # complex64
        (writer.entry(1, (2,), 0, 0, 0, None) + writer.field(7, b""), "is spread over slices"),
    ],
)
def test_kinds_that_are_not_read_may_be_there(tmp_path, entry, kind):
    (tmp_path / "x.index").write_bytes(table_with([(b"v", entry), (b"w", writer.entry(1, (2,), 0, 8, 8, None))]))
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(64))
    bundle = read_bundle(tmp_path / "x")
    assert np.array_equal(bundle["w"], [0, 0])
    with pytest.raises(PackError, match=kind):
        bundle["v"]


def test_what_is_no_file(tmp_path):
    (tmp_path / "x.index").mkdir()
    with pytest.raises(PackError, match="is not an ordinary file"):
        read_bundle(tmp_path / "x")
    shutil.rmtree(tmp_path / "x.index")
    with pytest.raises(PackError, match="cannot be opened"):
        read_bundle(tmp_path / "x")
    (tmp_path / "checkpoint").write_text("nonsense")
    with pytest.raises(PackError, match="names no model_checkpoint_path"):
        read_bundle(tmp_path)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "x/.."')
    with pytest.raises(PackError, match="which is no checkpoint"):
        read_bundle(tmp_path)


# The checksum


def test_crc32c():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert masked_crc32c(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize("length", [0, 1, 33, 255, 256, 257, 271, 272, 511, 512, 1000, 4096, 16384, 20001])
def test_crc32c_by_the_definition(length):
    data = RNG.bytes(length)
    assert crc32c(data) == writer.crc32c(data)


def test_crc32c_over_chunks():
    """The CRC of zeros behind data, by the definition of the register, and across the size of a chunk."""
    data = RNG.bytes((1 << 22) + 5)
    for at in (0, (1 << 22) - 1, 1 << 22, len(data) - 1):
        flipped = bytearray(data)
        flipped[at] ^= 4
        assert crc32c(bytes(flipped)) != crc32c(data)
    register = crc32c(data[: 1 << 22]) ^ 0xFFFFFFFF
    for byte in data[1 << 22 :]:
        register = writer.eight_bits(register ^ byte)
    assert crc32c(data) == register ^ 0xFFFFFFFF
