"""What no importer accepts, one sentence each: leftover, missing and odd tensors, other kinds, odd configs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import sharks
from importers import ibab_port, prism_port, theano_port
from importers.bundle_writer import write_bundle
from importers.pickle_writer import python2_pickle
from importers.torch_port import Embedded, SampleRNN, WaveNetModel
from sharks.errors import Error, PackError, UsageError
from sharks.importers import KINDS, import_checkpoint
from sharks.importers.settings import Settings
from sharks.importers.source import Source
from sharks.packs.pack import Pack

PRISM = prism_port.Config(frame_sizes=(4, 8), q_levels=16, q_type="linear", skip_conn=True)
THEANO = theano_port.Flags(frame_size=2, big_frame_size=4, q_levels=32, skip_conn=True, dim=5)
BLOCKS = {"layers": 3, "blocks": 2}


def arrays_of(module):
    return {name: value.numpy() for name, value in module.state_dict().items()}


# kind and shape -> (kind, tensors by name, settings)
MODELS = {
    "prism": ("prism", prism_port.made(PRISM), {}),
    "ibab": ("ibab", ibab_port.made(ibab_port.Params(gc_channels=3, gc_cardinality=2)), {"dilations": [1, 2, 4] * 2}),
    "deepsound": ("deepsound", arrays_of(SampleRNN((2, 2), 2, 5, 16)), {}),
    "s4": ("s4", arrays_of(SampleRNN((2, 2), 1, 5, 256, s4=True, d_model=3)), {}),
    "s4-wavenet": ("s4", arrays_of(Embedded(WaveNetModel(in_channels=9), 32, 9, True)), BLOCKS),
    "vincentherrmann": ("vincentherrmann", arrays_of(WaveNetModel()), BLOCKS),
    "iclr2017": ("iclr2017", theano_port.made(THEANO), {"q_type": "linear"}),
    "dadabots": ("dadabots", theano_port.made(theano_port.Flags(rnn_type="LSTM", dim=5)), {"q_type": "mu-law"}),
}
DROPPED = ("optimizer", "save_counter", "IndependentPreds")


def built(model, tensors):
    """The pack of these tensors, as `import_checkpoint` makes it of a file."""
    kind, _, settings = MODELS[model]
    program = KINDS[kind]
    prefix = program.prefix(tensors)
    if prefix is None:
        raise PackError("FILE: has other names")
    source = Source("FILE", dict(tensors), Settings(settings, "CONFIG"), prefix, program.suffix)
    spec, found = program.build(source)
    source.finish()
    return Pack(spec, found)


def refuses(model, tensors, *parts):
    with pytest.raises(Error) as error:
        built(model, tensors)
    text = str(error.value)
    assert "\n" not in text and len(text) < 400 and not [part for part in parts if part not in text], text
    return text


def used(model):
    """The tensors that must be there, as they are. Of the classes' table only the width can be known."""
    left = (*DROPPED, "gc_embedding")
    return {name: a for name, a in MODELS[model][1].items() if not any(word in name for word in left)}


@pytest.mark.parametrize("model", MODELS)
def test_every_tensor_must_be_there(model):
    built(model, MODELS[model][1])
    for name in used(model):
        refuses(model, {other: a for other, a in MODELS[model][1].items() if other != name})


@pytest.mark.parametrize("model", MODELS)
def test_every_tensor_must_have_its_shape(model):
    for name, array in used(model).items():
        for changed in (array[None], array[..., :-1], np.concatenate([array, array]), array.reshape(-1)[:0]):
            refuses(model, MODELS[model][1] | {name: changed})


@pytest.mark.parametrize("model", MODELS)
def test_every_tensor_must_hold_finite_numbers_of_the_right_type(model):
    for name, array in used(model).items():
        broken = array.copy()
        broken.flat[-1] = np.nan
        refuses(model, MODELS[model][1] | {name: broken}, f"tensor '{name}' holds or makes NaN or infinity")
        refuses(model, MODELS[model][1] | {name: array.astype(np.int32)}, f"tensor '{name}' has dtype int32")


@pytest.mark.parametrize("model", MODELS)
def test_leftovers_are_errors(model):
    _, tensors, _ = MODELS[model]
    for name in ("", "nobody/knows/me", "x.more", f"x{prism_port.SUFFIX}"):
        refuses(model, tensors | {name: np.zeros(3, np.float32)}, f"tensor '{name}' is left over")
    many = {f"stranger.{n}": np.zeros(3, np.float32) for n in range(9)}
    refuses(model, tensors | many, "tensor 'stranger.0' (and 8 more) is left over")


@pytest.mark.parametrize("model", MODELS)
def test_mixtures_of_two_models_are_refused(model):
    """Tensors of a smaller model, a part at a time, among those of the larger."""
    _, tensors, _ = MODELS[model]
    random = np.random.default_rng(0)
    for _ in range(300):
        mixed = dict(tensors)
        for name in random.choice(list(used(model)), 3):
            shape = tuple(int(n) for n in random.integers(0, 7, random.integers(0, 4)))
            mixed[name] = np.ones(shape, np.float32)
        refuses(model, mixed)


def test_a_direction_of_length_zero_has_no_weight_norm():
    tensors = dict(MODELS["iclr2017"][1])
    tensors["SampleLevel.L2.W0"] = tensors["SampleLevel.L2.W0"].copy()
    tensors["SampleLevel.L2.W0"][:, 3] = 0
    refuses("iclr2017", tensors, "tensor 'SampleLevel.L2.W0' holds or makes NaN")


# Kinds


