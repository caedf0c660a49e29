"""The torch baselines do the engine's work; only their speed is compared elsewhere."""

import pathlib
import shutil
import sys

import pytest
import torch

import sharks
from sharks.spec import replace
from specs import random_tensors, shrunk

sys.path.append(str(pathlib.Path(__file__).parents[2] / "bench"))
import compiled  # noqa: E402
import contest  # noqa: E402
from eager import eager_steps  # noqa: E402

NAMES = ("ibab-wavenet", "deepvoice-wavenet", "prism-3tier", "dadabots-2tier")


def small(name, **changes):
    """A preset's wiring with few channels, and rings and frames that 80 samples go round several times."""
    spec = replace(shrunk(sharks.preset(name)), **changes)
    return sharks.Pack(spec, random_tensors(spec))


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize("dtype", contest.TORCH_DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_eager_forms_give_the_engine_s_logits(name, dtype, streams):
    pack = small(name)
    steps = eager_steps(pack.spec, pack.tensors, streams, contest.TORCH_DTYPES[dtype])
    assert len(steps) == (2 if pack.spec.family == "wavenet" else 1)
    for form, step in steps.items():
        contest.check(pack, (dtype, form), step, streams)


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize(
    "name, streams, changes",
    [
        ("deepvoice-wavenet", 3, {"dilations": (1, 5)}),
        ("dadabots-2tier", 3, {"layers": 2}),
        pytest.param("ibab-wavenet", 1, {"dilations": (1, 2, 16)}, marks=pytest.mark.slow),
        pytest.param("prism-3tier", 1, {"layers": 2}, marks=pytest.mark.slow),
    ],
)
def test_compiled_forms_give_the_engine_s_logits_on_any_number_of_threads(name, streams, changes):
    pack = small(name, **changes)
    step = compiled.compiled_step(pack.spec, pack.tensors, streams)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            step.reset()
            with torch.compiler.set_stance("fail_on_recompile"):
                contest.check(pack, ("float32", "compiled"), step, streams)
    finally:
        torch.set_num_threads(before)
        torch._dynamo.reset()


@pytest.mark.parametrize("dtype", contest.TORCH_DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_that_computes_something_else_is_refused(name, dtype):
    pack = small(name)
    step = next(iter(eager_steps(pack.spec, pack.tensors, 1, contest.TORCH_DTYPES[dtype]).values()))
    step(torch.tensor([0]))  # one sample late
    with pytest.raises(SystemExit, match="differs from the engine"):
        contest.check(pack, (dtype, "late"), step, 1)


def test_a_row_compares_int8_with_both_dtypes_and_others_with_their_own():
    def turn(*speeds):
        engine, plain, narrow = speeds
        limits = {"float32": contest.Limit(2, 0.5, 0.25), "int8": contest.Limit(2, 0.5, 0.25)}
        return contest._Turn({"float32": engine, "int8": 4 * engine}, {FLOAT: plain, NARROW: narrow}, limits)

    FLOAT, NARROW = ("float32", "rings"), ("bfloat16", "compiled")
    pack = sharks.Pack(*(lambda pack: (pack.spec, pack.tensors))(small("ibab-wavenet")))
    player = contest.open_player(pack, 2, device="cpu", threads=1)
    turns = [turn(1.0, 0.5, 2.0), turn(3.0, 1.0, 2.0), turn(2.0, 2.0, 2.0)]
    row = contest._row(pack, player, turns, "float32")
    assert (row.samples_per_second, row.plain, row.best, row.best_form) == (2.0, 1.0, 1.0, "rings")
    assert row.x_plain == row.x_best == 2.0  # the median of 2, 3 and 1, not a ratio of medians
    assert (row.limit, row.of_limit, row.of_peak) == (4.0, 0.5, 0.25)
    assert row.x_real_time == 2.0 / 2 / 16000
    row = contest._row(pack, player, turns, "int8")
    assert (row.best, row.best_form, row.x_best) == (2.0, "compiled, bfloat16", 4.0)
