"""The torch models against the reference, at every stage, over the whole catalogue."""

import numpy as np
import pytest
import torch

from compare import GOLDEN, assert_close, assert_stages_close
from golden.mapping import PROGRAMS
from sharks import preset
from sharks.errors import SpecError, UsageError
from sharks.families.registry import reference_player, torch_model
from sharks.spec import replace, stages, tensors
from specs import SPECS, condition, levels, random_tensors

B = 2


def positions(spec):
    """Enough to run past twice the longest array of the state: every tier, or the longest ring. Whole frames."""
    longest = max(array.shape[0] for array in spec.state() if array.shape)
    return -(-(2 * longest + 5) // spec.lookback) * spec.lookback


def model_of(spec, weight_norm=False, seed=0):
    model = torch_model(spec, weight_norm)
    model.load(random_tensors(spec, seed))
    return model.eval()


def given(spec):
    value = condition(spec, B)
    return {} if value is None else {"condition": torch.from_numpy(np.asarray(value))}


@torch.no_grad()
def forced(model, spec, history_and_levels, state=None, **options):
    taps = {}
    _, after = model(torch.from_numpy(history_and_levels).long(), state, taps, **options)
    return {s.name: taps[s.name].numpy() for s in stages(spec)}, after


def judged(spec, all_levels):
    player = reference_player(spec, random_tensors(spec), B, condition(spec, B))
    player.reset(all_levels[:, : spec.lookback])
    _, taps = player.force(all_levels[:, spec.lookback :], want_logits=False, stages=[s.name for s in stages(spec)])
    return taps, player.get_state()


@pytest.mark.parametrize("name", SPECS)
def test_every_stage_and_the_state(name):
    spec = SPECS[name]
    all_levels = levels(spec, B, spec.lookback + positions(spec))
    got, after = forced(model_of(spec), spec, all_levels, **given(spec))
    want, state = judged(spec, all_levels)
    assert_stages_close(got, want)
    assert after.keys() == state.keys() - {"levels", "position", "step"}
    for key, value in after.items():
        wanted = state[key].astype(np.float32)
        if wanted.size:
            assert_close(value.numpy().astype(np.float32), wanted, "skip")


@pytest.mark.parametrize("name", ["samplernn-lstm-graves-first", "samplernn-gru", "wavenet-filter-3-biased-input"])
def test_a_wrong_weight_shows(name):
    spec = SPECS[name]
    all_levels = levels(spec, B, spec.lookback + positions(spec))
    model = model_of(spec)
    with torch.no_grad():
        next(p for n, p in model.named_parameters() if n.endswith(("rnn.1.w_hh", "blocks.1.dilated.weight")))[0] += 0.01
    with pytest.raises(AssertionError, match=r"^(tier.0.rnn.1|layer.1.gated): .* too far"):
        assert_stages_close(forced(model, spec, all_levels)[0], judged(spec, all_levels)[0])


@pytest.mark.parametrize("program", PROGRAMS)
def test_golden_logits_of_the_original_programs(program):
    golden = PROGRAMS[program]()
    spec, L = golden.spec, golden.spec.lookback
    all_levels = np.concatenate([golden.start, golden.levels], axis=1)
    extra = -golden.levels.shape[1] % L  # whole frames; a level that comes later changes nothing before it
    model = torch_model(spec).eval()
    model.load(golden.tensors)
    logits = forced(model, spec, np.pad(all_levels, ((0, 0), (0, extra))))[0]["logits"]
    logits = logits[:, golden.first : golden.levels.shape[1]]
    if golden.log_probabilities:
        logits = logits - np.log(np.exp(logits.astype(np.float64)).sum(-1, keepdims=True))
    assert_close(logits.astype(np.float32), golden.wanted, limit=GOLDEN)


@pytest.mark.parametrize("name", SPECS)
def test_the_state_dict_is_the_table(name):
    spec = SPECS[name]
    model = torch_model(spec)
    assert {n: tuple(p.shape) for n, p in model.state_dict().items()} == dict(tensors(spec))
    weights = random_tensors(spec)
    model.load(weights)
    exported = model.export()
    assert list(exported) == [n for n, _ in tensors(spec)]
    assert all(np.array_equal(exported[n], weights[n]) and exported[n].dtype == np.float32 for n in weights)


@pytest.mark.parametrize(
    "name", ["samplernn-lstm-graves-all", "samplernn-gru-reset-before", "wavenet-r9y9", "wavenet-classes"]
)
def test_weight_norm_folds_away(name):
    spec, weights = SPECS[name], random_tensors(SPECS[name])
    normed = model_of(spec, weight_norm=True)
    for n, w in normed.export().items():
        np.testing.assert_allclose(w, weights[n], rtol=3e-7, atol=1e-12)
    all_levels = levels(spec, B, spec.lookback + positions(spec))
    plain, _ = forced(model_of(spec), spec, all_levels, **given(spec))
    assert_stages_close(forced(normed, spec, all_levels, **given(spec))[0], plain)
    with torch.no_grad():  # a length scales what leaves its unit; a direction's own length does not matter
        for n, p in normed.named_parameters():
            p.mul_({"_g": 2.0, "_v": 3.0}.get(n[-2:], 1.0))
    for n, w in normed.export().items():
        np.testing.assert_allclose(w, weights[n] * (2 if normed.is_normed(n) else 1), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "changes", "count"),
    [
        ("dadabots-2tier", {}, 66_821_632),
        ("iclr2017-3tier", {}, 18_744_832),
        ("iclr2017-3tier", {"frame_sizes": (16,), "layers": 3}, 39_243_264),
    ],
)
def test_trainable_counts_with_weight_norm(name, changes, count):
    """Counted in the original programs: the table and one length per output of every product."""
    with torch.device("meta"):
        model = torch_model(replace(preset(name), **changes), weight_norm=True)
    assert sum(p.numel() for p in model.parameters()) == count


