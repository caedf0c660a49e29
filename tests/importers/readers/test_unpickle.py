"""Pickles of every protocol give what Python's own reader gives, and nothing that they name is ever run."""

from __future__ import annotations

import collections
import io
import pickle
import pickletools
import struct
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import pickle_writer as w
from importers.hostile_pickles import COSTLY, EVIL_WAYS, LAUGHS, RECURSIVE, REFUSED, WRONG, laughs
from sharks.errors import PackError
from sharks.importers.readers.checkpoint_file import MOST_EXTRA_BYTES
from sharks.importers.readers.pickle_structure import MOST_DEPTH, check_structure
from sharks.importers.readers.pickle_values import CONSTRUCTORS, Global, Record
from sharks.importers.readers.unpickle import read_pickle

RNG = np.random.default_rng(6)
PROTOCOLS = pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))


@pytest.fixture
def read(tmp_path):
    def read(data: bytes):
        path = tmp_path / "x.pkl"
        path.write_bytes(data)
        return read_pickle(path)

    return read


def same(a, b):
    """Equal in value, type, shape and dtype (but for byte order), all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=") and np.array_equal(a, b)
    return a == b or (a != a and b != b)


def test_same_tells_apart():
    a = np.zeros(3, np.float32)
    assert same([a, 1, {"x": (None,)}], [a.copy(), 1, {"x": (None,)}])
    for other in (a + 1, a[:2], a.astype(np.float64), [0.0] * 3):
        assert not same([a], [other])
    assert not same(1, True) and not same({"a": 1, "b": 2}, {"b": 2, "a": 1}) and not same((1,), [1])


# Arrays

ARRAYS = {
    "weights": RNG.standard_normal((3, 4)).astype(np.float32),
    "double": RNG.standard_normal((2, 3, 4)),
    "half": RNG.standard_normal(3).astype(np.float16),
    "columns": np.asfortranarray(RNG.standard_normal((4, 3)).astype(np.float32)),
    "big endian": np.arange(6, dtype=">f4").reshape(2, 3),
    "int": np.arange(-3, 3),
    "byte": np.arange(256, dtype=np.uint8),
    "bool": np.array([[True], [False]]),
    "empty": np.zeros((0, 3), np.float32),
    "no dimensions": np.array(2.5, np.float32),
    "large": RNG.standard_normal((64, 129)).astype(np.float32),  # beyond the size of what may be a text
}


@PROTOCOLS
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(read, protocol, name):
    array = ARRAYS[name]
    got = read(pickle.dumps({"a": array, "b": [array]}, protocol))
    assert same(got, {"a": array, "b": [array]})
    assert got["a"].flags.f_contiguous == array.flags.f_contiguous
    assert not got["a"].flags.writeable


@PROTOCOLS
def test_numpy_numbers(read, protocol):
    numbers = [np.float32(1.5), np.float64(-2.25), np.int64(7), np.bool_(True), np.float16(0.5)]
    assert same(read(pickle.dumps(numbers, protocol)), numbers)


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_old_and_new_modules_of_numpy(read, module):
    data = w.call(module, "scalar", w.dtype("f8"), w.raw(struct.pack("<d", 1.5)))
    assert read(data + b".") == 1.5


def test_the_dtypes_of_pickles_share_the_file(read):
    """An array of many bytes is not copied once it has been read."""
    array = read(pickle.dumps(RNG.standard_normal(5000), 2))
    assert array.base is not None


# Python 2


PYTHON_2 = {
    "FrameLevel.h0": ARRAYS["weights"],
    "SampleLevel.Embedding": ARRAYS["large"],
    "d": ARRAYS["double"],
    "columns": ARRAYS["columns"],
    "every byte": np.arange(256, dtype=np.uint8),
    "quotes": np.frombuffer(b"'\"\\'\\\"\n\r\t\\x41", np.uint8),
    "one quote": np.frombuffer(b"it's \\", np.uint8),
    "scalar": np.float32(0.25),
    "text": "na\xefve",
    "epoch": 12,
    "cost": 1.25,
}


def test_as_python_2_wrote_them(read):
    data = w.python2_pickle(PYTHON_2)
    assert same(pickle.loads(data, encoding="latin1"), PYTHON_2)  # the writer is right
    assert same(read(data), PYTHON_2)


def test_long_strings_are_read_in_pieces(read):
    """Escapes across the ends of pieces, wherever these fall."""
    for shift in range(5):
        contents = b"a" * ((1 << 20) - 4 + shift) + b"\\\x00\\'\xff" * 3 + b"\\" * 9 + b"\x01" * (1 << 20)
        array = np.frombuffer(contents, np.uint8)
        got = read(w.python2_pickle({"a": array}))["a"]
        assert np.array_equal(got, array), shift


@pytest.mark.parametrize("protocol", [1, 2])
def test_python_2_strings(read, protocol):
    head = b"" if protocol == 1 else b"\x80\x02"
    assert read(head + b"U\x03na\xef.") == "na\xef"
    assert read(head + b"T\x03\x00\x00\x00na\xef.") == "na\xef"
    assert read(head + b"T\x00\x20\x00\x00" + b"\xff" * 8192 + b".") == b"\xff" * 8192


def test_python_2_classes(read):
    """An instance of a class with and without `object`, and types by their old names."""
    new = read(b"ccopy_reg\n_reconstructor\n(cmodels\nNet\nc__builtin__\nobject\nNtR(dS'a'\nI1\nsb.")
    assert (new.kind, new.state) == (Global("models", "Net"), {"a": 1})
    old = read(b"(imodels\nOld\n(dS'a'\nI2\nsb.")
    assert (old.kind, old.state) == (Global("models", "Old"), {"a": 2})
    assert read(b"c__builtin__\nunicode\n.") == Global("builtins", "str")


def test_an_old_class_with_arguments_is_refused(read):
    with pytest.raises(PackError, match="holds models.Old, which is no array"):
        read(b"(S'a'\nimodels\nOld\n.")


# Plain values

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**500), 2**500)
    | st.floats()
    | st.text(max_size=30)
    | st.binary(max_size=30)
)
KEYS = st.text(max_size=8) | st.integers(-(2**59), 2**59)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4) | st.tuples(inner, inner, inner)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=300)
@given(tree=TREES, protocol=st.integers(0, 5))
def test_any_tree(tree, protocol, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "tree.pkl"
    path.write_bytes(pickle.dumps(tree, protocol))
    assert same(read_pickle(path), tree)


@PROTOCOLS
def test_containers(read, protocol):
    value = {
        "ordered": collections.OrderedDict(a=1, b=2),
        "default": collections.defaultdict(list, {"a": [1]}),
        "set": {1, 2},
        "frozen": frozenset(["a"]),
        "bytes": b"\x00\xff",
        "array": bytearray(b"xy"),
        "many": list(range(3000)),
        "wide": "\u20ac \U0001f988",
    }
    got = read(pickle.dumps(value, protocol))
    plain = {key: dict(v) if isinstance(v, dict) else v for key, v in value.items()}
    assert got == plain | {"frozen": {"a"}, "array": b"xy"}


class Net(dict):
    """Stands for a class of somebody else; read as an inert record."""

    def __init__(self, size):
        super().__init__(weights=[size])
        self.size = size

    def __setstate__(self, state):
        raise AssertionError("nothing of a file may run")


@PROTOCOLS
def test_unknown_classes_are_inert(read, protocol):
    net = Net(3)
    net.parts = [Net(1)]
    record = read(pickle.dumps({"net": net}, protocol))["net"]
    assert type(record) is Record and record.kind == Global(Net.__module__, "Net")
    assert record.state["size"] == 3 and type(record.state["parts"][0]) is Record
    entries = record.entries or (record.state and record.entries)
    if protocol >= 2:  # before, a dict's subclass carries its contents as a third argument
        assert entries == {"weights": [3]}


def test_records_are_their_own_keys(read):
    """As the parameters are in an optimiser that was saved whole."""
    (key,) = read(w.name("m", "A") + b")\x81" + w.put(0) + b"0}" + w.get(0) + b"I1\ns.")
    assert type(key) is Record and {key: 1}[key] == 1


def test_what_is_shared_stays_shared(read):
    inner = [1]
    got = read(pickle.dumps([inner, inner, (inner,)]))
    assert got[0] is got[1] is got[2][0]


def test_every_instruction_is_known_or_refused():
    """Python's own list of instructions: each is read, but for those that reach outside the file."""
    from sharks.importers.readers.unpickle import _STEPS

    ours = {step.decode("latin-1") for step in _STEPS} | {"."}
    outside = {op.code for op in pickletools.opcodes if op.name in ("EXT1", "EXT2", "EXT4", "NEXT_BUFFER")}
    rest = {op.code for op in pickletools.opcodes if op.name == "READONLY_BUFFER"}  # nothing without the one before
    assert ours == {op.code for op in pickletools.opcodes} - outside - rest


