"""The engine's tables of tensors, stages and state are the spec's own: two sources, one checked against the other."""

import re

import numpy as np
import pytest

import emulated
import programs
from players import _core, engine_model
from sharks.spec import Spec, replace
from specs import ON_GPU, SAMPLERNN, SPECS, WAVENET, random_tensors

STREAMS = 2


def on_cpu(spec: Spec, weights: dict[str, np.ndarray]):
    return engine_model(spec, weights)


def on_emulated_gpu(spec: Spec, weights: dict[str, np.ndarray]):
    return engine_model(spec, weights, core=emulated.core(), device="cuda", plan="first-light")


ENGINES = [
    pytest.param(
        on_cpu, id="cpu", marks=pytest.mark.skipif(_core is None, reason="the compiled engine has not been built")
    ),
    pytest.param(on_emulated_gpu, id="emulated", marks=programs.BUILDS),
]


def state_differences(player, spec: Spec) -> list[str]:
    """Where the player's state is not the spec's table: names, order, shapes, types."""
    wanted = [(name, (STREAMS, *shape), dtype) for name, shape, dtype in spec.state()]
    got = [(name, array.shape, array.dtype.name) for name, array in player.get_state().items()]
    return [f"{g} for {w}" for g, w in zip(got, wanted, strict=False) if g != w] + [
        f"{len(got)} arrays for {len(wanted)}" for _ in range(len(got) != len(wanted))
    ]


def stage_differences(player, spec: Spec) -> list[str]:
    """Where the player's stages are not the spec's table: names, widths, periods, how many. The player must be reset,
    and moves on."""
    samples = max(stage.period for stage in spec.stages()) + 1
    levels = np.zeros((STREAMS, samples), np.int32)
    try:
        _, taken = player.force(levels, False, [stage.name for stage in spec.stages()])
    except ValueError as refusal:
        return [str(refusal)]
    different = []
    for name, width, period in spec.stages():
        shape = (STREAMS, -(-samples // period), width)
        different += [f"{taken[name].shape} for {name} {shape}" for _ in range(taken[name].shape != shape)]
    with pytest.raises(ValueError, match="unknown") as refusal:
        player.force(levels, False, ["no such stage"])
    count = int(re.search(r"model of (\d+) stages", str(refusal.value))[1])
    return different + [f"{count} stages for {len(spec.stages())}" for _ in range(count != len(spec.stages()))]


def started(engine, spec: Spec):
    player = engine(spec, random_tensors(spec)).player(STREAMS)
    player.reset(np.zeros((STREAMS, spec.lookback), np.int32))
    return player


PLAYED = [
    pytest.param(*engine.values, name, id=f"{engine.id}-{name}", marks=engine.marks)
    for engine, specs in zip(ENGINES, (SPECS, ON_GPU), strict=True)
    for name in specs
]


@pytest.mark.parametrize(("engine", "name"), PLAYED)
def test_state_and_stages_are_the_specs(engine, name):
    player = started(engine, SPECS[name])
    assert state_differences(player, SPECS[name]) == []
    assert stage_differences(player, SPECS[name]) == []


@pytest.mark.parametrize("name", [name for name in SPECS if not name.startswith("preset")])
def test_the_tensors_are_the_specs_and_no_others(name):
    """A model is made of them; of all but one, or of one more, or of one with another shape, it is not."""
    if _core is None:
        pytest.skip("the compiled engine has not been built")
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    assert [(tensor, array.shape) for tensor, array in weights.items()] == spec.tensors()
    on_cpu(spec, weights)
    for tensor, array in weights.items():
        rest = {other: values for other, values in weights.items() if other != tensor}
        with pytest.raises(ValueError, match=f"'{re.escape(tensor)}' is missing"):
            on_cpu(spec, rest)
        with pytest.raises(ValueError, match=f"'{re.escape(tensor)}' has shape"):
            on_cpu(spec, rest | {tensor: array[None]})
    with pytest.raises(ValueError, match=r"'one\.more' \[1\] belongs to no part"):
        on_cpu(spec, weights | {"one.more": np.zeros(1, np.float32)})


CHANGES = [
    (SAMPLERNN, {"cell": "lstm"}, True, False),
    (SAMPLERNN, {"dim": 13}, True, True),
    (SAMPLERNN, {"layers": 1}, True, True),
    (SAMPLERNN, {"frame_sizes": (2,)}, True, True),
    (WAVENET, {"input_filter_width": 3}, True, False),
    (WAVENET, {"dilations": (1, 2, 4, 1, 3)}, True, False),
    (WAVENET, {"dilations": (1, 2, 4, 1)}, True, True),
    (WAVENET, {"residual": 11}, True, True),
    (WAVENET, {"head": 12}, False, True),
]


@pytest.mark.parametrize(("spec", "change", "state", "stage"), CHANGES, ids=lambda value: str(value)[:40])
def test_another_specs_tables_are_seen_to_differ(spec: Spec, change, state, stage):
    if _core is None:
        pytest.skip("the compiled engine has not been built")
    other = replace(spec, **change)
    assert bool(state_differences(started(on_cpu, spec), other)) == state
    assert bool(stage_differences(started(on_cpu, spec), other)) == stage