@pytest.mark.parametrize(
    "name", ["samplernn-lstm", "samplernn-2-frame-tiers", "samplernn-gru-reset-before", "wavenet-filter-3"]
)
def test_a_chunk_and_the_next_are_one(name):
    spec = SPECS[name]
    L, half = spec.lookback, positions(spec) // spec.lookback // 2 * spec.lookback
    all_levels = levels(spec, B, L + positions(spec))
    model = model_of(spec)
    whole, end = forced(model, spec, all_levels)
    first, middle = forced(model, spec, all_levels[:, : L + half])
    second, after = forced(model, spec, all_levels[:, half:], middle)
    joined = {n: np.concatenate([first[n], second[n]], axis=1) for n in whole}
    assert_stages_close(joined, whole)
    assert all(torch.allclose(after[n].float(), end[n].float(), atol=1e-6) for n in end)


@pytest.mark.parametrize("name", ["samplernn-lstm-graves-first", "samplernn-relu-logits", "samplernn-one-hot"])
def test_nll_is_that_of_the_logits(name):
    spec = SPECS[name]
    all_levels = torch.from_numpy(levels(spec, B, spec.lookback + positions(spec))).long()
    model = model_of(spec)
    logits, _ = model(all_levels)
    wanted = torch.nn.functional.cross_entropy(logits.flatten(0, 1), all_levels[:, spec.lookback :].flatten())
    got, _ = model.nll(all_levels, positions(spec))
    _same_loss_and_gradients(model, got, wanted)


@pytest.mark.parametrize("name", ["wavenet-one-hot", "wavenet-filter-3", "wavenet-embedding-alone", "wavenet-scaled"])
@pytest.mark.parametrize("missing", [0, 3])
def test_a_window_is_the_end_of_the_whole(name, missing):
    """What comes out of a window of one receptive field and more is what the whole past would give."""
    spec, predicted = SPECS[name], 7
    model = model_of(spec)
    window = levels(spec, B, spec.receptive_field + predicted)
    long = np.concatenate([levels(spec, B, 20, seed=9), window], axis=1)
    logits, _ = model(torch.from_numpy(long).long())
    targets = torch.from_numpy(window[:, -predicted:]).long().flatten()
    wanted = torch.nn.functional.cross_entropy(logits[:, -predicted:].flatten(0, 1), targets)
    got, carried = model.nll(torch.from_numpy(window[:, missing:]).long(), predicted)
    assert carried == {}
    if missing:  # one sample less than the receptive field already shows
        assert abs(got - wanted) > 1e-6
    else:
        _same_loss_and_gradients(model, got, wanted)


def _same_loss_and_gradients(model, got, wanted):
    assert abs(got - wanted) < 1e-6 * max(1, abs(wanted))
    held = dict(model.named_parameters())
    gradients = [torch.autograd.grad(loss, list(held.values()), allow_unused=True) for loss in (got, wanted)]
    moved = 0
    for n, a, b in zip(held, *gradients, strict=True):
        assert (a is None) == (b is None), n
        if a is not None:
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6 * max(1.0, b.abs().max().item()), msg=n)
            moved += 1
    assert moved >= len(held) - 2, "only an unused last residual may have no gradient"


def test_bad_arguments_are_one_sentence():
    spec = SPECS["samplernn-2-frame-tiers"]
    with pytest.raises(UsageError, match="multiple of the largest frame, 8"):
        model_of(spec)(torch.zeros(1, 8 + 12, dtype=torch.long))
    weights = random_tensors(spec)
    with pytest.raises(SpecError, match="'sample.out.bias' is missing"):
        torch_model(spec).load({n: w for n, w in weights.items() if n != "sample.out.bias"})
    with pytest.raises(SpecError, match=r"'sample.out.bias' is \[3\]; wanted \[32\]"):
        torch_model(spec).load(weights | {"sample.out.bias": np.zeros(3, np.float32)})
    with pytest.raises(UsageError, match="condition is missing"):
        model_of(SPECS["wavenet-vectors"])(torch.zeros(1, 9, dtype=torch.long))
    with pytest.raises(UsageError, match="condition is given"):
        model_of(SPECS["wavenet-one-hot"])(torch.zeros(1, 9, dtype=torch.long), condition=torch.zeros(1))


def test_the_initial_state_is_what_the_spec_remembers():
    for spec in SPECS.values():
        state = torch_model(spec).initial_state(B)
        assert {n: tuple(value.shape) for n, value in state.items()} == {n: (B, *s) for n, s, _ in spec.remembered()}


@pytest.mark.parametrize("name", SPECS)
def test_every_parameter_has_a_gradient_of_its_own(name):
    """Gradients are clipped and added to in place: two that share memory would be changed twice."""
    spec = SPECS[name]
    if condition(spec, B) is not None:
        pytest.skip("needs a condition, and is otherwise like the others")
    model = model_of(spec)
    window = torch.from_numpy(levels(spec, B, spec.lookback + positions(spec))).long()
    predicted = positions(spec) if spec.carries_state else 4
    model.nll(window, predicted)[0].backward()
    places = [p.grad.data_ptr() for p in model.parameters() if p.grad is not None]
    assert len(set(places)) == len(places) > 3