# What may not be


@pytest.mark.parametrize("named", REFUSED)
def test_calls_are_refused_by_name(read, named):
    with pytest.raises(PackError) as caught:
        read(REFUSED[named])
    assert f"x.pkl: holds {named}, which is no array; refused" in str(caught.value)


@pytest.mark.parametrize("data", EVIL_WAYS.values(), ids=EVIL_WAYS)
def test_every_way_to_name_a_class(read, data):
    with pytest.raises(PackError, match=r"holds os\.(path\.os\.)?system, which is no array; refused"):
        read(data)


class Evil:
    def __reduce__(self):
        return sys.exit, ()


@PROTOCOLS
def test_reduce_is_refused(read, protocol):
    with pytest.raises(PackError, match="holds sys.exit, which is no array; refused"):
        read(pickle.dumps([Evil()], protocol))


def test_a_call_within_third_parties_does_not_run(read):
    """A class of a record is told, and that is all: a name that looks like a function stays a name."""
    record = read(w.name("mine", "explode") + w.tuple_of(w.text("now")) + b"\x81.")
    assert type(record) is Record and record.kind == Global("mine", "explode") and record.args == ("now",)


def test_the_allow_list_is_ours():
    """Whatever a pickle may call is a function of this package."""
    assert all(make.__module__ == "sharks.importers.readers.pickle_values" for make in CONSTRUCTORS.values())


