"""What the reference refuses, in one sentence, and whom it does not know."""

import subprocess
import sys

import numpy as np
import pytest

from sharks import PackError, UsageError
from sharks.families.registry import FAMILIES, reference_player
from specs import SPECS, condition, levels, random_tensors

SPEC = SPECS["wavenet-one-hot"]
WEIGHTS = random_tensors(SPEC)


def test_it_knows_neither_torch_nor_the_engine():
    code = (
        "import importlib, sys\nfrom sharks.families.registry import FAMILIES\n"
        "for name in FAMILIES: importlib.import_module(f'sharks.families.{name}.reference')\n"
        "strangers = {'torch', 'sharks._core', 'sharks.engine', 'sharks.packs'}\nprint(len(FAMILIES))\n"
        "print(sorted(strangers & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(FAMILIES)}\n[]\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks.1.res.weight": None}, "tensor 'blocks.1.res.weight' is missing; wanted (10, 6)"),
        ({"blocks.9.res.weight": np.zeros(3)}, "no tensor 'blocks.9.res.weight'; did you mean 'blocks."),
        ({"head.conv1.bias": np.zeros((9, 1))}, "tensor 'head.conv1.bias' is (9, 1); wanted (11,)"),
        ({"head.conv1.bias": np.full(11, np.nan)}, "tensor 'head.conv1.bias' holds NaN"),
    ],
)
def test_tensors_must_be_those_of_the_table(change, message):
    changed = {name: value for name, value in (WEIGHTS | change).items() if value is not None}
    with pytest.raises(PackError) as error:
        reference_player(SPEC, changed, 1)
    assert message in str(error.value)


@pytest.mark.parametrize("streams", [0, -1])
def test_at_least_one_stream(streams):
    with pytest.raises(UsageError, match=f"streams is {streams}"):
        reference_player(SPEC, WEIGHTS, streams)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("wavenet-classes", None, "condition is missing; wanted one class from 0 to 2"),
        ("wavenet-classes", [0, 3], "condition is int64 .0, 3.; wanted one class from 0 to 2 for each of 2 streams"),
        ("wavenet-classes", [0, -1], "wanted one class"),
        ("wavenet-classes", [0], "wanted one class"),
        ("wavenet-classes", [0.0, 1.0], "wanted one class"),
        ("wavenet-vectors", [0, 1], "wanted finite vectors .2, 3."),
        ("wavenet-vectors", np.full((2, 3), np.nan), "wanted finite vectors"),
        ("wavenet-one-hot", [0, 1], "no global conditioning; leave it out"),
        ("samplernn-gru", [0, 1], "no global conditioning; leave it out"),
    ],
)
def test_conditions_must_fit_the_model(name, given, message):
    with pytest.raises(UsageError, match=message):
        reference_player(SPECS[name], random_tensors(SPECS[name]), 2, given)


def test_a_condition_is_heard():
    spec = SPECS["wavenet-classes"]
    heard = []
    for given in ([0, 1], [0, 0]):
        player = reference_player(spec, random_tensors(spec), 2, given)
        player.reset([[1], [1]])
        heard.append(player.force([[1], [1]])[0])
    assert (heard[0][0] == heard[1][0]).all() and (heard[0][1] != heard[1][1]).any()


def test_levels_stages_and_temperatures_must_fit():
    player = reference_player(SPEC, WEIGHTS, 2)
    with pytest.raises(UsageError, match="no state yet; call reset"):
        player.force(levels(SPEC, 2, 3))
    player.reset([[0], [31]])
    for wrong in ([[0], [32]], [[0], [-1]], [[0.0], [1.0]]):
        with pytest.raises(UsageError, match="levels are not all whole numbers from 0 to 31"):
            player.force(wrong)
    for wrong in ([[0]], [0, 1], [[[0]], [[0]]]):
        with pytest.raises(UsageError, match="wanted .2, 'T'."):
            player.force(wrong)
    with pytest.raises(UsageError, match=r"levels are \(2, 2\); wanted \(2, 1\)"):
        player.reset([[0, 1], [0, 1]])
    with pytest.raises(UsageError, match="no stage 'layer.0.gate'; did you mean 'layer.0.gated'"):
        player.force([[0], [1]], stages=["layer.0.gate"])
    with pytest.raises(UsageError, match=r"temperature is \(2,\); wanted \(2, 3\)"):
        player.run(3, [1.0, 1.0], 0, [0, 1])
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(UsageError, match=f"temperature is {wrong} somewhere"):
            player.run(1, [[1.0], [wrong]], 0, [0, 1])
    assert player.get_state()["position"].tolist() == [0, 0], "a refused call moved the streams"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("wavenet-one-hot", {"rings.0": None}, "the state holds"),
        ("wavenet-one-hot", {"rings.0": np.zeros((2, 1, 7))}, r"state 'rings.0' is \(2, 1, 7\); wanted \(2, 1, 10\)"),
        ("wavenet-one-hot", {"rings.0": np.full((2, 1, 10), np.inf)}, "state 'rings.0' holds NaN or infinite"),
        ("wavenet-one-hot", {"levels": np.array([[32], [0]])}, "whole numbers from 0 to 31"),
        ("wavenet-one-hot", {"input.levels": np.array([[-2], [0]])}, "not all levels from -1 to 31"),
        ("samplernn-gru", {"position": np.array([3, 4])}, r"positions \[3, 4\]; wanted the same place of a frame of 4"),
    ],
)
def test_states_must_fit(name, change, message):
    spec = SPECS[name]
    player = reference_player(spec, random_tensors(spec), 2, condition(spec, 2))
    player.reset(levels(spec, 2, spec.lookback))
    state = {key: value for key, value in (player.get_state() | change).items() if value is not None}
    with pytest.raises(UsageError, match=message):
        player.set_state(state)
