"""What torch.save wrote for deepsound's, S4's and Vincent Herrmann's models, against those models as torch modules."""

import json

import numpy as np
import pytest
import torch

from importers.forced import assert_plays, codes
from importers.torch_port import Embedded, OneHot, SampleRNN, WaveNetModel
from sharks.errors import PackError
from sharks.importers import import_checkpoint

LIMIT = 1e-5


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(make, *args, **kwargs):
    """A module with the same random weights each time, none of them so small that an error would not show."""
    torch.manual_seed(0)
    module = make(*args, **kwargs)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if "weight_g" in name or "original0" in name:
                weight *= 1 + torch.rand_like(weight)
    return module


def predictions(module, heard):
    """What the module predicts, in float64."""
    with torch.no_grad():
        return module.double()(torch.from_numpy(heard).long()).numpy()


def save(module, path, how="state_dict", prefix="", legacy=False, **hyper_parameters):
    state = {f"{prefix}{name}": value for name, value in module.state_dict().items()}
    kept = {
        "state_dict": state,
        "module": module,
        "lightning": {"epoch": 3, "state_dict": state, "hyper_parameters": hyper_parameters},
    }[how]
    torch.save(kept, path, _use_new_zipfile_serialization=not legacy)
    return path


# deepsound


@pytest.mark.parametrize("norm", ["old", "new", "none"])
@pytest.mark.parametrize("ratios, n_rnn", [((4, 4), 2), ((4,), 1), ((2, 3, 2), 1)], ids=str)
def test_deepsound(ratios, n_rnn, norm, tmp_path):
    module = seeded(SampleRNN, ratios, n_rnn, norm=norm)
    pack = import_checkpoint(save(module, tmp_path / "best-ep65-it79430", prefix="model."))
    assert pack.about["import"]["kind"] == "deepsound"
    assert (pack.spec.codec, pack.spec.frame_sizes) == ("LIN-D", tuple(int(n) for n in np.cumprod(ratios)))
    heard = codes(256, 2, 64 // pack.spec.lookback * pack.spec.lookback + pack.spec.lookback)
    assert_plays(pack, heard, predictions(module, heard), LIMIT)


def test_deepsound_without_a_learned_state(tmp_path):
    module = seeded(SampleRNN, (4, 4))
    with torch.no_grad():
        for tier in module.frame_level_rnns:
            tier.h0.zero_()
    pack = import_checkpoint(save(module, tmp_path / "x.pt"))
    assert pack.spec.initial_state == "zeros"
    heard = codes(256, 1, 48)
    assert_plays(pack, heard, predictions(module, heard), LIMIT)


@pytest.mark.parametrize(
    "config", [{"frame_sizes": [4, 4], "n_rnn": 2, "sample_rate": 22050}, "tag"], ids=["json", "tag"]
)
def test_deepsound_settings(config, tmp_path):
    folder = tmp_path / "exp:TEST-frame_sizes:4,4-n_rnn:2-dim:9-dataset:piano3" / "checkpoints"
    folder.mkdir(parents=True)
    path = save(seeded(SampleRNN, (4, 4)), folder / "best-ep65-it79430")
    if config != "tag":
        (folder / "best.config.json").write_text(json.dumps(config))
    pack = import_checkpoint(path)
    assert pack.spec.sample_rate == (16000 if config == "tag" else 22050)
    assert pack.about["import"]["settings"].startswith(
        "the folder's name exp:TEST" if config == "tag" else "best.config"
    )


def test_deepsound_frame_sizes_are_ratios(tmp_path):
    path = save(seeded(SampleRNN, (4, 4)), tmp_path / "x.pt")
    with pytest.raises(
        PackError, match=r"frame_sizes is \[4, 16\] in config, but tensor .*upsampling.bias' says \[4, 4\]"
    ):
        import_checkpoint(path, config={"frame_sizes": [4, 16]})


# S4


@pytest.mark.parametrize("mu_law", [True, False], ids=["mu-law", "linear"])
@pytest.mark.parametrize("ratios, n_rnn", [((4, 2, 2), 1), ((4, 4), 2)], ids=str)
def test_s4_samplernn(ratios, n_rnn, mu_law, tmp_path):
    module = seeded(SampleRNN, ratios, n_rnn, s4=True, mu_law=mu_law, d_model=6)
    said = {"dataset": {"quantization": "mu-law" if mu_law else "linear"}, "model": {"n_rnn": n_rnn}}
    path = save(module, tmp_path / "checkpoint.ckpt", "lightning", prefix="model.", **said)
    pack = import_checkpoint(path)
    assert pack.about["import"]["settings"] == "the checkpoint itself"
    assert import_checkpoint(path, config=said["dataset"]).spec == pack.spec
    assert pack.about["import"]["kind"] == "s4"
    assert (pack.spec.codec, pack.spec.tier_input) == (("MU-S", "decoded") if mu_law else ("LIN-C", "linear"))
    heard = codes(256, 2, 64)
    assert_plays(pack, heard, predictions(module, heard), LIMIT)


@pytest.mark.parametrize("decoded", [True, False], ids=["decoder", "no-decoder"])
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no-biases"])
def test_s4_wavenet(bias, decoded, tmp_path):
    module = seeded(Embedded, WaveNetModel(in_channels=9, bias=bias), levels=32, width=9, decoded=decoded)
    config = {"layers": 3, "blocks": 2, "quantization": "linear"}
    pack = import_checkpoint(save(module, tmp_path / "last.ckpt", "lightning"), config=config)
    assert pack.about["import"]["kind"] == "s4"
    assert (pack.spec.input, pack.spec.embed_dim, pack.spec.start) == ("embedding", 9, "silence")
    heard = codes(32, 2, 50)
    assert_plays(pack, heard, predictions(module, heard)[:, :-1], LIMIT)


def test_s4_assumes_linear_levels(tmp_path):
    pack = import_checkpoint(save(seeded(SampleRNN, (4, 2), s4=True, d_model=6), tmp_path / "x.ckpt"))
    assert "linear levels assumed: the checkpoint does not say" in pack.about["import"]["assumed"]


def test_s4_that_embeds_its_frames_is_refused(tmp_path):
    module = seeded(SampleRNN, (4, 2), s4=True, d_model=6)
    module.encoder = torch.nn.Embedding(256, 6)
    with pytest.raises(PackError, match=r"tensor 'model.encoder.weight' embeds what the frame tiers read"):
        import_checkpoint(save(module, tmp_path / "x.ckpt", prefix="model."))


# Vincent Herrmann


@pytest.mark.parametrize("legacy", [True, False], ids=["stream", "archive"])
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no-biases"])
@pytest.mark.parametrize("kernel_size", [2, 3])
@pytest.mark.parametrize("how", ["state_dict", "module"])
def test_vincentherrmann(how, kernel_size, bias, legacy, tmp_path):
    module = seeded(WaveNetModel, kernel_size=kernel_size, bias=bias)
    path = save(module, tmp_path / "snapshot", how, legacy=legacy)
    pack = import_checkpoint(path, config=None if how == "module" else {"layers": 3, "blocks": 2})
    assert pack.about["import"]["settings"] == ("the checkpoint itself" if how == "module" else "config")
    assert (pack.spec.codec, pack.spec.start, pack.spec.dilations) == ("MU-D", "empty", (1, 2, 4, 1, 2, 4))
    heard = codes(32, 2, 60)
    assert_plays(pack, heard, predictions(OneHot(module), heard)[:, :-1], LIMIT)


def test_vincentherrmann_of_usual_depth_needs_no_config(tmp_path):
    module = seeded(WaveNetModel, layers=10, blocks=3, dilation_channels=2, residual_channels=2, skip_channels=2)
    pack = import_checkpoint(save(module, tmp_path / "x.pt"))
    assert pack.spec.dilations == tuple(2**i for i in range(10)) * 3
    assert (
        "3 blocks of 10 layers, dilations from 1 doubling assumed: a usual number of layers"
        in (pack.about["import"]["assumed"])
    )


def test_vincentherrmann_of_unusual_depth_needs_one(tmp_path):
    path = save(seeded(WaveNetModel), tmp_path / "x.pt")
    with pytest.raises(
        PackError, match=r"has 6 layers, and tensors do not tell their dilations; name a JSON file such as"
    ):
        import_checkpoint(path)
    with pytest.raises(PackError, match="config says 2 blocks of 4 layers, but the checkpoint has 6 layers"):
        import_checkpoint(path, config={"layers": 4, "blocks": 2})
    with pytest.raises(PackError, match="dilation_channels is 6 in config, but .* says 5"):
        import_checkpoint(path, config={"layers": 3, "blocks": 2, "dilation_channels": 6})


def test_vincentherrmann_with_scalar_input_is_refused(tmp_path):
    path = save(seeded(WaveNetModel, in_channels=1), tmp_path / "x.pt")
    with pytest.raises(PackError, match="tensor 'start_conv.weight' reads 1 channels and the model predicts 32 levels"):
        import_checkpoint(path, config={"layers": 3, "blocks": 2})