@pytest.mark.parametrize("data, sentence", WRONG.values(), ids=WRONG)
def test_wrong_pickles(read, data, sentence):
    with pytest.raises(PackError) as caught:
        read(data)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_the_wrong_arrays_are_nearly_right(read):
    assert np.array_equal(read(w.array(w.numbers(2), w.raw(struct.pack("<2f", 1, 2))) + b"."), [1, 2])
    with pytest.raises(PackError, match="fills an array twice"):
        full = w.array(w.numbers(1), w.raw(b"1234"))
        read(full + w.tuple_of(w.number(1), w.numbers(1), w.dtype(), b"\x89", w.raw(b"1234")) + b"b.")


# What contains itself, or nests too deeply


@pytest.mark.parametrize("data", RECURSIVE.values(), ids=RECURSIVE)
def test_what_contains_itself(read, data):
    with pytest.raises(PackError, match="contains itself"):
        read(data)


@pytest.mark.parametrize("open_, close", [(b"]", b"a"), (b"(", b"t"), (b"(", b"l"), (b"}" + w.text("a"), b"s")])
def test_depth(read, open_, close):
    fine = MOST_DEPTH - 2
    assert read(open_ * fine + b"I1\n" + (close * fine)[: len(close) * fine] + b".") is not None
    with pytest.raises(PackError, match="nested more than 200 deep"):
        read(open_ * 50000 + b"I1\n" + close * 50000 + b".")


def test_depth_is_measured_along_the_longest_way():
    """A part that was first met by a short way is still deep at the end of a long one."""
    deep = []
    for _ in range(150):
        deep = [deep]
    long = deep
    for _ in range(100):
        long = [long]
    check_structure([deep, deep])
    with pytest.raises(ValueError, match="nested"):
        check_structure([deep, long])
    with pytest.raises(ValueError, match="nested"):
        check_structure([long, deep])


def test_billion_laughs(read):
    """Sharing is allowed, so reading ends at once; nothing may print, compare or hash it."""
    assert len(read(laughs() + b".")) == 2


@pytest.mark.timeout(5)
@pytest.mark.parametrize("data", LAUGHS.values(), ids=LAUGHS)
def test_nothing_walks_the_laughs(read, data):
    with pytest.raises(PackError):
        read(data)


# Costs


@pytest.mark.timeout(20)
@pytest.mark.parametrize("data", COSTLY.values(), ids=COSTLY)
def test_costs_are_bounded(read, data):
    with pytest.raises(PackError, match="asks for more than|takes more than 500000 steps"):
        read(data)


def test_what_is_read_is_charged_once(read):
    """A file of arrays may be far larger than the extra allowance, in any protocol that Python 2 knew."""
    array = np.zeros(MOST_EXTRA_BYTES // 4 + 1000, np.float32)
    assert np.array_equal(read(pickle.dumps({"a": array}, 2)[:0] + _protocol_2(array))["a"], array)


def _protocol_2(array):
    data = array.tobytes()
    return w.dict_of(a=w.array(w.numbers(*array.shape), b"T" + struct.pack("<i", len(data)) + data)) + b"."


def test_what_is_no_file(tmp_path):
    with pytest.raises(PackError, match="cannot be opened"):
        read_pickle(tmp_path / "missing.pkl")
    with pytest.raises(PackError, match="is not an ordinary file"):
        read_pickle(tmp_path)


def test_the_steps_agree_with_pickletools():
    """The steps written here are pickles as Python itself understands them."""
    for data in (RECURSIVE["record"], laughs(3) + b".", w.array(w.numbers(1), w.raw(b"1234")) + b"."):
        assert list(pickletools.genops(io.BytesIO(data)))[-1][0].name == "STOP"
