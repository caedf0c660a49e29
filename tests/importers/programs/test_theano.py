"""Checkpoints of the Theano programs, written as Python 2 wrote them, against a port of their equations."""

import itertools

import numpy as np
import pytest

from importers import theano_port
from importers.forced import assert_plays, codes
from importers.pickle_writer import python2_pickle
from importers.theano_port import Flags
from sharks.errors import PackError
from sharks.importers import import_checkpoint

LIMIT = 1e-5
SHAPES = {
    "2-tier": {},
    "2-tier-one-hot": {"emb_size": 0},
    "3-tier": {"frame_size": 2, "big_frame_size": 8},
    "1-layer": {"n_rnn": 1},
    "3-tier-33-levels": {"frame_size": 3, "big_frame_size": 6, "q_levels": 33},
    "2-tier-33-levels": {"q_levels": 33, "n_rnn": 3},
}
WAYS = [
    (shape, *flags)
    for shape, *flags in itertools.product(SHAPES, ("GRU", "LSTM"), (False, True), (False, True), (False, True))
    if shape != "1-layer" or not flags[1]  # one layer has nothing to skip
]


def python2_list(words):
    """What `cPickle.dump(sys.argv)` wrote."""
    items = (b"S" + repr(word.encode())[1:].encode() + b"\np%d\na" % (n + 2) for n, word in enumerate(words))
    return b"(lp1\n" + b"".join(items) + b"."


def write(folder, flags, arrays=None, script="models/two_tier/two_tier.py", **changes):
    """A run's folder as the program leaves it: params/params_*.pkl and args.pkl."""
    said = flags._asdict() | {"which_set": "MUSIC", "batch_size": 128} | changes
    words = [script, *(f"--{name}={value}" for name, value in said.items() if name != "big_frame_size" or value)]
    (folder / "params").mkdir(parents=True, exist_ok=True)
    (folder / "args.pkl").write_bytes(python2_list(words))
    path = folder / "params" / "params_e1_i10000_t0.51_tr2.1_v2.2.pkl"
    path.write_bytes(python2_pickle(theano_port.made(flags) if arrays is None else arrays))
    return path


@pytest.mark.parametrize("shape, rnn, skip, norm, learn", WAYS, ids=lambda value: str(value))
def test_it_plays_what_the_port_plays(shape, rnn, skip, norm, learn, tmp_path):
    flags = Flags(**{"rnn_type": rnn, "skip_conn": skip, "weight_norm": norm, "learn_h0": learn} | SHAPES[shape])
    pack = import_checkpoint(write(tmp_path, flags))
    assert pack.about["import"]["kind"] == "iclr2017" and pack.about["import"]["assumed"] == [
        "sample rate 16000 assumed: the checkpoint does not say"
    ]
    assert (pack.spec.initial_state, pack.spec.codec) == ("learned" if learn else "zeros", "LIN-C")
    heard = codes(flags.q_levels, 2, 48)
    assert_plays(pack, heard, theano_port.logits(flags, theano_port.made(flags), heard), LIMIT)


def test_the_port_hears_a_difference(tmp_path):
    flags = Flags(rnn_type="LSTM", skip_conn=True)
    arrays = theano_port.made(flags)
    heard = codes(256, 2, 32)
    want = theano_port.logits(flags, arrays, heard)
    for name in arrays:
        arrays[name] = arrays[name] * np.float32(1.01)
        pack = import_checkpoint(write(tmp_path, flags, arrays))
        arrays[name] = arrays[name] / np.float32(1.01)
        if not name.endswith(".W0") or name == "SampleLevel.Embedding":  # of which weight norm takes the direction
            with pytest.raises(AssertionError, match="values are too far"):
                assert_plays(pack, heard, want, LIMIT)


def test_parameters_that_are_never_trained_are_dropped_and_listed(tmp_path):
    pack = import_checkpoint(write(tmp_path, Flags(frame_size=2, big_frame_size=8)))
    (line,) = pack.about["import"]["dropped"]
    assert line == (
        "BigFrameLevel.IndependentPreds.W0, BigFrameLevel.IndependentPreds.g0, BigFrameLevel.IndependentPreds.b "
        "dropped: never trained, and nothing reads it"
    )