def files(folder):
    """One checkpoint of every container."""
    write_bundle(folder / "prism", MODELS["prism"][1], checksums=False)
    write_bundle(folder / "ibab", MODELS["ibab"][1], checksums=False)
    torch.save(SampleRNN((2, 2), 2, 5, 16).state_dict(), folder / "deepsound")
    (folder / "iclr2017").write_bytes(python2_pickle(MODELS["iclr2017"][1]))
    return {name: folder / name for name in ("prism", "ibab", "deepsound", "iclr2017")}


def test_the_wrong_kind_is_told_which_one_it_looks_like(tmp_path):
    for name, path in files(tmp_path).items():
        for kind in KINDS:
            if kind != name and {kind, name} != {"iclr2017", "dadabots"}:
                looks = "iclr2017 or dadabots" if name == "iclr2017" else name
                with pytest.raises(PackError, match=rf"is a .* with \d+ tensors such as .*they are of {looks}; name"):
                    import_checkpoint(path, kind)


def test_an_unknown_kind(tmp_path):
    with pytest.raises(UsageError, match="kind is 'prsm'; did you mean 'prism'?"):
        import_checkpoint(tmp_path, "prsm")


@pytest.mark.parametrize("kind", [None, "prism", "ibab", "s4"])
def test_names_that_nobody_has(kind, tmp_path):
    write_bundle(tmp_path / "x", {"dense/kernel": np.zeros((2, 3), np.float32)}, checksums=False)
    with pytest.raises(PackError, match="is a TensorFlow checkpoint with 1 tensors such as dense/kernel, and"):
        import_checkpoint(tmp_path / "x", kind)
    torch.save({"linear.weight": torch.zeros(2, 2)}, tmp_path / "x.pt")
    with pytest.raises(PackError, match="known are prism, ibab, deepsound, s4, vincentherrmann, iclr2017, dadabots"):
        import_checkpoint(tmp_path / "x.pt", kind)


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"", "is no checkpoint; wanted a TensorFlow checkpoint"),
        (b"RIFF....WAVE", "is no checkpoint"),
        (python2_pickle({}), "holds no dict of arrays"),
        (python2_pickle({"a": 1}), "holds 'a', which is no array"),
        (b"(lp1\n.", "holds no dict of arrays"),
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
    ],
)
def test_files_that_are_no_checkpoint(content, problem, tmp_path):
    (tmp_path / "x").write_bytes(content)
    for kind in (None, *KINDS):
        with pytest.raises(PackError, match=problem):
            import_checkpoint(tmp_path / "x", kind)


def test_paths_that_lead_nowhere(tmp_path):
    for name in ("nothing", "nothing.index", "nothing.pt"):
        with pytest.raises(PackError, match="cannot be opened"):
            import_checkpoint(tmp_path / name)
    with pytest.raises(PackError, match="holds 0 TensorFlow checkpoints"):
        import_checkpoint(tmp_path)


# Configs


@pytest.mark.parametrize(
    "content, problem",
    [
        ("{", "is not JSON"),
        ("[" * 100000, "is not JSON"),
        ("[1, 2]", "holds no settings; wanted a JSON object"),
        ('{"dim": NaN}', "dim is nan, wanted a whole number"),
        ('{"dim": 1e300}', "dim is 1e\\+300, wanted a whole number"),
        ('{"frame_sizes": {}}', "frame_sizes is {}, wanted a list of whole numbers"),
        ('{"skip_conn": "maybe"}', "skip_conn is 'maybe', wanted true or false"),
        ('{"q_type": 3}', "q_type is 3, wanted a word"),
        ('{"sample_rate": 0}', "sample_rate is 0; wanted 1000 to 384000"),
        (" " * (1 << 21), "a config has 1048576 at most"),
    ],
)
def test_odd_configs(content, problem, tmp_path):
    path = files(tmp_path)["prism"]
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(PackError, match=problem):
        import_checkpoint(path, config=tmp_path / "odd.json")


def test_configs_that_are_none(tmp_path):
    path = files(tmp_path)["prism"]
    with pytest.raises(PackError, match=r"nothing.json: cannot be opened"):
        import_checkpoint(path, config=tmp_path / "nothing.json")
    with pytest.raises(UsageError, match="config is a list; wanted a path or a dict"):
        import_checkpoint(path, config=["frame_sizes"])
    with pytest.raises(PackError, match="dim is"):
        import_checkpoint(path, config={"dim": np.zeros(3)})


def test_of_two_configs_beside_it_none_is_taken_unless_its_name_says_so(tmp_path):
    path = files(tmp_path)["prism"]
    for name in ("one", "two"):
        (tmp_path / f"{name}.config.json").write_text(json.dumps(PRISM.json() | {"sample_rate": 8000}))
    assert import_checkpoint(path).spec.sample_rate == 16000
    (tmp_path / "prism.config.json").write_text(json.dumps(PRISM.json() | {"sample_rate": 44100}))
    assert import_checkpoint(path).spec.sample_rate == 44100


def test_a_config_of_another_program_beside_it_is_left_alone(tmp_path):
    path = files(tmp_path)["prism"]
    (tmp_path / "config.json").write_text(
        json.dumps({"dilations": [1, 2], "residual_channels": 3, "sample_rate": 8000})
    )
    (tmp_path / "broken.config.json").write_text("{")
    assert import_checkpoint(path).about["import"]["settings"] == ""


# What importing needs


def test_no_framework_is_imported(tmp_path):
    paths = [str(path) for name, path in files(tmp_path).items() if name != "ibab"]
    code = (
        "import sys, sharks\n"
        f"for path in {paths}:\n    sharks.import_checkpoint(path, 'iclr2017' if path.endswith('2017') else None)\n"
        "print([m for m in ('torch', 'tensorflow', 'theano', 'pickle5') if m in sys.modules])"
    )
    home = os.path.dirname(os.path.dirname(os.path.abspath(sharks.__file__)))
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": home}, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
