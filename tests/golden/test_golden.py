"""The original programs' weights give the original programs' logits, in every player."""

import numpy as np
import pytest

from compare import GOLDEN, assert_close
from golden.mapping import PROGRAMS
from players import PLAYERS
from sharks.spec import tensors


@pytest.fixture(scope="module", params=PROGRAMS)
def golden(request):
    return PROGRAMS[request.param]()


def test_the_mapping_fills_the_table(golden):
    assert {name: value.shape for name, value in golden.tensors.items()} == dict(tensors(golden.spec))
    assert all(value.dtype == np.float32 for value in golden.tensors.values())


@pytest.mark.parametrize("make", PLAYERS.values(), ids=PLAYERS)
def test_recorded_logits(golden, make):
    assert_close(played(golden, make), golden.wanted, limit=GOLDEN)


@pytest.mark.parametrize("make", PLAYERS.values(), ids=PLAYERS)
def test_a_weight_that_is_off_shows(golden, make):
    name = next(name for name in golden.tensors if name.endswith((".expand.bias", ".dilated.bias")))
    wrong = dict(golden.tensors)
    wrong[name] = wrong[name] + np.float32(0.01)
    with pytest.raises(AssertionError, match="values are too far"):
        assert_close(played(golden._replace(tensors=wrong), make), golden.wanted, limit=GOLDEN)


def played(golden, make):
    player = make(golden.spec, golden.tensors, len(golden.start))
    player.reset(np.ascontiguousarray(golden.start, np.int32))
    logits, _ = player.force(np.ascontiguousarray(golden.levels, np.int32))
    logits = logits[:, golden.first :]
    if golden.log_probabilities:
        logits = logits - np.log(np.exp(logits.astype(np.float64)).sum(-1, keepdims=True))
    return logits.astype(np.float32)
