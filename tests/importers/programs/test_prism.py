"""TensorFlow 2 checkpoints of PRiSM's program, in all its shapes, against an independent port of its equations."""

import json

import pytest

from importers import prism_port
from importers.bundle_writer import write_bundle
from importers.forced import assert_plays, codes
from importers.prism_port import Config
from sharks.errors import PackError
from sharks.importers import import_checkpoint

LIMIT = 1e-5
SHAPES = {
    "gru": {},
    "lstm": {"rnn_type": "lstm"},
    "gru-skips": {"skip_conn": True, "num_rnn_layers": 3},
    "lstm-skips-linear": {"rnn_type": "lstm", "skip_conn": True, "q_type": "linear", "q_levels": 64},
    "1-layer": {"num_rnn_layers": 1},
    "reset-before": {"reset_after": False},
}


def write(folder, config, arrays=None, checksums=False, **changes):
    """A training folder: the checkpoint as save_weights leaves it, and the config. Checksums take the writer long."""
    folder.mkdir(exist_ok=True)
    arrays = prism_port.made(config) if arrays is None else arrays
    write_bundle(folder / "model.ckpt-7", arrays, checksums=checksums)
    (folder / "my.config.json").write_text(json.dumps(config.json() | changes))
    return folder / "model.ckpt-7"


@pytest.mark.parametrize("old", [False, True], ids=["2021", "2020"])
@pytest.mark.parametrize("frame_sizes", [(4,), (4, 16)], ids=["2-tier", "3-tier"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_plays_what_the_port_plays(shape, frame_sizes, old, tmp_path):
    config = Config(**{"frame_sizes": frame_sizes, "old": old} | SHAPES[shape])
    pack = import_checkpoint(write(tmp_path, config))
    spec, account = pack.spec, pack.about["import"]
    assert (spec.hidden_layers, spec.relu_logits) == ((1, True) if old else (2, False))
    assert spec.codec == {"mu-law": "MU-R", "linear": "LIN-W" if old else "LIN-P"}[config.q_type]
    assert account["settings"] == "my.config.json" and account["kind"] == "prism"
    heard = codes(config.q_levels, 2, 64)
    assert_plays(pack, heard, prism_port.logits(config, prism_port.made(config), heard), LIMIT)


def test_the_optimisers_own_is_dropped_and_listed(tmp_path):
    config = Config()
    (line,) = import_checkpoint(write(tmp_path, config)).about["import"]["dropped"]
    slots = sum("optimizer" in name or "save_counter" in name for name in prism_port.made(config))
    assert line.endswith(f" and {slots - 3} more dropped: the optimiser's and Keras' own")


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_alone_are_enough(shape, tmp_path):
    config = Config(**SHAPES[shape])
    path = write(tmp_path, config)
    (tmp_path / "my.config.json").unlink()
    pack = import_checkpoint(path)
    q_type = "linear" if config.q_levels == 64 else "mu-law"
    assert pack.about["import"]["settings"] == ""
    assert pack.about["import"]["assumed"] == [
        "sample rate 16000 assumed: the checkpoint does not say",
        f"{q_type} levels assumed: the checkpoint does not say",
    ]
    assert pack.spec == import_checkpoint(path, config=config.json()).spec


@pytest.mark.parametrize("name", ["model.ckpt-7", "model.ckpt-7.index", "model.ckpt-7.data-00000-of-00001"])
def test_any_part_of_the_checkpoint_may_be_named(name, tmp_path):
    write(tmp_path, Config(q_levels=16, q_type="linear"), checksums=True)
    assert import_checkpoint(tmp_path / name).about["import"]["kind"] == "prism"


@pytest.mark.parametrize(
    "changes, problem",
    [
        (
            {"dim": 12},
            "dim is 12 in my.config.json, but tensor 'frame_rnn/inputs/kernel/.ATTRIBUTES/VARIABLE_VALUE' says 10",
        ),
        ({"frame_sizes": [4, 8]}, r"frame_sizes is \[4, 8\] in my.config.json, but .* says \[4, 16\]"),
        ({"num_rnn_layers": 4}, "num_rnn_layers is 4"),
        ({"rnn_type": "lstm"}, "rnn_type is 'lstm' in my.config.json, but .* says 'gru'"),
        ({"skip_conn": True}, "skip_conn is True"),
        ({"q_levels": 128}, "q_levels is 128"),
        ({"q_type": "a-law"}, "q_type is 'a-law', wanted mu-law or linear"),
        ({"dim": "wide"}, "my.config.json: dim is 'wide', wanted a whole number"),
    ],
)
def test_a_config_of_another_model_is_refused(changes, problem, tmp_path):
    with pytest.raises(PackError, match=problem):
        import_checkpoint(write(tmp_path, Config(), **changes))


def test_mu_law_of_other_than_256_levels_is_refused(tmp_path):
    with pytest.raises(PackError, match="q_type is mu-law, which always has 256 levels here, but .* has 64"):
        import_checkpoint(write(tmp_path, Config(q_levels=64)))
