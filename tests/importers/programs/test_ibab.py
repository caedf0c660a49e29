"""TensorFlow 1 checkpoints of ibab's program, in all its shapes and names, against an independent port of its graph."""

import json

import numpy as np
import pytest

from importers import ibab_port
from importers.bundle_writer import write_bundle
from importers.forced import assert_plays, codes
from importers.ibab_port import Params
from sharks.errors import PackError
from sharks.importers import import_checkpoint

LIMIT = 1e-5
SHAPES = {
    "usual": {},
    "no-biases": {"use_biases": False},
    "filter-3": {"filter_width": 3},
    "no-biases-filter-3": {"use_biases": False, "filter_width": 3},
    "12-layers": {"dilations": (1, 2, 4, 8) * 3},
    "as-wide-as-deep": {"residual_channels": 6, "dilation_channels": 6, "skip_channels": 6},
    "before-skips": {"shared": True},
    "before-skips-no-biases": {"shared": True, "use_biases": False},
}


def write(folder, params, style="now", variables=None, **changes):
    """A training folder: the checkpoint as a Saver leaves it, and wavenet_params.json."""
    variables = ibab_port.made(params, style) if variables is None else variables
    write_bundle(folder / "model.ckpt-99999", variables, checksums=False)
    (folder / "wavenet_params.json").write_text(json.dumps(params.json() | changes))
    return folder / "model.ckpt-99999"


@pytest.mark.parametrize("style", ibab_port.STYLES)
@pytest.mark.parametrize("shape", SHAPES)
def test_it_plays_what_the_port_plays(shape, style, tmp_path):
    params = Params(**SHAPES[shape])
    changes = {} if not params.shared else {"skip_channels": None}
    pack = import_checkpoint(write(tmp_path, params, style, **changes))
    assert pack.about["import"]["kind"] == "ibab" and pack.about["import"]["dropped"] == []
    assert pack.spec.codec == ("MU-N" if params.shared else "MU-R")
    heard = codes(params.quantization_channels, 2, pack.spec.receptive_field + 40)
    want = ibab_port.logits(params, ibab_port.made(params, "named"), heard)
    assert_plays(pack, heard, want[:, :-1], LIMIT, first=pack.spec.receptive_field - 1)


def test_the_order_of_ten_nameless_variables_is_that_of_their_numbers(tmp_path):
    """`Variable_10` comes after `Variable_9`, though not in the alphabet."""
    params = Params(dilations=(1,))
    variables = ibab_port.made(params)
    layer = "wavenet/dilated_stack/layer0/"
    for old, new in (("Variable_3", "Variable_11"), ("Variable_2", "Variable_10"), ("Variable_1", "Variable_9")):
        variables[layer + new] = variables.pop(layer + old)
    pack = import_checkpoint(write(tmp_path, params, variables=variables))
    named = ibab_port.made(params, "named")
    assert np.array_equal(pack.tensors["blocks.0.skip.bias"], named[f"{layer}skip_bias"])


@pytest.mark.parametrize("cardinality", [0, 3])
def test_global_conditioning(cardinality, tmp_path):
    params = Params(gc_channels=4, gc_cardinality=cardinality, dilations=(1, 2, 4))
    pack = import_checkpoint(write(tmp_path, params))
    assert (pack.spec.global_channels, pack.spec.global_classes) == (4, cardinality)
    given = np.array([2, 0]) if cardinality else np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    heard = codes(32, 2, 60)
    want = ibab_port.logits(params, ibab_port.made(params, "named"), heard, given)
    assert_plays(pack, heard, want[:, :-1], LIMIT, first=pack.spec.receptive_field - 1, condition=given)


def test_slots_of_an_optimiser_are_dropped(tmp_path):
    params = Params()
    variables = ibab_port.made(params)
    variables |= {f"{name}/Adam": array for name, array in variables.items()}
    variables |= {"beta1_power": np.float32([0.9])[0:1], "global_step": np.int64([3])}
    pack = import_checkpoint(write(tmp_path, params, variables=variables))
    (line,) = pack.about["import"]["dropped"]
    assert line.endswith("more dropped: the optimiser's own")


def test_dilations_come_from_the_config_or_not_at_all(tmp_path):
    path = write(tmp_path, Params())
    (tmp_path / "wavenet_params.json").unlink()
    with pytest.raises(
        PackError, match="has 6 layers, and tensors do not tell their dilations; name its wavenet_params"
    ):
        import_checkpoint(path)
    pack = import_checkpoint(path, config={"dilations": [1, 2, 4, 1, 2, 4]})
    assert pack.spec.dilations == (1, 2, 4, 1, 2, 4) and pack.about["import"]["settings"] == "config"


def test_the_usual_fifty_layers_have_the_usual_dilations(tmp_path):
    params = Params(
        dilations=tuple(2**i for i in range(10)) * 5, residual_channels=2, dilation_channels=2, skip_channels=2
    )
    path = write(tmp_path, params)
    (tmp_path / "wavenet_params.json").unlink()
    pack = import_checkpoint(path)
    assert pack.spec.dilations == params.dilations and pack.spec.receptive_field == 5117
    assert pack.about["import"]["assumed"] == [
        "sample rate 16000 assumed: the checkpoint does not say",
        "dilations 1 to 512, five times assumed: the checkpoint has the usual number of layers",
    ]


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"dilations": [1, 2, 4]}, "dilations in wavenet_params.json are 3, but the checkpoint has 6 layers"),
        ({"residual_channels": 8}, "residual_channels is 8 in wavenet_params.json, but tensor .* says 7"),
        ({"use_biases": False}, "use_biases is False in wavenet_params.json, but .* says True"),
        ({"dilations": [1, 2, 4, 0, 2, 4]}, "dilations is"),
        ({"scalar_input": True}, r"reads the waveform itself \(scalar_input\)"),
        ({"sample_rate": 10**9}, "sample_rate is 1000000000; wanted 1000 to 384000"),
    ],
)
def test_a_config_of_another_model_is_refused(changes, problem, tmp_path):
    with pytest.raises(PackError, match=problem):
        import_checkpoint(write(tmp_path, Params(), **changes))


def test_scalar_input_is_refused_with_the_reason(tmp_path):
    variables = ibab_port.made(Params())
    variables["wavenet/causal_layer/filter"] = np.ones((32, 1, 7), np.float32)
    with pytest.raises(
        PackError, match="tensor 'wavenet/causal_layer/filter' reads the waveform itself .* never been trained on"
    ):
        import_checkpoint(write(tmp_path, Params(), variables=variables))
