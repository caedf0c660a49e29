"""Files of torch: what torch itself writes in both forms, what old versions wrote, and what nobody should write."""

from __future__ import annotations

import pathlib
import struct
import zipfile

import numpy as np
import pytest

from importers import pickle_writer as w
from importers import torch_writer as tw
from importers.hostile_torch import (
    FLOATS,
    OLD,
    STORED,
    WRONG_ARCHIVES,
    WRONG_STREAMS,
    WRONG_TENSORS,
    directory_of,
    floats,
    good_archive,
    many_names,
    parts_of,
    saved,
)
from sharks.errors import PackError
from sharks.importers.readers.pickle_values import Record
from sharks.importers.readers.torch_file import Tensor, read_torch, state_dict_of

RECORDED = pathlib.Path(__file__).parents[1] / "recorded"
GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "recorded"
FORMS = pytest.mark.parametrize("new_form", [True, False], ids=["archive", "stream"])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.pt"

    def write(data: bytes) -> pathlib.Path:
        path.write_bytes(data)
        return path

    return write


def same(a, b):
    return list(a) == list(b) and all(
        a[n].shape == b[n].shape and a[n].dtype == b[n].dtype and np.array_equal(a[n], b[n]) for n in a
    )


@pytest.mark.parametrize("name", ["vincent_wavenet", "deepsound_samplernn"])
def test_recorded_files_bit_for_bit(name):
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        wanted = {key.removeprefix("var/"): arrays[key] for key in arrays if key.startswith("var/")}
    got = state_dict_of(read_torch(RECORDED / f"{name}.pt"))
    assert got.keys() == wanted.keys() and same(got, {key: wanted[key] for key in got})


# What torch itself writes


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch writes these files; the reader does without")


@pytest.fixture(scope="module")
def save(torch, tmp_path_factory):
    """Writes `value` with torch, reads it without."""
    path = tmp_path_factory.mktemp("torch") / "x.pt"

    def save(value, new_form=True, protocol=2):
        torch.save(value, path, _use_new_zipfile_serialization=new_form, pickle_protocol=protocol)
        return read_torch(path)

    return save


