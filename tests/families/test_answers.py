"""What a spec answers for itself, and what happens to one that no row of the registry knows."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from sharks import SampleRNNSpec, SpecError, UsageError, WaveNetSpec, preset, presets, spec
from sharks.families.conditions import OneClass, OneVector, Unconditioned
from sharks.families.initialise import initialise
from sharks.families.registry import FAMILIES, authors_rules, reference_player, torch_model
from sharks.recipes.recipe import TrainRecipe
from specs import SPECS, levels, random_tensors

SMALL = SPECS["samplernn-gru"]


@dataclass(frozen=True)
class Third(SampleRNNSpec):
    """A family that nobody registered."""

    family = "third"


@pytest.mark.parametrize("make", [lambda spec: reference_player(spec, {}, 1), torch_model])
def test_a_spec_of_no_family_is_refused_in_one_sentence(make):
    kinds = ", ".join(kind.__name__ for kind in FAMILIES.values())
    with pytest.raises(SpecError, match=f"^spec is of Third, which is no family; wanted one of {kinds}$"):
        make(Third())
    with pytest.raises(SpecError, match=f"^family is 'third'; wanted one of {', '.join(FAMILIES)}$"):
        spec.from_dict(spec.to_dict(Third()))


@pytest.mark.parametrize("kind", FAMILIES.values())
def test_the_common_fields_come_first_in_every_spec(kind):
    assert list(spec.to_dict(kind()))[:5] == ["family", "sample_rate", "q_levels", "codec", "output"]


def test_the_face_says_what_the_specs_say():
    for each in SPECS.values():
        assert spec.tensors(each) == each.tensors() and spec.stages(each) == each.stages()
        assert spec.state_tensors(each) == [(array.name, array.shape) for array in each.state()]
        assert spec.parameters(each) == sum(int(np.prod(shape)) for _, shape in each.tensors())


def test_logits_are_as_wide_as_the_spec_says():
    for each in SPECS.values():
        table = dict(each.tensors())
        assert table[f"{each.logits_from}.weight"][0] == each.stages()[-1].width == each.output_width
        assert each.levels_into is None or each.q_levels in table[each.levels_into]


@pytest.mark.parametrize("name", ["samplernn-gru-3-frame-tiers", "wavenet-filter-3", "wavenet-embedding-3-taps"])
def test_levels_before_the_context_are_not_heard(name):
    """Of two pasts that differ just before it, a model without state hears nothing; one level later it does."""
    each = SPECS[name]
    model = torch_model(each)
    model.load(random_tensors(each))
    given = levels(each, 1, each.context + 16 + 1).astype(np.int64)
    changed = given.copy()
    changed[:, 0] = (changed[:, 0] + each.q_levels // 2) % each.q_levels

    def heard(past):
        return float(model.nll(torch.from_numpy(past), 16)[0].detach())

    assert heard(given) == heard(changed)
    assert heard(given[:, 1:]) != heard(np.concatenate([changed[:, :1], given[:, 2:]], axis=1))


def test_what_streams_are_told():
    told = {name: SPECS[f"wavenet-{name}"].condition for name in ("one-hot", "classes", "vectors")}
    assert told == {"one-hot": Unconditioned(), "classes": OneClass(3, "gcond.embed.weight"), "vectors": OneVector(3)}
    assert SMALL.condition == Unconditioned()
    assert told["classes"].per_stream(2, 3).tolist() == [2, 2, 2]
    assert told["vectors"].per_stream([1, 2, 3], 2).tolist() == [[1, 2, 3]] * 2
    assert told["classes"].per_stream([0, 1], 2).tolist() == [0, 1] and told["one-hot"].per_stream(None, 2) is None
    for name, kind in told.items():
        example, tensors = kind.example(), random_tensors(SPECS[f"wavenet-{name}"])
        vectors = kind.vectors(tensors, example, 1)
        assert (vectors is None) == (name == "one-hot") and (example is None or kind.fits(example))
    assert not told["classes"].fits(np.array([3])) and not told["vectors"].fits(np.array([[np.nan, 0, 0]]))
    with pytest.raises(UsageError, match="^condition is not an array"):
        told["vectors"].per_stream([[1.0], [1.0, 2.0]], 2)


def test_the_schemes_that_a_recipe_may_name_are_those_that_families_have():
    named = [name for kind in FAMILIES.values() for name in kind.initialisers]
    assert named == list(authors_rules()) and len(named) == len(set(named)) >= len(FAMILIES)
    for name in (*named, "torch", "smooth"):
        assert TrainRecipe(initialiser=name).initialiser == name
    with pytest.raises(UsageError, match="^train.initialiser is 'ibap'; did you mean 'ibab'"):
        TrainRecipe(initialiser="ibap")


def test_how_free_runs_begin():
    assert (SMALL.starts, SMALL.default_start) == ((), None)
    assert WaveNetSpec().starts == ("silence", "empty")
    assert [WaveNetSpec(start=start).default_start for start in WaveNetSpec.starts] == ["silence", "empty"]


def test_forget_gates_are_an_lstm_s():
    lstm = SPECS["samplernn-lstm"]
    assert lstm.forget_rows("tiers.0.rnn.0.b_ih") == slice(lstm.dim, 2 * lstm.dim)
    assert lstm.forget_rows("tiers.0.rnn.0.w_ih") == SMALL.forget_rows("tiers.0.rnn.0.b_ih") == slice(0)
    plain, biased = torch_model(lstm), torch_model(lstm)
    initialise(plain, "iclr")
    initialise(biased, "iclr", forget_bias=2.0)
    moved = {name: value - plain.export()[name] for name, value in biased.export().items()}
    assert {name for name, value in moved.items() if value.any()} == {f"tiers.0.rnn.{k}.b_ih" for k in range(2)}


@pytest.mark.parametrize("name", presets())
def test_how_far_back_it_hears_is_said_to_people(name):
    each = preset(name)
    assert str(each.context) in each.reach
