"""What every player promises, whatever it is made of: chunks, company and a pause change not one bit."""

import functools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from compare import assert_close
from players import EVERY, PLAYERS
from sharks.families.registry import reference_player
from sharks.levels.sampling import draw
from sharks.spec import stages
from specs import SPECS, condition, levels, random_tensors

NAMES = [
    "samplernn-gru-3-frame-tiers",
    "samplernn-gru-reset-before-graves-all",
    "samplernn-lstm-learned-state",
    "samplernn-lstm-prism-first",
    "samplernn-frames-of-1-and-3",
    "samplernn-one-hot-odd",
    "wavenet-filter-3",
    "wavenet-scalar-32-taps",
    "wavenet-classes-filter-3-no-bias",
    "wavenet-vectors",
    "wavenet-odd-dilations-filter-3",
    "wavenet-embedding-alone",
    "preset-sharks2020-2tier",
]
PRIME = 11  # samples; ends in the middle of a frame
FREE = 40

pytestmark = [
    pytest.mark.parametrize("make", EVERY),
    pytest.mark.parametrize("name", NAMES),
]


@functools.cache
def model(name):
    return SPECS[name], random_tensors(SPECS[name])


def primed(make, name, streams=3, only=None):
    """A player after its history and PRIME levels; `only` keeps one of the streams."""
    spec, weights = model(name)
    rows = slice(None) if only is None else slice(only, only + 1)
    given = condition(spec, streams)
    player = make(spec, weights, streams if only is None else 1, None if given is None else given[rows])
    player.reset(np.ascontiguousarray(levels(spec, streams, spec.lookback, seed=1)[rows]))
    forced = np.ascontiguousarray(levels(spec, streams, PRIME)[rows])
    return player, player.force(forced)[0]


def run(player, n, streams=(4, 0, 9), temperature=0.9):
    heat = np.full((len(streams), n), temperature, np.float32)
    return player.run(n, heat, 77, np.array(streams, np.int64))


def test_shapes_and_types(make, name):
    spec, _ = model(name)
    player, logits = primed(make, name)
    assert logits.shape == (3, PRIME, spec.q_levels) and logits.dtype == np.float32
    more = levels(spec, 3, 2 * spec.lookback + 1)
    nothing, taken = player.force(more, False, [stage.name for stage in stages(spec)])
    assert nothing is None
    for stage in stages(spec):
        began = sum(1 for t in range(PRIME, PRIME + more.shape[1]) if t % stage.period == 0)
        assert taken[stage.name].shape == (3, began, stage.width)
        assert taken[stage.name].dtype == np.float32
    free = run(player, FREE)
    assert free.shape == (3, FREE) and free.dtype == np.int32
    assert 0 <= free.min() and free.max() < spec.q_levels
    assert run(player, 0).shape == (3, 0)


def test_asking_for_stages_or_no_logits_changes_nothing(make, name):
    spec, _ = model(name)
    player, logits = primed(make, name)
    quiet, _ = primed(make, name)
    more = levels(spec, 3, 20, seed=2)
    with_stages, taken = player.force(more, True, [stage.name for stage in stages(spec)])
    quiet.force(more, False)
    assert (taken["logits"] == with_stages).all()
    assert (run(player, FREE) == run(quiet, FREE)).all()


@pytest.mark.parametrize("cuts", [[1], [4], [5, 5], [16, 17], [0, 39]])
def test_chunks_do_not_matter(make, name, cuts):
    spec, _ = model(name)
    whole, _ = primed(make, name)
    parts, _ = primed(make, name)
    more = levels(spec, 3, FREE, seed=2)
    edges = [0, *np.cumsum(cuts).tolist(), FREE]
    logits = [parts.force(np.ascontiguousarray(more[:, a:b]))[0] for a, b in zip(edges, edges[1:], strict=False)]
    assert (np.concatenate(logits, 1) == whole.force(more)[0]).all()
    free = [run(parts, b - a) for a, b in zip(edges, edges[1:], strict=False)]
    assert (np.concatenate(free, 1) == run(whole, FREE)).all()


def test_a_stream_does_not_notice_its_company(make, name):
    together, logits = primed(make, name)
    free = run(together, FREE)
    for i, stream in enumerate((4, 0, 9)):
        alone, its_logits = primed(make, name, only=i)
        assert (its_logits[0] == logits[i]).all()
        assert (run(alone, FREE, [stream])[0] == free[i]).all()


def test_a_saved_state_continues_the_clip(make, name):
    spec, weights = model(name)
    player, _ = primed(make, name)
    run(player, 7)
    state = player.get_state()
    assert {key: value.shape for key, value in state.items()} == {n: (3, *shape) for n, shape, _ in spec.state()}
    wide = {"float32": "float64"} if make is reference_player else {}  # the judge keeps what it has
    assert {key: value.dtype for key, value in state.items()} == {n: wide.get(d, d) for n, _, d in spec.state()}
    assert state["position"].tolist() == [PRIME + 7] * 3 and state["step"].tolist() == [7] * 3
    first = run(player, FREE)
    player.set_state(state)
    assert (run(player, FREE) == first).all()
    other = make(spec, weights, 3, condition(spec, 3))
    other.set_state(state)
    assert (run(other, FREE) == first).all()


def test_a_state_can_be_saved_at_every_place_of_a_frame(make, name):
    straight, _ = primed(make, name)
    stopping, _ = primed(make, name)
    pieces = []
    for _ in range(FREE):
        pieces.append(run(stopping, 1))
        stopping.set_state(stopping.get_state())
    assert (np.concatenate(pieces, 1) == run(straight, FREE)).all()


