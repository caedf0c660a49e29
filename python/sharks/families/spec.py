"""What all specs share: the fields and questions that every family answers, and how a spec is checked and written.

A spec holds everything an engine needs to know besides the weights. Every number is written out; nothing is derived by
a rule that another program could read differently. The table `spec.tensors()` owns the names and shapes: torch models,
packs, the reference and the C++ engine all ask it, or are checked against it.

Nobody asks a spec which family it is. Whoever needs to know something asks for just that, and each family's own spec,
in its own folder, answers.
"""

from __future__ import annotations

import abc
import dataclasses
import functools
import math
import numbers
import typing
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SpecError, did_you_mean
from ..errors.arguments import shown
from ..levels.names import CODECS, OUTPUTS
from ..levels.quantize import Codec, codec_of
from .conditions import Condition, Unconditioned

Shape = tuple[int, ...]
Kind = typing.TypeVar("Kind", bound="Spec")


class Stage(NamedTuple):
    """A named value inside a step: `width` floats, produced once per `period` samples."""

    name: str
    width: int
    period: int


class Pace(NamedTuple):
    """How steps and sound go together: so many steps make so many samples."""

    steps: int
    samples: int


class StateArray(NamedTuple):
    """One array of a stream's state, without the leading stream axis.

    int32 holds levels, oldest first, where -1 is an empty place; int64 counts samples; float32 is all else, and the
    reference keeps it as float64.
    """

    name: str
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Spec(abc.ABC):
    """The fields that all families have, and the questions that each answers for itself."""

    family: ClassVar[str]  # its name in packs, presets and folders
    carries_state: ClassVar[bool]  # training walks through a chunk and carries the state from window to window
    starts: ClassVar[tuple[str, ...]] = ()  # the ways a free run may begin, of `STARTS`; none: there is one way
    initialisers: ClassVar[tuple[str, ...]]  # its authors' schemes, as its RULES name them; "smooth" lies on the first
    logits_from: ClassVar[str]  # the product that makes the logits: NAME.weight [output_width, in], and NAME.bias

    sample_rate: int = 16000  # Hz
    q_levels: int = 256
    codec: str = "MU-R"  # what a level means as amplitude; see quantize.py
    output: str = "categorical"  # mixtures are named, and refused for now

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            object.__setattr__(self, f.name, _as_type(f.name, getattr(self, f.name), _hints(type(self))[f.name]))
        self._check_between("sample_rate", 1000, 384000)
        self._check_between("q_levels", 2, 65536)
        self._check_choice("codec", CODECS)
        self._check_choice("output", OUTPUTS)
        if self.output != "categorical":
            raise SpecError(f"output is {self.output!r}; only 'categorical' can be trained and played so far")

    # What a model holds and makes

    @abc.abstractmethod
    def tensors(self) -> list[tuple[str, Shape]]:
        """Every tensor of a model, in pack order: (name, shape). Weights are [out, in], the last index fastest."""

    @abc.abstractmethod
    def stages(self) -> list[Stage]:
        """The values that survive every fold, in the order a step makes them."""

    def state(self) -> list[StateArray]:
        """Every array of a stream's state: what all families hold, then what this one remembers.

        `levels` are the last `lookback` ones; `position` counts the samples consumed since the reset, `step` the free
        samples drawn so far.
        """
        clocks = [StateArray("position", (), "int64"), StateArray("step", (), "int64")]
        return [StateArray("levels", (self.lookback,), "int32"), *clocks, *self.remembered()]

    @abc.abstractmethod
    def remembered(self) -> list[StateArray]:
        """The part of the state that is this family's own."""

    def tables(self) -> dict[str, NDArray[np.float32]]:
        """What a pack carries so that no engine knows a codec: float32 (q_levels,) by name. `SpecError` for LIN-X."""
        return {"codec.decode": codec_of(self).decode_table()}

    # What its steps sound like

    @property
    def pace(self) -> Pace:
        """A step is a sample, unless a family says otherwise."""
        return Pace(1, 1)

    @property
    def sound(self) -> Codec:
        """What the samples of a clip are: the levels of this codec, the model's own where a step is a sample."""
        return codec_of(self)

    @property
    def steps_per_second(self) -> float:
        """Of sound."""
        return self.sample_rate * self.pace.steps / self.pace.samples

    @property
    def devices(self) -> tuple[str, ...]:
        """What can play it, besides the reference."""
        return ("cpu", "cuda")

    @property
    def output_width(self) -> int:
        """Numbers per step that a prediction consists of: one logit per level."""
        return self.q_levels

    # How far back it hears

    @property
    @abc.abstractmethod
    def lookback(self) -> int:
        """Levels of history that the first prediction needs; also the samples after which all tiers begin anew."""

    @property
    @abc.abstractmethod
    def context(self) -> int:
        """Levels of history that training feeds before the first predicted one."""

    @property
    @abc.abstractmethod
    def reach(self) -> str:
        """How far back a prediction can see, for people."""

    # What it is told, and how it begins

    @property
    def condition(self) -> Condition:
        """What a stream is told besides levels."""
        return Unconditioned()

    @property
    def default_start(self) -> str | None:
        """How a free run begins if nobody chooses; None where there is one way."""
        return None

    # What its weights are like

    def constants(self) -> tuple[str, ...]:
        """The tensors that are measured in the music and never learnt."""
        return ()

    def fan_in(self, name: str, shape: Shape) -> int:
        """How many inputs of one output are not zero, for a weight of `tensors()`."""
        return math.prod(shape[1:])

    @abc.abstractmethod
    def gain(self, name: str) -> float:
        """What a product must gain so that values keep a size of about one: more after a ReLU, a gate or a tanh."""

    def period(self, name: str) -> int:
        """Samples from one use of a tensor to the next."""
        return 1

    def forget_rows(self, name: str) -> slice:
        """The rows of a tensor that are biases of forget gates."""
        return slice(0)

    @property
    @abc.abstractmethod
    def levels_into(self) -> str | None:
        """The tensor where each level has numbers of its own: an embedding [Q, E] or one-hot taps [out, Q, taps]."""

    def _check_between(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise SpecError(f"{name} is {value}; wanted {low} to {high}")

    def _check_choice(self, name: str, known: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in known:
            raise SpecError(f"{name} is {value!r}{did_you_mean(str(value), known)}")


STARTS = ("silence", "empty")  # after as much silence as a prediction can see, or with nothing heard at all


def to_dict(spec: Spec) -> dict[str, typing.Any]:
    """The spec as plain JSON values, `family` first."""
    fields = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
    return {"family": spec.family} | {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}


def replace(spec: Kind, **changes: typing.Any) -> Kind:
    """A copy of `spec` with fields changed; names and types are checked, lists become tuples."""
    names = [f.name for f in dataclasses.fields(spec)]
    for name, value in changes.items():
        if name not in names:
            raise SpecError(f"{spec.family} has no field {name!r}{did_you_mean(name, names)}")
        changes[name] = _as_type(name, value, _hints(type(spec))[name])
    return dataclasses.replace(spec, **changes)


def parameters(spec: Spec) -> int:
    """How many numbers the model holds."""
    return sum(math.prod(shape) for _, shape in spec.tensors())


_KINDS = {int: numbers.Integral, float: numbers.Real, bool: bool, str: str}


def _as_type(name: str, value: typing.Any, hint: typing.Any) -> typing.Any:
    """As the field's type, else `SpecError`. A list passes for a tuple, an int for a float, numpy's for ours."""
    if hint == tuple[int, ...]:
        if isinstance(value, (list, tuple)) and all(_is_a(one, int) for one in value):
            return tuple(map(int, value))
        raise SpecError(f"{name} is {shown(value)}; wanted a list of whole numbers")
    if not _is_a(value, hint):
        raise SpecError(f"{name} is {shown(value)}; wanted {hint.__name__}")
    try:
        return hint(value)
    except OverflowError:
        raise SpecError(f"{name} is {shown(value)}, which is too large") from None


def _is_a(value: typing.Any, hint: type) -> bool:
    """Whether a value has a type; for us a bool is no int."""
    return isinstance(value, _KINDS[hint]) and isinstance(value, bool) == (hint is bool)


@functools.cache
def _hints(kind: type) -> dict[str, typing.Any]:
    return typing.get_type_hints(kind)