@FORMS
@pytest.mark.parametrize("dtype", "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split())
def test_every_dtype(torch, save, dtype, new_form):
    tensor = (torch.arange(12) % 5).reshape(3, 4).to(getattr(torch, dtype))
    got = state_dict_of(save({"w": tensor, "s": tensor[1, 1]}, new_form))
    wide = tensor.float() if dtype in ("float16", "bfloat16") else tensor
    assert same(got, {"w": wide.numpy(), "s": wide[1, 1].numpy()})


@pytest.mark.parametrize("dtype", ["complex64", "float8_e4m3fn"])
def test_other_dtypes_are_refused(torch, save, dtype):
    with pytest.raises(PackError, match="torch"):
        save({"w": torch.zeros(3).to(getattr(torch, dtype))})


@FORMS
def test_views(torch, save, new_form):
    whole = torch.arange(24.0).reshape(4, 6)
    views = {
        "turned": whole.T,
        "part": whole[1:3, 2:5],
        "column": whole[:, 2],
        "every other": whole[::2, ::3],
        "nothing": whole[2:2],
        "number": whole[3, 3],
        "permuted": whole.reshape(2, 3, 4).permute(2, 0, 1),
    }
    assert same(state_dict_of(save(views, new_form)), {name: view.numpy() for name, view in views.items()})


@FORMS
def test_a_tensor_that_repeats_itself_is_refused(torch, save, new_form):
    with pytest.raises(PackError, match=r"shape \(1000, 3\) whose numbers share places"):
        save({"w": torch.zeros(3).expand(1000, 3)}, new_form)


class Net:
    """Made on demand, so that collecting tests does not need torch."""

    def __new__(cls, torch):
        torch.manual_seed(6)
        net = torch.nn.Module()
        net.first = torch.nn.Linear(3, 4)
        net.rnn = torch.nn.GRU(3, 5, 2)
        net.norm = torch.nn.BatchNorm1d(3)
        net.folded = torch.nn.utils.weight_norm(torch.nn.Conv1d(3, 4, 2))
        net.many = torch.nn.ModuleList([torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU()])
        net.shared = net.many[0]
        net.dtype, net.activation = torch.float32, torch.relu
        net.register_buffer("scratch", torch.zeros(3), persistent=False)
        net.register_buffer("kept", torch.ones(2))
        net.register_parameter("none", None)
        return net


WRAPPINGS = {
    "state_dict": lambda torch, net: net.state_dict(),
    "module": lambda torch, net: net,
    "model of it": lambda torch, net: {"model": net, "iteration": 3, "optimizer": {}},
    "state_dict of it": lambda torch, net: {
        "epoch": 3,
        "state_dict": net.state_dict(),
        "optimizer_states": [torch.optim.Adam(net.parameters()).state_dict()],
        "hyper_parameters": {"dim": 3, "loss": torch.tensor(0.5), "x": np.float64(2), "y": np.ones(3)},
    },
    "model_state_dict of it": lambda torch, net: {"model_state_dict": net.state_dict(), "loss": torch.tensor(0.5)},
    "two deep": lambda torch, net: {"model": {"state_dict": net.state_dict()}},
}


@pytest.mark.filterwarnings("ignore")  # torch warns of its own old weight norm, and of saving modules whole
@FORMS
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
def test_whatever_torch_saves(torch, save, wrap, protocol, new_form):
    net = Net(torch)
    wanted = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    assert "kept" in wanted and "scratch" not in wanted and "shared.weight" in wanted
    assert same(state_dict_of(save(wrap(torch, net), new_form, protocol)), wanted)


@pytest.mark.filterwarnings("ignore")
def test_the_prefix_is_kept(torch, save):
    net = torch.nn.DataParallel(torch.nn.Linear(2, 2))
    assert list(state_dict_of(save(net))) == list(net.state_dict()) == ["module.weight", "module.bias"]


def test_parameters_and_attributes(torch, save):
    parameter = torch.nn.Parameter(torch.ones(3))
    parameter.note = "mine"
    tensor = torch.zeros(2)
    tensor.note = "yours"
    assert same(state_dict_of(save({"p": parameter, "t": tensor})), {"p": np.ones(3, "f4"), "t": np.zeros(2, "f4")})


def test_what_is_not_asked_for_is_not_read(torch, tmp_path):
    """A damaged optimiser does not matter, a damaged weight does."""
    path = tmp_path / "x.pt"
    torch.save({"state_dict": {"w": torch.full((50,), 1.25)}, "optimizer": {"m": torch.full((50,), 7.5)}}, path)
    good = path.read_bytes()
    for number, damaged in ((1.25, "w"), (7.5, "m")):
        at = good.index(struct.pack("<f", number) * 50)
        path.write_bytes(good[:at] + b"\x01" + good[at + 1 :])
        saved = read_torch(path)
        if damaged == "m":
            assert same(state_dict_of(saved), {"w": np.full(50, 1.25, np.float32)})
        else:
            with pytest.raises(PackError, match=r"member 'x/data/0' is damaged: its checksum"):
                state_dict_of(saved)


@pytest.mark.filterwarnings("ignore")  # torch means to drop them
def test_compiled_programs_are_refused(torch, tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "x.pt")
    with pytest.raises(PackError, match="is a compiled TorchScript program"):
        read_torch(tmp_path / "x.pt")


# Files as other versions write them


def test_the_writer_writes_what_torch_reads(torch, file):
    data = b"\x80\x02" + w.dict_of(w=tw.tensor(tw.storage("0", 24), (4, 6))) + b"."
    wanted = torch.from_numpy(FLOATS.reshape(4, 6))
    assert torch.equal(torch.load(file(tw.archive(data, {"0": floats()})))["w"], wanted)
    data = b"\x80\x02" + w.dict_of(w=tw.tensor(tw.storage("0", 24, legacy=True), (4, 6))) + b"."
    assert torch.equal(torch.load(file(tw.stream(data, {"0": (24, floats())})))["w"], wanted)


def test_deflated_members(file):
    data = w.dict_of(w=tw.tensor(tw.storage("0", 24), (4, 6))) + b"."
    path = file(tw.archive(data, {"0": floats()}, method=zipfile.ZIP_DEFLATED))
    assert same(state_dict_of(read_torch(path)), {"w": FLOATS.reshape(4, 6)})


def test_big_endian(file):
    big = FLOATS.astype(">f4").tobytes()
    data = w.dict_of(w=tw.tensor(tw.storage("0", 24), (4, 6))) + b"."
    path = file(tw.archive(data, {"0": big}, byteorder=b"big"))
    assert same(state_dict_of(read_torch(path)), {"w": FLOATS.reshape(4, 6)})
    data = w.dict_of(w=tw.tensor(tw.storage("0", 24, legacy=True), (4, 6))) + b"."
    path = file(tw.stream(data, {"0": (24, big)}, tw.BIG))
    assert same(state_dict_of(read_torch(path)), {"w": FLOATS.reshape(4, 6)})


def module(state):
    """A whole module, as torch 0.3 pickled it: the class by persistent id, with its source."""
    kind = w.tuple_of(w.text("module"), w.name("wavenet_model", "WaveNetModel"), w.text("/x.py"), w.text("import os"))
    return kind + b"Q" + b")\x81" + state + b"b"


def parameter(wrapper, stored, shape):
    """torch 0.3: a variable around a tensor, with a state of three."""
    inside = tw.tensor(stored, shape, function="")
    hooks = w.call("collections", "OrderedDict", b"]")
    return w.call(*wrapper, inside) + w.tuple_of(b"\x88", b"\x89", hooks) + b"b"


PARAMETER = ("torch.nn.parameter", "Parameter")
VARIABLE = ("torch.autograd.variable", "Variable")


def test_a_module_of_torch_0_3(file):
    """As pytorch-wavenet saved its models: queues, backends and dtypes among the attributes."""
    backend = w.call("torch.nn.backends.thnn", "_get_thnn_function_backend")
    queue = w.record(
        "wavenet_modules",
        "DilatedQueue",
        w.dict_of(
            data=parameter(VARIABLE, tw.storage("8", 4, legacy=True), (4,)),
            dtype=w.name("torch", "FloatTensor"),
        ),
    )
    weights = w.dict_of(weight=parameter(PARAMETER, tw.storage("7", 6, legacy=True), (2, 3)), bias=b"N")
    convolution = w.record(
        "torch.nn.modules.conv",
        "Conv1d",
        w.dict_of(
            _backend=backend,
            _parameters=weights,
            _buffers=b"}",
            _modules=b"}",
            training=b"\x88",
            stride=w.numbers(1),
        ),
    )
    state = w.dict_of(
        _backend=backend,
        _parameters=b"}",
        _buffers=b"}",
        _modules=w.dict_of(start_conv=convolution),
        dilated_queues=b"](" + queue + b"e",
        dtype=w.name("torch", "FloatTensor"),
    )
    storages = {"7": (6, floats(6)), "8": (4, floats(4))}
    saved = read_torch(file(tw.stream(module(state) + b".", storages)))
    assert type(saved) is Record and str(saved.kind) == "wavenet_model.WaveNetModel"
    assert same(state_dict_of(saved), {"start_conv.weight": FLOATS[:6].reshape(2, 3)})
    assert state_dict_of({"model": saved}).keys() == {"start_conv.weight"}
    assert np.array_equal(saved.state["dilated_queues"][0].state["data"].numpy(), FLOATS[:4])


def test_cuda_storages(file):
    data = w.dict_of(w=tw.tensor(tw.storage("0", 24, module="torch.cuda"), (24,))) + b"."
    assert same(state_dict_of(read_torch(file(tw.archive(data, {"0": floats()})))), {"w": FLOATS})


def test_one_storage_for_many(file):
    stored = tw.storage("0", 24)
    data = w.dict_of(a=tw.tensor(stored, (24,)), b=tw.tensor(stored, (2, 3), start=6)) + b"."
    got = state_dict_of(read_torch(file(tw.archive(data, {"0": floats()}))))
    assert same(got, {"a": FLOATS, "b": FLOATS[6:12].reshape(2, 3)})
    assert np.shares_memory(got["a"], got["b"])


def test_the_order_of_things_not_of_torch(file):
    assert state_dict_of({"w": np.ones(3)})["w"].sum() == 3
    for nothing in ([], {}, {"epoch": 3}, 5, None, Tensor):
        with pytest.raises(PackError, match=r"^a.pt: holds no (weights|tensors) by name"):
            state_dict_of(nothing, "a.pt")


# What may not be


@pytest.mark.parametrize("tensor, sentence", WRONG_TENSORS.values(), ids=WRONG_TENSORS)
def test_wrong_tensors(file, tensor, sentence):
    path = file(tw.archive(saved(tensor), {"0": floats()}))
    with pytest.raises(PackError) as caught:
        state_dict_of(read_torch(path))
    assert str(caught.value).startswith(str(path)) and sentence in str(caught.value)


@pytest.mark.parametrize("make, sentence", WRONG_ARCHIVES.values(), ids=WRONG_ARCHIVES)
def test_wrong_archives(file, make, sentence):
    path = file(make())
    with pytest.raises(PackError) as caught:
        state_dict_of(read_torch(path))
    assert str(caught.value).startswith(str(path)) and sentence in str(caught.value)
    assert str(caught.value).isprintable()


def test_large_archives(file):
    """The numbers of zip64, as torch writes them for weights beyond 4 GB, here with small ones."""
    data = good_archive()
    start, end = directory_of(data), data.rindex(b"PK\x05\x06")
    count = struct.unpack_from("<H", data, end + 10)[0]
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, end - start, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    old = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path = file(data[:end] + end64 + locator + old)
    assert zipfile.ZipFile(path).namelist()  # the writer is right
    assert same(state_dict_of(read_torch(path)), {"w": FLOATS})


@pytest.mark.parametrize("data, sentence", WRONG_STREAMS.values(), ids=WRONG_STREAMS)
def test_wrong_streams(file, data, sentence):
    with pytest.raises(PackError, match=sentence):
        state_dict_of(read_torch(file(data)))


def test_the_wrong_streams_are_nearly_right(file):
    assert same(state_dict_of(read_torch(file(tw.stream(OLD, {"0": (24, floats())})))), {"w": FLOATS})


@pytest.mark.timeout(5)
@pytest.mark.parametrize("inner", [tw.tensor(STORED, (24,)), b"N"], ids=["tensor", "nothing"])
def test_shared_modules_have_a_bounded_number_of_names(file, inner):
    storages = {"0": floats()}
    assert len(state_dict_of(read_torch(file(tw.archive(parts_of(3, tw.tensor(STORED, (24,))), storages))))) == 8
    path = file(tw.archive(parts_of(50, inner), storages))
    with pytest.raises(PackError, match="has more and longer names than any network"):
        state_dict_of(read_torch(path), path)


def test_one_large_storage_under_many_names(file):
    """What is handed out is bounded, too: it will be copied."""
    path = file(many_names())
    with pytest.raises(PackError, match="far larger than the file"):
        state_dict_of(read_torch(path), path)


def test_a_file_that_changes_meanwhile(file):
    path = file(good_archive())
    saved = read_torch(path)
    path.write_bytes(good_archive()[:-1])
    with pytest.raises(PackError, match="had .* bytes and now has"):
        state_dict_of(saved, path)
    path.unlink()
    with pytest.raises(PackError, match="cannot be opened"):
        state_dict_of(saved, path)