def test_a_saved_state_is_not_touched_by_playing_on(make, name):
    player, _ = primed(make, name)
    state = player.get_state()
    before = {key: value.copy() for key, value in state.items()}
    run(player, FREE)
    assert all((state[key] == before[key]).all() for key in state)


def test_draws_are_those_of_sampling(make, name):
    """Free running is teacher forcing with levels drawn from the logits."""
    spec, _ = model(name)
    player, _ = primed(make, name)
    forced, _ = primed(make, name)
    heat = np.linspace(0, 2, 3 * FREE, dtype=np.float32).reshape(3, FREE)
    streams = np.array([4, 0, 9], np.int64)
    free = player.run(FREE, heat, 2**63 + 5, streams)
    logits, _ = forced.force(free)
    wanted = [draw(logits[:, t], heat[:, t], 2**63 + 5, streams, t) for t in range(FREE)]
    assert (np.stack(wanted, 1) == free).all()


def test_reset_forgets_everything(make, name):
    spec, _ = model(name)
    player, logits = primed(make, name)
    run(player, FREE)
    player.reset(levels(spec, 3, spec.lookback, seed=1))
    assert (player.force(levels(spec, 3, PRIME))[0] == logits).all()
    assert player.get_state()["step"].tolist() == [0] * 3


def test_a_state_moves_to_the_reference_and_back(make, name):
    """The state is in the spec's terms, so players of different makes continue one another's clips."""
    spec, weights = model(name)
    player, _ = primed(make, name)
    run(player, 7)
    judge = PLAYERS["reference"](spec, weights, 3, condition(spec, 3))
    judge.set_state(player.get_state())
    more = levels(spec, 3, FREE, seed=2)
    assert_close(player.force(more)[0], judge.force(more)[0])
    types = {"levels": np.int32, "input.levels": np.int32, "position": np.int64, "step": np.int64}
    player.set_state({key: value.astype(types.get(key, np.float32)) for key, value in judge.get_state().items()})
    assert_close(player.force(more)[0], judge.force(more)[0])


def test_results_lie_where_the_caller_wants(make, name):
    spec, _ = model(name)
    player, logits = primed(make, name)
    same, _ = primed(make, name)
    places = np.full((3, FREE), -1, np.int32), np.full((3, FREE, spec.q_levels), np.nan, np.float32)
    free, heat, ids = run(player, FREE), np.full((3, FREE), 0.9, np.float32), np.array((4, 0, 9), np.int64)
    assert same.run(FREE, heat, 77, ids, out=places[0]) is places[0]
    assert (places[0] == free).all()
    forced, _ = player.force(free)
    got, taken = same.force(free, stages=["logits"], out=places[1])
    assert got is places[1]
    assert (places[1] == forced).all() and (taken["logits"] == forced).all()


def read_only(array):
    array.flags.writeable = False
    return array


WRONG_PLACES = {
    "another type": lambda shape, dtype: np.zeros(shape, np.float64),
    "too short": lambda shape, dtype: np.zeros((shape[0], shape[1] - 1, *shape[2:]), dtype),
    "too many": lambda shape, dtype: np.zeros((shape[0] + 1, *shape[1:]), dtype),
    "flat": lambda shape, dtype: np.zeros(np.prod(shape), dtype),
    "not contiguous": lambda shape, dtype: np.zeros((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2],
    "for reading": lambda shape, dtype: read_only(np.zeros(shape, dtype)),
    "no array": lambda shape, dtype: np.zeros(shape, dtype).tolist(),
}


@pytest.mark.parametrize("place", WRONG_PLACES)
def test_a_wrong_place_for_results_is_refused_before_anything_plays(make, name, place):
    spec, _ = model(name)
    player, _ = primed(make, name)
    before, wrong = player.get_state(), WRONG_PLACES[place]
    heat, ids = np.ones((3, 8), np.float32), np.arange(3, dtype=np.int64)
    with pytest.raises(ValueError, match="out "):
        player.run(8, heat, 1, ids, out=wrong((3, 8), np.int32))
    with pytest.raises(ValueError, match="out "):
        player.force(levels(spec, 3, 8), out=wrong((3, 8, spec.q_levels), np.float32))
    with pytest.raises(ValueError, match="out is for logits"):
        player.force(levels(spec, 3, 8), False, out=np.zeros((3, 8, spec.q_levels), np.float32))
    after = player.get_state()
    assert all((after[key] == before[key]).all() for key in before)


@hypothesis.given(
    pieces=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=8), stage=st.integers(0, 10**6)
)
@hypothesis.settings(max_examples=8, deadline=None)
def test_any_mixture_of_forcing_running_and_pausing_is_one_walk(make, name, pieces, stage):
    """Forcing levels that a free run drew, in any cut, arrives at the same state and the same stages."""
    spec, _ = model(name)
    whole, _ = primed(make, name)
    parts, _ = primed(make, name)
    table = stages(spec)
    watched = table[stage % len(table)].name
    total = sum(n for _, n in pieces)
    free = run(whole, total)
    whole.reset(levels(spec, 3, spec.lookback, seed=1))
    whole.force(levels(spec, 3, PRIME))
    _, taken = whole.force(free, False, [watched])
    at, seen = 0, []
    for pause, n in pieces:
        if pause:
            parts.set_state(parts.get_state())
        seen.append(parts.force(np.ascontiguousarray(free[:, at : at + n]), False, [watched])[1][watched])
        at += n
    assert (np.concatenate(seen, 1) == taken[watched]).all()
    ended, wanted = parts.get_state(), whole.get_state()
    assert all((ended[key] == wanted[key]).all() for key in wanted)