@pytest.mark.parametrize(
    "changes, kind, codec, rate",
    [
        ({"q_type": "mu-law"}, "iclr2017", "MU-T", 16000),
        ({"q_type": "linear"}, "iclr2017", "LIN-C", 16000),
        ({"q_type": "mu-law", "which_set": "krallice"}, "dadabots", "MU-T", 16000),
        ({"q_type": "mu-law", "batch_size": 32}, "dadabots", "MU-T", 16000),
        ({"q_type": "mu-law", "script": "models/two_tier/two_tier32k.py"}, "dadabots", "MU-T", 32000),
    ],
)
def test_levels_follow_program_and_arguments(changes, kind, codec, rate, tmp_path):
    pack = import_checkpoint(write(tmp_path, Flags(), **changes))
    assert (pack.about["import"]["kind"], pack.spec.codec, pack.spec.sample_rate) == (kind, codec, rate)
    assert pack.about["import"]["settings"] == "args.pkl"


def test_more_layers_than_the_paper_has_are_dadabots(tmp_path):
    pack = import_checkpoint(write(tmp_path, Flags(n_rnn=7, rnn_type="LSTM", skip_conn=True, q_type="mu-law", dim=4)))
    assert pack.about["import"]["kind"] == "dadabots" and pack.spec.layers == 7


def test_the_name_of_the_run_is_as_good_as_its_arguments(tmp_path):
    tag = (
        "models-two_tier-two_tier16k.py-expbest_2tier-n_frames64-frame_size4-emb_size6-skip_connF-dim10-n_rnn2"
        "-rnn_typeGRU-q_levels256-q_typemu-law-batch_size32-weight_normT-learn_h0F-which_setcannibal-lr0.001"
    )
    path = write(tmp_path / tag, Flags(learn_h0=False))
    (tmp_path / tag / "args.pkl").unlink()
    pack = import_checkpoint(path)
    assert (pack.about["import"]["kind"], pack.spec.codec) == ("dadabots", "MU-T")
    assert pack.about["import"]["settings"].startswith("the folder's name models-two_tier")
    with pytest.raises(PackError, match=r"n_rnn is 3 in the folder's name .* says 2"):
        path = write(tmp_path / tag.replace("n_rnn2", "n_rnn3"), Flags(learn_h0=False))
        (path.parent.parent / "args.pkl").unlink()
        import_checkpoint(path)


def test_without_arguments_the_kind_must_be_named(tmp_path):
    path = write(tmp_path, Flags())
    (tmp_path / "args.pkl").unlink()
    with pytest.raises(PackError, match="iclr2017 and dadabots share, though their levels differ; name one"):
        import_checkpoint(path)
    for kind, codec, levels in (("iclr2017", "LIN-C", "linear"), ("dadabots", "MU-T", "mu-law")):
        pack = import_checkpoint(path, kind)
        assert pack.spec.codec == codec
        assert pack.about["import"]["assumed"][1] == f"{levels} levels assumed: the checkpoint does not say"
        assert pack.about["import"]["settings"] == ""


def test_levels_of_dadabots_linear_cannot_be_played(tmp_path):
    with pytest.raises(PackError, match="q_type linear, which in dadabots' code gave levels from -255 to 255"):
        import_checkpoint(write(tmp_path, Flags(q_type="linear")), "dadabots")


def test_float64_and_column_major_parameters(tmp_path):
    flags = Flags(skip_conn=True)
    arrays = {name: np.asfortranarray(array.astype(np.float64)) for name, array in theano_port.made(flags).items()}
    pack = import_checkpoint(write(tmp_path, flags, arrays))
    assert pack.about["import"]["assumed"][-1].startswith("float64 weights rounded")
    heard = codes(256, 2, 32)
    assert_plays(pack, heard, theano_port.logits(flags, arrays, heard), LIMIT)


def test_conditioning_on_features_is_refused_by_name(tmp_path):
    arrays = theano_port.made(Flags())
    arrays["FrameLevel.rnn_inp_fusion.W0"] = np.zeros((4, 10), np.float32)
    with pytest.raises(PackError, match=r"tensor 'FrameLevel.rnn_inp_fusion.W0' lets features .* not played yet"):
        import_checkpoint(write(tmp_path, Flags(), arrays))
