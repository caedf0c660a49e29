"""The families by name: whose spec it is, who plays it as the reference, who trains it, how its authors began.

This is the only file outside a family's own folder that names a family: a new one is a folder beside this file and a
row here. What lies in a folder is imported when it is first asked for, so that packs open without the reference, and
are played without torch.
"""

from __future__ import annotations

import importlib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import SpecError
from .codes.spec import CodesSpec
from .numpy_parts.player import Player
from .numpy_parts.weights import Weights
from .samplernn.spec import SampleRNNSpec
from .spec import Spec, replace
from .wavenet.spec import WaveNetSpec

if typing.TYPE_CHECKING:
    from .torch_parts.initial import Rule
    from .torch_parts.model import Model


@dataclass(frozen=True)
class Family:
    """One row. All but the spec are names in the family's folder: MODULE.NAME."""

    spec: type[Spec]
    reference: str  # made with (spec, weights, condition vectors); see numpy_parts.player.Model
    model: str  # made with (spec, weight_norm); see torch_parts.model.Model
    initialisers: str  # its authors' rules for first weights by name; see torch_parts.initial.Rule
    tokenizer: str = ""  # made with (spec, tensors): sound to steps; none where a step is a sample
    voice: str = ""  # made with (spec, tensors, seed, streams, filter): steps to sound
    fit: str = ""  # called with (songs, spec, seed): the tensors that are measured in the music, not learnt

    def find(self, name: str) -> typing.Any:
        """What is called so in the family's folder."""
        module, _, name = name.rpartition(".")
        return getattr(importlib.import_module(f".{module}", self.spec.__module__.rpartition(".")[0]), name)


_CODES = ("tokenizer.tokenizer.Tokenizer", "voice.noise.NoiseVoice", "tokenizer.fit.fit")
_ROWS = (
    Family(SampleRNNSpec, "reference.SampleRNN", "model.SampleRNN", "initial.RULES"),
    Family(WaveNetSpec, "reference.WaveNet", "model.WaveNet", "initial.RULES"),
    Family(CodesSpec, "reference.Codes", "model.Codes", "initial.RULES", *_CODES),
)
FAMILIES: dict[str, type[Spec]] = {row.spec.family: row.spec for row in _ROWS}
_ROW_OF = {row.spec: row for row in _ROWS}


def from_dict(values: dict[str, typing.Any]) -> Spec:
    """The spec that `to_dict` wrote. Unknown keys, missing families and wrong types are `SpecError`."""
    values = dict(values)
    family = values.pop("family", None)
    if family not in FAMILIES:
        raise SpecError(f"family is {family!r}; wanted one of {', '.join(FAMILIES)}")
    return replace(FAMILIES[family](), **values)


def reference_player(
    spec: Spec, tensors: dict[str, np.ndarray], streams: int, condition: ArrayLike | None = None
) -> Player:
    """The judge: a player of `streams` independent streams in numpy, at rest. Call `reset`, then `force` or `run`.

    `tensors` holds exactly what `spec.tensors()` names; anything else is a `PackError`. `condition` is None, or what
    `spec.condition` asks for: one class per stream, int (B,), or one vector per stream, float (B, G).
    """
    row, weights = _row(spec), Weights(spec, tensors)
    vectors = spec.condition.vectors(weights, condition, streams)
    return Player(spec, row.find(row.reference)(spec, weights, vectors), streams)


def torch_model(spec: Spec, weight_norm: bool = False) -> Model:
    """The model that trains; all its weights are zero until `initialise` or `.load(tensors)`."""
    row = _row(spec)
    return row.find(row.model)(spec, weight_norm)


def tokenizer(spec: Spec, tensors: Mapping[str, np.ndarray]) -> typing.Any:
    """What turns sound into steps, or None where a step is a sample; see `codes.tokenizer.tokenizer.Tokenizer`."""
    row = _row(spec)
    return row.find(row.tokenizer)(spec, tensors) if row.tokenizer else None


def voice(
    spec: Spec, tensors: Mapping[str, np.ndarray], seed: int, streams: np.ndarray, all_pole: Callable[..., typing.Any]
) -> typing.Any:
    """What turns steps into sound, or None where a step is a sample; see `codes.voice.noise.NoiseVoice`."""
    row = _row(spec)
    return row.find(row.voice)(spec, tensors, seed, streams, all_pole) if row.voice else None


def fitted(spec: Spec, *music: typing.Any, **how: typing.Any) -> dict[str, np.ndarray]:
    """The tensors that are measured in the music before a model learns; see `codes.tokenizer.fit.fit`."""
    row = _row(spec)
    return row.find(row.fit)(*music, **how) if row.fit else {}


def authors_rules() -> dict[str, Rule]:
    """The rules of all families' authors for first weights, by the names that recipes give them."""
    return {name: rule for row in _ROWS for name, rule in row.find(row.initialisers).items()}


def _row(spec: Spec) -> Family:
    if type(spec) not in _ROW_OF:
        known = ", ".join(kind.__name__ for kind in FAMILIES.values())
        raise SpecError(f"spec is of {type(spec).__name__}, which is no family; wanted one of {known}")
    return _ROW_OF[type(spec)]
